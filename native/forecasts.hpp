// Forecasts for Python: questions in, counted votes out.
#pragma once

#include <nanobind/nanobind.h>

#include "symbols.hpp"
#include "voting.hpp"

namespace kato {

namespace nb = nanobind;

// (steps of (event, symbols), horizon, events left out or None, the slot below which patterns vote or None).
Question question_of(nb::handle told, const Symbols& symbols);

// (shapes, profiles, number of the general one, furthest displacement, floor, (window, everybody, voters, tokens)).
Menu menu_of(nb::handle told);

// (symbols with their shares, at least the `most` best; how many have one; entropy; voters).
nb::tuple tally_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle question, nb::handle menu,
                   nb::handle mix,
                   double repeat, std::size_t most);

// (voters; for each symbol: (number of the voter, position, what it adds) of the `most` that add most, how many others, theirs).
nb::tuple attributed_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle question, nb::handle menu,
                        nb::handle mix,
                        double repeat, nb::handle asked, std::size_t most);

// (symbols that lead by any profile or are right, in no order; per profile the share of each). Those lead that have one of the
// `leading` largest shares, ties included, but for the last place where that would be more than `most_tied`.
nb::tuple ballots_of(const State& state, Grounds& grounds, const Symbols& symbols, nb::handle question, nb::handle menu,
                     nb::handle right,
                     std::size_t leading, std::size_t most_tied);

// (numbers of unseen symbols, numbers of unseen pairs, most symbols together).
nb::tuple familiarity_of(const State& state, const Symbols& symbols, nb::handle question, nb::handle asked, nb::handle pairs);

}  // namespace kato
