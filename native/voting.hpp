// Counting the votes of a forecast, with the bits of kato/engine/forecasting/voting.py, which defines every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "electorate.hpp"

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
    std::uint32_t standing;
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
    // Ready for the profiles named: of the others, those that vote by a shape none of these has give nothing.
    Electorate(const State& state, const Question& question, const Menu& menu, const std::vector<std::size_t>& profiles);

    std::size_t voters() const { return voters_.size(); }
    Ballots ballots(const std::vector<Symbol>& right, std::size_t leading, std::size_t most_tied);
    Shares mixed(const Mix& mix, double repeat);

    // Who votes for each of some different symbols; of the positions the `most` that add most, as attributing.py defines it.
    std::vector<Votes> attributed(const Mix& mix, double repeat, const std::vector<Symbol>& symbols, std::size_t most);
    const Voter& voter(const Vote& vote) const { return voters_[standings_[vote.standing].voter]; }
    std::size_t position(const Vote& vote) const { return vote.standing - first_of_[standings_[vote.standing].voter]; }

private:
    // A mixed vote by number of the symbol, and what each way of the mix that answers gives; both before shares of 0 are left out.
    struct Together {
        std::vector<double> shares;
        Mix mix;
        std::vector<std::vector<double>> ways;
    };

    struct Standing {
        std::uint32_t voter;
        std::uint16_t suffix;
        bool at_end;
    };

    // What followed the exact suffix of at least so many events, per symbol, and what one occurrence of it is worth.
    struct Context {
        std::size_t level;
        bool ends;
        const std::vector<std::uint64_t>* counts;
        double worth;
    };

    void stand(const State& state, const Question& question, const std::vector<bool>& shapes);
    void group(std::size_t known);
    void count_contexts();
    void count_affinities();
    const std::vector<double>& affinities(std::size_t after);
    Together together(const Mix& mix, double repeat);
    std::vector<double> votes(const Profile& profile);
    std::vector<Context> contexts(const Profile& profile);
    std::vector<double> backed_off(const Profile& profile);
    std::vector<double> by_evidence(const Profile& profile);
    std::vector<double> evident(const Profile& profile) const;
    std::vector<std::size_t> numbers_of(const std::vector<Symbol>& symbols) const;
    std::vector<double> weights(const Profile& profile);
    std::vector<double> shares(std::size_t profile);

    const Menu& menu_;
    std::vector<Voter> voters_;
    std::vector<Standing> standings_;
    std::vector<std::uint32_t> first_of_;         // per voter, its first standing
    std::vector<std::vector<double>> evidence_;   // per shape that is voted by, per standing
    std::vector<std::pair<Symbol, std::uint32_t>> ballots_;  // (symbol, standing), as they come
    std::vector<std::pair<Symbol, std::uint32_t>> shown_;    // the same of every token; empty where both are alike
    std::vector<Symbol> symbols_;                 // different ones that are voted for
    std::vector<std::uint32_t> numbers_;          // per ballot, the place of its symbol there
    std::vector<std::uint32_t> firsts_, ballots_of_;  // per symbol its standings
    std::vector<std::uint32_t> shown_numbers_;
    std::vector<std::vector<std::uint64_t>> anywhere_, at_ends_;  // per suffix length, per symbol
    std::vector<std::vector<double>> affinities_;  // per longest context, per symbol
    std::vector<Symbol> present_;                 // the memory's different symbols, as far as known
};

double entropy(const Shares& shares);

}  // namespace kato
