#include "search.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bounds.hpp"
#include "overlap.hpp"

namespace kato {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kAhead = 8;  // candidates whose tokens are on their way

// The best matches so far, the worst of them at hand.
class Best {
public:
    explicit Best(std::size_t most) : most_(most) {}

    bool is_full() const { return heap_.size() >= most_; }
    const Match& worst() const { return matches_[heap_.front()]; }

    void offer(const Match& match) {
        const auto before = [this](std::uint32_t a, std::uint32_t b) { return comes_before(matches_[a], matches_[b]); };
        if (is_full()) {
            if (!comes_before(match, worst())) return;
            std::pop_heap(heap_.begin(), heap_.end(), before);
            matches_[heap_.back()] = match;
        } else {
            heap_.push_back(std::uint32_t(matches_.size()));
            matches_.push_back(match);
        }
        std::push_heap(heap_.begin(), heap_.end(), before);
    }

    std::vector<Match> take() {
        std::sort(heap_.begin(), heap_.end(),
                  [this](std::uint32_t a, std::uint32_t b) { return comes_before(matches_[a], matches_[b]); });
        std::vector<Match> sorted;
        sorted.reserve(heap_.size());
        for (const std::uint32_t at : heap_) sorted.push_back(matches_[at]);
        return sorted;
    }

private:
    std::size_t most_;
    std::vector<Match> matches_;
    std::vector<std::uint32_t> heap_;  // places in `matches_`, the worst first
};

// A pattern that may match: a row of one of the parts.
struct Candidate {
    std::uint32_t part, row;
};

class Searcher {
public:
    Searcher(const State& state, const Query& query, const Settings& settings, Stopwatch& stopwatch)
        : state_(state), query_(query), settings_(settings), stopwatch_(stopwatch), overlap_(state, query), judge_(query, settings),
          bounds_(query, settings, overlap_.counts_pairs()),
          best_(settings.best ? settings.best : std::numeric_limits<std::size_t>::max()) {}

    Found run() {
        stopwatch_.lap(Stage::counting);
        for (std::uint32_t i = 0; i < state_.segments.size(); ++i)
            for (const Run& run : state_.segments[i]->runs()) {
                Bounds::Class& of = bounds_.of(run.length, run.widest);
                if (of.number == kNone) {
                    of.number = std::uint32_t(classes_);
                    classes_ += of.places();
                }
                parts_.push_back({&run, i, &of});
            }
        kind_at_.assign(classes_, kNone);
        examine(true);
        examine(false);
        if (everything_matches()) examine_apart();
        for (const auto& part : state_.tails)
            for (std::size_t i = 0; i < part.count; ++i) {
                const Row row = Row::of((*part.tail)[i]);
                evaluate(row, bounds_.of(row.length, row.length));
                ++found_.touched;
            }
        found_.best = best_.take();
        stopwatch_.lap(Stage::comparing);
        return std::move(found_);
    }

private:
    // The rows of one length in one segment.
    struct Part {
        const Run* run;
        std::uint32_t segment;
        Bounds::Class* of;
        std::size_t least = 1;  // shared tokens of rows worth a look
    };

    // What patterns with one ceiling have in common.
    struct Kind {
        Bounds::Class* of;
        Ceiling ceiling;
        double similarity;
        std::uint32_t place;      // of its class
        std::size_t count = 0;    // rows of it
        std::size_t first = 0;    // of them among the candidates
    };

    bool everything_matches() const { return settings_.recall_threshold <= 0.0; }

    std::uint64_t frequency(const Row& row) const { return state_.frequencies[row.slot()]; }

    // Whether a pattern under this ceiling could enter; its frequency is looked up only where it decides.
    bool could_enter(const Ceiling& ceiling, double similarity, const Row& row) const {
        if (!best_.is_full()) return true;
        const Match& worst = best_.worst();
        double key = ceiling.key;
        if (settings_.key == Key::frequency) key = double(frequency(row));
        if (settings_.key == Key::similarity_by_frequency) key = similarity * double(frequency(row));
        if (key != worst.key) return key > worst.key;
        if (ceiling.quality != worst.quality) return ceiling.quality > worst.quality;
        if (similarity != worst.similarity) return similarity > worst.similarity;
        const std::uint64_t own = frequency(row);
        if (own != worst.frequency) return own > worst.frequency;
        return std::memcmp(row.name(), worst.row.name(), kNameBytes) < 0;
    }

    // Whether patterns of this kind are, at best, as good as the worst found, so that frequency and name decide.
    bool ties(const Kind& kind) const {
        if (!best_.is_full() || settings_.key == Key::frequency || settings_.key == Key::similarity_by_frequency) return false;
        const Match& worst = best_.worst();
        return kind.ceiling.key == worst.key && kind.ceiling.quality == worst.quality && kind.similarity == worst.similarity;
    }

    // Its tokens are wanted soon.
    void fetch(const Candidate& candidate) const {
        const Part& part = parts_[candidate.part];
        state_.segments[part.segment]->fetch(part.run->token + std::uint64_t{candidate.row - part.run->first} * part.run->length);
    }

