#include "forecasts.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include <nanobind/stl/string.h>

#include "answers.hpp"

namespace kato {

namespace {

std::vector<Symbol> numbers_of(nb::handle texts, const Symbols& symbols) {
    std::vector<Symbol> found;
    for (nb::handle text : texts) found.push_back(symbols.find(text));
    return found;
}

nb::list told(const Shares& shares, nb::list texts) {
    nb::list found;
    for (const auto& [symbol, share] : shares) found.append(nb::make_tuple(texts[symbol], share));
    return found;
}

Mix mix_of(nb::handle given) {
    Mix mix;
    for (nb::handle way : given) mix.push_back({nb::cast<std::size_t>(way[0]), nb::cast<std::uint32_t>(way[1])});
    return mix;
}

std::vector<std::size_t> profiles_of(const Mix& mix) {
    std::vector<std::size_t> profiles;
    for (const auto& way : mix) profiles.push_back(way.first);
    return profiles;
}

}  // namespace

Question question_of(nb::handle given, const Symbols& symbols) {
    Question question;
    for (nb::handle step : given[0])
        question.steps.push_back({numbers_of(step[0], symbols), numbers_of(step[1], symbols)});
    question.horizon = nb::cast<std::size_t>(given[1]);
    if (const nb::object before = given[3]; !before.is_none()) question.before = nb::cast<std::uint64_t>(before);
    const nb::object left_out = given[2];
    if (left_out.is_none()) return question;
    question.leaves_out = true;
    for (nb::handle event : left_out) {
        bool starts = true;
        for (nb::handle text : event) {
            question.left_tokens.push_back(symbols.find(text));
            question.left_starts.push_back(starts);
            starts = false;
        }
    }
    return question;
}

Menu menu_of(nb::handle given) {
    Menu menu;
    for (nb::handle shape : given[0])
        menu.shapes.push_back({nb::cast<int>(shape[0]), nb::cast<double>(shape[1]), nb::cast<double>(shape[2])});
    for (nb::handle each : given[1]) {
        Profile profile{};
        profile.shape = nb::cast<std::size_t>(each[0]);
        profile.power = nb::cast<int>(each[1]);
        profile.suffix = nb::cast<double>(each[2]);
        profile.ending = nb::cast<double>(each[3]);
        profile.best_only = nb::cast<bool>(each[4]);
        profile.affinity = nb::cast<int>(each[5]);
        profile.affinity_after = nb::cast<std::size_t>(each[6]);
        profile.order = nb::cast<std::size_t>(each[7]);
        profile.escape = nb::cast<double>(each[8]);
        const auto closing = nb::cast<std::string>(each[9]);
        profile.closing = closing == "beside"  ? Closing::beside
                          : closing == "after" ? Closing::after
                          : closing == "alone" ? Closing::alone
                                               : Closing::ignored;
        menu.profiles.push_back(profile);
    }
    menu.general = nb::cast<std::size_t>(given[2]);
    menu.furthest = nb::cast<std::size_t>(given[3]);
    if (menu.furthest >= 255) throw nb::value_error("displacements are told apart below 255");
    menu.floor = nb::cast<double>(given[4]);
    const nb::object bounds = given[5];
    menu.bounds = {nb::cast<std::size_t>(bounds[0]), nb::cast<std::size_t>(bounds[1]), nb::cast<std::size_t>(bounds[2]),
                   nb::cast<std::size_t>(bounds[3])};
    return menu;
}

nb::tuple tally_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle given, nb::handle menu_given,
                   nb::handle mix_given,
                   double repeat, std::size_t most) {
    const Question question = question_of(given, symbols);
    const Menu menu = menu_of(menu_given);
    const Mix mix = mix_of(mix_given);
    Shares shares;
    std::size_t all = 0, voters = 0;
    double bits = 0.0;
    {
        nb::gil_scoped_release release;
        Electorate electorate(state, question, menu, grounds.hear(state, question, menu.bounds), profiles_of(mix));
        shares = electorate.mixed(mix, repeat);
        all = shares.size();
        voters = electorate.voters();
        bits = entropy(shares);
        if (most < shares.size()) {
            // What ties with the last of them stays: the symbols' texts decide.
            std::vector<double> values;
            for (const auto& each : shares) values.push_back(each.second);
            const auto last = values.begin() + std::ptrdiff_t(most == 0 ? 0 : most - 1);
            std::nth_element(values.begin(), last, values.end(), std::greater<double>());
            const double least = *last;
            shares.erase(std::remove_if(shares.begin(), shares.end(), [=](const auto& each) { return each.second < least; }),
                         shares.end());
        }
    }
    return nb::make_tuple(told(shares, symbols.texts()), all, bits, voters);
}

