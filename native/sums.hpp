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

// Adds a term to a sum, and to `lost` what the rounding of it left out (Knuth's TwoSum).
inline void add_keeping(double& sum, double& lost, double x) {
    const double whole = sum + x;
    const double added = whole - sum;
    lost += (sum - (whole - added)) + (x - added);
    sum = whole;
}

// A sum of terms, none below 0, and what its roundings lost are kept apart, both as doubles (Ogita, Rump and Oishi, Accurate Sum and
// Dot Product, 2005). This is the exact sum rounded, or below 0 where what that leaves open could change it, which is hardly ever.
//
// Of N additions each loses exactly what is added to `lost`, so the exact sum is `sum` and all that was lost. With u = 2⁻⁵³, and as no
// partial sum is above 2 · sum, each loses at most 2u · sum and all of them at most 2N·u · sum.
//
// No term is below `least`, but for those that are 0 (so 0 where nothing is known). All terms, and so all partial sums and losses, are
// multiples of the spacing of doubles at `least`, which is more than u · least. Where 2N·u · sum is at most `least`, what was lost is below 2⁵³
// such spacings wherever one looks, so that it was added up exactly: the only rounding is that of `sum + lost`. The other 2 is more than
// what the bound itself is rounded by.
//
// Else what was lost is added up in N additions which may each miss u times that: 2N²·u² · sum in all. The other half of `open` is more
// than what rounding `lost ± open` may miss, u · (2N·u · sum + open). Rounding is monotone: if both ends of the interval round to one
// double, so does the exact sum in it.
inline double settled(double sum, double lost, double least, std::size_t additions) {
    constexpr double kHalfUlp = 0x1p-53, kSmall = 0x1p-800;  // above, `open` is no denormal number
    if (sum == 0.0) return 0.0;
    const double count = double(additions);
    if (4.0 * count * kHalfUlp * sum <= least) return sum + lost;
    const double open = 4.0 * count * count * (kHalfUlp * kHalfUlp) * sum;
    const double low = sum + (lost - open), high = sum + (lost + open);
    return low == high && sum > kSmall ? low : -1.0;
}

// The same sum of many terms, none below 0: kept in two doubles, and made anew as an expansion where these leave it open.
class ExactSumOfMany {
public:
    double of(const std::vector<double>& terms) {
        // Several in turn: one would wait for itself.
        double sums[kLanes] = {}, lost[kLanes] = {};
        std::size_t i = 0;
        for (; i + kLanes <= terms.size(); i += kLanes)
            for (std::size_t lane = 0; lane < kLanes; ++lane) add_keeping(sums[lane], lost[lane], terms[i + lane]);
        for (; i < terms.size(); ++i) add_keeping(sums[0], lost[0], terms[i]);
        double sum = 0.0, rest = 0.0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            add_keeping(sum, rest, sums[lane]);
            rest += lost[lane];
        }
        const double found = settled(sum, rest, 0.0, terms.size() + kLanes);
        if (found >= 0.0) return found;
        exact_.clear();
        for (const double term : terms)
            if (term > 0.0) exact_.add(term);
        return exact_.value();
    }

private:
    static constexpr std::size_t kLanes = 4;

    ExactSum exact_;
};

}  // namespace kato
