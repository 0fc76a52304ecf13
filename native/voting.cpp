#include "voting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "query.hpp"
#include "sums.hpp"

namespace kato {

namespace {

// Symbols to small numbers, by the symbol itself; its room is kept from one question of a thread to the next.
class Places {
public:
    explicit Places(std::size_t known) : places_(room()) {
        if (places_.size() < known) places_.resize(known, {0, 0});
        ++round();
        if (round() == 0) {
            std::fill(places_.begin(), places_.end(), std::pair<std::uint32_t, std::uint32_t>{0, 0});
            round() = 1;
        }
    }

    // The number of a symbol, `next` if it has none yet.
    std::uint32_t number(Symbol symbol, std::uint32_t next) {
        auto& place = places_[symbol];
        if (place.first != round()) place = {round(), next};
        return place.second;
    }

private:
    static std::vector<std::pair<std::uint32_t, std::uint32_t>>& room() {
        static thread_local std::vector<std::pair<std::uint32_t, std::uint32_t>> kept;
        return kept;
    }
    static std::uint32_t& round() {
        static thread_local std::uint32_t kept = 0;
        return kept;
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>>& places_;
};

// A few symbols to small numbers; open addressing.
class Numbers {
public:
    explicit Numbers(std::size_t expected) : slots_(next_power_of_two(expected * 2 + 16), {kUnknown, 0}) {}

    // The number of a symbol, `next` if it has none yet.
    std::uint32_t number(Symbol symbol, std::uint32_t next) {
        std::size_t at = mixed_place(symbol);
        while (slots_[at].first != kUnknown) {
            if (slots_[at].first == symbol) return slots_[at].second;
            at = (at + 1) & (slots_.size() - 1);
        }
        slots_[at] = {symbol, next};
        return next;
    }

