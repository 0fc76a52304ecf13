#include "electorate.hpp"

#include <algorithm>
#include <cstring>

#include "query.hpp"

namespace kato {

namespace {

bool name_before(const Row& a, const Row& b) { return std::memcmp(a.name(), b.name(), kNameBytes) < 0; }

// The first bytes of a name, so that they compare as the name does.
std::uint64_t prefix_of(const std::uint8_t* name) {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < 8; ++i) prefix = prefix << 8 | name[i];
    return prefix;
}

// Keeps about the `most` rows with the smallest names of all it is shown: more, never fewer.
class Smallest {
public:
    explicit Smallest(std::size_t most) : most_(most) {}

    bool may_take(std::uint64_t prefix) const { return prefix <= bound_; }
    void take(std::uint64_t prefix, const Voter& voter) {
        kept_.push_back({prefix, voter});
        if (kept_.size() >= 2 * most_ + 64) shrink();
    }

    // At most `most`, ascending by name.
    std::vector<Voter> sorted() {
        std::sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) {
            return a.prefix != b.prefix ? a.prefix < b.prefix : name_before(a.voter.row, b.voter.row);
        });
        std::vector<Voter> found;
        for (std::size_t i = 0; i < kept_.size() && i < most_; ++i) found.push_back(kept_[i].voter);
        return found;
    }

private:
    struct Kept {
        std::uint64_t prefix;
        Voter voter;
    };

    void shrink() {
        const auto by_prefix = [](const Kept& a, const Kept& b) { return a.prefix < b.prefix; };
        std::nth_element(kept_.begin(), kept_.begin() + std::ptrdiff_t(most_), kept_.end(), by_prefix);
        bound_ = kept_[most_].prefix;
        kept_.erase(std::remove_if(kept_.begin(), kept_.end(), [this](const Kept& each) { return each.prefix > bound_; }),
                    kept_.end());
        if (kept_.size() >= 2 * most_ + 64) most_ = kept_.size();  // names that begin alike: keep them all
    }

    std::size_t most_;
    std::uint64_t bound_ = UINT64_MAX;
    std::vector<Kept> kept_;
};

// A row with what it is ranked by; the name itself lies far away in memory.
struct Ranked {
    std::uint32_t worth;
    std::uint64_t prefix;
    Voter voter;
};

// What is known of a run while its rows are looked at, which come in the order of their names.
struct Closed {
    bool at_cut = false;    // no later row that is worth just the cut can be among the smallest names
    std::size_t taken = 0;  // of those
};

struct Mark {
    Symbol symbol;
    std::uint32_t worth;
};

std::uint32_t worth_of(const Row& row, const std::vector<Mark>& marks) {
    std::uint32_t sum = 0;
    for (const Mark& mark : marks)
        for (std::size_t i = 0; i < row.length; ++i)
            if (row.token(i) == mark.symbol) {
                sum += mark.worth;
                break;
            }
    return sum;
}

// What every row of every segment is worth.
template <class Counter>
std::vector<std::vector<Counter>> worths(const State& state, const std::vector<Mark>& marks) {
    std::vector<std::vector<Counter>> all;
    for (const auto& segment : state.segments) {
        std::vector<Counter> counters((segment->rows() + 7) / 8 * 8);
        for (const Mark& mark : marks) {
            const std::int64_t local = segment->local(mark.symbol);
            if (local >= 0) segment->count(std::size_t(local), 1, Counter(mark.worth), counters.data());
        }
        all.push_back(std::move(counters));
    }
    return all;
}

// Whether one of sixteen counters is at least `least`; compilers make a few instructions of it.
template <class Counter>
bool any_of_sixteen(const Counter* counters, std::uint32_t least) {
    Counter highest = 0;
    for (std::size_t i = 0; i < 16; ++i) highest = std::max(highest, counters[i]);
    return highest >= least;
}

// Calls `take(row, worth)` for every row that is worth at least `least`, until it says that no later row of the run counts.
template <class Counter, class Take>
void each_row(const State& state, const std::vector<std::vector<Counter>>& counters, std::uint32_t least, Take take) {
    for (std::size_t i = 0; i < state.segments.size(); ++i) {
        const Segment& segment = *state.segments[i];
        const Counter* worth = counters[i].data();
        for (const Run& run : segment.runs()) {
            Closed closed;
            const std::uint32_t end = run.first + run.count;
            for (std::uint32_t row = run.first; row < end;) {
                if (row + 16 <= end && !any_of_sixteen(worth + row, least)) {
                    row += 16;
                    continue;
                }
                for (const std::uint32_t stop = std::min(end, row + 16); row < stop; ++row)
                    if (worth[row] >= least) take(segment, run, row, worth[row], closed);
            }
        }
    }
}

