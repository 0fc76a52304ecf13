#include "answers.hpp"

#include <algorithm>
#include <cmath>

namespace kato {

namespace {

constexpr std::size_t kNamed = 100;  // patterns named per potential

// One Python class with the fields that are set, in order.
class Shape {
public:
    Shape(nb::handle shapes, const char* name, std::initializer_list<const char*> fields) : type_(shapes.attr(name)) {
        for (const char* field : fields) fields_.push_back(nb::steal(PyUnicode_InternFromString(field)));
    }

    // A new object; the values are taken over.
    nb::object make(std::initializer_list<PyObject*> values) const {
        static PyObject* nothing = PyTuple_New(0);
        nb::object made = nb::steal(PyBaseObject_Type.tp_new(reinterpret_cast<PyTypeObject*>(type_.ptr()), nothing, nullptr));
        if (!made.is_valid()) nb::raise_python_error();
        std::size_t i = 0;
        for (PyObject* value : values) {
            nb::object held = nb::steal(value);
            // Frozen classes refuse setting by the usual way; this is what their own initialiser does.
            if (!held.is_valid() || PyObject_GenericSetAttr(made.ptr(), fields_[i++].ptr(), value) != 0)
                nb::raise_python_error();
        }
        return made;
    }

private:
    nb::object type_;
    std::vector<nb::object> fields_;
};

struct Shapes {
    explicit Shapes(nb::handle from)
        : block(from, "Block", {"pattern_start", "memory_start", "length"}),
          anomaly(from, "Anomaly", {"observed", "expected", "similarity"}),
          metrics(from, "Metrics",
                  {"similarity", "evidence", "confidence", "snr", "fragmentation", "phi", "entropy", "normalized_entropy",
                   "global_normalized_entropy", "itfdf_similarity", "tfidf_score", "confluence", "predictive_information",
                   "potential", "bayesian_prior", "bayesian_likelihood", "bayesian_posterior", "pattern_probability",
                   "weighted_strength", "weighted_similarity", "weighted_evidence", "weighted_confidence", "weighted_snr"}),
          prediction(from, "Prediction",
                     {"name", "events", "frequency", "length", "matches", "past", "present", "future", "missing", "extras",
                      "anomalies", "emotives", "metadata", "blocks", "metrics"}),
          future(from, "FuturePotential",
                 {"future", "aggregate_potential", "supporting_patterns", "total_weighted_frequency", "total_potential",
                  "patterns"}),
          symbol(from, "SymbolPotential", {"symbol", "total_potential", "prediction_count", "patterns"}),
          predictions(from, "Predictions",
                      {"ranked", "future_potentials", "symbol_potentials", "considered", "ensemble_size", "examined"}) {}
    Shape block, anomaly, metrics, prediction, future, symbol, predictions;
};

const Shapes* shapes = nullptr;  // set once, when the engine is imported; lives as long as the process

PyObject* number(double value) { return PyFloat_FromDouble(value); }
PyObject* whole(std::uint64_t value) { return PyLong_FromUnsignedLongLong(value); }
PyObject* own(nb::handle value) { return value.inc_ref().ptr(); }

nb::object tuple_of(const std::vector<nb::object>& items) {
    nb::object made = nb::steal(PyTuple_New(Py_ssize_t(items.size())));
    for (std::size_t i = 0; i < items.size(); ++i) PyTuple_SET_ITEM(made.ptr(), Py_ssize_t(i), own(items[i]));
    return made;
}

nb::handle text(nb::list texts, Symbol symbol) { return PyList_GET_ITEM(texts.ptr(), Py_ssize_t(symbol)); }

// A row of events: the items for which `keeps` holds, in tuples that begin where events begin.
template <class Starts, class Item, class Keeps>
nb::object grouped(std::size_t from, std::size_t to, Starts&& starts, Item&& item, Keeps&& keeps) {
    std::vector<nb::object> events, event;
    for (std::size_t i = from; i < to; ++i) {
        if (i > from && starts(i)) {
            events.push_back(tuple_of(event));
            event.clear();
        }
        if (keeps(i)) event.push_back(nb::borrow(item(i)));
    }
    if (from < to) events.push_back(tuple_of(event));
    return tuple_of(events);
}

// Whether a flat position lies in one of the blocks, asked in ascending order.
template <std::uint32_t Block::*Start>
class Covered {
public:
    explicit Covered(Span<const Block> blocks) : blocks_(blocks) {}
    bool operator()(std::size_t at) {
        while (next_ < blocks_.size() && at >= blocks_[next_].*Start + blocks_[next_].length) ++next_;
        return next_ < blocks_.size() && at >= blocks_[next_].*Start;
    }

private:
    Span<const Block> blocks_;
    std::size_t next_ = 0;
};

class Builder {
public:
    Builder(Ensemble& ensemble, const State& state, const Query& query, const Settings& settings, const Observed& observed,
            nb::list texts, nb::object annotate)
        : ensemble_(ensemble), state_(state), query_(query), observed_(observed), texts_(texts),
          annotate_(std::move(annotate)), judge_(query, settings), names_(ensemble.members.size()) {}