    std::int64_t find(Symbol symbol) const {
        std::size_t at = mixed_place(symbol);
        while (slots_[at].first != kUnknown) {
            if (slots_[at].first == symbol) return slots_[at].second;
            at = (at + 1) & (slots_.size() - 1);
        }
        return -1;
    }

private:
    std::size_t mixed_place(Symbol symbol) const { return mixed(symbol) & (slots_.size() - 1); }
    std::vector<std::pair<Symbol, std::uint32_t>> slots_;
};

// Votes over their sum; false, and all 0, if there are none.
bool normalize(std::vector<double>& votes) {
    ExactSumOfMany sum;
    const double whole = sum.of(votes);
    if (!(whole > 0.0)) {
        std::fill(votes.begin(), votes.end(), 0.0);
        return false;
    }
    for (double& vote : votes) vote = vote > 0.0 ? vote / whole : 0.0;
    return true;
}

// One symbol of one step of the memory, with all that does not depend on the position.
struct Sought {
    std::size_t back;
    std::size_t number;               // among the memory's different symbols
    std::vector<std::vector<double>> worth;  // per shape, per displacement: what it adds to a position's evidence
};

}  // namespace

Electorate::Electorate(const State& state, const Question& question, const Menu& menu, const std::vector<std::size_t>& profiles)
    : menu_(menu), voters_(elect(state, question, menu.bounds)) {
    std::vector<bool> shapes(menu.shapes.size());
    for (const std::size_t profile : profiles)
        if (menu.profiles[profile].order == 0) shapes[menu.profiles[profile].shape] = true;
    stand(state, question, shapes);
    group(state.members.size());
}

// Every position of every voter: its evidence, its suffix, and what it votes for.
void Electorate::stand(const State& state, const Question& question, const std::vector<bool>& shapes) {
    std::vector<std::size_t> used;
    for (std::size_t shape = 0; shape < shapes.size(); ++shape)
        if (shapes[shape]) used.push_back(shape);
    bool alike = true;  // whether what is voted for is what is shown
    std::vector<std::vector<double>> displaced(menu_.shapes.size());
    for (std::size_t shape = 0; shape < menu_.shapes.size(); ++shape)
        for (std::size_t away = 0; away <= menu_.furthest; ++away)
            displaced[shape].push_back(std::pow(menu_.shapes[shape].displacement, double(away)));
    Numbers memory(64);
    std::vector<Sought> sought;
    for (std::size_t back = 0; back < question.steps.size(); ++back)
        for (const Symbol symbol : question.steps[back].symbols) {
            if (symbol == kUnknown) continue;
            const auto next = std::uint32_t(present_.size());
            const std::uint32_t number = memory.number(symbol, next);
            if (number == next) present_.push_back(symbol);
            const double rarity = std::log(double(state.patterns + 1) / (double(state.members[symbol]) + 0.5));
            Sought each{back, number, {}};
            for (std::size_t shape = 0; shape < menu_.shapes.size(); ++shape) {
                const Shape& by = menu_.shapes[shape];
                const double worth = (by.rarity == 1 ? rarity : rarity * rarity) * std::pow(by.fading, double(back));
                each.worth.push_back(displaced[shape]);
                for (double& one : each.worth.back()) one = worth * one;
            }
            sought.push_back(std::move(each));
        }

    std::size_t tokens = 0;
    for (const Voter& voter : voters_) tokens += voter.row.length;
    evidence_.resize(menu_.shapes.size());
    for (const std::size_t shape : used) evidence_[shape].resize(tokens);
    standings_.reserve(tokens);
    ballots_.reserve(tokens);

    std::vector<Symbol> row_tokens;
    std::vector<std::uint32_t> starts;
    std::vector<std::vector<std::uint32_t>> places(present_.size());
    for (std::uint32_t v = 0; v < voters_.size(); ++v) {
        const Row& row = voters_[v].row;
        row_tokens.resize(row.length);
        starts.clear();
        for (auto& each : places) each.clear();
        for (std::size_t i = 0; i < row.length; ++i) {
            row_tokens[i] = row.token(i);
            if (row.starts(i)) starts.push_back(std::uint32_t(i));
            const std::int64_t number = memory.find(row_tokens[i]);
            if (number < 0) continue;
            auto& here = places[std::size_t(number)];
            const auto event = std::uint32_t(starts.size() - 1);
            if (here.empty() || here.back() != event) here.push_back(event);
        }
        const std::size_t events = starts.size(), first = standings_.size();
        first_of_.push_back(std::uint32_t(first));
        starts.push_back(row.length);

        for (const Sought& each : sought) {
            const auto& here = places[each.number];
            if (here.empty()) continue;
            std::size_t next = 0;  // of `here`: the first place beyond what is expected
            for (std::size_t p = here.front() + 1; p < events;) {
                const std::int64_t expected = std::int64_t(p) - 1 - std::int64_t(each.back);
                while (next < here.size() && std::int64_t(here[next]) <= expected) ++next;
                if (next < here.size() && here[next] < p) {
                    std::size_t away = std::size_t(std::int64_t(here[next]) - expected);
                    if (next > 0) away = std::min(away, std::size_t(expected - std::int64_t(here[next - 1])));
                    away = std::min(away, menu_.furthest);
                    for (const std::size_t shape : used) evidence_[shape][first + p] += each.worth[shape][away];
                    ++p;
                    continue;
                }
                // Up to the next place, each position is one further away from the one before.
                const std::size_t from = std::min(std::size_t(expected - std::int64_t(here[next - 1])), menu_.furthest);
                const std::size_t stop = next < here.size() ? std::min<std::size_t>(events, here[next] + 1) : events;
                const std::size_t near = std::min(stop - p, menu_.furthest - from);
                for (const std::size_t shape : used) {
                    const double* worth = each.worth[shape].data() + from;
                    double* mine = evidence_[shape].data() + first + p;
                    for (std::size_t i = 0; i < near; ++i) mine[i] += worth[i];
                    for (std::size_t i = near; i < stop - p; ++i) mine[i] += worth[near];
                }
                p = stop;
            }
        }

        for (std::size_t p = 0; p < events; ++p) {
            std::size_t suffix = 0;
            while (suffix < question.steps.size() && suffix < p) {
                const auto& step = question.steps[suffix].event;
                const std::size_t from = starts[p - 1 - suffix], to = starts[p - suffix];
                if (step.size() != to - from || step[0] != row_tokens[from]) break;
                if (!std::equal(step.begin(), step.end(), row_tokens.begin() + std::ptrdiff_t(from))) break;
                ++suffix;
            }
            const auto standing = std::uint32_t(standings_.size());
            standings_.push_back({v, std::uint16_t(suffix), events - p <= question.closing()});
            const std::size_t mine = ballots_.size();
            const std::size_t from = question.horizon ? p : events - 1;
            for (std::size_t i = starts[from]; i < starts[std::min(events, from + question.closing())]; ++i) {
                bool again = false;
                for (std::size_t j = mine; j < ballots_.size() && !again; ++j) again = ballots_[j].first == row_tokens[i];
                if (!again) ballots_.push_back({row_tokens[i], standing});
            }
            alike = alike && ballots_.size() - mine == starts[p + 1] - starts[p] && question.horizon == 1;
        }
    }
    for (const std::size_t shape : used) evidence_[shape].resize(standings_.size());
    if (alike) return;
    shown_.reserve(tokens);
    std::uint32_t standing = 0;
    for (const Voter& voter : voters_)
        for (std::size_t i = 0; i < voter.row.length; ++i) {
            if (i > 0 && voter.row.starts(i)) ++standing;
            shown_.push_back({voter.row.token(i), standing});
            if (i + 1 == voter.row.length) ++standing;
        }
}

// Ballots by symbol.
void Electorate::group(std::size_t known) {
    Places places(known);
    const auto number_of = [&](Symbol symbol) {
        const auto next = std::uint32_t(symbols_.size());
        const std::uint32_t number = places.number(symbol, next);
        if (number == next) symbols_.push_back(symbol);
        return number;
    };
    numbers_.reserve(ballots_.size());
    for (const auto& [symbol, standing] : ballots_) numbers_.push_back(number_of(symbol));
    for (const auto& [symbol, standing] : shown_) shown_numbers_.push_back(number_of(symbol));
    firsts_.assign(symbols_.size() + 1, 0);
    for (const std::uint32_t number : numbers_) ++firsts_[number + 1];
    for (std::size_t i = 1; i < firsts_.size(); ++i) firsts_[i] += firsts_[i - 1];
    ballots_of_.resize(ballots_.size());
    std::vector<std::uint32_t> next(firsts_.begin(), firsts_.end() - 1);
    for (std::size_t i = 0; i < ballots_.size(); ++i) ballots_of_[next[numbers_[i]]++] = ballots_[i].second;
}

void Electorate::count_contexts() {
    if (!anywhere_.empty()) return;
    std::size_t longest = 0;
    for (const Profile& profile : menu_.profiles) longest = std::max(longest, profile.order);
    anywhere_.assign(longest + 1, std::vector<std::uint64_t>(symbols_.size()));
    at_ends_ = anywhere_;
    for (std::size_t i = 0; i < ballots_.size(); ++i) {
        const Standing& standing = standings_[ballots_[i].second];
        const std::size_t level = std::min<std::size_t>(standing.suffix, longest);
        const std::uint64_t frequency = voters_[standing.voter].frequency;
        anywhere_[level][numbers_[i]] += frequency;
        if (standing.at_end) at_ends_[level][numbers_[i]] += frequency;
    }
    for (std::size_t level = longest; level-- > 0;)
        for (std::size_t i = 0; i < symbols_.size(); ++i) {
            anywhere_[level][i] += anywhere_[level + 1][i];
            at_ends_[level][i] += at_ends_[level + 1][i];
        }
}

// Of every symbol, contexts of up to `after` events counted in.
const std::vector<double>& Electorate::affinities(std::size_t after) {
    if (affinities_.empty()) count_affinities();
    if (affinities_.size() <= after) count_contexts();
    while (affinities_.size() <= after) {
        const std::size_t level = affinities_.size();
        std::vector<double> found(symbols_.size());
        for (std::size_t i = 0; i < symbols_.size(); ++i)
            found[i] = (double(at_ends_[level][i]) + 2.0 * affinities_[level - 1][i]) / double(anywhere_[level][i] + 2);
        affinities_.push_back(std::move(found));
    }
    return affinities_[after];
}

void Electorate::count_affinities() {
    const auto& shown = shown_.empty() ? ballots_ : shown_;
    const auto& numbers = shown_.empty() ? numbers_ : shown_numbers_;
    std::vector<std::uint64_t> all(symbols_.size()), closing(symbols_.size());
    std::uint64_t whole = 0, whole_closing = 0;
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const Standing& standing = standings_[shown[i].second];
        const std::uint64_t frequency = voters_[standing.voter].frequency;
        all[numbers[i]] += frequency;
        whole += frequency;
        if (!standing.at_end) continue;
        closing[numbers[i]] += frequency;
        whole_closing += frequency;
    }
    std::vector<double> found(symbols_.size());
    const double base = 2.0 * (double(whole_closing) / double(whole));
    for (std::size_t i = 0; i < symbols_.size(); ++i) found[i] = (double(closing[i]) + base) / double(all[i] + 2);
    affinities_.push_back(std::move(found));
}

// From the most general to the most particular, interpolated after Witten and Bell.
std::vector<Electorate::Context> Electorate::contexts(const Profile& profile) {
    count_contexts();
    std::vector<Context> found;
    for (std::size_t level = 0; level <= profile.order; ++level) {
        if (profile.closing != Closing::alone) found.push_back({level, false, &anywhere_[level], 0.0});
        if (profile.closing == Closing::beside || profile.closing == Closing::alone)
            found.push_back({level, true, &at_ends_[level], 0.0});
    }
    if (profile.closing == Closing::after)
        for (std::size_t level = 0; level <= profile.order; ++level) found.push_back({level, true, &at_ends_[level], 0.0});
    double rest = 1.0;
    for (std::size_t number = found.size(); number-- > 0;) {
        std::uint64_t followers = 0, distinct = 0;
        for (const std::uint64_t count : *found[number].counts) {
            followers += count;
            distinct += count != 0;
        }
        if (followers == 0) continue;
        if (number == 0) {
            found[0].worth = rest / double(followers);
            break;
        }
        const double expected = profile.escape * double(distinct);
        const double whole = double(followers) + expected;
        found[number].worth = rest / whole;
        rest *= expected / whole;
    }
    return found;
}

std::vector<double> Electorate::backed_off(const Profile& profile) {
    const std::vector<Context> looked_at = contexts(profile);
    std::vector<double> votes(symbols_.size());
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
        double vote = 0.0;
        for (const Context& context : looked_at) vote += context.worth * double((*context.counts)[i]);
        votes[i] = vote;
    }
    return votes;
}

