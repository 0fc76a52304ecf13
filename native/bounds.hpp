// What a pattern can at best be worth, before it is looked at.
//
// The search knows of a pattern only its length L, the size w of the largest event among patterns of that length, and two
// counts from the postings: o, at least the tokens it shares with the memory of n tokens (as multisets), and c, at least the
// adjacent pairs it shares (each of the memory's pairs counted once). From these follows a ceiling on its quality
//
//     q = (evidence + confidence) · snr + φ,  evidence = m/L,  confidence = m/Lp,  snr = (2m − e)/(2m + e),  φ = 1/B,
//
// m the aligned tokens, e = n − m, Lp the tokens of the present, B the blocks.
//
// Claim. For 1 ≤ m the ceiling computed below is at least q as computed in doubles.
//
// 1. 1 ≤ m ≤ o: every aligned token is a token of both, used once. The ceiling is the largest over all such m.
// 2. B ≥ max(1, m − c): a block of k tokens has k − 1 adjacent pairs, standing in both; over all blocks these are m − B pairs,
//    each using a pair of the memory of its own, so m − B ≤ c. Two pairs hashed alike only raise c. Once the pattern's hits
//    are known, the pattern's adjacent hits whose symbols stand side by side in the memory may be counted as c instead.
// 3. For a given m, evidence and snr are known exactly: the ceiling divides the same integers.
// 4. m ≤ Lp ≤ L, as the present holds every aligned token and is part of the pattern; so m/L ≤ confidence ≤ 1. With one
//    block the present is the events that a run of m tokens touches: one event, so Lp ≤ w, or more, and then at each end at
//    most w − 1 tokens besides the run's, so Lp ≤ m + 2(w − 1); a run of one token is in one event.
// 5. If snr ≥ 0, q grows with the confidence: take 1. If snr < 0, it falls with it: take the smallest there can be, which
//    depends on whether B = 1 (then φ = 1) or B ≥ 2 (then φ ≤ 1/2); the ceiling is the larger of those that are possible.
// 6. Doubles: IEEE division, addition and multiplication round monotonically (x ≤ y implies fl(x) ≤ fl(y)), and q and the
//    ceiling apply the same operations in the same order. So an argument that is at least as large, through additions and
//    through multiplication by the same non-negative factor, gives a result at least as large; and an argument at most as
//    large, through multiplication by the same negative factor, likewise. No tolerance is needed. This holds only while the
//    compiler neither fuses nor reorders, which the build forbids.
//
// Where more is known of a pattern, o may be its longest common subsequence (m is never longer), and m ≥ 2 may be certain: the
// ceiling is then the largest over 2 ≤ m ≤ o.
//
// The ceilings of the other keys are plainer still: similarity ≤ 2o/(L + n) since a common subsequence uses shared tokens;
// evidence ≤ o/L; snr grows with m; confidence ≤ 1; fragmentation is never below 0; with weights, where the sums are not known
// before, the ceiling is infinite.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <unordered_map>
#include <vector>

#include "measures.hpp"
#include "query.hpp"

namespace kato {

struct Ceiling {
    double key, quality;

    // Whether nothing under this ceiling can come before a match with that key and quality; equal ones may.
    bool is_below(double other_key, double other_quality) const {
        return key < other_key || (key == other_key && quality < other_quality);
    }
};

class Bounds {
public:
    // `pairs` tells whether c is counted; without it, it is taken to be as large as can be.
    Bounds(std::size_t memory, const Settings& settings, bool weighted, bool pairs)
        : n_(memory), settings_(settings), weighted_(weighted), pairs_(pairs) {}

    // o and c up to which ceilings differ.
    std::size_t most_common(std::size_t length) const { return std::min(length, n_); }
    std::size_t most_pairs(std::size_t length) const { return pairs_ ? most_common(length) - (most_common(length) > 0) : 0; }

    double similarity(std::size_t o, std::size_t length) const {
        return settings_.by_tokens ? measures::similarity(std::min(o, most_common(length)), length, n_) : 1.0;
    }

    // For o ≥ 1; with `several`, at least two tokens are aligned, and o ≥ 2.
    Ceiling of(std::size_t o, std::size_t c, std::size_t length, std::size_t widest, bool several = false) {
        o = std::min(o, most_common(length));
        c = std::min(c, most_pairs(length));
        const double quality =
            weighted_ ? kInfinite : qualities(length, widest, several)[c * (most_common(length) + 1) + o];
        switch (settings_.key) {
            case Key::quality: return {quality, quality};
            case Key::similarity: return {similarity(o, length), quality};
            case Key::evidence: return {measures::evidence(o, length), quality};
            case Key::confidence: return {1.0, quality};
            case Key::snr: return {measures::snr(o, n_ - o), quality};
            case Key::fragmentation: return {0.0, quality};
            default: return {kInfinite, quality};
        }
    }

    // The least o that similarity's threshold and a match to beat leave a pattern without common pairs; beyond
    // `most_common` when there is none.
    std::size_t least_common(std::size_t length, std::size_t widest, bool has_worst, double key, double quality) {
        const std::size_t most = most_common(length);
        const bool gate = n_ > 1;  // a single symbol may also match by being the first
        std::size_t o = most + 1;
        const std::size_t c = pairs_ ? 0 : most_pairs(length);
        while (o > 1 && !(gate && similarity(o - 1, length) < settings_.recall_threshold) &&
               !(has_worst && of(o - 1, c, length, widest).is_below(key, quality)))
            --o;
        return o;
    }

private:
    static constexpr double kInfinite = std::numeric_limits<double>::infinity();

    // Ceilings of quality by c, then o; smaller o unused. Each is the largest over 1 or 2 ≤ m ≤ o.
    const std::vector<double>& qualities(std::size_t length, std::size_t widest, bool several) {
        auto& table = tables_[(length * (kSegmentTokens * 2) + widest) * 2 + several];
        if (!table.empty()) return table;
        const std::size_t most = most_common(length);
        table.resize((most_pairs(length) + 1) * (most + 1));
        for (std::size_t c = 0; c <= most_pairs(length); ++c) {
            double highest = -kInfinite;
            for (std::size_t m = several ? 2 : 1; m <= most; ++m) {
                const std::size_t least_blocks = pairs_ && m > c ? std::max<std::size_t>(1, m - c) : 1;
                highest = std::max(highest, quality(m, least_blocks, length, widest));
                table[c * (most + 1) + m] = highest;
            }
        }
        return table;
    }

    double quality(std::size_t m, std::size_t least_blocks, std::size_t length, std::size_t widest) const {
        const double evidence = measures::evidence(m, length), snr = measures::snr(m, n_ - m);
        if (snr >= 0.0) return measures::quality(evidence, 1.0, snr, measures::phi(least_blocks));
        double highest = -kInfinite;
        if (least_blocks == 1) {
            const std::size_t present = std::min(length, m == 1 ? widest : m + 2 * (widest - 1));
            highest = measures::quality(evidence, measures::confidence(m, present), snr, 1.0);
        }
        if (m >= 2) {
            const double phi = measures::phi(std::max<std::size_t>(2, least_blocks));
            highest = std::max(highest, measures::quality(evidence, measures::confidence(m, length), snr, phi));
        }
        return highest;
    }

    std::size_t n_;
    const Settings& settings_;
    bool weighted_, pairs_;
    std::unordered_map<std::size_t, std::vector<double>> tables_;
};

}  // namespace kato
