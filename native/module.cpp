// The Python module `kato.engine.matching._kernel`.

#include "build_information.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "answers.hpp"
#include "ensemble.hpp"
#include "index.hpp"
#include "listing.hpp"
#include "saving.hpp"
#include "symbols.hpp"

namespace nb = nanobind;

namespace kato {

namespace {

using Weights = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Name = std::array<std::uint8_t, kNameBytes>;

template <class Value, std::size_t N>
Value named(const char* what, const std::string& name, const std::pair<const char*, Value> (&names)[N]) {
    for (const auto& [text, value] : names)
        if (name == text) return value;
    throw nb::value_error((std::string("no ") + what + " is named " + name).c_str());
}

constexpr std::pair<const char*, Key> kKeys[] = {
    {"quality", Key::quality}, {"similarity", Key::similarity}, {"frequency", Key::frequency},
    {"similarity_by_frequency", Key::similarity_by_frequency}, {"evidence", Key::evidence},
    {"confidence", Key::confidence}, {"snr", Key::snr}, {"fragmentation", Key::fragmentation},
    {"weighted_similarity", Key::weighted_similarity}, {"weighted_evidence", Key::weighted_evidence},
    {"weighted_confidence", Key::weighted_confidence}, {"weighted_snr", Key::weighted_snr}};

constexpr std::pair<const char*, Ranking> kRankings[] = {
    {"potential", Ranking::potential}, {"similarity", Ranking::similarity}, {"evidence", Ranking::evidence},
    {"confidence", Ranking::confidence}, {"snr", Ranking::snr}, {"fragmentation", Ranking::fragmentation},
    {"frequency", Ranking::frequency}, {"normalized_entropy", Ranking::normalized_entropy},
    {"global_normalized_entropy", Ranking::global_normalized_entropy}, {"itfdf_similarity", Ranking::itfdf_similarity},
    {"confluence", Ranking::confluence}, {"predictive_information", Ranking::predictive_information},
    {"bayesian_posterior", Ranking::bayesian_posterior}, {"bayesian_prior", Ranking::bayesian_prior},
    {"bayesian_likelihood", Ranking::bayesian_likelihood}, {"tfidf_score", Ranking::tfidf_score},
    {"weighted_similarity", Ranking::weighted_similarity}, {"weighted_evidence", Ranking::weighted_evidence},
    {"weighted_confidence", Ranking::weighted_confidence}, {"weighted_snr", Ranking::weighted_snr}};

constexpr std::pair<const char*, Order> kOrders[] = {
    {"name", Order::name}, {"frequency", Order::frequency}, {"length", Order::length}};

constexpr std::pair<const char*, Filter> kFilters[] = {{"length", Filter::length}, {"jaccard", Filter::jaccard},
                                                       {"minhash", Filter::minhash}, {"bloom", Filter::bloom},
                                                       {"rapidfuzz", Filter::rapidfuzz}};

constexpr std::pair<const char*, Stage> kStageNames[] = {
    {"reading", Stage::reading}, {"counting", Stage::counting}, {"ordering", Stage::ordering},
    {"comparing", Stage::comparing}, {"measuring", Stage::measuring}, {"making", Stage::making}};

Name name_of(const std::string& hex) {
    if (hex.size() != 2 * kNameBytes) throw nb::value_error("a pattern's name has 40 hexadecimal digits");
    Name name{};
    for (std::size_t i = 0; i < hex.size(); ++i) {
        const char digit = hex[i];
        const int value = digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
        if (value < 0) throw nb::value_error("a pattern's name has 40 lower-case hexadecimal digits");
        name[i / 2] = std::uint8_t(name[i / 2] << 4 | value);
    }
    return name;
}

// Symbols made or read at a time while the interpreter's lock is held.
constexpr std::size_t kSymbolsAtOnce = 10'000;

// What an index and its states share.
struct Shared {
    Symbols symbols;
    Spellings spellings;
};

Settings settings_of(nb::handle from, const std::string& key) {
    Settings settings;
    settings.recall_threshold = nb::cast<double>(from.attr("recall_threshold"));
    settings.fuzzy_threshold = nb::cast<double>(from.attr("fuzzy_token_threshold"));
    settings.by_tokens = nb::cast<bool>(from.attr("use_token_matching"));
    settings.key = named("selection key", key, kKeys);
    const auto ensemble = nb::cast<std::size_t>(from.attr("ensemble_size"));
    settings.best = ensemble ? std::max(ensemble, nb::cast<std::size_t>(from.attr("max_predictions"))) : 0;
    for (nb::handle name : from.attr("filter_pipeline"))
        settings.filters.push_back(named("filter", nb::cast<std::string>(name), kFilters));
    if (settings.filters.empty()) return settings;
    settings.length_min_ratio = nb::cast<double>(from.attr("length_min_ratio"));
    settings.length_max_ratio = nb::cast<double>(from.attr("length_max_ratio"));
    settings.jaccard_threshold = nb::cast<double>(from.attr("jaccard_threshold"));
    const nb::object overlap = from.attr("jaccard_min_overlap");
    const std::uint64_t least = PyLong_AsUnsignedLongLong(overlap.ptr());
    if (PyErr_Occurred()) PyErr_Clear();  // more than any pattern has; the value is then the largest there is
    settings.jaccard_min_overlap = least;
    settings.minhash_threshold = nb::cast<double>(from.attr("minhash_threshold"));
    return settings;
}

// A pattern: (slot, name, events, frequency).
nb::tuple told(const Row& row, std::uint64_t frequency, const Symbols& symbols) {
    return nb::make_tuple(row.slot(), name_text(row.name()), events_of(row, 0, row.length, symbols.texts()), frequency);
}

// What an answer leaves for later: the potentials of its ensemble's futures, most of the objects and seldom asked for.
class Later {
public:
    Later(std::shared_ptr<const State> state, std::shared_ptr<Shared> shared)
        : state_(std::move(state)), shared_(std::move(shared)) {}