// What every position gives each of its targets by its evidence; 0 for those that do not vote.
std::vector<double> Electorate::evident(const Profile& profile) const {
    std::vector<double> suffixes;
    for (std::size_t length = 0; length <= menu_.bounds.window; ++length)
        suffixes.push_back(std::pow(profile.suffix, double(length)));
    std::vector<double> weights(standings_.size());
    const double* evidence = evidence_[profile.shape].data();
    for (std::size_t v = 0; v < voters_.size(); ++v) {
        const double frequency = double(voters_[v].frequency);
        const std::size_t stop = v + 1 < voters_.size() ? first_of_[v + 1] : standings_.size();
        for (std::size_t i = first_of_[v]; i < stop; ++i) {
            const double found = evidence[i];
            const Standing& standing = standings_[i];
            double worth = found;
            for (int power = 1; power < profile.power; ++power) worth *= found;
            worth *= suffixes[std::min<std::size_t>(standing.suffix, menu_.bounds.window)];
            if (standing.at_end) worth *= profile.ending;
            weights[i] = worth * frequency;
        }
    }
    if (profile.best_only) {
        std::vector<std::int64_t> best(voters_.size(), -1);
        for (std::size_t i = 0; i < standings_.size(); ++i) {
            auto& held = best[standings_[i].voter];
            if (weights[i] > 0.0 && (held < 0 || weights[i] > weights[std::size_t(held)])) held = std::int64_t(i);
        }
        for (std::size_t i = 0; i < standings_.size(); ++i)
            if (best[standings_[i].voter] != std::int64_t(i)) weights[i] = 0.0;
    }
    return weights;
}

