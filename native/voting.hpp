// Counting the votes of a forecast, with the bits of kato/engine/forecasting/voting.py, which defines every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ground.hpp"
#include "weighing.hpp"

namespace kato {

struct Shape {
    int rarity;
    double fading, displacement;
};

enum class Closing { ignored, beside, after, alone };

struct Profile {
    std::size_t shape;
    int power;
    double suffix, ending;
    bool best_only;
    int affinity;
    std::size_t affinity_after;
    std::size_t order;
    double escape;
    Closing closing;
};

// The shapes and the menu, as Python defines them.
struct Menu {
    std::vector<Shape> shapes;
    std::vector<Profile> profiles;
    std::size_t general = 0;  // who answers where nobody votes
    std::size_t furthest = 0; // displacements beyond this count as this
    double floor = 0.0;       // share that every way of a mix gives every symbol
    Bounds bounds{};
};

// Shares above 0, in no order.
using Shares = std::vector<std::pair<Symbol, double>>;

// What every profile says of some symbols.
struct Ballots {
    std::vector<Symbol> symbols;
    std::vector<std::vector<double>> shares;
};

// One position that votes for a symbol, with what it adds to the symbol's share.
struct Vote {
    std::uint32_t position;  // of all
    double share;
};

// All that speaks for one symbol.
struct Votes {
    std::vector<Vote> best;
    std::size_t others = 0;
    double others_share = 0.0;
};

using Mix = std::vector<std::pair<std::size_t, std::uint32_t>>;

// The positions of an electorate, ready to vote.
class Electorate {
public:
    // Ready for the profiles named at once; others are made ready when asked.
    Electorate(const State& state, const Question& question, const Menu& menu, Hearing hearing,
               const std::vector<std::size_t>& profiles);

    std::size_t voters() const { return hearing_.voters(); }
    Ballots ballots(const std::vector<Symbol>& right, std::size_t leading, std::size_t most_tied);
    Shares mixed(const Mix& mix, double repeat);

    // Who votes for each of some different symbols; of the positions the `most` that add most, as attributing.py defines it.
    std::vector<Votes> attributed(const Mix& mix, double repeat, const std::vector<Symbol>& symbols, std::size_t most);
    Voter voter(const Vote& vote) const {
        const std::size_t voter = ground_.voter_of(vote.position);
        return {ground_.voters()[voter].row, hearing_.frequency(voter)};
    }
    std::size_t position(const Vote& vote) const { return vote.position - ground_.first_of(ground_.voter_of(vote.position)); }

private:
    // A mixed vote by number of the symbol, and what each way of the mix that answers gives; both before shares of 0 are left out.
    struct Together {
        std::vector<double> shares;
        Mix mix;
        std::vector<std::vector<double>> ways;
    };

    // What followed the exact suffix of at least so many events, or did at ends: per symbol, and all together.
    struct Followers {
        std::vector<std::uint64_t> counts;
        std::uint64_t all = 0, distinct = 0;
    };

    // One of them as a back-off looks at it, and what one occurrence is worth to it.
    struct Context {
        std::size_t level;
        bool ends;
        const Followers* followers;
        double worth;
    };

    // Calls `take(position, frequency)` for what the ground counts and the question does not.
    template <class Take>
    void not_heard(Take take) const {
        for (std::size_t voter = 0; voter < ground_.voters().size(); ++voter) {
            const std::uint64_t more =
                ground_.voters()[voter].frequency - (voter < hearing_.heard ? hearing_.frequency(voter) : 0);
            if (more == 0) continue;
            for (std::size_t position = ground_.first_of(voter); position < ground_.first_of(voter + 1); ++position)
                take(position, more);
        }
    }

    void look(const State& state, const Question& question);
    void mark(const Question& question);
    void count_contexts();
    void count_affinities();
    const std::vector<double>& affinities(std::size_t after);
    Together together(const Mix& mix, double repeat);
    std::vector<double> votes(std::size_t number);
    std::vector<Context> contexts(const Profile& profile);
    std::vector<double> backed_off(const Profile& profile);

    // --- by evidence ---
    std::vector<double> suffixes_of(const Profile& profile) const;
    std::vector<std::vector<double>> worths_of(const std::vector<Lane>& lanes) const;
    template <class Pass>
    void each_stretch(const std::vector<std::vector<double>>& worths, Pass pass) const;
    std::size_t lanes_at_once(std::size_t wanted) const;
    void add_up(const std::vector<std::size_t>& profiles);
    template <std::size_t kLanes>
    void add_up(std::vector<Lane> lanes, const std::vector<std::vector<std::size_t>>& profiles);
    template <std::size_t kLanes>
    void settle(const std::vector<std::size_t>& profiles, const std::vector<Adding<kLanes>>& adding);
    void add_exactly(std::size_t profile, const std::vector<std::uint32_t>& numbers);
    std::vector<double> evident(const Profile& profile) const;

    // --- shares ---
    std::vector<std::uint32_t> numbers_of(const std::vector<Symbol>& symbols) const;
    std::vector<double> weights(const Profile& profile);
    std::vector<double> shares(std::size_t profile);

    const Menu& menu_;
    const Hearing hearing_;
    const Ground& ground_;
    std::vector<Sought> sought_;
    std::vector<Marked> marked_;
    std::vector<std::vector<double>> sums_;        // per profile that votes by evidence, per symbol; empty before it is made
    std::vector<Followers> anywhere_, at_ends_;    // per suffix length
    std::vector<std::uint32_t> touched_;           // the symbols that followed a suffix, or came at an end
    std::vector<std::vector<double>> affinities_;  // per longest context, per symbol
    std::vector<std::uint32_t> present_;           // numbers of the memory's different symbols, as far as they have one
};

double entropy(const Shares& shares);

}  // namespace kato