    void keep(std::vector<Member> members, std::vector<Future> futures) {
        members_ = std::move(members);
        futures_ = std::move(futures);
    }

    nb::object make() const { return potentials_of(members_, futures_, shared_->symbols.texts()); }

private:
    std::shared_ptr<const State> state_;  // the members' rows lie in it
    std::shared_ptr<Shared> shared_;
    std::vector<Member> members_;
    std::vector<Future> futures_;
};

// One state of an index, ready to be asked from any thread.
class View {
public:
    View(std::shared_ptr<const State> state, std::shared_ptr<Shared> shared)
        : state_(std::move(state)), shared_(std::move(shared)) {}

    std::uint64_t patterns() const { return state_->patterns; }
    std::uint64_t symbols() const { return state_->symbols; }
    std::uint64_t frequency() const { return state_->frequency; }

    nb::object predict(nb::tuple events, nb::object settings, const std::string& key, std::optional<Weights> weights,
                       double least_weight, nb::object annotate) const {
        Stopwatch stopwatch;
        return predict_timed(events, settings, key, weights, least_weight, annotate, stopwatch);
    }

    // Where the processor time of such a question goes: nanoseconds per stage.
    nb::dict stages(nb::tuple events, nb::object settings, const std::string& key, std::optional<Weights> weights,
                    double least_weight, nb::object annotate) const {
        Stopwatch stopwatch(true);
        predict_timed(events, settings, key, weights, least_weight, annotate, stopwatch);
        nb::dict told;
        for (const auto& [name, stage] : kStageNames) told[name] = stopwatch.nanoseconds(stage);
        return told;
    }

    // The members of the ensemble: (slot, name, events, frequency) each, in order of selection.
    std::vector<nb::tuple> members(nb::tuple events, nb::object settings, const std::string& key,
                                   std::optional<Weights> weights, double least_weight) const {
        const Settings asked = settings_of(settings, key);
        Observed observed;
        Query query = query_of(events, asked, weights, least_weight, observed);
        Found found;
        {
            nb::gil_scoped_release release;
            spell(query, asked);
            Stopwatch unwatched;
            found = search(*state_, query, asked, unwatched);
        }
        std::vector<nb::tuple> members;
        for (const Match& match : found.best) members.push_back(told(match.row, match.frequency));
        return members;
    }

