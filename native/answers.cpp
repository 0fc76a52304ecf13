#include "answers.hpp"

#include <structmember.h>  // PyMemberDef, up to Python 3.11

#include <algorithm>
#include <array>
#include <cstring>

#include "laid.hpp"
#include "potentials.hpp"
#include "text.hpp"

namespace kato {

namespace {

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
                      {"considered", "ensemble_size", "examined", "_later"}) {}
    Shape block, anomaly, metrics, prediction, future, symbol, predictions;
};

const Shapes* shapes = nullptr;  // set once, when the engine is imported; lives as long as the process

PyObject* number(double value) { return PyFloat_FromDouble(value); }

// Numbers as Python objects, those lately made again the same ones: the best patterns of a question have most numbers in common.
class Numbers {
public:
    PyObject* operator()(double value) {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        auto& [known, made] = kept_[bits * 0x9e3779b97f4a7c15u >> (64 - kBits)];
        if (!made.is_valid() || known != bits) {
            made = nb::steal(PyFloat_FromDouble(value));
            if (!made.is_valid()) nb::raise_python_error();
            known = bits;
        }
        return Py_NewRef(made.ptr());
    }

private:
    static constexpr unsigned kBits = 7;

    std::array<std::pair<std::uint64_t, nb::object>, std::size_t{1} << kBits> kept_;
};
PyObject* whole(std::uint64_t value) { return PyLong_FromUnsignedLongLong(value); }
PyObject* own(nb::handle value) { return value.inc_ref().ptr(); }

// The collector need not follow what can be part of no cycle: a tuple of what it does not follow, an object of numbers.
PyObject* untracked(PyObject* made) {
    PyObject_GC_UnTrack(made);
    return made;
}

// A tuple under construction; the items are taken over.
class Tuple {
public:
    explicit Tuple(std::size_t size) : made_(PyTuple_New(Py_ssize_t(size))) {
        if (made_ == nullptr) nb::raise_python_error();
    }
    void add(PyObject* item) {
        followed_ = followed_ || (PyObject_IS_GC(item) && PyObject_GC_IsTracked(item));
        add_plain(item);
    }
    // One that the collector does not follow: a text, a tuple of texts.
    void add_plain(PyObject* item) { PyTuple_SET_ITEM(made_, next_++, item); }
    PyObject* take() { return next_ == 0 || followed_ ? made_ : untracked(made_); }

private:
    PyObject* made_;
    Py_ssize_t next_ = 0;
    bool followed_ = false;
};

PyObject* text(nb::handle texts, Symbol symbol) {
    return Py_NewRef(PyList_GET_ITEM(texts.ptr(), Py_ssize_t(symbol)));
}

class Builder {
public:
    Builder(const Answered& answered, const Symbols& symbols, nb::object annotate)
        : answered_(answered), query_(answered.query), observed_(answered.observed), symbols_(symbols),
          texts_(symbols.texts()), annotate_(std::move(annotate)), judge_(answered.query, answered.settings) {}

    PyObject* prediction(std::size_t at) {
        const Member& member = answered_.members[at];
        const Match& match = member.match;
        const Row& row = match.row;
        judge_.passes_gate(row);
        const auto blocks = judge_.blocks();
        const Seen seen = seen_by(blocks);
        const nb::object events = events_of(row, 0, row.length, symbols_);
        const Py_ssize_t first = events_before(row, match.present_from), last = events_before(row, match.present_to);
        const auto slice = [&](Py_ssize_t from, Py_ssize_t to) {
            Tuple part(std::size_t(to - from));
            for (Py_ssize_t i = from; i < to; ++i) part.add(Py_NewRef(PyTuple_GET_ITEM(events.ptr(), i)));
            return part.take();
        };
        nb::object emotives = nb::dict(), metadata = nb::dict();
        if (!annotate_.is_none()) {
            const nb::object found = annotate_(row.slot());
            emotives = found[0];
            metadata = found[1];
        }
        return shapes->prediction.make({name_text(row.name()).release().ptr(), own(events), whole(match.frequency), whole(row.length), own(seen.matches),
                                        slice(0, first), slice(first, last), slice(last, PyTuple_GET_SIZE(events.ptr())),
                                        missing(match, blocks), own(seen.extras), anomalies(blocks), own(emotives),
                                        own(metadata), shown(blocks), metrics(member, answered_.present[at])});
    }

private:
    // What of the memory is in blocks, and what is not.
    struct Seen {
        std::uint64_t covered;
        nb::object matches, extras;
    };