    nb::object name(std::size_t member) {
        if (!names_[member].is_valid()) names_[member] = name_text(ensemble_.members[member].match.row.name());
        return names_[member];
    }

    nb::object prediction(std::size_t at) {
        const Member& member = ensemble_.members[at];
        const Match& match = member.match;
        const Row& row = match.row;
        judge_.passes_gate(row);
        const auto blocks = judge_.blocks();
        const nb::object events = events_of(row, 0, row.length, texts_);
        const Py_ssize_t first = events_before(row, match.present_from), last = events_before(row, match.present_to);
        const auto slice = [&](Py_ssize_t from, Py_ssize_t to) {
            return PyTuple_GetSlice(events.ptr(), from, to);
        };
        nb::object emotives = nb::dict(), metadata = nb::dict();
        if (!annotate_.is_none()) {
            const nb::object found = annotate_(row.slot());
            emotives = found[0];
            metadata = found[1];
        }
        return shapes->prediction.make({own(name(at)), own(events), whole(match.frequency), whole(row.length),
                                        own(matches(blocks)), slice(0, first), slice(first, last), slice(last, PY_SSIZE_T_MAX),
                                        own(missing(match, blocks)), own(extras(blocks)), own(anomalies(blocks)), own(emotives),
                                        own(metadata), own(shown(blocks)), own(metrics(member))});
    }

    nb::object future_potentials() {
        std::vector<std::pair<nb::object, const Future*>> futures;
        for (const Future& future : ensemble_.futures) {
            const Match& match = ensemble_.members[future.first_member].match;
            futures.emplace_back(events_of(match.row, match.present_to, match.row.length, texts_), &future);
        }
        std::sort(futures.begin(), futures.end(), [](const auto& a, const auto& b) {
            if (a.second->aggregate != b.second->aggregate) return a.second->aggregate > b.second->aggregate;
            const std::size_t x = a.second->supporters.size(), y = b.second->supporters.size();
            if (x != y) return x > y;
            return PyObject_RichCompareBool(a.first.ptr(), b.first.ptr(), Py_LT) == 1;
        });
        std::vector<nb::object> made;
        for (const auto& [events, future] : futures)
            made.push_back(shapes->future.make({own(events), number(future->aggregate), whole(future->supporters.size()),
                                                number(future->weight), number(future->potential),
                                                own(names(future->supporters))}));
        return tuple_of(made);
    }

    nb::object symbol_potentials() {
        auto& symbols = ensemble_.symbols;
        std::sort(symbols.begin(), symbols.end(), [this](const SymbolSupport& a, const SymbolSupport& b) {
            if (a.potential != b.potential) return a.potential > b.potential;
            return PyUnicode_Compare(text(texts_, a.symbol).ptr(), text(texts_, b.symbol).ptr()) < 0;
        });
        std::vector<nb::object> made;
        for (const SymbolSupport& each : symbols)
            made.push_back(shapes->symbol.make({own(text(texts_, each.symbol)), number(each.potential),
                                                whole(each.supporters.size()), own(names(each.supporters))}));
        return tuple_of(made);
    }

private:
    static Py_ssize_t events_before(const Row& row, std::size_t to) {
        Py_ssize_t events = 0;
        for (std::size_t i = 0; i < to; ++i) events += row.starts(i);
        return events;
    }

    nb::object names(const std::vector<std::uint32_t>& members) {
        std::vector<nb::object> found;
        for (std::size_t i = 0; i < std::min(members.size(), kNamed); ++i) found.push_back(name(members[i]));
        return tuple_of(found);
    }

    nb::object matches(Span<const Block> blocks) {
        std::vector<nb::object> found;
        for (const Block& block : blocks)
            for (std::uint32_t i = 0; i < block.length; ++i) found.push_back(observed_.flat[block.memory + i]);
        return tuple_of(found);
    }