std::vector<double> Electorate::by_evidence(const Profile& profile) {
    const std::vector<double> weights = evident(profile);
    std::vector<double> votes(symbols_.size());
    ExactSumOfMany sum;
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
        const std::uint32_t* mine = ballots_of_.data() + firsts_[i];
        votes[i] = sum.of(firsts_[i + 1] - firsts_[i], [&](std::size_t at) { return weights[mine[at]]; });
    }
    return votes;
}

std::vector<double> Electorate::votes(const Profile& profile) {
    std::vector<double> found = profile.order ? backed_off(profile) : by_evidence(profile);
    if (profile.affinity == 0) return found;
    const std::vector<double>& inclined = affinities(profile.affinity_after);
    for (std::size_t i = 0; i < found.size(); ++i)
        found[i] = found[i] * (profile.affinity == 1 ? std::sqrt(inclined[i]) : inclined[i]);
    return found;
}

// By number of the symbol; all 0 where nobody votes.
std::vector<double> Electorate::shares(std::size_t profile) {
    std::vector<double> found = votes(menu_.profiles[profile]);
    normalize(found);
    return found;
}

Electorate::Together Electorate::together(const Mix& mix, double repeat) {
    Together made{std::vector<double>(symbols_.size(), 1.0), mix, {}};
    std::vector<double>& product = made.shares;
    std::vector<bool> has_votes(symbols_.size());
    std::uint32_t counting = 0;
    for (const auto& [profile, times] : mix) {
        made.ways.push_back(shares(profile));
        const std::vector<double>& found = made.ways.back();
        if (std::none_of(found.begin(), found.end(), [](double share) { return share > 0.0; })) continue;
        counting += times;
        for (std::size_t i = 0; i < symbols_.size(); ++i) {
            if (found[i] > 0.0) has_votes[i] = true;
            for (std::uint32_t time = 0; time < times; ++time) product[i] *= found[i] + menu_.floor;
        }
    }
    const double root = 1.0 / double(std::max(counting, 1u));
    for (std::size_t i = 0; i < symbols_.size(); ++i) product[i] = has_votes[i] ? std::pow(product[i], root) : 0.0;
    for (std::size_t i = 0; i < symbols_.size(); ++i)
        if (std::find(present_.begin(), present_.end(), symbols_[i]) != present_.end()) product[i] *= repeat;
    if (!normalize(product)) {
        product = shares(menu_.general);
        made.mix = {{menu_.general, 1}};
        made.ways = {product};
    }
    return made;
}

