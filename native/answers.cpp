#include "answers.hpp"

#include <structmember.h>  // PyMemberDef, up to Python 3.11

#include <algorithm>
#include <cmath>

namespace kato {

namespace {

constexpr std::size_t kNamed = 100;  // patterns named per potential

// One Python class with slots, and where the slots of the fields to be set lie in its objects.
class Shape {
public:
    Shape(nb::handle shapes, const char* name, std::initializer_list<const char*> fields) : type_(shapes.attr(name)) {
        for (const char* field : fields) {
            const nb::object slot = type_.attr(field);
            if (!Py_IS_TYPE(slot.ptr(), &PyMemberDescr_Type)) throw nb::type_error("predictions are made of classes with slots");
            offsets_.push_back(reinterpret_cast<PyMemberDescrObject*>(slot.ptr())->d_member->offset);
        }
    }

    // A new object; the values are taken over. Slots are filled directly: frozen classes refuse the usual way, and there are
    // thousands of fields in an answer.
    PyObject* make(std::initializer_list<PyObject*> values) const {
        auto* type = reinterpret_cast<PyTypeObject*>(type_.ptr());
        PyObject* made = type->tp_alloc(type, 0);
        if (made == nullptr) nb::raise_python_error();
        std::size_t i = 0;
        for (PyObject* value : values) {
            if (value == nullptr) nb::raise_python_error();
            *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(made) + offsets_[i++]) = value;
        }
        return made;
    }

private:
    nb::object type_;
    std::vector<Py_ssize_t> offsets_;
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

// A tuple under construction; the items are taken over.
class Tuple {
public:
    explicit Tuple(std::size_t size) : made_(PyTuple_New(Py_ssize_t(size))) {
        if (made_ == nullptr) nb::raise_python_error();
    }
    void add(PyObject* item) { PyTuple_SET_ITEM(made_, next_++, item); }
    PyObject* take() { return made_; }

private:
    PyObject* made_;
    Py_ssize_t next_ = 0;
};

PyObject* text(nb::list texts, Symbol symbol) {
    return Py_NewRef(PyList_GET_ITEM(texts.ptr(), Py_ssize_t(symbol)));
}

// A row of events between two flat positions, as tuples that begin where events begin, of the items for which `keeps` holds.
template <class Keeps>
PyObject* grouped(const Row& row, std::size_t from, std::size_t to, nb::list texts, Keeps&& keeps) {
    std::size_t events = from < to;
    for (std::size_t i = from + 1; i < to; ++i) events += row.starts(i);
    Tuple made(events);
    std::vector<Symbol> event;
    for (std::size_t i = from; i < to; ++i) {
        if (keeps(i)) event.push_back(row.token(i));
        if (i + 1 < to && !row.starts(i + 1)) continue;
        Tuple symbols(event.size());
        for (const Symbol symbol : event) symbols.add(text(texts, symbol));
        made.add(symbols.take());
        event.clear();
    }
    return made.take();
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
    Builder(Ensemble& ensemble, const Query& query, const Settings& settings, const Observed& observed, nb::list texts,
            nb::object annotate)
        : ensemble_(ensemble), query_(query), observed_(observed), texts_(texts),
          annotate_(std::move(annotate)), judge_(query, settings), names_(ensemble.members.size()) {}

    PyObject* name(std::size_t member) {
        if (!names_[member].is_valid()) names_[member] = name_text(ensemble_.members[member].match.row.name());
        return own(names_[member]);
    }

    PyObject* prediction(std::size_t at) {
        const Member& member = ensemble_.members[at];
        const Match& match = member.match;
        const Row& row = match.row;
        judge_.passes_gate(row);
        const auto blocks = judge_.blocks();
        const nb::object events = events_of(row, 0, row.length, texts_);
        const Py_ssize_t first = events_before(row, match.present_from), last = events_before(row, match.present_to);
        const auto slice = [&](Py_ssize_t from, Py_ssize_t to) { return PyTuple_GetSlice(events.ptr(), from, to); };
        nb::object emotives = nb::dict(), metadata = nb::dict();
        if (!annotate_.is_none()) {
            const nb::object found = annotate_(row.slot());
            emotives = found[0];
            metadata = found[1];
        }
        return shapes->prediction.make({name(at), own(events), whole(match.frequency), whole(row.length), matches(blocks),
                                        slice(0, first), slice(first, last), slice(last, PY_SSIZE_T_MAX),
                                        missing(match, blocks), extras(blocks), anomalies(blocks), own(emotives),
                                        own(metadata), shown(blocks), metrics(member)});
    }

    PyObject* future_potentials() {
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
        Tuple made(futures.size());
        for (const auto& [events, future] : futures)
            made.add(shapes->future.make({own(events), number(future->aggregate), whole(future->supporters.size()),
                                          number(future->weight), number(future->potential), names(future->supporters)}));
        return made.take();
    }

    PyObject* symbol_potentials() {
        auto& symbols = ensemble_.symbols;
        std::sort(symbols.begin(), symbols.end(), [this](const SymbolSupport& a, const SymbolSupport& b) {
            if (a.potential != b.potential) return a.potential > b.potential;
            return PyUnicode_Compare(PyList_GET_ITEM(texts_.ptr(), a.symbol), PyList_GET_ITEM(texts_.ptr(), b.symbol)) < 0;
        });
        Tuple made(symbols.size());
        for (const SymbolSupport& each : symbols)
            made.add(shapes->symbol.make({text(texts_, each.symbol), number(each.potential), whole(each.supporters.size()),
                                          names(each.supporters)}));
        return made.take();
    }

private:
    static Py_ssize_t events_before(const Row& row, std::size_t to) {
        Py_ssize_t events = 0;
        for (std::size_t i = 0; i < to; ++i) events += row.starts(i);
        return events;
    }

    PyObject* names(const std::vector<std::uint32_t>& members) {
        const std::size_t count = std::min(members.size(), kNamed);
        Tuple made(count);
        for (std::size_t i = 0; i < count; ++i) made.add(name(members[i]));
        return made.take();
    }

    PyObject* matches(Span<const Block> blocks) {
        std::size_t count = 0;
        for (const Block& block : blocks) count += block.length;
        Tuple made(count);
        for (const Block& block : blocks)
            for (std::uint32_t i = 0; i < block.length; ++i) made.add(own(observed_.flat[block.memory + i]));
        return made.take();
    }

    PyObject* missing(const Match& match, Span<const Block> blocks) {
        Covered<&Block::pattern> covered(blocks);
        return grouped(match.row, match.present_from, match.present_to, texts_, [&](std::size_t i) { return !covered(i); });
    }

    PyObject* extras(Span<const Block> blocks) {
        Covered<&Block::memory> covered(blocks);
        Tuple made(observed_.sizes.size());
        std::vector<std::size_t> event;
        std::size_t at = 0;
        for (const std::size_t size : observed_.sizes) {
            event.clear();
            for (const std::size_t end = at + size; at < end; ++at)
                if (!covered(at)) event.push_back(at);
            Tuple symbols(event.size());
            for (const std::size_t i : event) symbols.add(own(observed_.flat[i]));
            made.add(symbols.take());
        }
        return made.take();
    }

    PyObject* anomalies(Span<const Block> blocks) {
        const Reading& reading = judge_.reading();
        std::vector<std::uint32_t> found;
        for (const Block& block : blocks)
            for (std::uint32_t i = block.memory; i < block.memory + block.length; ++i)
                if (reading.likeness[query_.marks[i] - 1] > 0.0) found.push_back(i);
        Tuple made(found.size());
        for (const std::uint32_t i : found) {
            const std::size_t mark = query_.marks[i] - 1;
            made.add(shapes->anomaly.make(
                {own(observed_.flat[i]), text(texts_, reading.as[mark]), number(reading.likeness[mark])}));
        }
        return made.take();
    }

    PyObject* shown(Span<const Block> blocks) {
        Tuple made(blocks.size());
        for (const Block& block : blocks)
            made.add(shapes->block.make({whole(block.pattern), whole(block.memory), whole(block.length)}));
        return made.take();
    }

    PyObject* metrics(const Member& member) {
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
    return nb::steal(grouped(row, from, to, texts, [](std::size_t) { return true; }));
}

namespace {

// Thousands of new objects would set the collector searching among all of them, several times, for garbage there is none of.
class WithoutCollector {
public:
    WithoutCollector() : was_enabled_(PyGC_Disable()) {}
    ~WithoutCollector() {
        if (was_enabled_) PyGC_Enable();
    }
    WithoutCollector(const WithoutCollector&) = delete;
    WithoutCollector& operator=(const WithoutCollector&) = delete;

private:
    int was_enabled_;
};

}  // namespace

nb::object predictions_of(Ensemble& ensemble, const State& state, const Query& query, const Settings& settings,
                          const Observed& observed, const Found& found, std::size_t most, nb::list texts,
                          nb::object annotate) {
    const WithoutCollector without_collector;
    Builder builder(ensemble, query, settings, observed, texts, annotate);
    const std::size_t count = std::min(most, ensemble.members.size());
    Tuple ranked(count);
    for (std::size_t i = 0; i < count; ++i) ranked.add(builder.prediction(i));
    return nb::steal(shapes->predictions.make({ranked.take(), builder.future_potentials(), builder.symbol_potentials(),
                                               whole(state.patterns), whole(ensemble.members.size()),
                                               whole(found.evaluated)}));
}

}  // namespace kato
