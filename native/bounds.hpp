// What a pattern can at best be worth, before it is looked at.
//
// The search knows of a pattern only its length L, the size w of the largest event among patterns of that length, and from
// the postings two counts, o, at least the tokens it shares with the memory of n tokens (as multisets), and c, at least the
// adjacent pairs it shares (each of the memory's pairs counted once), and b, the most or the least symbols that the events hold
// which one of those pairs touches. From these follows a ceiling on its quality
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
//    most w − 1 tokens besides the run's, so Lp ≤ m + 2(w − 1); a run of one token is in one event. A run of two is a pair
//    that both share: its bucket was counted, b was taken over all of the row's pairs in that bucket, and its present is the
//    events it touches, so Lp is at most b, or at least b, whichever was taken. What is told as fifteen may be more, which
//    leaves the second true and the first unsaid. Where the hits are known, the present holds all from the first aligned token
//    to the last, and the rest of the two events that those are in.
// 5. If snr ≥ 0, q grows with the confidence: take 1. If snr < 0, it falls with it: take the smallest there can be, which
//    depends on whether B = 1 (then φ = 1) or B ≥ 2 (then φ ≤ 1/2); the ceiling is the larger of those that are possible.
//    So a run of two wants the largest b where snr < 0 at m = 2, and the least otherwise, where 2/b is the most there can be.
// 6. Doubles: IEEE division, addition and multiplication round monotonically (x ≤ y implies fl(x) ≤ fl(y)), and q and the
//    ceiling apply the same operations in the same order. So an argument that is at least as large, through additions and
//    through multiplication by the same non-negative factor, gives a result at least as large; and an argument at most as
//    large, through multiplication by the same negative factor, likewise. No tolerance is needed. This holds only while the
//    compiler neither fuses nor reorders, which the build forbids.
//
// Where more is known of a pattern, o may be its longest common subsequence (m is never longer), and m ≥ 2 may be certain: the
// ceiling is then the largest over 2 ≤ m ≤ o.
//
// 7. Let l ≥ 2 be the least common subsequence that the gate lets pass, and let a pattern share no pair, exactly o = l tokens, and
//    no symbol that it holds oftener than the memory does. Then only l of its tokens stand in the memory, its hits, and if it
//    passes the gate, all of them are in a common subsequence: they have places q1 < q2 < … < ql in the memory. Without a shared
//    pair all runs are single tokens. The first hit is taken at its first place, p1 ≤ q1, with no hit to the left of it; to its
//    right the next hit has a place beyond p1, namely q2, and is taken at the first of those, p2 ≤ q2; and so on. So m = B = l.
//
// The ceilings of the other keys are plainer still: similarity ≤ 2o/(L + n) since a common subsequence uses shared tokens;
// evidence ≤ o/L; snr grows with m; confidence ≤ 1; fragmentation is never below 0.
//
// With weights, let W(X) be the exact sum of the weights of X; every weight is at least the least one, l > 0. Then of m aligned
// tokens W(matches) ≤ h(m), the m heaviest tokens of the memory, and W(extras) ≥ r(m), the other n − m, as weights of the two
// together are those of the memory. So weighted snr = W(matches) / (W(matches) + W(extras)) ≤ h(m) / (h(m) + r(m)), and with
// W(pattern) ≥ W(matches) + (L − m)·l weighted evidence ≤ h(m) / (h(m) + (L − m)·l), both growing with m; weighted confidence
// ≤ 1; weighted similarity ≤ 2·h(o) / (W(memory) + max(h(o), L·l)), which grows with o. These hold for real numbers. Each is
// computed here, and by the judge, with at most six operations on positive numbers within the normal range (halves are exact), so
// each of the two values is within a factor (1 + u)⁷ of its real number, u = 2⁻⁵³; the ceiling is therefore multiplied by
// 1 + 2⁻⁴⁸. Quality then adds, multiplies and adds non-negative numbers in the judge's own order, which is monotone. Where tokens
// may be read otherwise than observed, the memory's weights differ from pattern to pattern, and the ceiling is infinite: such a
// question looks at every pattern that shares a token with it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <unordered_map>
#include <vector>