    // Both follow from which tokens of the memory are covered, and the best patterns mostly cover the same.
    Seen seen_by(Span<const Block> blocks) {
        if (query_.size() > 64) return {0, nb::steal(matches(blocks)), nb::steal(extras(blocks))};
        std::uint64_t covered = 0;
        for (const Block& block : blocks)
            for (std::uint32_t i = 0; i < block.length; ++i) covered |= std::uint64_t{1} << (block.memory + i);
        for (const Seen& known : seen_)
            if (known.covered == covered) return known;
        Seen made{covered, nb::steal(matches(blocks)), nb::steal(extras(blocks))};
        if (seen_.size() < kMostSeen) seen_.push_back(made);
        return made;
    }

    static Py_ssize_t events_before(const Row& row, std::size_t to) {
        Py_ssize_t events = 0;
        for (std::size_t i = 0; i < to; ++i) events += row.starts(i);
        return events;
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
        Tuple made(events_between(match.row, match.present_from, match.present_to));
        std::vector<std::size_t>& event = places_;
        each_event(match.row, match.present_from, match.present_to, [&](std::size_t from, std::size_t to) {
            event.clear();
            for (std::size_t i = from; i < to; ++i)
                if (!covered(i)) event.push_back(i);
            Tuple symbols(event.size());
            for (const std::size_t i : event) symbols.add_plain(text(texts_, match.row.token(i)));
            made.add_plain(symbols.take());
        });
        return made.take();
    }

    PyObject* extras(Span<const Block> blocks) {
        Covered<&Block::memory> covered(blocks);
        Tuple made(observed_.sizes.size());
        std::vector<std::size_t>& event = places_;
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
            made.add_plain(untracked(shapes->block.make({whole(block.pattern), whole(block.memory), whole(block.length)})));
        return made.take();
    }

    PyObject* metrics(const Member& member, const PresentNumbers& present) {
        const Match& match = member.match;
        const bool weighted = query_.weights != nullptr;
        const auto weigh = [&](double value) { return weighted ? numbers_(value) : own(nb::none()); };
        return untracked(shapes->metrics.make(
            {numbers_(match.similarity), numbers_(match.evidence), numbers_(match.confidence), numbers_(match.snr),
             PyLong_FromLong(long(match.blocks) - 1), numbers_(match.phi), numbers_(present.entropy),
             numbers_(present.normalized_entropy), numbers_(present.global_normalized_entropy), numbers_(member.itfdf),
             numbers_(present.tfidf_score), numbers_(present.confluence), numbers_(member.information), numbers_(member.potential),
             numbers_(member.prior), numbers_(match.similarity), numbers_(member.posterior), numbers_(member.prior),
             numbers_(member.strength), weigh(match.weighted_similarity), weigh(match.weighted_evidence),
             weigh(match.weighted_confidence), weigh(match.weighted_snr)}));
    }

    static constexpr std::size_t kMostSeen = 16;

    const Answered& answered_;
    const Query& query_;
    const Observed& observed_;
    const Symbols& symbols_;
    nb::list texts_;
    nb::object annotate_;
    Judge judge_;
    Numbers numbers_;
    std::vector<Seen> seen_;
    std::vector<std::size_t> places_;
};

}  // namespace

void set_shapes(nb::object from) {
    delete shapes;
    shapes = new Shapes(from);
}

nb::object name_text(const std::uint8_t* name) {
    PyObject* made = PyUnicode_New(2 * kNameBytes, 127);
    if (made == nullptr) nb::raise_python_error();
    write_hex(name, kNameBytes, reinterpret_cast<char*>(PyUnicode_1BYTE_DATA(made)));
    return nb::steal(made);
}

