// Sums that are rounded once: the exact sum, rounded to the nearest double, whatever the order of its terms.
#pragma once

#include <algorithm>
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

// The same sum of many terms that lie together, none below 0: what has one exponent is added as whole numbers first, which is exact
// and does not wait for memory (after Neal, Fast Exact Summation Using Small and Large Superaccumulators, 2015).
class ExactSumOfMany {
public:
    double of(const double* first, const double* last) {
        sum_.clear();
        while (last - first > kFew) {
            const double* stop = last - first > kChunk ? first + kChunk : last;
            add_by_exponent(first, stop);
            first = stop;
        }
        for (; first != last; ++first)
            if (*first > 0.0) sum_.add(*first);
        return sum_.value();
    }

private:
    static constexpr std::ptrdiff_t kFew = 64;           // no more are added one by one
    static constexpr std::ptrdiff_t kChunk = 1 << 26;    // so many halves of mantissas, of 27 bits, add up to less than 2^53
    static constexpr int kExponents = 2047, kMantissa = 52, kHalf = 26;

    struct Halves {
        std::uint64_t high = 0, low = 0;
    };

    void add_by_exponent(const double* first, const double* last) {
        std::size_t least = kExponents, most = 0;
        for (; first != last; ++first) {
            std::uint64_t bits;
            std::memcpy(&bits, first, sizeof bits);
            const std::size_t exponent = bits >> kMantissa;
            const std::uint64_t hidden = std::uint64_t{exponent != 0} << kMantissa;
            const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << kMantissa) - 1)) | hidden;
            Halves& here = halves_[exponent];
            here.high += mantissa >> kHalf;
            here.low += mantissa & ((std::uint64_t{1} << kHalf) - 1);
            least = std::min(least, exponent);
            most = std::max(most, exponent);
        }
        for (std::size_t exponent = least; exponent <= most; ++exponent) {
            Halves& here = halves_[exponent];
            const int scale = (exponent ? int(exponent) : 1) - 1075;
            if (here.high) sum_.add(std::ldexp(double(here.high), scale + kHalf));
            if (here.low) sum_.add(std::ldexp(double(here.low), scale));
            here = {};
        }
    }

    ExactSum sum_;
    std::vector<Halves> halves_ = std::vector<Halves>(kExponents);
};

}  // namespace kato
