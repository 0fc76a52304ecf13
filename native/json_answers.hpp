// Predictions as JSON, byte for byte as kato.wire.answers would have them encoded, which says what belongs there and why.
#pragma once

#include <nanobind/nanobind.h>

#include "answered.hpp"
#include "symbols.hpp"

namespace kato {

namespace nb = nanobind;

// (predictions, future_potentials, symbol_potentials) as bytes, or None where a symbol is no text. `annotate` gives (emotives,
// metadata) of a slot, or is None; `encode` makes of both the members of an object, as bytes.
nb::object written_of(const Answered& answered, const Symbols& symbols, nb::object annotate, nb::object encode);

// One number as it stands there, for whoever compares.
nb::bytes written_number(double value);

}  // namespace kato
