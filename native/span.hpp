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
// Without the processor's instruction, which not every processor has, the compiler's own is a call.
inline unsigned ones_in(std::uint64_t word) {
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return unsigned(word * 0x0101010101010101u >> 56);
}
inline unsigned lowest_one(std::uint64_t word) { return unsigned(__builtin_ctzll(word)); }  // of a word that is not 0
#endif

// Bring memory nearer, as it is read soon: two lines of it. A macro, because GCC takes a function that does nothing else for one
// that does nothing, and leaves out its calls.
#if defined(__GNUC__)
#define KATO_FETCH(at) (__builtin_prefetch(at), __builtin_prefetch(static_cast<const char*>(at) + 64))
#else
#define KATO_FETCH(at) static_cast<void>(at)
#endif

inline std::uint64_t rotated(std::uint64_t word, unsigned by) { return word << by | word >> (64 - by); }

inline std::size_t next_power_of_two(std::size_t least) {
    std::size_t power = 1;
    while (power < least) power *= 2;
    return power;
}

}  // namespace kato
