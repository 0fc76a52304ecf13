// A segment: up to 65,536 patterns that never change, with the postings that find them.
//
// Rows stand in order of (length, name), so that patterns of one length are a run, ascending by name, and a row's tokens are
// found by arithmetic. Everything lies in one block of memory, which is also what is written to disk and mapped from there.
//
//   occurrence-rank postings   the list of (symbol, r) names the rows that hold the symbol at least r times. Summed over a
//                              query's symbols, each list counted once for every r up to the symbol's count in the query,
//                              they give every row's multiset overlap with the query.
//   bigram postings            the list of a bucket names the rows with an adjacent pair of symbols that hashes to it, and
//                              with each row how many symbols the events hold that such a pair touches.
//
// A list is an ascending array of 16-bit rows, or, where that is smaller, a bitmap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "span.hpp"

namespace kato {

using Symbol = std::uint32_t;
using Slot = std::uint32_t;

constexpr std::size_t kNameBytes = 20;
constexpr std::size_t kSegmentRows = 65'536;
constexpr std::size_t kSegmentTokens = std::size_t{1} << 26;
constexpr std::uint32_t kBitmap = std::uint32_t{1} << 31;

// A pattern's content, wherever it is kept: flat symbols, and for each whether an event starts there.
struct Content {
    Slot slot = 0;
    std::array<std::uint8_t, kNameBytes> name{};
    std::vector<Symbol> tokens;
    std::vector<std::uint8_t> starts;
};

// Rows of one length.
struct Run {
    std::uint32_t length;
    std::uint32_t first;
    std::uint32_t count;
    std::uint32_t widest;  // symbols of the largest event among them
    std::uint64_t token;   // where the tokens of the first row start
};

std::uint64_t mixed(std::uint64_t value);

// Any flipped bit changes it; made for speed, not against intent.
std::uint64_t checksum_of(const std::uint8_t* data, std::size_t bytes);

inline std::uint64_t bigram_hash(Symbol left, Symbol right) {
    return mixed((std::uint64_t{left} << 32) | right);
}

// How many symbols the events hold that a pair touches: its own event, or the two it lies across. Of all pairs of a row in one
// bucket, the least and the most; more than fifteen are told as fifteen.
struct Breadth {
    static constexpr std::uint8_t kMostTold = 15;
    enum class Wanted { none, least, most };  // which of the two somebody needs

    std::uint8_t least, most;

    static Breadth of(std::uint8_t packed) { return {std::uint8_t(packed & 15), std::uint8_t(packed >> 4)}; }
    std::uint8_t packed() const { return std::uint8_t(most << 4 | least); }
};

class Segment {
public:
    // Build from contents in any order; their number and tokens are within the limits above.
    static std::shared_ptr<const Segment> build(std::vector<const Content*> contents, std::size_t known_symbols);

    // Take a block as it was written, aligned to eight bytes; `keep` holds the memory. Null if its sizes contradict themselves;
    // that it is what was written is for the caller to check.
    static std::shared_ptr<const Segment> adopt(const std::uint8_t* block, std::size_t bytes, std::shared_ptr<const void> keep);

    Span<const std::uint8_t> block() const { return {block_, bytes_}; }

    std::size_t rows() const { return header_->rows; }
    std::size_t tokens() const { return header_->tokens; }
    Span<const Run> runs() const { return {runs_, header_->runs}; }
    Span<const Symbol> symbols() const { return {symbols_, header_->symbols}; }
    const std::uint8_t* name(std::size_t row) const { return names_ + kNameBytes * row; }
    Slot slot(std::size_t row) const { return slots_[row]; }
    const Run& run_of(std::size_t row) const;

    bool is_wide() const { return header_->wide != 0; }
    const std::uint16_t* narrow_tokens() const { return narrow_; }
    const std::uint32_t* wide_tokens() const { return wide_; }
    std::uint32_t local_token(std::size_t at) const { return is_wide() ? wide_[at] : narrow_[at]; }
    // Where a row's tokens lie, for `fetch`.
    const void* place(std::uint64_t token) const {
        return is_wide() ? static_cast<const void*>(wide_ + token) : static_cast<const void*>(narrow_ + token);
    }
    bool starts_event(std::size_t at) const { return (starts_[at / 64] >> (at % 64)) & 1; }

    // The local number of a symbol, or -1.
    std::int64_t local(Symbol symbol) const;

    // Lists of a local symbol: ranks 1, 2, … in order.
    std::size_t ranks(std::size_t local) const { return ranks_[local + 1] - ranks_[local]; }

    // Add `weight` to the counter of every row in the list of (local symbol, rank ≥ 1).
    template <class Counter>
    void count(std::size_t local, std::size_t rank, Counter weight, Counter* counters) const;

    // The rows of a bigram's bucket, ascending.
    Span<const std::uint16_t> bigram_rows(std::uint64_t hash) const;
    // For each of them, how broad its pairs of the bucket are, packed.
    const std::uint8_t* bigram_breadths(std::uint64_t hash) const;

    // One row as a content.
    Content content(std::size_t row) const;

private:
    struct Header {
        std::uint64_t rows, runs, symbols, tokens, lists, posted, buckets, paired, wide;
    };

    Segment() = default;
    static std::size_t measure(const Header& header);
    void attach();

    std::shared_ptr<const void> keep_;
    const std::uint8_t* block_ = nullptr;
    std::size_t bytes_ = 0;
    const Header* header_ = nullptr;
    const Run* runs_ = nullptr;
    const std::uint8_t* names_ = nullptr;
    const Slot* slots_ = nullptr;
    const Symbol* symbols_ = nullptr;
    const std::uint16_t* narrow_ = nullptr;
    const std::uint32_t* wide_ = nullptr;
    const std::uint64_t* starts_ = nullptr;
    const std::uint32_t* ranks_ = nullptr;  // per symbol, its first list
    const std::uint32_t* lists_ = nullptr;  // per list, where it starts in `posted_`; kBitmap is set on bitmaps
    const std::uint16_t* posted_ = nullptr;
    const std::uint32_t* buckets_ = nullptr;
    const std::uint16_t* paired_ = nullptr;
    const std::uint8_t* breadths_ = nullptr;  // per entry of `paired_`
};

// Eight bits as eight bytes of 0 or 1, the lowest bit first.
const std::array<std::uint64_t, 256>& spread_bits();

template <class Counter>
void Segment::count(std::size_t local, std::size_t rank, Counter weight, Counter* counters) const {
    const std::size_t list = ranks_[local] + rank - 1;
    const std::size_t from = lists_[list] & ~kBitmap;
    const std::size_t to = lists_[list + 1] & ~kBitmap;
    if (!(lists_[list] & kBitmap)) {
        for (std::size_t at = from; at < to; ++at) counters[posted_[at]] = Counter(counters[posted_[at]] + weight);
        return;
    }
    const auto* bits = reinterpret_cast<const std::uint8_t*>(posted_ + from);
    if constexpr (sizeof(Counter) == 1) {
        // Eight counters at once; the caller's counters are padded to a multiple of eight and never overflow.
        const auto& spread = spread_bits();
        for (std::size_t byte = 0; byte * 8 < rows(); ++byte) {
            std::uint64_t eight;
            std::memcpy(&eight, counters + byte * 8, 8);
            eight += spread[bits[byte]] * weight;
            std::memcpy(counters + byte * 8, &eight, 8);
        }
    } else {
        for (std::size_t row = 0; row < rows(); ++row)
            counters[row] = Counter(counters[row] + weight * ((bits[row / 8] >> (row % 8)) & 1));
    }
}

}  // namespace kato
