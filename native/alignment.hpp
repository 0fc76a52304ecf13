// How a pattern lies on a memory: longest common subsequence and matching blocks, over marks.
//
// A mark says which distinct symbol of the memory a token is; 0 says that it is none of them. Of the pattern only the hits
// are looked at: its tokens that have a mark, in order, each with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "span.hpp"

namespace kato {

using Mark = std::uint32_t;

struct Hit {
    std::uint32_t at;
    Mark mark;
};

// An unbroken run of matches.
struct Block {
    std::uint32_t pattern, memory, length;
};

// The numbers of an alignment; `first` and `last` are places among the hits.
struct Outline {
    std::uint32_t common = 0;           // longest common subsequence
    std::uint32_t aligned = 0;          // tokens in blocks
    std::uint32_t blocks = 0;
    std::uint32_t first = 0, last = 0;  // the first hit in a block, and the last
};

// The memory's side of comparisons: for every mark where it stands. Marks are 1 … `marks`.
class Memory {
public:
    void assign(Span<const Mark> memory, std::size_t marks);

    std::size_t size() const { return size_; }

    // Positions of a mark, ascending.
    Span<const std::uint32_t> positions(Mark mark) const {
        return {places_.data() + from_[mark], places_.data() + from_[mark + 1]};
    }
    // Positions of a mark as bits, `words()` words.
    const std::uint64_t* bits(Mark mark) const { return bits_.data() + mark * words_; }
    std::size_t words() const { return words_; }

private:
    std::size_t size_ = 0, words_ = 0;
    std::vector<std::uint32_t> from_, places_;
    std::vector<std::uint64_t> bits_;
};

// Reusable working space; one per thread.
class Aligner {
public:
    // Length of the longest common subsequence of the pattern and the memory.
    std::size_t common(Span<const Hit> hits, const Memory& memory);

    // Ratcliff–Obershelp without junk: the longest run common to both, ties by the smallest start in the pattern, then in the
    // memory; then the same left and right of it; blocks adjacent in both are one. In order of both sequences.
    Span<const Block> blocks(Span<const Hit> hits, const Memory& memory);

    // What both would say, mostly without making blocks, where hits `are_few`.
    Outline outline(Span<const Hit> hits, const Memory& memory);
    static bool are_few(Span<const Hit> hits, const Memory& memory) {
        return !hits.empty() && hits.size() <= kFewHits && memory.words() == 1;
    }

private:
    static constexpr std::size_t kFewHits = 64;

    struct Range {
        std::uint32_t pattern_from, pattern_to, memory_from, memory_to;
    };

    struct FewHits {
        Span<const Hit> hits;
        const Memory& memory;
    };

    void align_few(const FewHits& few, std::size_t from, std::size_t to, std::uint64_t where);
    void append(const Block& block);
    bool collect_runs(Span<const Hit> hits, const Memory& memory);
    Block longest_of_runs(const Range& range) const;
    Block longest_by_rows(const Range& range, Span<const Hit> hits, const Memory& memory);

    std::vector<std::uint64_t> row_;
    std::vector<Block> runs_, found_;
    std::vector<Range> ranges_;
    std::vector<std::uint32_t> seen_in_, run_at_;  // per memory position: the pattern row + 1 that last matched it; its run
    std::vector<std::uint32_t> above_, here_;
};

}  // namespace kato
