// Whose a share is, with the bits of kato/engine/forecasting/attributing.py, which defines every step.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "sums.hpp"
#include "voting.hpp"

namespace kato {

namespace {

// A position, its vote for one symbol by one way of voting, and later what it adds.
struct Cast {
    std::uint32_t position;
    double worth;
};

}  // namespace

// What every position gives each of its targets; 0 for those that do not vote.
std::vector<double> Electorate::weights(const Profile& profile) {
    if (profile.order == 0) return evident(profile);
    const std::vector<Context> looked_at = contexts(profile);
    std::vector<double> found(ground_.positions());
    ExactSum sum;
    const auto worth = [&](std::size_t suffix, bool at_end) {
        sum.clear();
        for (const Context& context : looked_at)
            if (suffix >= context.level && (at_end || !context.ends)) sum.add(context.worth);
        return sum.value();
    };
    const double elsewhere = worth(0, false);
    for (std::size_t voter = 0; voter < hearing_.heard; ++voter) {
        const double given = double(hearing_.frequency(voter)) * elsewhere;
        std::fill(found.begin() + std::ptrdiff_t(ground_.first_of(voter)),
                  found.begin() + std::ptrdiff_t(ground_.first_of(voter + 1)), given);
    }
    for (const Marked& each : marked_)
        found[each.position] = double(hearing_.frequency(each.voter)) * worth(each.suffix, each.at_end);
    return found;
}

// Their numbers; beyond the last where no voter has one.
std::vector<std::uint32_t> Electorate::numbers_of(const std::vector<Symbol>& symbols) const {
    std::vector<std::uint32_t> found;
    for (const Symbol symbol : symbols) found.push_back(ground_.number(symbol));
    return found;
}

std::vector<Votes> Electorate::attributed(const Mix& mix, double repeat, const std::vector<Symbol>& symbols, std::size_t most) {
    const Together whole = together(mix, repeat);
    std::vector<std::vector<Vote>> added(symbols.size());
    const std::size_t beyond = ground_.symbols().size();
    const std::vector<std::uint32_t> numbers = numbers_of(symbols);
    std::vector<std::vector<std::uint32_t>> ballots(symbols.size());  // the positions that vote for each, ascending
    {
        std::vector<std::uint32_t> place_of(beyond, UINT32_MAX);
        for (std::uint32_t i = 0; i < numbers.size(); ++i)
            if (numbers[i] != beyond) place_of[numbers[i]] = i;
        for (std::size_t position = 0; position < ground_.positions(); ++position)
            for (const std::uint32_t number : ground_.targets(position))
                if (place_of[number] != UINT32_MAX) ballots[place_of[number]].push_back(std::uint32_t(position));
    }
    std::vector<std::uint32_t> owners;
    for (const std::uint32_t number : numbers) {
        std::uint32_t times = 0;
        for (std::size_t way = 0; way < whole.ways.size(); ++way)
            if (number != beyond && whole.ways[way][number] > 0.0) times += whole.mix[way].second;
        owners.push_back(times);
    }
    ExactSum sum;
    std::vector<Cast> cast;
    std::vector<Vote> together_with;
    for (std::size_t way = 0; way < whole.ways.size(); ++way) {
        const Profile& profile = menu_.profiles[whole.mix[way].first];
        const std::vector<double> weighed = weights(profile);
        for (std::size_t asked = 0; asked < symbols.size(); ++asked) {
            const std::size_t number = numbers[asked];
            if (number == beyond || !(whole.ways[way][number] > 0.0)) continue;
            double inclined = 1.0;
            if (profile.affinity != 0) {
                inclined = affinities(profile.affinity_after)[number];
                if (profile.affinity == 1) inclined = std::sqrt(inclined);
            }
            sum.clear();
            cast.clear();
            for (const std::uint32_t position : ballots[asked]) {
                const double worth = weighed[position] * inclined;
                if (!(worth > 0.0)) continue;
                cast.push_back({position, worth});
                sum.add(worth);
            }
            const double votes = sum.value();
            const double owned = whole.shares[number] * (double(whole.mix[way].second) / double(owners[asked]));
            // Both lists go up by number of the position.
            together_with.clear();
            auto before = added[asked].cbegin();
            for (const Cast& each : cast) {
                while (before != added[asked].cend() && before->position < each.position) together_with.push_back(*before++);
                const double part = owned * (each.worth / votes);
                if (!(part > 0.0)) continue;
                if (before != added[asked].cend() && before->position == each.position)
                    together_with.push_back({each.position, before++->share + part});
                else
                    together_with.push_back({each.position, part});
            }
            together_with.insert(together_with.end(), before, added[asked].cend());
            added[asked].swap(together_with);
        }
    }
    std::vector<std::uint32_t> voter_of(ground_.positions());
    for (std::uint32_t voter = 0; voter < hearing_.heard; ++voter)
        std::fill(voter_of.begin() + std::ptrdiff_t(ground_.first_of(voter)),
                  voter_of.begin() + std::ptrdiff_t(ground_.first_of(voter + 1)), voter);
    std::vector<Votes> found;
    for (std::vector<Vote>& votes : added) {
        const auto first = votes.begin() + std::ptrdiff_t(std::min(most, votes.size()));
        std::partial_sort(votes.begin(), first, votes.end(), [&](const Vote& left, const Vote& right) {
            if (left.share != right.share) return left.share > right.share;
            const std::uint32_t one = voter_of[left.position], other = voter_of[right.position];
            if (one == other) return left.position < right.position;
            return std::memcmp(ground_.voters()[one].row.name(), ground_.voters()[other].row.name(), kNameBytes) < 0;
        });
        sum.clear();
        for (std::size_t i = most; i < votes.size(); ++i) sum.add(votes[i].share);
        const std::size_t named = std::min(most, votes.size());
        found.push_back({{votes.begin(), votes.begin() + std::ptrdiff_t(named)}, votes.size() - named, sum.value()});
    }
    return found;
}

}  // namespace kato