    nb::object missing(const Match& match, Span<const Block> blocks) {
        const Row& row = match.row;
        Covered<&Block::pattern> covered(blocks);
        return grouped(match.present_from, match.present_to, [&](std::size_t i) { return row.starts(i); },
                       [&](std::size_t i) { return text(texts_, row.token(i)); }, [&](std::size_t i) { return !covered(i); });
    }

    nb::object extras(Span<const Block> blocks) {
        Covered<&Block::memory> covered(blocks);
        std::vector<nb::object> rows, event;
        std::size_t at = 0;
        for (const std::size_t size : observed_.sizes) {
            event.clear();
            for (const std::size_t end = at + size; at < end; ++at)
                if (!covered(at)) event.push_back(observed_.flat[at]);
            rows.push_back(tuple_of(event));
        }
        return tuple_of(rows);
    }

    nb::object anomalies(Span<const Block> blocks) {
        std::vector<nb::object> found;
        const Reading& reading = judge_.reading();
        for (const Block& block : blocks)
            for (std::uint32_t i = block.memory; i < block.memory + block.length; ++i) {
                const std::size_t mark = query_.marks[i] - 1;
                if (reading.likeness[mark] > 0.0)
                    found.push_back(shapes->anomaly.make({own(observed_.flat[i]), own(text(texts_, reading.as[mark])),
                                                          number(reading.likeness[mark])}));
            }
        return tuple_of(found);
    }

    nb::object shown(Span<const Block> blocks) {
        std::vector<nb::object> made;
        for (const Block& block : blocks)
            made.push_back(shapes->block.make({whole(block.pattern), whole(block.memory), whole(block.length)}));
        return tuple_of(made);
    }

    nb::object metrics(const Member& member) {
        const Match& match = member.match;
        const PresentNumbers present = ensemble_.present_numbers(match);
        const bool weighted = query_.weights != nullptr;
        const auto weigh = [&](double value) { return weighted ? number(value) : own(nb::none()); };
        return shapes->metrics.make(
            {number(match.similarity), number(match.evidence), number(match.confidence), number(match.snr),
             PyLong_FromLong(long(match.blocks) - 1), number(match.phi), number(present.entropy),
             number(present.normalized_entropy), number(present.global_normalized_entropy), number(member.itfdf),
             number(present.tfidf_score), number(present.confluence), number(member.information), number(member.potential),
             number(member.prior), number(match.similarity), number(member.posterior), number(member.prior),
             number(member.strength), weigh(match.weighted_similarity), weigh(match.weighted_evidence),
             weigh(match.weighted_confidence), weigh(match.weighted_snr)});
    }

    Ensemble& ensemble_;
    const State& state_;
    const Query& query_;
    const Observed& observed_;
    nb::list texts_;
    nb::object annotate_;
    Judge judge_;
    std::vector<nb::object> names_;
};

}  // namespace

void set_shapes(nb::object from) {
    delete shapes;
    shapes = new Shapes(from);
}

nb::object name_text(const std::uint8_t* name) {
    static const char digits[] = "0123456789abcdef";
    char hex[2 * kNameBytes];
    for (std::size_t i = 0; i < kNameBytes; ++i) {
        hex[2 * i] = digits[name[i] >> 4];
        hex[2 * i + 1] = digits[name[i] & 15];
    }
    return nb::steal(PyUnicode_FromStringAndSize(hex, sizeof hex));
}

nb::object events_of(const Row& row, std::size_t from, std::size_t to, nb::list texts) {
    return grouped(from, to, [&](std::size_t i) { return row.starts(i); },
                   [&](std::size_t i) { return text(texts, row.token(i)); }, [](std::size_t) { return true; });
}

nb::object predictions_of(Ensemble& ensemble, const State& state, const Query& query, const Settings& settings,
                          const Observed& observed, const Found& found, std::size_t most, nb::list texts,
                          nb::object annotate) {
    Builder builder(ensemble, state, query, settings, observed, texts, annotate);
    std::vector<nb::object> ranked;
    for (std::size_t i = 0; i < std::min(most, ensemble.members.size()); ++i) ranked.push_back(builder.prediction(i));
    return shapes->predictions.make({own(tuple_of(ranked)), own(builder.future_potentials()), own(builder.symbol_potentials()),
                                     whole(state.patterns), whole(ensemble.members.size()), whole(found.evaluated)});
}

}  // namespace kato
