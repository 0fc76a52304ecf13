#include "search.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bounds.hpp"

namespace kato {

namespace {

// The best matches so far, the worst of them at hand.
class Best {
public:
    explicit Best(std::size_t most) : most_(most) {}

    bool is_full() const { return heap_.size() >= most_; }
    const Match& worst() const { return heap_.front(); }

    void offer(const Match& match) {
        if (is_full()) {
            if (!comes_before(match, worst())) return;
            std::pop_heap(heap_.begin(), heap_.end(), comes_before);
            heap_.back() = match;
        } else {
            heap_.push_back(match);
        }
        std::push_heap(heap_.begin(), heap_.end(), comes_before);
    }

    // Whether a pattern that can at most have this key, quality and similarity, and has this frequency and name, could
    // still enter: the order of matches with each number replaced by one that is at least as large.
    bool could_enter(const Ceiling& ceiling, double similarity, std::uint64_t frequency, const std::uint8_t* name) const {
        if (!is_full()) return true;
        const Match& other = worst();
        if (ceiling.key != other.key) return ceiling.key > other.key;
        if (ceiling.quality != other.quality) return ceiling.quality > other.quality;
        if (similarity != other.similarity) return similarity > other.similarity;
        if (frequency != other.frequency) return frequency > other.frequency;
        return std::memcmp(name, other.row.name(), kNameBytes) < 0;
    }

    std::vector<Match> take() {
        std::sort(heap_.begin(), heap_.end(), comes_before);
        return std::move(heap_);
    }

private:
    std::size_t most_;
    std::vector<Match> heap_;
};

// Counts, for every row of a segment, the tokens and the adjacent pairs it shares with the query; each at least the truth.
class Overlap {
public:
    explicit Overlap(const Query& query) : query_(query) {
        for (std::size_t at = 1; at < query.size(); ++at) {
            const Symbol left = query.asked[query.marks[at - 1] - 1].symbol, right = query.asked[query.marks[at] - 1].symbol;
            if (left != kUnknown && right != kUnknown) pairs_.push_back(bigram_hash(left, right));
        }
        for (const Asked& each : query.asked) respelt_ = respelt_ || !each.near.empty();
        // What is counted is at most the query's length, so this many bits are enough; eight are added to eight at a time.
        width_ = query.size() < 128 ? 1 : query.size() < 65'536 ? 2 : 4;
        counts_pairs_ = !respelt_ && query.size() > 1 && query.size() <= kMostPaired;
    }

    // Above this many tokens ceilings by pairs cost more than they save.
    static constexpr std::size_t kMostPaired = 64;

    bool counts_pairs() const { return counts_pairs_; }

    void count(const Segment& segment) {
        const std::size_t rows = (segment.rows() + 7) / 8 * 8;
        bytes_.assign(rows * width_, 0);
        if (width_ == 1) count_tokens(segment, bytes_.data());
        else if (width_ == 2) count_tokens(segment, reinterpret_cast<std::uint16_t*>(bytes_.data()));
        else count_tokens(segment, reinterpret_cast<std::uint32_t*>(bytes_.data()));
        paired_.clear();
        if (!counts_pairs_) return;
        if (pair_counts_.size() < rows) pair_counts_.resize(rows);
        for (const std::uint64_t hash : pairs_)
            for (const std::uint16_t row : segment.bigram_rows(hash)) {
                if (pair_counts_[row] == 0) paired_.push_back(row);
                ++pair_counts_[row];
            }
    }

    std::size_t tokens(std::size_t row) const {
        if (width_ == 1) return bytes_[row];
        if (width_ == 2) return reinterpret_cast<const std::uint16_t*>(bytes_.data())[row];
        return reinterpret_cast<const std::uint32_t*>(bytes_.data())[row];
    }
    std::size_t pairs(std::size_t row) const { return counts_pairs_ ? pair_counts_[row] : 0; }

    // Rows that share a pair, in no order.
    Span<const std::uint16_t> paired() const { return paired_; }

