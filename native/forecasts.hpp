// Forecasts for Python: questions in, counted votes out.
#pragma once

#include <nanobind/nanobind.h>

#include "symbols.hpp"
#include "voting.hpp"

namespace kato {

namespace nb = nanobind;

// (steps of (event, symbols), horizon, events left out or None).
Question question_of(nb::handle told, const Symbols& symbols);

// (shapes, profiles, number of the general one, furthest displacement, (window, voters, tokens)).
Menu menu_of(nb::handle told);

// (symbols with their shares, at least the `most` best; how many have one; entropy; voters).
nb::tuple tally_of(const State& state, const Symbols& symbols, nb::handle question, nb::handle menu, nb::handle mix,
                   double repeat, std::size_t most);

// Per profile: (symbols whose share is at least `least` of the largest, the largest of those that were right).
nb::list ballots_of(const State& state, const Symbols& symbols, nb::handle question, nb::handle menu, nb::handle right,
                    double least);

// (numbers of unseen symbols, numbers of unseen pairs, most symbols together).
nb::tuple familiarity_of(const State& state, const Symbols& symbols, nb::handle question, nb::handle asked, nb::handle pairs);

}  // namespace kato
