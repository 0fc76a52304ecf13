// Sums that are rounded once: the exact sum, rounded to the nearest double, whatever the order of its terms.
#pragma once

#include <cmath>
#include <cstddef>
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

}  // namespace kato