    void forget_pairs() {
        for (const std::uint16_t row : paired_) pair_counts_[row] = 0;
    }

    // Visit the rows from `from` to `to` with at least `least` (≥ 1) shared tokens, ascending.
    template <class Visit>
    void each(std::size_t from, std::size_t to, std::size_t least, Visit&& visit) const {
        std::size_t row = from;
        const auto one = [&](std::size_t at) {
            if (tokens(at) >= least) visit(at);
        };
        if (width_ == 1 && least < 128) {
            for (; row < to && row % 8 != 0; ++row) one(row);
            // A byte below 128 reaches 128 when what `least` lacks is added, exactly if it is at least `least`.
            const std::uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u, lacking = (128 - least) * ones;
            for (; row + 8 <= to; row += 8) {
                std::uint64_t eight;
                std::memcpy(&eight, bytes_.data() + row, 8);
                std::uint64_t reached = (eight + lacking) & tops;
                for (; reached != 0; reached &= reached - 1) visit(row + std::size_t(lowest_one(reached)) / 8);
            }
        }
        for (; row < to; ++row) one(row);
    }

private:
    template <class Counter>
    void count_tokens(const Segment& segment, Counter* counters) {
        for (const Asked& asked : query_.asked) {
            const std::int64_t local = asked.symbol == kUnknown ? -1 : segment.local(asked.symbol);
            if (!asked.near.empty()) {
                count_respelt(segment, asked, local, counters);
                continue;
            }
            if (local < 0) continue;
            const std::size_t most = std::min(asked.positions.size(), segment.ranks(std::size_t(local)));
            for (std::size_t rank = 1; rank <= most; ++rank) segment.count(std::size_t(local), rank, Counter{1}, counters);
        }
    }

    // A token that may be read in several ways aligns at most as often as it stands in the query, where any way occurs.
    template <class Counter>
    void count_respelt(const Segment& segment, const Asked& asked, std::int64_t local, Counter* counters) {
        any_.assign((segment.rows() + 7) / 8 * 8, 0);
        if (local >= 0) segment.count(std::size_t(local), 1, std::uint8_t{1}, any_.data());
        std::size_t since = 1;
        for (const Respelling& near : asked.near) {
            const std::int64_t other = segment.local(near.symbol);
            if (other < 0) continue;
            if (++since == 255) {  // counters of one byte must not run over
                for (auto& each : any_) each = each != 0;
                since = 2;
            }
            segment.count(std::size_t(other), 1, std::uint8_t{1}, any_.data());
        }
        for (std::size_t row = 0; row < segment.rows(); ++row)
            if (any_[row]) counters[row] = Counter(counters[row] + asked.positions.size());
    }

    const Query& query_;
    bool respelt_ = false, counts_pairs_ = false;
    std::size_t width_ = 1;
    std::vector<std::uint64_t> pairs_;
    std::vector<std::uint8_t> bytes_, any_;
    std::vector<std::uint16_t> pair_counts_;
    std::vector<std::uint16_t> paired_;
};

// A pattern that may match, and the class of patterns with the same ceiling it belongs to.
struct Candidate {
    std::uint32_t row, kind;
};

class Searcher {
public:
    Searcher(const State& state, const Query& query, const Settings& settings)
        : state_(state), query_(query), settings_(settings), overlap_(query), judge_(query, settings),
          bounds_(query.size(), settings, query.weights != nullptr, overlap_.counts_pairs()),
          best_(settings.best ? settings.best : std::numeric_limits<std::size_t>::max()) {}

    Found run() {
        for (const auto& part : state_.tails)
            for (std::size_t i = 0; i < part.count; ++i) {
                const Row row = Row::of((*part.tail)[i]);
                evaluate(row, state_.frequencies[row.slot()], row.length);
                ++found_.touched;
            }
        for (const auto& segment : state_.segments) search(*segment);
        found_.best = best_.take();
        return std::move(found_);
    }

private:
    // What the patterns of one class have in common.
    struct Kind {
        std::uint32_t run;
        Ceiling ceiling;
        double similarity;
        std::uint32_t first = 0, count = 0;  // among the candidates, in order of their class
    };