    // How many patterns match, and per filter how many passed it and those before.
    std::pair<std::uint64_t, std::vector<std::uint64_t>> count(nb::tuple events, nb::object settings) const {
        const Settings asked = settings_of(settings, "quality");
        Observed observed;
        Query query = query_of(events, asked, std::nullopt, 0.0, observed);
        nb::gil_scoped_release release;
        spell(query, asked);
        Counted counted = count_matches(*state_, query, asked);
        return {counted.matched, std::move(counted.passed)};
    }

    // (number, patterns that hold it, occurrences), or nothing for an unknown symbol.
    std::optional<std::tuple<Symbol, std::uint64_t, std::uint64_t>> symbol(nb::handle text) const {
        const Symbol number = shared_->symbols.find(text);
        if (number == kUnknown || state_->members[number] == 0) return std::nullopt;
        return std::tuple<Symbol, std::uint64_t, std::uint64_t>{number, state_->members[number], state_->occurrences[number]};
    }

    // Every symbol that a pattern holds, by number.
    nb::list known_symbols() const {
        nb::list found;
        const nb::list texts = shared_->symbols.texts();
        for (std::size_t i = 0; i < state_->members.size(); ++i)
            if (state_->members[i] != 0) found.append(texts[i]);
        return found;
    }

    // Every pattern: (slot, name, events, frequency).
    std::vector<nb::tuple> all() const {
        std::vector<nb::tuple> found;
        const auto take = [&](const Row& row) {
            if (const std::uint64_t frequency = state_->frequencies[row.slot()]) found.push_back(told(row, frequency));
        };
        for (const auto& segment : state_->segments)
            for (const Run& run : segment->runs())
                for (std::uint32_t row = run.first; row < run.first + run.count; ++row) take(Row::of(*segment, run, row));
        for (const auto& part : state_->tails)
            for (std::size_t i = 0; i < part.count; ++i) take(Row::of((*part.tail)[i]));
        return found;
    }

    // A page of patterns, each as in `all`; whether more follow; how many pass the search.
    std::tuple<std::vector<nb::tuple>, bool, std::uint64_t> list_patterns(
        const std::string& order, bool descending, std::optional<std::pair<std::uint64_t, std::string>> after,
        std::size_t limit, nb::str search, const std::string& prefix) const {
        Listing listing;
        listing.order = named("order", order, kOrders);
        listing.descending = descending;
        if (after) listing.after = Place{after->first, name_of(after->second)};
        listing.limit = limit;
        listing.all = nb::len(search) == 0;
        if (!listing.all) {
            listing.prefix = prefix;
            listing.symbols = shared_->symbols.containing(search);
        }
        Listed listed;
        {
            nb::gil_scoped_release release;
            listed = kato::list_patterns(*state_, listing);
        }
        std::vector<nb::tuple> page;
        for (const auto& [row, frequency] : listed.page) page.push_back(told(row, frequency));
        return {std::move(page), listed.more, listed.total};
    }

    // A page of symbols by occurrences (else by text), ties by text; whether more follow; how many pass the search.
    std::tuple<nb::list, bool, std::uint64_t> list_symbols(bool by_frequency, bool descending,
                                                           std::optional<std::pair<std::uint64_t, nb::str>> after,
                                                           std::size_t limit, nb::str search) const {
        using Candidate = std::pair<std::uint64_t, PyObject*>;
        const auto before = [&](const Candidate& left, const Candidate& right) {
            if (left.first != right.first) return descending ? left.first > right.first : left.first < right.first;
            const int order = PyUnicode_Compare(left.second, right.second);
            return descending && !by_frequency ? order > 0 : order < 0;
        };
        Best<Candidate, decltype(before)> best(limit, before);
        const nb::list texts = shared_->symbols.texts();
        const bool all = nb::len(search) == 0;
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < state_->members.size(); ++i) {
            if (state_->members[i] == 0) continue;
            PyObject* text = PyList_GET_ITEM(texts.ptr(), Py_ssize_t(i));
            if (!all && PyUnicode_Contains(text, search.ptr()) != 1) continue;
            ++total;
            const Candidate candidate{by_frequency ? state_->occurrences[i] : 0, text};
            if (after && !before(Candidate{by_frequency ? after->first : 0, after->second.ptr()}, candidate)) continue;
            best.offer(candidate);
        }
        bool more = false;
        nb::list page;
        for (const Candidate& each : best.take(more)) page.append(nb::borrow(each.second));
        return {page, more, total};
    }

