// Predictions as Python objects: the classes of kato.engine.prediction, filled without calling their initialisers.
#pragma once

#include <nanobind/nanobind.h>

#include "answered.hpp"
#include "symbols.hpp"

namespace kato {

namespace nb = nanobind;

// The classes to fill, as one object with an attribute for each.
void set_shapes(nb::object shapes);

// The answer, but for what `later` makes when somebody asks for it: the predictions themselves and the potentials.
nb::object predictions_of(const Answered& answered, nb::object later);

// The predictions, in ranking order. `annotate` gives (emotives, metadata) of a slot, or is None.
nb::object ranked_of(const Answered& answered, const Symbols& symbols, nb::object annotate);

// (future_potentials, symbol_potentials).
nb::object potentials_of(const Answered& answered, const Symbols& symbols);

// Events of a row between two flat positions, as tuples of symbols.
nb::object events_of(const Row& row, std::size_t from, std::size_t to, const Symbols& symbols);

nb::object name_text(const std::uint8_t* name);

// A pattern: (slot, name, events, frequency).
inline nb::tuple told(const Row& row, std::uint64_t frequency, const Symbols& symbols) {
    return nb::make_tuple(row.slot(), name_text(row.name()), events_of(row, 0, row.length, symbols), frequency);
}

}  // namespace kato
