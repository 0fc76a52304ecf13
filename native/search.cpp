#include "search.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "bounds.hpp"
#include "overlap.hpp"

namespace kato {

namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kAhead = 16;       // candidates whose tokens are on their way
constexpr std::size_t kPieces = 1024;      // of all parts together, in which rows are lined up
constexpr std::size_t kFirstRows = 2048;   // of a level, those listed before any is looked at
constexpr std::size_t kMostRows = 32'768;  // and at most so many later, when fewer of them matter

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
        : state_(state), settings_(settings), stopwatch_(stopwatch), counts_pairs_(Overlap::counts_pairs(query)),
          bounds_(query, settings, counts_pairs_),
          overlap_(state, query, bounds_.wanted()), judge_(query, settings),
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
        std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.of->number < b.of->number; });
        examine_paired();
        examine_unpaired();
        if (everything_matches()) examine_apart();
        for (const auto& part : state_.tails)
            for (std::size_t i = 0; i < part.count; ++i) {
                const Row row = Row::of((*part.tail)[i]);
                evaluate(row, bounds_.of(row.length, row.length));
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
        std::size_t paired_to = 0;  // where its rows end among those that share a pair
        std::size_t over_in = 0;    // the group for which all that follow in it come too late
    };

    // A row that shares a pair, and its kind.
    struct Paired {
        std::uint32_t row, kind;
    };

    // What patterns have in common that share pairs with the query and have one ceiling.
    struct Kind {
        Bounds::Class* of;
        Ceiling ceiling;
        double similarity;
        std::size_t count = 0;      // rows of it
        std::size_t first = 0;      // of them among the candidates
    };

    // Which rows of a level are meant: all, or those with, or without, a symbol that they hold oftener than the query does.
    enum class Surplus { any, with, without };

    // Rows of one class that share no pair with the query, and from `least` to `most` tokens.
    struct Level {
        std::uint32_t first, last;  // parts of the class
        std::uint32_t least, most;
        Surplus surplus;
        Ceiling ceiling;     // of those with the most
        double similarity;

        bool is_wide() const { return least != most; }
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

    // Whether patterns of a part from this one on come too late: they are, at best, as good as the worst found, none in the
    // segment is more frequent, and names ascend within a part.
    bool comes_too_late(const Ceiling& ceiling, double similarity, const Part& part, const Row& row) const {
        if (!best_.is_full() || settings_.key == Key::frequency || settings_.key == Key::similarity_by_frequency) return false;
        const Match& worst = best_.worst();
        return ceiling.key == worst.key && ceiling.quality == worst.quality && similarity == worst.similarity &&
               state_.highest[part.segment] <= worst.frequency && std::memcmp(row.name(), worst.row.name(), kNameBytes) > 0;
    }

    bool is_too_low(const Ceiling& ceiling) const {
        return best_.is_full() && ceiling.is_below(best_.worst().key, best_.worst().quality);
    }

    // Best first.
    template <class Group>
    static bool is_higher(const Group& a, const Group& b) {
        if (a.ceiling.key != b.ceiling.key) return a.ceiling.key > b.ceiling.key;
        if (a.ceiling.quality != b.ceiling.quality) return a.ceiling.quality > b.ceiling.quality;
        return a.similarity > b.similarity;
    }

    // Where a candidate's tokens lie.
    const void* tokens_of(const Candidate& candidate) const {
        const Part& part = parts_[candidate.part];
        return state_.segments[part.segment]->place(part.run->token + std::uint64_t{candidate.row - part.run->first} * part.run->length);
    }

    // The ceiling of the pattern that the judge looked at last.
    Ceiling outlook(Bounds::Class& of) {
        if (const Outline* known = judge_.outline())
            return bounds_.ceiling_aligned(of, known->aligned, known->blocks, judge_.span(), judge_.similarity());
        const Judge::Outlook outlook = judge_.outlook();
        return outlook.common > 0 ? bounds_.ceiling_anyhow(of, outlook.common, outlook.pairs, outlook.several) : Ceiling::none();
    }

    void evaluate(const Row& row, Bounds::Class& of) {
        if (state_.has_gone && frequency(row) == 0) return;
        ++found_.evaluated;
        if (!judge_.passes_gate(row)) return;
        if (!could_enter(outlook(of), judge_.similarity(), row)) return;
        if (!judge_.passes_filters()) return;
        Match match = judge_.match();
        if (!could_enter({match.key, match.quality}, match.similarity, row)) return;
        match.name_head = name_head(row.name());
        match.frequency = frequency(row);
        if (settings_.key == Key::frequency) match.key = double(match.frequency);
        if (settings_.key == Key::similarity_by_frequency) match.key = match.similarity * double(match.frequency);
        best_.offer(match);
    }

    void enter(std::uint32_t segment) {
        if (segment == entered_) return;
        judge_.enter(*state_.segments[segment], [&](std::size_t asked) { return overlap_.local(segment, asked); });
        entered_ = segment;
    }

    // Look at the rows that share a pair, best ceilings first.
    void examine_paired() {
        gather_paired();
        std::vector<std::uint32_t> order(kinds_.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return is_higher(kinds_[a], kinds_[b]); });
        std::size_t most = settings_.best;
        for (std::size_t next = 0; next < order.size();) {
            // As many kinds as it takes to find enough; once there are enough, all that may hold something better.
            std::size_t end = next, rows = 0;
            for (; end < order.size(); ++end) {
                const Kind& kind = kinds_[order[end]];
                if (is_too_low(kind.ceiling) || (settings_.best != 0 && !best_.is_full() && rows >= most)) break;
                rows += kind.count;
            }
            if (end == next) break;
            line_up({order.data() + next, order.data() + end}, rows);
            stopwatch_.lap(Stage::ordering);
            for (; next < end && !is_too_low(kinds_[order[next]].ceiling); ++next) examine_kind(kinds_[order[next]]);
            stopwatch_.lap(Stage::comparing);
            if (next < end) break;
            most *= 4;
        }
        stopwatch_.lap(Stage::ordering);
    }

    // The rows that share a pair, and of which kinds they are.
    void gather_paired() {
        struct Tally {
            std::uint32_t kind = kNone, count = 0;
        };
        std::vector<Tally> tallies(classes_);  // by the place of a class
        paired_.reset(new Paired[overlap_.most_paired()]);
        Paired* next = paired_.get();
        for (Part& part : parts_) {
            Bounds::Class& of = *part.of;
            const std::size_t least = std::max<std::size_t>(1, of.least_common);  // 0 where two pairs hashed alike
            overlap_.each_paired(part.segment, part.run->first, part.run->first + part.run->count,
                                 [&](std::size_t row, std::size_t common, std::size_t pairs, std::size_t breadth) {
                if (common < least) return;
                Tally& tally = tallies[of.number + of.place(common, pairs, breadth)];
                if (tally.kind == kNone) {
                    tally.kind = std::uint32_t(kinds_.size());
                    kinds_.push_back({&of, bounds_.ceiling(of, common, pairs, breadth), bounds_.similarity(of, common)});
                }
                ++tally.count;
                *next++ = {std::uint32_t(row), tally.kind};
            });
            part.paired_to = std::size_t(next - paired_.get());
        }
        for (const Tally& tally : tallies)
            if (tally.kind != kNone) kinds_[tally.kind].count = tally.count;
    }

    // Make the rows of some kinds candidates, kind by kind. Names ascend within each part, and are spread alike in all: so the same
    // share of every part comes before the next, and where many are equally good, those that win by their names are met early.
    void line_up(Span<const std::uint32_t> some, std::size_t rows) {
        candidates_.resize(rows);
        std::vector<std::size_t> places(kinds_.size(), SIZE_MAX);  // by kind, where its next candidate goes
        std::size_t first = 0;
        for (const std::uint32_t kind : some) {
            places[kind] = kinds_[kind].first = first;
            first += kinds_[kind].count;
        }
        const std::size_t shares = std::max<std::size_t>(1, kPieces / std::max<std::size_t>(1, parts_.size()));
        for (std::size_t share = 0; share < shares; ++share)
            for (std::uint32_t number = 0; number < parts_.size(); ++number) {
                const std::size_t from = number ? parts_[number - 1].paired_to : 0, count = parts_[number].paired_to - from;
                for (std::size_t at = from + count * share / shares; at < from + count * (share + 1) / shares; ++at)
                    if (std::size_t& place = places[paired_[at].kind]; place != SIZE_MAX) candidates_[place++] = {number, paired_[at].row};
            }
    }

    void examine_kind(const Kind& kind) {
        ++group_;
        const std::size_t end = kind.first + kind.count;
        for (std::size_t i = kind.first; i < end; ++i) {
            Part& part = parts_[candidates_[i].part];
            if (i + kAhead < candidates_.size()) KATO_FETCH(tokens_of(candidates_[i + kAhead]));
            if (part.over_in == group_) continue;
            const Row row = Row::of(*state_.segments[part.segment], *part.run, candidates_[i].row);
            if (comes_too_late(kind.ceiling, kind.similarity, part, row)) {
                part.over_in = group_;
            } else if (could_enter(kind.ceiling, kind.similarity, row)) {
                enter(part.segment);
                evaluate(row, *kind.of);
            }
        }
    }

    // Look at the rows that share a token but no pair, best ceilings first. They are mostly worse than what shares a pair, so
    // they are not even listed before their ceiling's turn comes.
    void examine_unpaired() {
        std::vector<Level> levels;
        for (std::uint32_t first = 0, last; first < parts_.size(); first = last) {
            const Bounds::Class& of = *parts_[first].of;
            for (last = first + 1; last < parts_.size() && parts_[last].of == &of; ++last) {}
            const std::size_t at_least = std::max<std::size_t>(1, of.least_common);
            // Each level is read on its own, so that the more tokens they share, which ever fewer patterns do, the wider they are.
            for (std::size_t least = at_least, most; least <= of.most_common; least = most + 1) {
                most = least == at_least ? least : least + least / 4;
                const Ceiling ceiling = bounds_.ceiling(of, most, 0, 0);
                if (is_too_low(ceiling)) continue;
                Level level{first, last, std::uint32_t(least), std::uint32_t(most), Surplus::any, ceiling, bounds_.similarity(of, most)};
                if (most >= of.most_common) level.most = UINT32_MAX;
                if (counts_pairs_ && least == of.least_common && least >= 2) {
                    level.surplus = Surplus::without;
                    level.ceiling = bounds_.ceiling_of_least(of);
                    if (!is_too_low(level.ceiling)) levels.push_back(level);
                    level.surplus = Surplus::with;
                    level.ceiling = ceiling;
                }
                levels.push_back(level);
            }
        }
        std::sort(levels.begin(), levels.end(), is_higher<Level>);
        stopwatch_.lap(Stage::ordering);
        for (const Level& level : levels) {
            if (is_too_low(level.ceiling)) break;
            if (level.surplus != Surplus::any) overlap_.find_surplus(state_);
            examine_level(level);
        }
        stopwatch_.lap(Stage::comparing);
    }

    // Here too share by share of every part.
    void examine_level(const Level& level) {
        ++group_;
        std::size_t whole = 0;
        for (std::uint32_t number = level.first; number < level.last; ++number) whole += parts_[number].run->count;
        std::size_t rows = kFirstRows;
        for (std::size_t from = 0, to; from < whole && !is_too_low(level.ceiling); from = to) {
            to = std::min(whole, from + rows);
            rows = std::min(2 * rows, kMostRows);
            candidates_.clear();
            for (std::uint32_t number = level.first; number < level.last; ++number)
                if (const Part& part = parts_[number]; part.over_in != group_)
                    list_level(level, number, part.run->first + part.run->count * from / whole,
                               part.run->first + part.run->count * to / whole);
            for (std::size_t i = 0; i < candidates_.size(); ++i) examine_listed(level, i);
        }
    }

    void list_level(const Level& level, std::uint32_t number, std::size_t from, std::size_t to) {
        const std::uint32_t segment = parts_[number].segment;
        overlap_.each_unpaired(segment, from, to, level.least, level.most, [&](std::size_t row) {
            if (level.surplus == Surplus::any || overlap_.has_surplus(segment, row) == (level.surplus == Surplus::with))
                candidates_.push_back({number, std::uint32_t(row)});
        });
    }

    void examine_listed(const Level& level, std::size_t at) {
        if (at + kAhead < candidates_.size()) KATO_FETCH(tokens_of(candidates_[at + kAhead]));
        Part& part = parts_[candidates_[at].part];
        if (part.over_in == group_) return;
        const Row row = Row::of(*state_.segments[part.segment], *part.run, candidates_[at].row);
        if (comes_too_late(level.ceiling, level.similarity, part, row)) {
            part.over_in = group_;
            return;
        }
        const std::size_t common = level.is_wide() ? overlap_.tokens(part.segment, row.row) : level.most;
        const Ceiling ceiling = level.is_wide() ? bounds_.ceiling(*part.of, common, 0, 0) : level.ceiling;
        if (!could_enter(ceiling, bounds_.similarity(*part.of, common), row)) return;
        enter(part.segment);
        evaluate(row, *part.of);
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
                const Row row = Row::of(segment, *part.run, at);
                if (!could_enter(ceiling, similarity, row)) continue;
                enter(part.segment);
                evaluate(row, *part.of);
            }
        }
    }

    const State& state_;
    const Settings& settings_;
    Stopwatch& stopwatch_;
    bool counts_pairs_;
    Bounds bounds_;
    Overlap overlap_;
    Judge judge_;
    Best best_;
    Found found_;
    std::vector<Part> parts_;
    std::size_t classes_ = 0;                // places of all classes
    std::size_t group_ = 0;                  // numbers the kinds and levels looked at
    std::uint32_t entered_ = kNone;          // the segment whose symbols the judge has marked
    std::vector<Kind> kinds_;
    std::unique_ptr<Paired[]> paired_;  // by part, within a part ascending
    std::vector<Candidate> candidates_;
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
    const Overlap overlap(state, query, Breadth::Wanted::none);
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
