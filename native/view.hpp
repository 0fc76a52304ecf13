// One state of a node's index as Python asks it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "answers.hpp"
#include "asked.hpp"
#include "ensemble.hpp"
#include "forecasts.hpp"
#include "later.hpp"
#include "listing.hpp"
#include "saving.hpp"
#include "symbols.hpp"

namespace kato {

// Symbols made or read at a time while the interpreter's lock is held.
inline constexpr std::size_t kSymbolsAtOnce = 10'000;

// Votes in one state of an index: what does not depend on the question is kept while this is.
class Forecasting {
public:
    Forecasting(std::shared_ptr<const State> state, std::shared_ptr<Shared> shared)
        : state_(std::move(state)), shared_(std::move(shared)), grounds_(std::make_shared<Grounds>()) {}

    nb::tuple tally(nb::handle question, nb::handle menu, nb::handle mix, double repeat, std::size_t most) const {
        return tally_of(*state_, *grounds_, shared_->symbols, question, menu, mix, repeat, most);
    }
    nb::tuple attributed(nb::handle question, nb::handle menu, nb::handle mix, double repeat, nb::handle symbols,
                         std::size_t most) const {
        return attributed_of(*state_, *grounds_, shared_->symbols, question, menu, mix, repeat, symbols, most);
    }
    nb::tuple ballots(nb::handle question, nb::handle menu, nb::handle right, std::size_t leading, std::size_t most_tied) const {
        return ballots_of(*state_, *grounds_, shared_->symbols, question, menu, right, leading, most_tied);
    }

private:
    std::shared_ptr<const State> state_;
    std::shared_ptr<Shared> shared_;
    std::shared_ptr<Grounds> grounds_;
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
        auto later = ask(events, settings, key, std::move(weights), least_weight, std::move(annotate), stopwatch);
        const Answered& answered = later->answered;
        return predictions_of(answered, nb::cast(later.release(), nb::rv_policy::take_ownership));
    }

    // Where the processor time of such a question goes: nanoseconds per stage.
    nb::dict stages(nb::tuple events, nb::object settings, const std::string& key, std::optional<Weights> weights,
                    double least_weight, nb::object annotate) const {
        Stopwatch stopwatch(true);
        ask(events, settings, key, std::move(weights), least_weight, std::move(annotate), stopwatch)->ranked();
        stopwatch.lap(Stage::making);
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

    // --- forecasts ---

    Forecasting forecasting() const { return {state_, shared_}; }
    nb::tuple familiarity(nb::handle question, nb::handle asked, nb::handle pairs) const {
        return familiarity_of(*state_, shared_->symbols, question, asked, pairs);
    }
    std::vector<nb::tuple> elect(nb::handle question, nb::handle menu) const {
        return told(kato::elect(*state_, question_of(question, shared_->symbols), menu_of(menu).bounds));
    }
    std::size_t heard(nb::handle question, nb::handle menu) const {
        std::size_t symbols = 0;
        for (const Voter& voter : kato::elect(*state_, question_of(question, shared_->symbols), menu_of(menu).bounds))
            symbols += voter.row.length;
        return symbols;
    }
    bool everybody_votes(nb::handle menu) const { return kato::everybody_votes(*state_, menu_of(menu).bounds); }
    std::vector<nb::tuple> smallest(std::size_t most) const { return told(kato::smallest(*state_, most)); }

private:
    std::unique_ptr<Later> ask(nb::tuple events, nb::object settings, const std::string& key, std::optional<Weights> weights,
                               double least_weight, nb::object annotate, Stopwatch& stopwatch) const {
        auto later = std::make_unique<Later>(shared_, weights, std::move(annotate));
        Answered& answered = later->answered;
        answered.state = state_;
        answered.settings = settings_of(settings, key);
        answered.most = nb::cast<std::size_t>(settings.attr("max_predictions"));
        const auto ranking = named("ranking", nb::cast<std::string>(settings.attr("rank_sort_algo")), kRankings);
        answered.query = query_of(events, answered.settings, weights, least_weight, answered.observed);
        nb::gil_scoped_release release;
        spell(answered.query, answered.settings);
        stopwatch.lap(Stage::reading);
        answered.find(ranking, stopwatch);
        return later;
    }

    std::vector<nb::tuple> told(const std::vector<Voter>& voters) const {
        std::vector<nb::tuple> found;
        for (const Voter& voter : voters) found.push_back(told(voter.row, voter.frequency));
        return found;
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

}  // namespace kato
