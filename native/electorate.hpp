// Who votes in a forecast: the patterns most like the memory, as kato/engine/forecasting/electing.py defines them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state.hpp"

namespace kato {

// One event of the memory; symbols no pattern ever held are kUnknown.
struct Step {
    std::vector<Symbol> event;    // as it is
    std::vector<Symbol> symbols;  // once each, those that are looked at
};

struct Question {
    std::vector<Step> steps;  // newest first
    std::size_t horizon = 1;              // 0: the last event
    bool leaves_out = false;              // one learning of a pattern of this content counts as not learned
    std::uint64_t before = UINT64_MAX;    // only patterns with lower slots vote
    std::vector<Symbol> left_tokens;
    std::vector<std::uint8_t> left_starts;

    std::size_t closing() const { return horizon == 0 ? 1 : horizon; }  // events that are the end of a pattern

    bool is_left_out(const Row& row) const;
};

// What bounds an electorate and how far back a memory is looked at; told by Python, where they are defined.
struct Bounds {
    std::size_t window, everybody, voters, tokens;
};

struct Voter {
    Row row;
    std::uint64_t frequency;  // learnings that count
};

// By rank, then name, within the bounds.
std::vector<Voter> elect(const State& state, const Question& question, const Bounds& bounds);

// All that are there, in no order.
std::vector<Voter> living(const State& state);

// The patterns with the smallest names, ascending.
std::vector<Voter> smallest(const State& state, std::size_t most);

struct Familiarity {
    std::vector<std::size_t> unseen;                 // numbers of the different symbols asked about
    std::vector<std::size_t> unseen_transitions;     // numbers of the pairs asked about
    std::size_t together = 0;                        // most different symbols that one pattern holds
};

// `symbols` and `pairs` are different from one another, and may be kUnknown.
Familiarity familiarity(const State& state, const Question& question, const std::vector<Symbol>& symbols,
                        const std::vector<std::pair<Symbol, Symbol>>& pairs);

}  // namespace kato