template <class Counter>
std::vector<Voter> best_rows(const State& state, const std::vector<Mark>& marks, std::uint32_t highest, std::size_t most,
                             std::uint64_t before) {
    const auto counters = worths<Counter>(state, marks);
    // Four in turn: one would wait for itself, as neighbours are often worth the same.
    std::vector<std::uint64_t> histogram(highest + 1), apart[3];
    for (auto& each : apart) each.resize(highest + 1);
    for (std::size_t i = 0; i < counters.size(); ++i) {
        const std::size_t rows = state.segments[i]->rows();
        const Counter* worth = counters[i].data();
        std::size_t row = 0;
        for (; row + 4 <= rows; row += 4) {
            ++histogram[worth[row]];
            ++apart[0][worth[row + 1]];
            ++apart[1][worth[row + 2]];
            ++apart[2][worth[row + 3]];
        }
        for (; row < rows; ++row) ++histogram[worth[row]];
    }
    for (const auto& each : apart)
        for (std::size_t worth = 0; worth <= highest; ++worth) histogram[worth] += each[worth];
    std::vector<std::pair<Row, std::uint32_t>> fresh;
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) {
            const Row row = Row::of((*part.tail)[i]);
            fresh.push_back({row, worth_of(row, marks)});
            ++histogram[fresh.back().second];
        }
    std::size_t wanted = most;
    while (true) {
        // Rows that do not vote, forgotten or not yet learned, are counted as well, so the first cut may leave too few.
        std::uint32_t cut = highest;
        for (std::uint64_t sum = histogram[cut]; sum < wanted && cut > 0; sum += histogram[cut]) --cut;
        std::vector<Ranked> above;
        Smallest at_cut(most);
        const auto take = [&](const Row& row, std::uint32_t worth, Closed& closed) {
            if (worth == cut && closed.at_cut) return;
            const Slot slot = row.slot();
            if (slot >= before) return;
            const std::uint64_t frequency = state.frequencies[slot];
            if (frequency == 0) return;
            const std::uint64_t prefix = prefix_of(row.name());
            if (worth > cut) {
                above.push_back({worth, prefix, {row, frequency}});
            } else if (at_cut.may_take(prefix)) {
                at_cut.take(prefix, {row, frequency});
                closed.at_cut = ++closed.taken == most;
            } else {
                closed.at_cut = true;
            }
        };
        each_row(state, counters, cut,
                 [&](const Segment& segment, const Run& run, std::uint32_t row, std::uint32_t worth, Closed& closed) {
                     if (worth == cut && closed.at_cut) return;
                     take(Row::of(segment, run, row), worth, closed);
                 });
        for (const auto& [row, worth] : fresh) {
            Closed alone;
            if (worth >= cut) take(row, worth, alone);
        }
        std::sort(above.begin(), above.end(), [](const Ranked& a, const Ranked& b) {
            if (a.worth != b.worth) return a.worth > b.worth;
            return a.prefix != b.prefix ? a.prefix < b.prefix : name_before(a.voter.row, b.voter.row);
        });
        std::vector<Voter> found;
        for (const Ranked& each : above) found.push_back(each.voter);
        for (const Voter& voter : at_cut.sorted()) found.push_back(voter);
        if (found.size() > most) found.resize(most);
        if (found.size() == most || cut == 0) return found;
        wanted *= 4;
    }
}

}  // namespace

bool Question::is_left_out(const Row& row) const {
    if (!leaves_out || row.length != left_tokens.size()) return false;
    for (std::size_t i = 0; i < row.length; ++i)
        if (row.token(i) != left_tokens[i] || row.starts(i) != (left_starts[i] != 0)) return false;
    return true;
}

std::vector<Voter> elect(const State& state, const Question& question, const Bounds& bounds) {
    std::vector<Mark> marks;
    std::uint32_t highest = 0;
    for (std::size_t back = 0; back < question.steps.size(); ++back)
        for (const Symbol symbol : question.steps[back].symbols) {
            if (symbol == kUnknown) continue;
            if (std::any_of(marks.begin(), marks.end(), [&](const Mark& mark) { return mark.symbol == symbol; })) continue;
            marks.push_back({symbol, std::uint32_t{1} << (bounds.window - 1 - back)});
            highest += marks.back().worth;
        }
    const std::size_t voters = state.patterns > bounds.everybody ? bounds.voters : bounds.everybody;
    const std::size_t most = voters + 1;  // one of them may be left out
    auto ranked = highest < 256 ? best_rows<std::uint8_t>(state, marks, highest, most, question.before)
                                : best_rows<std::uint16_t>(state, marks, highest, most, question.before);
    std::vector<Voter> elected;
    std::size_t tokens = 0;
    for (Voter& voter : ranked) {
        if (elected.size() == voters) break;
        if (question.is_left_out(voter.row) && --voter.frequency == 0) continue;
        tokens += voter.row.length;
        if (!elected.empty() && tokens > bounds.tokens) break;
        elected.push_back(voter);
    }
    return elected;
}