    bool everything_matches() const { return settings_.recall_threshold <= 0.0; }

    // `widest` is at least the size of the pattern's largest event.
    void evaluate(const Row& row, std::uint64_t frequency, std::size_t widest) {
        if (frequency == 0) return;
        ++found_.evaluated;
        if (!judge_.passes_gate(row)) return;
        const Judge::Outlook outlook = judge_.outlook();
        if (outlook.common > 0 && query_.weights == nullptr) {
            const Ceiling ceiling = with_frequency(
                bounds_.of(outlook.common, outlook.pairs, row.length, widest, outlook.several), judge_.similarity(), frequency);
            if (!best_.could_enter(ceiling, judge_.similarity(), frequency, row.name())) return;
        }
        if (judge_.passes_filters()) best_.offer(judge_.match(frequency));
    }

    Ceiling with_frequency(Ceiling ceiling, double similarity, std::uint64_t frequency) const {
        if (settings_.key == Key::frequency) ceiling.key = double(frequency);
        if (settings_.key == Key::similarity_by_frequency) ceiling.key = similarity * double(frequency);
        return ceiling;
    }

    void search(const Segment& segment) {
        overlap_.count(segment);
        judge_.enter(segment);
        collect(segment);
        order();
        for (const std::uint32_t at : by_ceiling_) {
            const Kind& kind = kinds_[at];
            // All later kinds lie under this ceiling too.
            if (best_.is_full() && kind.ceiling.is_below(best_.worst().key, best_.worst().quality)) break;
            const Run& run = segment.runs()[kind.run];
            for (std::uint32_t i = kind.first; i < kind.first + kind.count; ++i) {
                const std::uint32_t row = sorted_[i];
                const std::uint64_t frequency = state_.frequencies[segment.slot(row)];
                const Ceiling ceiling = with_frequency(kind.ceiling, kind.similarity, frequency);
                if (best_.could_enter(ceiling, kind.similarity, frequency, segment.name(row)))
                    evaluate(Row::of(segment, run, row), frequency, run.widest);
            }
        }
        if (everything_matches()) search_apart(segment);
        overlap_.forget_pairs();
    }

    std::uint32_t kind_of(std::uint32_t run, const Run& of, std::size_t common, std::size_t pairs) {
        common = std::min(common, bounds_.most_common(of.length));
        pairs = std::min(pairs, bounds_.most_pairs(of.length));
        const std::size_t place = common * (bounds_.most_pairs(of.length) + 1) + pairs;
        if (place >= kind_at_.size()) kind_at_.resize(place + 1, kNone);
        if (kind_at_[place] == kNone) {
            kind_at_[place] = std::uint32_t(kinds_.size());
            places_.push_back(place);
            kinds_.push_back({run, bounds_.of(common, pairs, of.length, of.widest),
                              bounds_.similarity(common, of.length)});
        }
        return kind_at_[place];
    }

    // The rows that share a symbol, pass what the postings can tell of the gate, and could enter; with their classes.
    void collect(const Segment& segment) {
        candidates_.clear();
        kinds_.clear();
        const bool full = best_.is_full();
        const double key = full ? best_.worst().key : 0.0, quality = full ? best_.worst().quality : 0.0;
        const auto runs = segment.runs();
        paired_.assign(overlap_.paired().begin(), overlap_.paired().end());
        std::sort(paired_.begin(), paired_.end());
        std::size_t next = 0;
        for (std::uint32_t i = 0; i < runs.size(); ++i) {
            const Run& run = runs[i];
            places_.clear();
            const std::size_t least = bounds_.least_common(run.length, run.widest, full, key, quality);
            const auto take = [&](std::size_t row, std::size_t common, std::size_t pairs) {
                candidates_.push_back({std::uint32_t(row), kind_of(i, run, common, pairs)});
                ++kinds_[candidates_.back().kind].count;
            };
            for (; next < paired_.size() && paired_[next] < run.first + run.count; ++next) {
                const std::size_t row = paired_[next], common = overlap_.tokens(row);
                if (common == 0) continue;  // two pairs hashed alike
                if (query_.size() > 1 && bounds_.similarity(common, run.length) < settings_.recall_threshold) continue;
                if (full && bounds_.of(common, overlap_.pairs(row), run.length, run.widest).is_below(key, quality)) continue;
                take(row, common, overlap_.pairs(row));
            }
            if (least <= bounds_.most_common(run.length))
                overlap_.each(run.first, run.first + run.count, least, [&](std::size_t row) {
                    if (overlap_.pairs(row) == 0) take(row, overlap_.tokens(row), 0);
                });
            for (const std::size_t place : places_) kind_at_[place] = kNone;
        }
        found_.touched += candidates_.size();
    }

