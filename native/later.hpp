// What an answer leaves for whoever asks for it: its predictions, the potentials, or all of them as JSON.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "answered.hpp"
#include "answers.hpp"
#include "spelling.hpp"
#include "symbols.hpp"
#include "json_answers.hpp"

namespace kato {

using Weights = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// What an index and its states share.
struct Shared {
    Symbols symbols;
    Spellings spellings;
};

class Later {
public:
    // The query's weights lie in `weights`.
    Later(std::shared_ptr<Shared> shared, std::optional<Weights> weights, nb::object annotate)
        : shared_(std::move(shared)), weights_(std::move(weights)), annotate_(std::move(annotate)) {}

    Answered answered;

    nb::object ranked() const { return ranked_of(answered, shared_->symbols, annotate_); }
    nb::object potentials() const { return potentials_of(answered, shared_->symbols); }
    nb::object written(nb::object encode) const { return written_of(answered, shared_->symbols, annotate_, encode); }

private:
    std::shared_ptr<Shared> shared_;
    std::optional<Weights> weights_;
    nb::object annotate_;
};

}  // namespace kato