#include "measures.hpp"
#include "query.hpp"
#include "sums.hpp"

namespace kato {

struct Ceiling {
    double key, quality;

    static Ceiling none() { return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()}; }

    // Whether nothing under this ceiling can come before a match with that key and quality; equal ones may.
    bool is_below(double other_key, double other_quality) const {
        return key < other_key || (key == other_key && quality < other_quality);
    }
};

class Bounds {
public:
    // What patterns of one length have in common, events being at most so wide.
    struct Class {
        std::size_t length, widest;
        std::size_t most_common, most_pairs;  // o and c up to which ceilings differ
        std::size_t least_common;             // the least common subsequence that the gate lets pass
        std::vector<double> qualities[2];     // ceilings by c, then o; smaller o unused. The second is of `several`.
        bool tells_breadth = false;           // whether ceilings differ by b too, where o ≥ 2 and c is 1 or 2
        std::vector<double> besides;          // then the same without what follows from b,
        double of_two[Breadth::kMostTold + 1];  // and that
        std::uint32_t number = UINT32_MAX;    // for the caller's own

        // Where the ceiling of (o, c, b) may be kept, and how many such places there are.
        std::size_t place(std::size_t o, std::size_t c, std::size_t b) const {
            o = std::min(o, most_common);
            c = std::min(c, most_pairs);
            if (has_breadth(o, c)) c = most_pairs + 1 + (c - 1) * (Breadth::kMostTold + 1) + b;
            return at(o, c);
        }
        std::size_t places() const {
            return at(0, most_pairs + 1 + (tells_breadth ? kFewPairs * (Breadth::kMostTold + 1) : 0));
        }

        std::size_t at(std::size_t o, std::size_t c) const { return c * (most_common + 1) + o; }
        bool has_breadth(std::size_t o, std::size_t c) const { return tells_breadth && o >= 2 && c >= 1 && c <= kFewPairs; }
    };

    static constexpr std::size_t kFewPairs = 2;  // with more, it is seldom a run of two that makes the ceiling

    // `pairs` tells whether c is counted; without it, it is taken to be as large as can be.
    Bounds(const Query& query, const Settings& settings, bool pairs)
        : n_(query.size()), settings_(settings), weighted_(query.weights != nullptr),
          unbounded_(weighted_ && settings.fuzzy_threshold > 0.0), pairs_(pairs) {
        if (weighted_ && !unbounded_) weigh(query);
        for (std::size_t m = 0; m <= n_; ++m) {
            snr_.push_back(measures::snr(m, n_ - m));
            phi_.push_back(measures::phi(m));
        }
        if (pairs_ && !weighted_ && settings.key == Key::quality)
            wanted_ = snr_[2] < 0.0 ? Breadth::Wanted::most : Breadth::Wanted::least;
    }

    // Which b the ceilings make use of.
    Breadth::Wanted wanted() const { return wanted_; }

    // Lives as long as this object.
    Class& of(std::size_t length, std::size_t widest) {
        auto& found = classes_[length * (kSegmentTokens * 2) + widest];
        if (!found) {
            found = std::make_unique<Class>();
            found->length = length;
            found->widest = widest;
            found->most_common = std::min(length, n_);
            found->most_pairs = pairs_ ? found->most_common - (found->most_common > 0) : 0;
            found->least_common = least_of_gate(*found);
            if (!unbounded_) found->qualities[0] = qualities(*found, false, false);
            if (wanted_ != Breadth::Wanted::none && widest > 1 && found->most_pairs > 0) tell_breadth(*found);
        }
        return *found;
    }

    double similarity(const Class& of, std::size_t o) const {
        return settings_.by_tokens ? measures::similarity(std::min(o, of.most_common), of.length, n_) : 1.0;
    }

