// Whose a share is, with the bits of kato/engine/forecasting/attributing.py, which defines every step.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "sums.hpp"
#include "voting.hpp"

namespace kato {

namespace {

// A position, its vote for one symbol by one way of voting, and later what it adds.
struct Cast {
    std::uint32_t standing;
    double worth;
};

}  // namespace

// What every position gives each of its targets; 0 for those that do not vote.
std::vector<double> Electorate::weights(const Profile& profile) {
    if (profile.order == 0) return evident(profile);
    const std::vector<Context> looked_at = contexts(profile);
    std::vector<double> found(standings_.size());
    ExactSum sum;
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        const Standing& standing = standings_[i];
        sum.clear();
        for (const Context& context : looked_at)
            if (standing.suffix >= context.level && (standing.at_end || !context.ends)) sum.add(context.worth);
        found[i] = double(voters_[standing.voter].frequency) * sum.value();
    }
    return found;
}

// The places of symbols among those that are voted for; beyond the last where nobody votes for one.
std::vector<std::size_t> Electorate::numbers_of(const std::vector<Symbol>& symbols) const {
    std::unordered_map<Symbol, std::size_t> asked;
    for (std::size_t i = 0; i < symbols.size(); ++i) asked.emplace(symbols[i], i);
    std::vector<std::size_t> found(symbols.size(), symbols_.size());
    for (std::size_t number = 0; number < symbols_.size(); ++number)
        if (const auto at = asked.find(symbols_[number]); at != asked.end()) found[at->second] = number;
    return found;
}

std::vector<Votes> Electorate::attributed(const Mix& mix, double repeat, const std::vector<Symbol>& symbols, std::size_t most) {
    const Together whole = together(mix, repeat);
    std::vector<std::vector<Vote>> added(symbols.size());
    const std::vector<std::size_t> numbers = numbers_of(symbols);
    std::vector<std::uint32_t> owners;
    for (const std::size_t number : numbers) {
        std::uint32_t times = 0;
        for (std::size_t way = 0; way < whole.ways.size(); ++way)
            if (number != symbols_.size() && whole.ways[way][number] > 0.0) times += whole.mix[way].second;
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
            if (number == symbols_.size() || !(whole.ways[way][number] > 0.0)) continue;
            double inclined = 1.0;
            if (profile.affinity != 0) {
                inclined = affinities(profile.affinity_after)[number];
                if (profile.affinity == 1) inclined = std::sqrt(inclined);
            }
            sum.clear();
            cast.clear();
            for (std::size_t at = firsts_[number]; at < firsts_[number + 1]; ++at) {
                const double worth = weighed[ballots_of_[at]] * inclined;
                if (!(worth > 0.0)) continue;
                cast.push_back({ballots_of_[at], worth});
                sum.add(worth);
            }
            const double votes = sum.value();
            const double owned = whole.shares[number] * (double(whole.mix[way].second) / double(owners[asked]));
            // Both lists go up by number of the standing.
            together_with.clear();
            auto before = added[asked].cbegin();
            for (const Cast& each : cast) {
                while (before != added[asked].cend() && before->standing < each.standing) together_with.push_back(*before++);
                const double part = owned * (each.worth / votes);
                if (!(part > 0.0)) continue;
                if (before != added[asked].cend() && before->standing == each.standing)
                    together_with.push_back({each.standing, before++->share + part});
                else
                    together_with.push_back({each.standing, part});
            }
            together_with.insert(together_with.end(), before, added[asked].cend());
            added[asked].swap(together_with);
        }
    }
    std::vector<Votes> found;
    for (std::vector<Vote>& votes : added) {
        std::sort(votes.begin(), votes.end(), [this](const Vote& left, const Vote& right) {
            if (left.share != right.share) return left.share > right.share;
            const int names = std::memcmp(voter(left).row.name(), voter(right).row.name(), kNameBytes);
            return names != 0 ? names < 0 : left.standing < right.standing;
        });
        sum.clear();
        for (std::size_t i = most; i < votes.size(); ++i) sum.add(votes[i].share);
        const std::size_t named = std::min(most, votes.size());
        found.push_back({{votes.begin(), votes.begin() + std::ptrdiff_t(named)}, votes.size() - named, sum.value()});
    }
    return found;
}

}  // namespace kato
