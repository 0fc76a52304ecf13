#include "weighing.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "sums.hpp"

#if defined(__GNUC__)
#define KATO_INLINE inline __attribute__((always_inline))
#else
#define KATO_INLINE inline
#endif

namespace kato {

namespace {

constexpr std::size_t kCopied = 16;  // displacements are written so many at a time

// Two lanes, which every processor that has vectors counts with at once; more were hardly quicker.
#if defined(__GNUC__)
typedef double Pair __attribute__((vector_size(16)));
#endif

// A row of lanes, counted with as one.
template <std::size_t kLanes>
struct LaneRow {
#if defined(__GNUC__)
    using Word = std::conditional_t<kLanes == 1, double, Pair>;
#else
    using Word = double;
#endif
    static constexpr std::size_t kWidth = sizeof(Word) / sizeof(double), kWords = kLanes / kWidth;
    Word words[kWords];

    KATO_INLINE static void load(LaneRow& row, const double* from) { std::memcpy(&row, from, sizeof row); }
    KATO_INLINE static void fill(LaneRow& row, double value) {
        double lanes[kLanes];
        for (double& lane : lanes) lane = value;
        load(row, lanes);
    }
    KATO_INLINE void store(double* to) const { std::memcpy(to, this, sizeof *this); }
    KATO_INLINE void add(const LaneRow& other) {
        for (std::size_t i = 0; i < kWords; ++i) words[i] = words[i] + other.words[i];
    }
    KATO_INLINE void multiply(const LaneRow& other) {
        for (std::size_t i = 0; i < kWords; ++i) words[i] = words[i] * other.words[i];
    }
    // By `other`, only the lanes whose power is above `power`; elsewhere by `one`.
    KATO_INLINE void multiply_above(const LaneRow& other, const LaneRow& powers, const LaneRow& power, const LaneRow& one) {
        for (std::size_t i = 0; i < kWords; ++i)
            words[i] = words[i] * (powers.words[i] > power.words[i] ? other.words[i] : one.words[i]);
    }
};

template <std::size_t kLanes>
KATO_INLINE void add_ballots(const LaneRow<kLanes>& worth, Span<const std::uint32_t> targets, Adding<kLanes>* adding) {
    using Word = typename LaneRow<kLanes>::Word;
    constexpr std::size_t kWidth = LaneRow<kLanes>::kWidth;
    for (const std::uint32_t* target = targets.begin(); target != targets.end(); ++target) {
        Adding<kLanes>& each = adding[*target];
        for (std::size_t i = 0; i < kLanes; i += kWidth) {
            const Word term = worth.words[i / kWidth];
            Word sum, lost, least;
            std::memcpy(&sum, each.sum + i, sizeof sum);
            std::memcpy(&lost, each.lost + i, sizeof lost);
            std::memcpy(&least, each.least + i, sizeof least);
            const Word whole = sum + term;
            const Word added = whole - sum;
            lost = lost + ((sum - (whole - added)) + (term - added));
            least = term < least ? term : least;
            std::memcpy(each.sum + i, &whole, sizeof whole);
            std::memcpy(each.lost + i, &lost, sizeof lost);
            std::memcpy(each.least + i, &least, sizeof least);
        }
    }
}

}  // namespace

template <std::size_t kLanes>
void weigh(const Stretch& stretch, const Ground& ground, Adding<kLanes>* adding) {
    using Lanes = LaneRow<kLanes>;
    const Marked* marked = stretch.marked;
    double* marked_bases = stretch.marked_bases;
    Lanes powers, frequency, one;
    Lanes::load(powers, stretch.powers);
    Lanes::fill(frequency, stretch.frequency);
    Lanes::fill(one, 1.0);
    for (std::size_t position = stretch.from; position < stretch.to; ++position) {
        Lanes evidence, more;
        Lanes::fill(evidence, 0.0);
        for (std::size_t found = 0; found < stretch.found; ++found) {
            Lanes::load(more, stretch.worths[found] + stretch.away[found][position - stretch.first] * kLanes);
            evidence.add(more);
        }
        Lanes worth = evidence, power = one;
        for (int so_far = 1; so_far < stretch.most_power; ++so_far) {
            worth.multiply_above(evidence, powers, power, one);
            power.add(one);
        }
        if (stretch.bases) worth.store(stretch.bases + (position - stretch.first) * kLanes);
        if (marked != stretch.marked_end && marked->position == position) {
            worth.store(marked_bases);
            marked_bases += kLanes;
            ++marked;
            continue;
        }
        worth.multiply(frequency);
        add_ballots(worth, ground.targets(position), adding);
    }
}

template <std::size_t kLanes>
void finish(const MarkedOnes& ones, Adding<kLanes>* adding) {
    using Lanes = LaneRow<kLanes>;
    const Ground& ground = *ones.hearing->ground;
    Lanes endings;
    Lanes::load(endings, ones.endings);
    const double* bases = ones.bases;
    for (const Marked& each : *ones.marked) {
        double lanes[kLanes];
        double any = 0.0;
        for (std::size_t i = 0; i < kLanes; ++i) {
            lanes[i] = bases[ones.lane_of[i]];
            any += lanes[i];
        }
        bases += kLanes;
        if (!(any > 0.0)) continue;
        Lanes worth, factor;
        Lanes::load(worth, lanes);
        Lanes::load(factor, ones.suffixes + std::min<std::size_t>(each.suffix, ones.window) * kLanes);
        worth.multiply(factor);
        if (each.at_end) worth.multiply(endings);
        Lanes::fill(factor, double(ones.hearing->frequency(each.voter)));
        worth.multiply(factor);
        add_ballots(worth, ground.targets(each.position), adding);
    }
}

template void weigh(const Stretch&, const Ground&, Adding<1>*);
template void weigh(const Stretch&, const Ground&, Adding<2>*);
template void weigh(const Stretch&, const Ground&, Adding<4>*);
template void weigh(const Stretch&, const Ground&, Adding<8>*);
template void finish(const MarkedOnes&, Adding<1>*);
template void finish(const MarkedOnes&, Adding<2>*);
template void finish(const MarkedOnes&, Adding<4>*);
template void finish(const MarkedOnes&, Adding<8>*);

Sightings::Sightings(const Ground& ground, const std::vector<Sought>& sought, std::size_t furthest)
    : ground_(ground), sought_(sought), furthest_(furthest), away_(sought.size()), next_(sought.size()) {
    for (std::size_t away = 0; away < furthest + kCopied; ++away) ramp_.push_back(std::uint8_t(std::min(away, furthest)));
    for (auto& each : away_) each.resize(ground.longest() + ramp_.size() + kCopied);
}

std::size_t Sightings::look(std::size_t voter) {
    const std::size_t first = ground_.first_of(voter), end = ground_.first_of(voter + 1), events = end - first;
    std::size_t from = events;
    seen_.clear();
    for (std::size_t at = 0; at < sought_.size(); ++at) {
        const std::size_t back = sought_[at].back;
        const auto places = ground_.places(sought_[at].number);
        std::size_t next = next_[at];
        while (next < places.size() && places[next] < first) ++next;
        next_[at] = next;
        if (next == places.size() || places[next] + 1 >= end) continue;
        std::uint8_t* away = away_[at].data();
        const std::size_t begin = places[next] - first + 1;
        from = std::min(from, begin);
        std::memset(away, int(furthest_ + 1), std::min(events, begin + back));
        while (next < places.size() && places[next] + 1 < end) {
            const std::size_t after = places[next] - first + 1;
            ++next;
            // Right after it, it comes later than expected; of those in between the nearest counts.
            const std::size_t expected = after + back;
            for (std::size_t position = after; position < std::min(expected, events); ++position)
                away[position] = std::min(away[position], std::uint8_t(std::min(expected - position, furthest_)));
            // From where it is expected on, every position is one further away, up to the next one's.
            const bool is_last = next == places.size() || places[next] >= end;
            const std::size_t stop = is_last ? events : std::min(events, places[next] - first + 1 + back);
            std::size_t position = expected;
            for (std::size_t passed = 0; position < stop && passed < ramp_.size() - kCopied; passed += kCopied, position += kCopied)
                std::memcpy(away + position, ramp_.data() + passed, kCopied);
            if (position < stop) std::memset(away + position, int(furthest_), stop - position);
        }
        next_[at] = next;
        seen_.push_back({at, away});
    }
    return from;
}

}  // namespace kato
