// How a pattern lies on a memory: its events between two flat positions, and what blocks cover.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alignment.hpp"
#include "state.hpp"

namespace kato {

// Visit the events between two flat positions, the first and the last maybe cut: (from, to) each.
template <class Visit>
void each_event(const Row& row, std::size_t from, std::size_t to, Visit&& visit) {
    for (std::size_t end; from < to; from = end) {
        for (end = from + 1; end < to && !row.starts(end); ++end) {}
        visit(from, end);
    }
}

inline std::size_t events_between(const Row& row, std::size_t from, std::size_t to) {
    std::size_t events = from < to;
    for (std::size_t i = from + 1; i < to; ++i) events += row.starts(i);
    return events;
}

// Whether a flat position lies in one of the blocks, asked in ascending order.
template <std::uint32_t Block::*Start>
class Covered {
public:
    explicit Covered(Span<const Block> blocks) : blocks_(blocks) {}
    bool operator()(std::size_t at) {
        while (next_ < blocks_.size() && at >= blocks_[next_].*Start + blocks_[next_].length) ++next_;
        return next_ < blocks_.size() && at >= blocks_[next_].*Start;
    }

private:
    Span<const Block> blocks_;
    std::size_t next_ = 0;
};

}  // namespace kato