Shares Electorate::mixed(const Mix& mix, double repeat) {
    const std::vector<double> whole = together(mix, repeat).shares;
    Shares found;
    for (std::size_t i = 0; i < symbols_.size(); ++i)
        if (whole[i] > 0.0) found.push_back({symbols_[i], whole[i]});
    return found;
}

Ballots Electorate::ballots(const std::vector<Symbol>& right, std::size_t leading, std::size_t most_tied) {
    std::vector<std::vector<double>> all;
    std::vector<bool> listed(symbols_.size());
    for (std::size_t profile = 0; profile < menu_.profiles.size(); ++profile) {
        all.push_back(shares(profile));
        const std::vector<double>& found = all.back();
        std::vector<double> values;
        for (const double share : found)
            if (share > 0.0) values.push_back(share);
        double least = 0.0;
        bool with_ties = true;
        if (values.size() > leading) {
            const auto last = values.begin() + std::ptrdiff_t(leading - 1);
            std::nth_element(values.begin(), last, values.end(), std::greater<double>());
            least = *last;
            const auto above = std::count_if(values.begin(), values.end(), [&](double share) { return share >= least; });
            with_ties = std::size_t(above) <= most_tied;
        }
        for (std::size_t i = 0; i < symbols_.size(); ++i)
            if (found[i] > least || (with_ties && found[i] == least && found[i] > 0.0)) listed[i] = true;
    }
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
        if (listed[i] || std::find(right.begin(), right.end(), symbols_[i]) == right.end()) continue;
        listed[i] = std::any_of(all.begin(), all.end(), [&](const auto& found) { return found[i] > 0.0; });
    }
    Ballots made;
    for (std::size_t i = 0; i < symbols_.size(); ++i)
        if (listed[i]) made.symbols.push_back(symbols_[i]);
    for (const auto& found : all) {
        made.shares.emplace_back();
        for (std::size_t i = 0; i < symbols_.size(); ++i)
            if (listed[i]) made.shares.back().push_back(found[i]);
    }
    return made;
}

double entropy(const Shares& shares) {
    ExactSum sum;
    for (const auto& [symbol, share] : shares) sum.add(-share * std::log2(share));
    return sum.value();
}

}  // namespace kato