    void save(const std::string& path, nb::bytes extra) const {
        std::vector<std::string> texts;
        const nb::list held = shared_->symbols.texts();
        const std::size_t known = nb::len(held);  // others may add to it; this state needs no more
        texts.reserve(known);
        for (std::size_t i = 0; i < known; ++i) {
            texts.push_back(nb::cast<std::string>(held[i]));
            if (i % kSymbolsAtOnce == 0) nb::gil_scoped_release breath;
        }
        const std::string own(extra.c_str(), extra.size());
        nb::gil_scoped_release release;
        kato::save(*state_, texts, own, path);
    }

private:
    nb::object predict_timed(nb::tuple events, nb::object settings, const std::string& key,
                             const std::optional<Weights>& weights, double least_weight, nb::object annotate,
                             Stopwatch& stopwatch) const {
        const Settings asked = settings_of(settings, key);
        const auto ranking = named("ranking", nb::cast<std::string>(settings.attr("rank_sort_algo")), kRankings);
        Observed observed;
        Query query = query_of(events, asked, weights, least_weight, observed);
        Found found;
        std::optional<Ensemble> ensemble;
        {
            nb::gil_scoped_release release;
            spell(query, asked);
            stopwatch.lap(Stage::reading);
            found = search(*state_, query, asked, stopwatch);
            ensemble.emplace(*state_, query, asked, ranking, std::move(found.best));
            stopwatch.lap(Stage::measuring);
        }
        const auto most = nb::cast<std::size_t>(settings.attr("max_predictions"));
        auto* later = new Later(state_, shared_);
        const nb::object owner = nb::cast(later, nb::rv_policy::take_ownership);
        nb::object made = predictions_of(*ensemble, *state_, query, asked, observed, found, most, shared_->symbols.texts(),
                                         annotate, owner);
        later->keep(std::move(ensemble->members), std::move(ensemble->futures));
        stopwatch.lap(Stage::making);
        return made;
    }

    nb::tuple told(const Row& row, std::uint64_t frequency) const { return kato::told(row, frequency, shared_->symbols); }

    Query query_of(nb::tuple events, const Settings& settings, const std::optional<Weights>& weights, double least_weight,
                   Observed& observed) const {
        Query query;
        nb::dict marks;
        const bool spelled = !settings.by_tokens || settings.fuzzy_threshold > 0.0;
        for (nb::handle event : events) {
            observed.sizes.push_back(nb::len(event));
            for (nb::handle text : event) {
                observed.flat.push_back(nb::borrow(text));
                Mark mark;
                if (PyObject* known = PyDict_GetItemWithError(marks.ptr(), text.ptr())) {
                    mark = Mark(PyLong_AsUnsignedLong(known));
                } else {
                    query.asked.push_back({shared_->symbols.find(text), {}, {}});
                    if (spelled) query.spelled.push_back(letters_of(text));
                    mark = Mark(query.asked.size());
                    marks[text] = nb::int_(mark);
                }
                query.asked[mark - 1].positions.push_back(std::uint32_t(query.marks.size()));
                query.marks.push_back(mark);
            }
        }
        if (weights) {
            query.weights = weights->data();
            query.weighted_symbols = weights->shape(0);
            query.least_weight = least_weight;
        }
        if (spelled) shared_->symbols.spell(shared_->spellings);
        return query;
    }