    // For o ≥ 1 and any b.
    Ceiling ceiling(const Class& of, std::size_t o, std::size_t c, std::size_t b) const {
        o = std::min(o, of.most_common);
        c = std::min(c, of.most_pairs);
        if (unbounded_) return Ceiling::none();
        const double quality = of.has_breadth(o, c) ? std::max(of.besides[of.at(o, c)], of.of_two[b]) : of.qualities[0][of.at(o, c)];
        return {key(of, o, quality), quality};
    }

    // For o ≥ 1, whatever b is; with `several`, at least two tokens are aligned, and o ≥ 2.
    Ceiling ceiling_anyhow(Class& of, std::size_t o, std::size_t c, bool several) {
        o = std::min(o, of.most_common);
        c = std::min(c, of.most_pairs);
        if (unbounded_) return Ceiling::none();
        if (several && of.qualities[1].empty()) of.qualities[1] = qualities(of, true, false);
        const double quality = of.qualities[several][of.at(o, c)];
        return {key(of, o, quality), quality};
    }

    // Of patterns that share no pair, exactly `least_common` ≥ 2 tokens and no symbol that they hold oftener than the memory.
    Ceiling ceiling_of_least(const Class& of) const {
        const std::size_t m = of.least_common;
        if (unbounded_) return Ceiling::none();
        double quality;
        if (weighted_) {
            quality = measures::quality(weighted_evidence(of, m), 1.0, weighted_snr_[m], phi_[m]);
        } else {
            const double confidence = snr_[m] >= 0.0 ? 1.0 : measures::confidence(m, of.length);
            quality = measures::quality(measures::evidence(m, of.length), confidence, snr_[m], phi_[m]);
        }
        return {key(of, m, quality), quality};
    }

    // For a pattern of which m ≥ 1 and B are known, and how many tokens lie from the first aligned one to the last.
    Ceiling ceiling_aligned(const Class& of, std::size_t m, std::size_t blocks, std::size_t span, double similarity) const {
        if (unbounded_) return Ceiling::none();
        double quality;
        if (weighted_) {
            quality = measures::quality(weighted_evidence(of, m), 1.0, weighted_snr_[m], phi_[blocks]);
        } else {
            const double confidence = measures::confidence(m, snr_[m] >= 0.0 ? span : broadest(of, span));
            quality = measures::quality(measures::evidence(m, of.length), confidence, snr_[m], phi_[blocks]);
        }
        return {settings_.key == Key::similarity ? similarity : key(of, m, quality), quality};
    }

private:
    static constexpr double kInfinite = std::numeric_limits<double>::infinity();

    double key(const Class& of, std::size_t o, double quality) const {
        switch (settings_.key) {
            case Key::quality: return quality;
            case Key::similarity: return similarity(of, o);
            case Key::evidence: return measures::evidence(o, of.length);
            case Key::confidence: return 1.0;
            case Key::snr: return snr_[o];
            case Key::fragmentation: return 0.0;
            case Key::weighted_similarity: return weighted_similarity(of, o);
            case Key::weighted_evidence: return weighted_evidence(of, o);
            case Key::weighted_confidence: return 1.0;
            case Key::weighted_snr: return weighted_snr_[o];
            default: return kInfinite;  // frequencies enter it, which the caller knows
        }
    }

    // Sums of the memory's m heaviest tokens and of the others, and what follows from them for any pattern.
    void weigh(const Query& query) {
        std::vector<double> weights;
        for (const Mark mark : query.marks) weights.push_back(query.weight(query.asked[mark - 1].symbol));
        std::sort(weights.begin(), weights.end(), std::greater<>());
        least_weight_ = query.least_weight;
        heaviest_.resize(n_ + 1);
        weighted_snr_.resize(n_ + 1);
        std::vector<double> others(n_ + 1);
        ExactSum sum;
        for (std::size_t m = 1; m <= n_; ++m) {
            sum.add(weights[m - 1]);
            heaviest_[m] = sum.value();
        }
        memory_ = heaviest_[n_];
        sum.clear();
        for (std::size_t m = n_; m-- > 0;) {
            sum.add(weights[m]);
            others[m] = sum.value();
        }
        for (std::size_t m = 1; m <= n_; ++m)
            weighted_snr_[m] = raised(heaviest_[m] / 2 / (heaviest_[m] / 2 + others[m] / 2));
    }