std::vector<Voter> living(const State& state) {
    std::vector<Voter> found;
    found.reserve(state.patterns);
    const auto take = [&](const Row& row) {
        if (const std::uint64_t frequency = state.frequencies[row.slot()]) found.push_back({row, frequency});
    };
    for (const auto& segment : state.segments)
        for (const Run& run : segment->runs())
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row) take(Row::of(*segment, run, row));
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) take(Row::of((*part.tail)[i]));
    return found;
}

std::vector<Voter> smallest(const State& state, std::size_t most) {
    if (most == 0) return {};
    Smallest found(most);
    const auto take = [&](const Row& row) {
        const std::uint64_t prefix = prefix_of(row.name());
        if (!found.may_take(prefix)) return;
        if (const std::uint64_t frequency = state.frequencies[row.slot()]) found.take(prefix, {row, frequency});
    };
    for (const auto& segment : state.segments)
        for (const Run& run : segment->runs())
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row) take(Row::of(*segment, run, row));
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) take(Row::of((*part.tail)[i]));
    auto sorted = found.sorted();
    if (sorted.size() > most) sorted.resize(most);
    return sorted;
}

// --- familiarity ---

namespace {

// Whether a row counts: it lives, and is not a pattern whose only learning is left out.
bool counts(const State& state, const Question& question, const Row& row) {
    const std::uint64_t frequency = state.frequencies[row.slot()];
    return frequency > 1 || (frequency == 1 && !question.is_left_out(row));
}

bool has_pair(const Row& row, Symbol left, Symbol right) {
    for (std::size_t i = 1; i < row.length; ++i)
        if (row.token(i - 1) == left && row.token(i) == right) return true;
    return false;
}

bool has_transition(const State& state, const Question& question, Symbol left, Symbol right) {
    if (left == kUnknown || right == kUnknown) return false;
    const std::uint64_t hash = bigram_hash(left, right);
    for (const auto& segment : state.segments) {
        if (segment->local(left) < 0 || segment->local(right) < 0) continue;
        for (const std::uint16_t row : segment->bigram_rows(hash)) {
            const Row found = Row::of(*segment, segment->run_of(row), row);
            if (has_pair(found, left, right) && counts(state, question, found)) return true;
        }
    }
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) {
            const Row row = Row::of((*part.tail)[i]);
            if (has_pair(row, left, right) && counts(state, question, row)) return true;
        }
    return false;
}

}  // namespace

Familiarity familiarity(const State& state, const Question& question, const std::vector<Symbol>& symbols,
                        const std::vector<std::pair<Symbol, Symbol>>& pairs) {
    Familiarity found;
    std::vector<Mark> marks;
    for (const Symbol symbol : symbols)
        if (symbol != kUnknown) marks.push_back({symbol, 1});
    const auto counters = worths<std::uint8_t>(state, marks);
    bool lost = false;  // whether a pattern counts as not there
    const auto take = [&](const Row& row, std::uint32_t worth) {
        if (worth > found.together && counts(state, question, row)) found.together = worth;
        if (question.is_left_out(row) && state.frequencies[row.slot()] == 1) lost = true;
    };
    for (std::size_t i = 0; i < state.segments.size(); ++i) {
        const Segment& segment = *state.segments[i];
        for (const Run& run : segment.runs()) {
            const bool may_be_left_out = question.leaves_out && run.length == question.left_tokens.size();
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row)
                if (counters[i][row] > found.together || may_be_left_out) take(Row::of(segment, run, row), counters[i][row]);
        }
    }
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) {
            const Row row = Row::of((*part.tail)[i]);
            take(row, worth_of(row, marks));
        }
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        if (symbols[i] == kUnknown) {
            found.unseen.push_back(i);
            continue;
        }
        const auto& left = question.left_tokens;
        const bool own = lost && std::find(left.begin(), left.end(), symbols[i]) != left.end();
        if (state.members[symbols[i]] <= (own ? 1u : 0u)) found.unseen.push_back(i);
    }
    for (std::size_t i = 0; i < pairs.size(); ++i)
        if (!has_transition(state, question, pairs[i].first, pairs[i].second)) found.unseen_transitions.push_back(i);
    return found;
}

}  // namespace kato
