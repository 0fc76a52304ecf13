// The Python module `kato.engine.matching._kernel`.

#include "build_information.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "sequences.hpp"
#include "view.hpp"
#include "writer.hpp"

namespace nb = nanobind;

NB_MODULE(_kernel, module) {
    using namespace nb::literals;
    using kato::Forecasting;
    using kato::Later;
    using kato::View;
    using kato::Writer;

    module.def("build_information", &kato::build_information);
    module.def("set_shapes", &kato::set_shapes);
    module.def("written_number", &kato::written_number, "value"_a);

    nb::class_<Later>(module, "Later")
        .def("ranked", &Later::ranked)
        .def("potentials", &Later::potentials)
        .def("written", &Later::written, "encode"_a);

    nb::class_<Forecasting>(module, "Forecasting")
        .def("tally", &Forecasting::tally, "question"_a, "menu"_a, "mix"_a, "repeat"_a, "most"_a)
        .def("attributed", &Forecasting::attributed, "question"_a, "menu"_a, "mix"_a, "repeat"_a, "symbols"_a, "most"_a)
        .def("ballots", &Forecasting::ballots, "question"_a, "menu"_a, "right"_a, "leading"_a, "most_tied"_a);

    nb::class_<View>(module, "View")
        .def_prop_ro("patterns", &View::patterns)
        .def_prop_ro("symbols", &View::symbols)
        .def_prop_ro("frequency", &View::frequency)
        .def("predict", &View::predict, "events"_a, "settings"_a, "key"_a, "weights"_a.none(), "least_weight"_a,
             "annotate"_a.none())
        .def("stages", &View::stages, "events"_a, "settings"_a, "key"_a, "weights"_a.none(), "least_weight"_a,
             "annotate"_a.none())
        .def("members", &View::members, "events"_a, "settings"_a, "key"_a, "weights"_a.none(), "least_weight"_a)
        .def("count", &View::count, "events"_a, "settings"_a)
        .def("symbol", &View::symbol, "symbol"_a)
        .def("known_symbols", &View::known_symbols)
        .def("all", &View::all)
        .def("list_patterns", &View::list_patterns, "order"_a, "descending"_a, "after"_a.none(), "limit"_a, "search"_a,
             "prefix"_a)
        .def("list_symbols", &View::list_symbols, "by_frequency"_a, "descending"_a, "after"_a.none(), "limit"_a, "search"_a)
        .def("forecasting", &View::forecasting)
        .def("familiarity", &View::familiarity, "question"_a, "asked"_a, "pairs"_a)
        .def("elect", &View::elect, "question"_a, "menu"_a)
        .def("heard", &View::heard, "question"_a, "menu"_a)
        .def("everybody_votes", &View::everybody_votes, "menu"_a)
        .def("smallest", &View::smallest, "most"_a)
        .def("save", &View::save, "path"_a, "extra"_a);

    using kato::SequenceReader;
    nb::class_<SequenceReader>(module, "SequenceReader")
        .def(nb::init<bool, std::size_t, std::size_t, std::size_t, std::size_t>(), "sorts"_a, "symbol_bytes"_a, "symbols"_a,
             "events"_a, "sequences"_a)
        .def("sequence", &SequenceReader::sequence, "body"_a)
        .def("sequences", &SequenceReader::sequences, "body"_a);

    nb::class_<Writer>(module, "Index")
        .def(nb::init<>())
        .def("find", &Writer::find, "events"_a, "name"_a)
        .def("learn", &Writer::learn, "events"_a, "name"_a, "frequency"_a)
        .def("learn_many", &Writer::learn_many, "patterns"_a, "most"_a)
        .def("learn_written", &Writer::learn_written, "rows"_a, "most"_a)
        .def("set_frequency", &Writer::set_frequency, "slot"_a, "frequency"_a)
        .def("forget", &Writer::forget, "slot"_a)
        .def("clear", &Writer::clear)
        .def("fork", &Writer::fork, nb::rv_policy::take_ownership)
        .def("begin_many", &Writer::begin_many)
        .def("end_many", &Writer::end_many)
        .def("tend", &Writer::tend)
        .def_prop_ro("is_untidy", &Writer::is_untidy)
        .def("view", &Writer::view)
        .def("number", &Writer::number, "symbol"_a)
        .def("open", &Writer::open, "path"_a)
        .def("named", &Writer::named, "name"_a)
        .def_prop_ro("bytes", &Writer::bytes)
        .def_prop_ro("text_bytes", &Writer::text_bytes);
}
