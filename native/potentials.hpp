// What speaks for each future of an ensemble, and for each symbol of those futures.
#pragma once

#include <cstdint>
#include <vector>

#include "ensemble.hpp"

namespace kato {

// Members by their ranks, ascending, and the exactly rounded sum of their potentials.
struct Support {
    std::vector<std::uint32_t> members;
    double potential = 0.0;
};

struct SymbolSupport {
    Symbol symbol;
    Support support;
};

// One for each of the futures. Members are in ranking order, here and below.
std::vector<Support> future_supports(const std::vector<Member>& members, std::size_t futures);

// One for each symbol that a member's future holds, in no order.
std::vector<SymbolSupport> symbol_supports(const std::vector<Member>& members);

}  // namespace kato