    // Candidates by class, classes by ceiling, highest first.
    void order() {
        std::uint32_t from = 0;
        for (Kind& kind : kinds_) {
            kind.first = from;
            from += kind.count;
            kind.count = 0;
        }
        sorted_.resize(candidates_.size());
        for (const Candidate& each : candidates_) {
            Kind& kind = kinds_[each.kind];
            sorted_[kind.first + kind.count++] = each.row;
        }
        by_ceiling_.resize(kinds_.size());
        for (std::uint32_t i = 0; i < kinds_.size(); ++i) by_ceiling_[i] = i;
        std::sort(by_ceiling_.begin(), by_ceiling_.end(), [this](std::uint32_t a, std::uint32_t b) {
            const Ceiling &x = kinds_[a].ceiling, &y = kinds_[b].ceiling;
            return x.key != y.key ? x.key > y.key : x.quality > y.quality;
        });
    }

    // At threshold 0, patterns that share nothing match too. With tokens their numbers are known without a look: similarity,
    // evidence and confidence are 0, snr is −1, nothing is fragmented.
    void search_apart(const Segment& segment) {
        Ceiling ceiling{0.0, 0.0};
        if (settings_.key == Key::snr) ceiling.key = -1.0;
        if (settings_.key == Key::fragmentation) ceiling.key = -std::numeric_limits<double>::infinity();
        const double similarity = settings_.by_tokens ? 0.0 : 1.0;
        if (settings_.key == Key::similarity) ceiling.key = similarity;
        for (std::uint32_t i = 0; i < segment.runs().size(); ++i) {
            const Run& run = segment.runs()[i];
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row) {
                if (overlap_.tokens(row) != 0) continue;
                ++found_.touched;
                const std::uint64_t frequency = state_.frequencies[segment.slot(row)];
                if (best_.could_enter(with_frequency(ceiling, similarity, frequency), similarity, frequency, segment.name(row)))
                    evaluate(Row::of(segment, run, row), frequency, run.widest);
            }
        }
    }

    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    const State& state_;
    const Query& query_;
    const Settings& settings_;
    Overlap overlap_;
    Judge judge_;
    Bounds bounds_;
    Best best_;
    Found found_;
    std::vector<Candidate> candidates_;
    std::vector<Kind> kinds_;
    std::vector<std::uint32_t> kind_at_, sorted_, by_ceiling_;
    std::vector<std::size_t> places_;
    std::vector<std::uint16_t> paired_;
};

}  // namespace

Found search(const State& state, const Query& query, const Settings& settings) {
    return Searcher(state, query, settings).run();
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
    Overlap overlap(query);
    for (const auto& segment : state.segments) {
        overlap.count(*segment);
        overlap.forget_pairs();
        judge.enter(*segment);
        for (const Run& run : segment->runs()) {
            if (settings.recall_threshold <= 0.0)
                for (std::uint32_t row = run.first; row < run.first + run.count; ++row) look(Row::of(*segment, run, row));
            else
                overlap.each(run.first, run.first + run.count, 1,
                             [&](std::size_t row) { look(Row::of(*segment, run, std::uint32_t(row))); });
        }
    }
    return counted;
}

}  // namespace kato