    static double raised(double value) { return value * (1.0 + 0x1p-48); }

    double weighted_similarity(const Class& of, std::size_t o) const {
        const double pattern = std::max(heaviest_[o], double(of.length) * least_weight_);
        return raised(heaviest_[o] / (memory_ / 2 + pattern / 2));
    }

    double weighted_evidence(const Class& of, std::size_t m) const {
        return raised(heaviest_[m] / (heaviest_[m] + double(of.length - m) * least_weight_));
    }

    // A single symbol may also match by being the first.
    std::size_t least_of_gate(const Class& of) const {
        if (n_ == 1 || !settings_.by_tokens) return 0;
        std::size_t o = of.most_common + 1;
        while (o > 0 && !(measures::similarity(o - 1, of.length, n_) < settings_.recall_threshold)) --o;
        return o;
    }

    // The events that so many tokens in a row touch hold at most so many.
    static std::size_t broadest(const Class& of, std::size_t span) {
        return std::min(of.length, span == 1 ? of.widest : span + 2 * (of.widest - 1));
    }

    void tell_breadth(Class& of) const {
        of.tells_breadth = true;
        of.besides = qualities(of, false, true);
        const std::size_t most = broadest(of, 2);
        for (std::size_t b = 0; b <= Breadth::kMostTold; ++b) {
            std::size_t present = std::max<std::size_t>(2, b);
            if (wanted_ == Breadth::Wanted::most) present = b < Breadth::kMostTold ? std::min(present, most) : most;
            of.of_two[b] = measures::quality(measures::evidence(2, of.length), measures::confidence(2, present), snr_[2], 1.0);
        }
    }

    // Each is the largest over 1 or 2 ≤ m ≤ o, with or without the case that all there is is a run of two.
    std::vector<double> qualities(const Class& of, bool several, bool besides_two) const {
        std::vector<double> table(of.at(0, of.most_pairs + 1));
        for (std::size_t m = several ? 2 : 1; m <= of.most_common; ++m) {
            const double evidence = weighted_ ? weighted_evidence(of, m) : measures::evidence(m, of.length);
            const double in_snr = weighted_ ? weighted_snr_[m] : snr_[m];
            const double in_one = measures::confidence(m, broadest(of, m)), in_several = measures::confidence(m, of.length);
            for (std::size_t c = 0; c <= of.most_pairs; ++c) {
                std::size_t least_blocks = pairs_ && m > c ? std::max<std::size_t>(1, m - c) : 1;
                if (besides_two && m == 2) least_blocks = 2;
                double highest = m > 1u + several ? table[of.at(m - 1, c)] : -kInfinite;
                if (in_snr >= 0.0) {
                    highest = std::max(highest, measures::quality(evidence, 1.0, in_snr, phi_[least_blocks]));
                } else {
                    if (least_blocks == 1) highest = std::max(highest, measures::quality(evidence, in_one, in_snr, 1.0));
                    if (m >= 2)
                        highest = std::max(highest, measures::quality(evidence, in_several, in_snr,
                                                                      phi_[std::max<std::size_t>(2, least_blocks)]));
                }
                table[of.at(m, c)] = highest;
            }
        }
        return table;
    }

    std::size_t n_;
    const Settings& settings_;
    bool weighted_;
    bool unbounded_;                 // weights of which nothing is known before a pattern is read
    bool pairs_;
    Breadth::Wanted wanted_ = Breadth::Wanted::none;
    std::vector<double> snr_, phi_;  // by m; by blocks
    std::vector<double> heaviest_, weighted_snr_;  // by m
    double memory_ = 0.0, least_weight_ = 0.0;
    std::unordered_map<std::size_t, std::unique_ptr<Class>> classes_;
};

}  // namespace kato