    void evaluate(const Row& row, Bounds::Class& of) {
        if (state_.has_gone && frequency(row) == 0) return;
        ++found_.evaluated;
        if (!judge_.passes_gate(row)) return;
        const Judge::Outlook outlook = judge_.outlook();
        if (outlook.common > 0 &&
            !could_enter(bounds_.ceiling(of, outlook.common, outlook.pairs, outlook.several), judge_.similarity(), row))
            return;
        if (!judge_.passes_filters()) return;
        Match match = judge_.match();
        if (!could_enter({match.key, match.quality}, match.similarity, row)) return;
        match.frequency = frequency(row);
        if (settings_.key == Key::frequency) match.key = double(match.frequency);
        if (settings_.key == Key::similarity_by_frequency) match.key = match.similarity * double(match.frequency);
        best_.offer(match);
    }

    // Look at the rows that share a symbol, those with a common pair or those without, best ceilings first. What shares a pair
    // is mostly better, so of the others little is left to look at.
    void examine(bool paired) {
        count_kinds(paired);
        std::size_t most = settings_.best;
        for (std::size_t next = 0; next < by_ceiling_.size();) {
            // As many kinds as it takes to find enough; once there are enough, all that may hold something better.
            std::size_t end = next, rows = 0;
            for (; end < by_ceiling_.size(); ++end) {
                const Kind& kind = kinds_[by_ceiling_[end]];
                if (is_too_low(kind) || (settings_.best != 0 && !best_.is_full() && rows >= most)) break;
                rows += kind.count;
            }
            if (end == next) break;
            gather(next, end, rows, paired);
            stopwatch_.lap(Stage::ordering);
            for (; next < end && !is_too_low(kinds_[by_ceiling_[next]]); ++next) examine_kind(kinds_[by_ceiling_[next]]);
            stopwatch_.lap(Stage::comparing);
            if (next < end) break;
            most *= 4;
        }
        for (const Kind& kind : kinds_) kind_at_[kind.place] = kNone;
    }

    bool is_too_low(const Kind& kind) const {
        return best_.is_full() && kind.ceiling.is_below(best_.worst().key, best_.worst().quality);
    }

    void examine_kind(const Kind& kind) {
        const std::size_t end = kind.first + kind.count;
        for (std::size_t i = kind.first; i < end; ++i) {
            const Part& part = parts_[candidates_[i].part];
            if (i + kAhead < candidates_.size()) fetch(candidates_[i + kAhead]);
            const Row row = Row::of(*state_.segments[part.segment], *part.run, candidates_[i].row);
            if (could_enter(kind.ceiling, kind.similarity, row)) {
                enter(part.segment);
                evaluate(row, *kind.of);
                continue;
            }
            // Names ascend within a part: if this one comes too late, later ones do, and frequency does not help them.
            if (ties(kind) && state_.highest[part.segment] <= best_.worst().frequency &&
                std::memcmp(row.name(), best_.worst().row.name(), kNameBytes) > 0)
                while (i + 1 < end && candidates_[i + 1].part == candidates_[i].part) ++i;
        }
    }

    void enter(std::uint32_t segment) {
        if (segment == entered_) return;
        judge_.enter(*state_.segments[segment], [&](std::size_t asked) { return overlap_.local(segment, asked); });
        entered_ = segment;
    }

    // Visit the rows of one part that share a symbol and are not too low for certain: (row, the place of their kind's class).
    template <class Visit>
    void each_row(const Part& part, bool paired, std::size_t least, Visit&& visit) const {
        const std::size_t from = part.run->first, to = from + part.run->count;
        const Bounds::Class& of = *part.of;
        const auto place = [&](std::size_t common, std::size_t pairs) {
            return of.number + of.place(std::min(common, of.most_common), std::min(pairs, of.most_pairs));
        };
        if (paired) {
            overlap_.each_paired(part.segment, from, to, [&](std::size_t row) {
                const std::size_t common = overlap_.tokens(part.segment, row);
                if (common >= least) visit(row, place(common, overlap_.pairs(part.segment, row)));
            });
        } else if (least <= of.most_common) {
            overlap_.each(part.segment, from, to, least, [&](std::size_t row) {
                if (overlap_.pairs(part.segment, row) == 0) visit(row, place(overlap_.tokens(part.segment, row), 0));
            });
        }
    }

