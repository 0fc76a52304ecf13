// What C++17 lacks: a view of neighbouring values, and counting bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace kato {

template <class T>
class Span {
public:
    Span() = default;
    Span(T* data, std::size_t size) : data_(data), size_(size) {}
    Span(T* from, T* to) : data_(from), size_(std::size_t(to - from)) {}
    template <class U>
    Span(const std::vector<U>& values) : data_(values.data()), size_(values.size()) {}

    T* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t at) const { return data_[at]; }
    T* begin() const { return data_; }
    T* end() const { return data_ + size_; }
    T& front() const { return data_[0]; }
    T& back() const { return data_[size_ - 1]; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

#if defined(_MSC_VER)
inline unsigned ones_in(std::uint64_t word) { return unsigned(__popcnt64(word)); }
inline unsigned lowest_one(std::uint64_t word) {
    unsigned long at;
    _BitScanForward64(&at, word);
    return unsigned(at);
}
#else
inline unsigned ones_in(std::uint64_t word) { return unsigned(__builtin_popcountll(word)); }
inline unsigned lowest_one(std::uint64_t word) { return unsigned(__builtin_ctzll(word)); }  // of a word that is not 0
#endif

inline std::uint64_t rotated(std::uint64_t word, unsigned by) { return word << by | word >> (64 - by); }

inline std::size_t next_power_of_two(std::size_t least) {
    std::size_t power = 1;
    while (power < least) power *= 2;
    return power;
}

}  // namespace kato
