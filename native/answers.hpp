// Predictions as Python objects: the classes of kato.engine.prediction, filled without calling their initialisers.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "ensemble.hpp"
#include "symbols.hpp"

namespace kato {

namespace nb = nanobind;

// What was asked, as Python objects: per event its symbols, and the flat row of them.
struct Observed {
    std::vector<std::size_t> sizes;
    std::vector<nb::object> flat;
};

// The classes to fill, as one object with an attribute for each.
void set_shapes(nb::object shapes);

// The answer; `annotate` gives (emotives, metadata) of a slot, or is None, `later`
// makes what `potentials_of` says when somebody asks for it.
nb::object predictions_of(Ensemble& ensemble, const State& state, const Query& query, const Settings& settings,
                          const Observed& observed, const Found& found, std::size_t most, const Symbols& symbols,
                          nb::object annotate, nb::object later);

// (future_potentials, symbol_potentials) of an ensemble whose members are in ranking order.
nb::object potentials_of(const std::vector<Member>& members, const std::vector<Future>& futures, const Symbols& symbols);

// Events of a row between two flat positions, as tuples of symbols.
nb::object events_of(const Row& row, std::size_t from, std::size_t to, const Symbols& symbols);

nb::object name_text(const std::uint8_t* name);

// A pattern: (slot, name, events, frequency).
inline nb::tuple told(const Row& row, std::uint64_t frequency, const Symbols& symbols) {
    return nb::make_tuple(row.slot(), name_text(row.name()), events_of(row, 0, row.length, symbols), frequency);
}

}  // namespace kato
