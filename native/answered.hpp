// A question and all that was found for it: what answers are made from. It does not change once it is found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

#include "ensemble.hpp"
#include "search.hpp"
#include "stopwatch.hpp"

namespace kato {

namespace nb = nanobind;

inline constexpr std::size_t kNamed = 100;  // patterns named per potential

// What was asked, as Python objects: per event its symbols, and the flat row of them.
struct Observed {
    std::vector<std::size_t> sizes;
    std::vector<nb::object> flat;
};

struct Answered {
    std::shared_ptr<const State> state;
    Settings settings;
    Query query;
    Observed observed;
    std::size_t most = 0;         // predictions wanted
    std::uint64_t evaluated = 0;  // patterns compared with it
    std::vector<Member> members;  // in ranking order; their rows lie in the state
    std::vector<Future> futures;  // in no order
    std::vector<PresentNumbers> present;  // of the first members, one for each prediction there is

    // Answer the question; all before is set. Needs no interpreter's lock.
    void find(Ranking ranking, Stopwatch& stopwatch) {
        Found found = search(*state, query, settings, stopwatch);
        evaluated = found.evaluated;
        Ensemble ensemble(*state, query, settings, ranking, std::move(found.best));
        for (std::size_t i = 0; i < std::min(most, ensemble.members.size()); ++i)
            present.push_back(ensemble.present_numbers(ensemble.members[i].match));
        members = std::move(ensemble.members);
        futures = std::move(ensemble.futures);
        stopwatch.lap(Stage::measuring);
    }
};

}  // namespace kato