    // What takes long of a query's making.
    void spell(Query& query, const Settings& settings) const {
        if (query.spelled.empty()) return;
        query.texts = shared_->spellings.texts();
        if (settings.fuzzy_threshold <= 0.0) return;
        for (std::size_t i = 0; i < query.asked.size(); ++i)
            query.asked[i].near = shared_->spellings.near(query.spelled[i], settings.fuzzy_threshold);
    }

    std::shared_ptr<const State> state_;
    std::shared_ptr<Shared> shared_;
};

// The index of one node.
class Writer {
public:
    std::int64_t find(nb::handle events, const std::string& name) {
        const Content content = content_of(events, name);
        return index_.find(content.name, content.tokens, content.starts);
    }
    Slot learn(nb::handle events, const std::string& name, std::uint64_t frequency) {
        return index_.learn(content_of(events, name), frequency);
    }
    void set_frequency(Slot slot, std::uint64_t frequency) { index_.set_frequency(slot, frequency); }
    void forget(Slot slot) { index_.forget(slot); }
    void clear() {
        index_.clear();
        shared_ = std::make_shared<Shared>();  // states in use keep theirs
    }
    void begin_many() { index_.begin_many(); }
    void end_many() { index_.end_many(); }
    bool tend() {
        nb::gil_scoped_release release;
        return index_.tend();
    }
    bool is_untidy() const { return index_.is_untidy(); }
    View view() { return {index_.state(), shared_}; }
    Symbol number(nb::handle symbol) { return shared_->symbols.number(symbol); }
    std::size_t bytes() const { return index_.bytes(); }
    std::size_t text_bytes() const { return shared_->symbols.bytes(); }

    std::optional<nb::tuple> named(const std::string& name) const {
        const auto found = index_.named(name_of(name));
        if (!found) return std::nullopt;
        return told(Row::of(found->first), found->second, shared_->symbols);
    }

    // Fill an empty index from a file; what the caller saved with it.
    nb::bytes open(const std::string& path) {
        Saved saved;
        {
            nb::gil_scoped_release release;
            saved = open_saved(path);
        }
        clear();
        for (std::size_t i = 0; i < saved.texts.size(); ++i) {
            const std::string& text = saved.texts[i];
            const nb::object made = nb::steal(PyUnicode_DecodeUTF8(text.data(), Py_ssize_t(text.size()), nullptr));
            if (!made.is_valid()) nb::raise_python_error();
            if (shared_->symbols.number(made) != i) throw std::runtime_error("a symbol is there twice");
            if (i % kSymbolsAtOnce == 0) nb::gil_scoped_release breath;
        }
        {
            nb::gil_scoped_release release;
            index_.restore(std::move(saved.segments), saved.frequencies, saved.members, saved.occurrences);
        }
        return nb::bytes(saved.extra.data(), saved.extra.size());
    }

private:
    Content content_of(nb::handle events, const std::string& name) {
        Content content;
        content.name = name_of(name);
        for (nb::handle event : events) {
            std::uint8_t starts = 1;
            for (nb::handle text : event) {
                content.tokens.push_back(shared_->symbols.number(text));
                content.starts.push_back(starts);
                starts = 0;
            }
        }
        if (content.tokens.empty()) throw nb::value_error("a pattern holds at least one symbol");
        return content;
    }

    Index index_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

}  // namespace kato

NB_MODULE(_kernel, module) {
    using namespace nb::literals;
    using kato::Later;
    using kato::View;
    using kato::Writer;

    module.def("build_information", &kato::build_information);
    module.def("set_shapes", &kato::set_shapes);

    nb::class_<Later>(module, "Later").def("__call__", &Later::make);

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
        .def("save", &View::save, "path"_a, "extra"_a);

    nb::class_<Writer>(module, "Index")
        .def(nb::init<>())
        .def("find", &Writer::find, "events"_a, "name"_a)
        .def("learn", &Writer::learn, "events"_a, "name"_a, "frequency"_a)
        .def("set_frequency", &Writer::set_frequency, "slot"_a, "frequency"_a)
        .def("forget", &Writer::forget, "slot"_a)
        .def("clear", &Writer::clear)
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
