// One state of a node's index: what every question is answered from. It never changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "segment.hpp"
#include "shared_array.hpp"

namespace kato {

constexpr std::size_t kTailRows = 512;

// Patterns too new for a segment. The writer fills places in order; a reader looks only at those its state counts.
class Tail {
public:
    explicit Tail(std::size_t capacity) : capacity_(capacity), contents_(new std::shared_ptr<const Content>[capacity]) {}

    std::size_t capacity() const { return capacity_; }
    const Content& operator[](std::size_t at) const { return *contents_[at]; }
    void place(std::size_t at, std::shared_ptr<const Content> content) { contents_[at] = std::move(content); }

private:
    std::size_t capacity_;
    std::unique_ptr<std::shared_ptr<const Content>[]> contents_;
};

using Frequencies = SharedArray<std::uint64_t, 4096>;  // by slot; 0 means forgotten
using Members = SharedArray<std::uint32_t, 512>;       // by symbol: patterns that hold it
using Occurrences = SharedArray<std::uint64_t, 512>;   // by symbol: occurrences, each times the pattern's frequency

struct State {
    struct TailPart {
        std::shared_ptr<const Tail> tail;
        std::size_t count;
    };

    std::vector<std::shared_ptr<const Segment>> segments;
    std::vector<std::uint64_t> highest;  // per segment: no pattern in it has a higher frequency
    std::vector<TailPart> tails;
    Frequencies::View frequencies;
    Members::View members;
    Occurrences::View occurrences;
    std::uint64_t patterns = 0;   // U
    std::uint64_t symbols = 0;    // V
    std::uint64_t frequency = 0;  // Σ f
    bool has_gone = false;        // some rows are of forgotten patterns
};

// One pattern, in a segment or in a tail.
struct Row {
    const Segment* segment = nullptr;
    const Content* content = nullptr;
    std::uint32_t row = 0, length = 0;
    std::uint64_t base = 0;  // of its tokens in the segment

    static Row of(const Segment& segment, const Run& run, std::uint32_t row) {
        return {&segment, nullptr, row, run.length, run.token + std::uint64_t{row - run.first} * run.length};
    }
    static Row of(const Content& content) { return {nullptr, &content, 0, std::uint32_t(content.tokens.size()), 0}; }

    Symbol token(std::size_t at) const {
        return segment ? segment->symbols()[segment->local_token(base + at)] : content->tokens[at];
    }
    bool starts(std::size_t at) const { return segment ? segment->starts_event(base + at) : content->starts[at] != 0; }
    const std::uint8_t* name() const { return segment ? segment->name(row) : content->name.data(); }
    Slot slot() const { return segment ? segment->slot(row) : content->slot; }
};

}  // namespace kato
