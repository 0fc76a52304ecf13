// Sums that are rounded once: the exact sum, rounded to the nearest double, whatever the order of its terms.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace kato {

// Shewchuk's growing expansion: `parts` are non-overlapping doubles, ascending in size, whose exact sum is the sum so far
// (Adaptive Precision Floating-Point Arithmetic, 1997, theorem 10). `value` rounds that sum half to even, as math.fsum does.
// Terms are finite and their partial sums stay within the range of doubles: the caller says so.
class ExactSum {
public:
    void add(double x) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            double y = parts_[i];
            if (std::fabs(x) < std::fabs(y)) {
                double larger = y;
                y = x;
                x = larger;
            }
            const double high = x + y;
            const double low = y - (high - x);
            if (low != 0.0) parts_[kept++] = low;
            x = high;
        }
        if (kept == parts_.size()) parts_.push_back(0.0);
        parts_[kept] = x;
        count_ = kept + 1;
    }

    double value() const {
        if (count_ == 0) return 0.0;
        std::size_t n = count_;
        double high = parts_[--n];
        double low = 0.0;
        while (n > 0) {
            const double x = high;
            const double y = parts_[--n];
            high = x + y;
            low = y - (high - x);
            if (low != 0.0) break;
        }
        // Half-way between two doubles the parts below decide.
        if (n > 0 && ((low < 0.0 && parts_[n - 1] < 0.0) || (low > 0.0 && parts_[n - 1] > 0.0))) {
            const double twice = low * 2.0;
            const double x = high + twice;
            if (twice == x - high) high = x;
        }
        return high + 0.0;  // a zero is never negative
    }

    void clear() { count_ = 0; }

private:
    std::vector<double> parts_ = std::vector<double>(8);
    std::size_t count_ = 0;
};

// The same sum of many terms, none below 0. Their rounded sum and what its roundings lost are kept apart, both as doubles (Ogita, Rump
// and Oishi, Accurate Sum and Dot Product, 2005); where what that leaves open could change the result, which is hardly ever, the sum
// is made anew as an expansion.
class ExactSumOfMany {
public:
    double of(const std::vector<double>& terms) {
        return of(terms.size(), [&](std::size_t i) { return terms[i]; });
    }

    // Of `term(0)` up to `term(count - 1)`.
    template <class Term>
    double of(std::size_t count, Term term) {
        // Several in turn: one would wait for itself.
        double sums[kLanes] = {}, lost[kLanes] = {};
        std::size_t i = 0;
        for (; i + kLanes <= count; i += kLanes)
            for (std::size_t lane = 0; lane < kLanes; ++lane) add(sums[lane], lost[lane], term(i + lane));
        for (; i < count; ++i) add(sums[0], lost[0], term(i));
        double sum = 0.0, rest = 0.0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            add(sum, rest, sums[lane]);
            rest += lost[lane];
        }
        // Of N additions of terms and of lanes, N ≤ count + kLanes, each loses exactly what is added to `lost`, so the exact sum is `sum`
        // and all that was lost. With u = 2⁻⁵³, and as no partial sum is above 2 · sum, each loses at most 2u · sum and all of them at most
        // 2N·u · sum. What was lost is added up in N additions too, which may each miss u times that: 2N²·u² · sum in all. The other
        // half of `open` is more than what rounding `rest ± open` may miss, u · (2N·u · sum + open). Rounding is monotone: if both ends
        // of the interval round to one double, so does the exact sum in it.
        const double open = 4.0 * (double(count) + kLanes) * (double(count) + kLanes) * (kHalfUlp * kHalfUlp) * sum;
        const double least = sum + (rest - open), most = sum + (rest + open);
        if (least == most && (sum > kSmall || sum == 0.0)) return least;
        exact_.clear();
        for (i = 0; i < count; ++i)
            if (const double each = term(i); each > 0.0) exact_.add(each);
        return exact_.value();
    }

private:
    static constexpr std::size_t kLanes = 4;
    static constexpr double kHalfUlp = 0x1p-53;
    static constexpr double kSmall = 0x1p-800;  // above, `open` is no denormal number

    // Adds a term to a sum, and to `lost` what the rounding of it left out (Knuth's TwoSum).
    static void add(double& sum, double& lost, double x) {
        const double whole = sum + x;
        const double added = whole - sum;
        lost += (sum - (whole - added)) + (x - added);
        sum = whole;
    }

    ExactSum exact_;
};

}  // namespace kato