nb::tuple attributed_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle given, nb::handle menu_given,
                        nb::handle mix_given, double repeat, nb::handle asked_given, std::size_t most) {
    const Question question = question_of(given, symbols);
    const Menu menu = menu_of(menu_given);
    const Mix mix = mix_of(mix_given);
    const std::vector<Symbol> asked = numbers_of(asked_given, symbols);
    std::vector<Votes> votes;
    std::optional<Electorate> electorate;
    {
        nb::gil_scoped_release release;
        electorate.emplace(state, question, menu, grounds.hear(state, question, menu.bounds), profiles_of(mix));
        votes = electorate->attributed(mix, repeat, asked, most);
    }
    nb::list voters, found;
    std::unordered_map<std::uint64_t, std::size_t> numbers;  // of voters, by slot
    for (const Votes& each : votes) {
        nb::list best;
        for (const Vote& vote : each.best) {
            const Voter voter = electorate->voter(vote);
            const auto [at, added] = numbers.try_emplace(voter.row.slot(), numbers.size());
            if (added) voters.append(told(voter.row, voter.frequency, symbols));
            best.append(nb::make_tuple(at->second, electorate->position(vote), vote.share));
        }
        found.append(nb::make_tuple(best, each.others, each.others_share));
    }
    return nb::make_tuple(voters, found);
}

nb::tuple ballots_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle given, nb::handle menu_given,
                     nb::handle right_given,
                     std::size_t leading, std::size_t most_tied) {
    const Question question = question_of(given, symbols);
    const Menu menu = menu_of(menu_given);
    const std::vector<Symbol> right = numbers_of(right_given, symbols);
    Ballots ballots;
    {
        nb::gil_scoped_release release;
        std::vector<std::size_t> profiles;
        for (std::size_t profile = 0; profile < menu.profiles.size(); ++profile) profiles.push_back(profile);
        Electorate electorate(state, question, menu, grounds.hear(state, question, menu.bounds), profiles);
        ballots = electorate.ballots(right, leading, most_tied);
    }
    nb::list listed, shares;
    nb::list texts = symbols.texts();
    for (const Symbol symbol : ballots.symbols) listed.append(texts[symbol]);
    for (const auto& each : ballots.shares) {
        nb::list row;
        for (const double share : each) row.append(share);
        shares.append(row);
    }
    return nb::make_tuple(listed, shares);
}

nb::tuple familiarity_of(const State& state, const Symbols& symbols, nb::handle given, nb::handle asked_given,
                         nb::handle pairs_given) {
    const Question question = question_of(given, symbols);
    const std::vector<Symbol> asked = numbers_of(asked_given, symbols);
    std::vector<std::pair<Symbol, Symbol>> pairs;
    for (nb::handle pair : pairs_given) pairs.push_back({symbols.find(pair[0]), symbols.find(pair[1])});
    Familiarity found;
    {
        nb::gil_scoped_release release;
        found = familiarity(state, question, asked, pairs);
    }
    nb::list unseen, transitions;
    for (const std::size_t number : found.unseen) unseen.append(number);
    for (const std::size_t number : found.unseen_transitions) transitions.append(number);
    return nb::make_tuple(unseen, transitions, found.together);
}

}  // namespace kato