nb::object events_of(const Row& row, std::size_t from, std::size_t to, const Symbols& symbols) {
    const nb::list texts = symbols.texts();
    Tuple made(events_between(row, from, to));
    each_event(row, from, to, [&](std::size_t first, std::size_t last) {
        if (last == first + 1) return made.add(symbols.alone(row.token(first)).release().ptr());
        Tuple event(last - first);
        for (std::size_t i = first; i < last; ++i) event.add_plain(text(texts, row.token(i)));
        made.add(event.take());
    });
    return nb::steal(made.take());
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

nb::object predictions_of(const Answered& answered, nb::object later) {
    return nb::steal(shapes->predictions.make({whole(answered.state->patterns), whole(answered.members.size()),
                                               whole(answered.evaluated), own(later)}));
}

nb::object ranked_of(const Answered& answered, const Symbols& symbols, nb::object annotate) {
    const WithoutCollector without_collector;
    Builder builder(answered, symbols, std::move(annotate));
    Tuple ranked(answered.present.size());
    for (std::size_t i = 0; i < answered.present.size(); ++i) ranked.add(builder.prediction(i));
    return nb::steal(ranked.take());
}

namespace {

class Names {
public:
    explicit Names(const std::vector<Member>& members) : members_(members), names_(members.size()) {}

    // The names of the first hundred.
    PyObject* of(const std::vector<std::uint32_t>& supporters) {
        const std::size_t count = std::min(supporters.size(), kNamed);
        Tuple made(count);
        for (std::size_t i = 0; i < count; ++i) {
            nb::object& name = names_[supporters[i]];
            if (!name.is_valid()) name = name_text(members_[supporters[i]].match.row.name());
            made.add(own(name));
        }
        return made.take();
    }

private:
    const std::vector<Member>& members_;
    std::vector<nb::object> names_;
};

PyObject* future_potentials(const std::vector<Member>& members, const std::vector<Future>& futures, Names& names,
                            const Symbols& symbols) {
    struct Told {
        nb::object events;
        const Support* support;
        const Future* future;
    };
    const auto supports = future_supports(members, futures.size());
    std::vector<Told> told;
    for (std::size_t i = 0; i < futures.size(); ++i) {
        const Match& match = members[supports[i].members.front()].match;
        told.push_back({events_of(match.row, match.present_to, match.row.length, symbols), &supports[i], &futures[i]});
    }
    std::sort(told.begin(), told.end(), [](const Told& a, const Told& b) {
        if (a.future->aggregate != b.future->aggregate) return a.future->aggregate > b.future->aggregate;
        const std::size_t x = a.support->members.size(), y = b.support->members.size();
        if (x != y) return x > y;
        return PyObject_RichCompareBool(a.events.ptr(), b.events.ptr(), Py_LT) == 1;
    });
    Tuple made(told.size());
    for (const auto& [events, support, future] : told)
        made.add(untracked(shapes->future.make({own(events), number(future->aggregate), whole(support->members.size()),
                                                number(future->weight), number(support->potential),
                                                names.of(support->members)})));
    return made.take();
}

PyObject* symbol_potentials(const std::vector<Member>& members, Names& names, nb::list texts) {
    auto supports = symbol_supports(members);
    std::sort(supports.begin(), supports.end(), [&](const SymbolSupport& a, const SymbolSupport& b) {
        if (a.support.potential != b.support.potential) return a.support.potential > b.support.potential;
        return PyUnicode_Compare(PyList_GET_ITEM(texts.ptr(), a.symbol), PyList_GET_ITEM(texts.ptr(), b.symbol)) < 0;
    });
    Tuple made(supports.size());
    for (const auto& [symbol, support] : supports)
        made.add(untracked(shapes->symbol.make({text(texts, symbol), number(support.potential),
                                                whole(support.members.size()), names.of(support.members)})));
    return made.take();
}

}  // namespace

nb::object potentials_of(const Answered& answered, const Symbols& symbols) {
    const WithoutCollector without_collector;
    Names names(answered.members);
    Tuple both(2);
    both.add(future_potentials(answered.members, answered.futures, names, symbols));
    both.add(symbol_potentials(answered.members, names, symbols.texts()));
    return nb::steal(both.take());
}

}  // namespace kato
