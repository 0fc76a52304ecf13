// What the positions of voters weigh by their evidence, and how much of that each symbol gets: passes over all positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ground.hpp"

namespace kato {

// One symbol of one step of the memory.
struct Sought {
    std::uint32_t number;
    std::size_t back;
    double rarity;
};

// Evidence of a shape, to a power: what profiles that differ only in what a suffix and an end count have in common.
struct Lane {
    std::size_t shape;
    int power;
};

// A position before which some events equal the memory's newest, or which is at an end.
struct Marked {
    std::uint32_t position, voter;
    std::uint16_t suffix;
    bool at_end;
};

// Passes are made by so many lanes at once.
constexpr std::size_t kLanesAtOnce = 8;

// What was added to a symbol's votes, per lane, as `settled` wants it.
template <std::size_t kLanes>
struct Adding {
    double sum[kLanes], lost[kLanes], least[kLanes];
};

// How far the positions of one voter after another are from where the memory's symbols are expected.
class Sightings {
public:
    // `furthest` is below 255; displacements beyond it count as this.
    Sightings(const Ground& ground, const std::vector<Sought>& sought, std::size_t furthest);

    // Goes on to a voter beyond all those before. Where its first position with evidence is, counted from its first; all of them if
    // there is none.
    std::size_t look(std::size_t voter);

    // Of the symbols found in it, newest step first, the place among those sought, and how far off it is for each position;
    // furthest + 1 where it has not come yet.
    struct Seen {
        std::size_t sought;
        const std::uint8_t* away;
    };
    const std::vector<Seen>& seen() const { return seen_; }

private:
    const Ground& ground_;
    const std::vector<Sought>& sought_;
    std::size_t furthest_;
    std::vector<std::uint8_t> ramp_;               // 0, 1 … furthest, furthest …
    std::vector<std::vector<std::uint8_t>> away_;  // per symbol sought
    std::vector<std::size_t> next_;                // per symbol sought, the first of its places that was not passed
    std::vector<Seen> seen_;
};

// One voter's positions as a pass sees them.
struct Stretch {
    const double* const* worths;        // per symbol found, a row of lanes per displacement: what it adds to the evidence
    const std::uint8_t* const* away;    // per symbol found, the displacement at each position, from `first` on
    std::size_t found;
    const double* powers;               // per lane
    int most_power;
    double frequency;
    std::size_t first, from, to;        // positions, `from` the first that has evidence
    const Marked* marked;               // from the first that is not before `from`, up to beyond `to`
    const Marked* marked_end;
    double* marked_bases;               // rows of lanes: their weights without suffix, ending and frequency
    double* bases;                      // the same of every position, from `first` on; null where nobody wants it
};

// Adds what positions that are not marked weigh to what they vote for; what the marked ones weigh is written down. By 1, 2, 4 or 8 lanes.
template <std::size_t kLanes>
void weigh(const Stretch& stretch, const Ground& ground, Adding<kLanes>* adding);

// Marked positions as a pass sees them that gives suffixes and ends what each profile gives them.
struct MarkedOnes {
    const Hearing* hearing;
    const std::vector<Marked>* marked;
    const double* bases;           // per marked one, a row of lanes
    const std::uint32_t* lane_of;  // per profile
    const double* suffixes;        // per length, a row of profiles
    std::size_t window;            // longer ones count as this
    const double* endings;         // per profile
};

template <std::size_t kLanes>
void finish(const MarkedOnes& ones, Adding<kLanes>* adding);

}  // namespace kato
