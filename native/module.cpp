// The Python module `kato.engine.matching._kernel`.

#include "build_information.hpp"

#include <cstdint>

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

namespace {

// Changes whenever what Python and the kernel expect of each other does.
constexpr int REVISION = 0;

std::int64_t total(const std::vector<std::int64_t>& numbers) {
    std::int64_t sum = 0;
    for (const std::int64_t number : numbers) {
        sum += number;
    }
    return sum;
}

}  // namespace

NB_MODULE(_kernel, module) {
    module.def("build_information", &kato::build_information);
    module.def("revision", [] { return REVISION; });
    module.def("total", &total);
}
