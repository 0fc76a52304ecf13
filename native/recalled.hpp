// How few hits lie on a memory, recalled rather than worked out again.
//
// Longest common subsequence and matching blocks depend on the hits' marks, in order, and on which of them stand side by side in
// the pattern, but not on where they stand. Most patterns share few tokens with a memory, and mostly the common ones, so that
// thousands of patterns make no more than some hundred different rows of hits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "alignment.hpp"

namespace kato {

// The numbers of an alignment that a row of hits has; `first` and `last` are places among the hits.
struct Outline {
    std::uint64_t key = 0;
    std::uint8_t common = 0;   // longest common subsequence
    std::uint8_t aligned = 0;  // tokens in blocks, ≥ 1
    std::uint8_t blocks = 0;
    std::uint8_t first = 0, last = 0;  // the first hit in a block, and the last
};

// Working space of one thread and one memory. What is forgotten to make room is worked out again.
class Recalled {
public:
    static constexpr std::size_t kMostHits = 8, kMostMarks = 63;

    // Whether such hits have a key: each takes seven bits of it, six for its mark, which is never 0, one for its neighbour.
    static bool can_hold(Span<const Hit> hits, std::size_t marks) {
        return !hits.empty() && hits.size() <= kMostHits && marks <= kMostMarks;
    }

    // For hits that `can_hold` allows, and always the same memory.
    const Outline& outline(Span<const Hit> hits, const Memory& memory, Aligner& aligner) {
        std::uint64_t key = hits[0].mark;
        for (std::size_t i = 1; i < hits.size(); ++i)
            key = key << 7 | std::uint64_t{hits[i].at == hits[i - 1].at + 1} << 6 | hits[i].mark;
        Outline& found = outlines_[key * 0x9e3779b97f4a7c15u >> (64 - kBits)];
        if (found.key != key) {
            found = made(hits, memory, aligner);
            found.key = key;
        }
        return found;
    }

private:
    static constexpr unsigned kBits = 10;

    static Outline made(Span<const Hit> hits, const Memory& memory, Aligner& aligner) {
        Outline made;
        made.common = std::uint8_t(aligner.common(hits, memory));
        const auto blocks = aligner.blocks(hits, memory);
        made.blocks = std::uint8_t(blocks.size());
        for (const Block& block : blocks) made.aligned = std::uint8_t(made.aligned + block.length);
        while (hits[made.first].at != blocks.front().pattern) ++made.first;
        while (hits[made.last].at != blocks.back().pattern + blocks.back().length - 1) ++made.last;
        return made;
    }

    std::vector<Outline> outlines_ = std::vector<Outline>(std::size_t{1} << kBits);
};

}  // namespace kato