    // Which kinds there are, and how many rows of each; kinds by ceiling, highest first.
    void count_kinds(bool paired) {
        kinds_.clear();
        const bool full = best_.is_full();
        for (Part& part : parts_) {
            Bounds::Class& of = *part.of;
            part.least = std::max<std::size_t>(1, of.least_common);  // 0 where two pairs hashed alike
            if (!paired)
                part.least = bounds_.least_common(of, full, full ? best_.worst().key : 0.0, full ? best_.worst().quality : 0.0);
            each_row(part, paired, part.least, [&](std::size_t, std::size_t place) {
                if (kind_at_[place] == kNone) {
                    kind_at_[place] = std::uint32_t(kinds_.size());
                    const std::size_t o = (place - of.number) % (of.most_common + 1), c = (place - of.number) / (of.most_common + 1);
                    kinds_.push_back({&of, bounds_.ceiling(of, o, c), bounds_.similarity(of, o), std::uint32_t(place)});
                }
                ++kinds_[kind_at_[place]].count;
            });
        }
        by_ceiling_.resize(kinds_.size());
        for (std::uint32_t i = 0; i < kinds_.size(); ++i) {
            by_ceiling_[i] = i;
            found_.touched += kinds_[i].count;
        }
        std::sort(by_ceiling_.begin(), by_ceiling_.end(), [this](std::uint32_t a, std::uint32_t b) {
            const Ceiling &x = kinds_[a].ceiling, &y = kinds_[b].ceiling;
            return x.key != y.key ? x.key > y.key : x.quality > y.quality;
        });
    }

    // The rows of the kinds from `from` to `to`, by kind, within a kind by part, within a part ascending.
    void gather(std::size_t from, std::size_t to, std::size_t rows, bool paired) {
        candidates_.resize(rows);
        next_.assign(kinds_.size(), SIZE_MAX);
        std::size_t first = 0;
        for (std::size_t i = from; i < to; ++i) {
            Kind& kind = kinds_[by_ceiling_[i]];
            next_[by_ceiling_[i]] = kind.first = first;
            first += kind.count;
        }
        for (std::uint32_t i = 0; i < parts_.size(); ++i)
            each_row(parts_[i], paired, parts_[i].least, [&](std::size_t row, std::size_t place) {
                std::size_t& next = next_[kind_at_[place]];
                if (next != SIZE_MAX) candidates_[next++] = {i, std::uint32_t(row)};
            });
    }

    // At threshold 0, patterns that share nothing match too. With tokens their numbers are known without a look: similarity,
    // evidence and confidence are 0, snr is −1, nothing is fragmented.
    void examine_apart() {
        Ceiling ceiling{0.0, 0.0};
        if (settings_.key == Key::snr) ceiling.key = -1.0;
        if (settings_.key == Key::fragmentation) ceiling.key = -std::numeric_limits<double>::infinity();
        const double similarity = settings_.by_tokens ? 0.0 : 1.0;
        if (settings_.key == Key::similarity) ceiling.key = similarity;
        for (const Part& part : parts_) {
            const Segment& segment = *state_.segments[part.segment];
            for (std::uint32_t at = part.run->first; at < part.run->first + part.run->count; ++at) {
                if (overlap_.tokens(part.segment, at) != 0) continue;
                ++found_.touched;
                const Row row = Row::of(segment, *part.run, at);
                if (!could_enter(ceiling, similarity, row)) continue;
                enter(part.segment);
                evaluate(row, *part.of);
            }
        }
    }

    const State& state_;
    const Query& query_;
    const Settings& settings_;
    Stopwatch& stopwatch_;
    Overlap overlap_;
    Judge judge_;
    Bounds bounds_;
    Best best_;
    Found found_;
    std::vector<Part> parts_;
    std::size_t classes_ = 0;                       // places of all classes
    std::uint32_t entered_ = kNone;                 // the segment whose symbols the judge has marked
    std::vector<Candidate> candidates_;
    std::vector<Kind> kinds_;
    std::vector<std::uint32_t> kind_at_;     // by the place of a class
    std::vector<std::uint32_t> by_ceiling_;
    std::vector<std::size_t> next_;          // by kind, where its next candidate goes; SIZE_MAX for those not wanted
};

}  // namespace

Found search(const State& state, const Query& query, const Settings& settings, Stopwatch& stopwatch) {
    return Searcher(state, query, settings, stopwatch).run();
}

Counted count_matches(const State& state, const Query& query, const Settings& settings) {
    Counted counted;
    counted.passed.resize(settings.filters.size());
    Judge judge(query, settings);
    const auto look = [&](const Row& row) {
        if (state.frequencies[row.slot()] == 0 || !judge.passes_gate(row)) return;
        for (std::size_t i = 0; i < settings.filters.size(); ++i) {
            if (!judge.passes(settings.filters[i])) return;
            ++counted.passed[i];
        }
        ++counted.matched;
    };
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) look(Row::of((*part.tail)[i]));
    const Overlap overlap(state, query);
    for (std::size_t i = 0; i < state.segments.size(); ++i) {
        const Segment& segment = *state.segments[i];
        judge.enter(segment, [&](std::size_t asked) { return overlap.local(i, asked); });
        for (const Run& run : segment.runs()) {
            if (settings.recall_threshold <= 0.0)
                for (std::uint32_t row = run.first; row < run.first + run.count; ++row) look(Row::of(segment, run, row));
            else
                overlap.each(i, run.first, run.first + run.count, 1,
                             [&](std::size_t row) { look(Row::of(segment, run, std::uint32_t(row))); });
        }
    }
    return counted;
}

}  // namespace kato
