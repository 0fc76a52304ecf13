// Finding the best matches of a query in one state, without looking at most patterns.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "alignment.hpp"
#include "query.hpp"
#include "state.hpp"
#include "stopwatch.hpp"
#include "sums.hpp"

namespace kato {

// One pattern as it lies on the query.
struct Match {
    Row row;
    std::uint64_t frequency = 0;
    std::uint64_t name_head = 0;  // the name's first eight bytes as a number, which orders as they do
    double key = 0.0, quality = 0.0, similarity = 0.0;
    double evidence = 0.0, confidence = 0.0, snr = 0.0, phi = 0.0;
    double weighted_similarity = 0.0, weighted_evidence = 0.0, weighted_confidence = 0.0, weighted_snr = 0.0;
    std::uint32_t aligned = 0, blocks = 0;
    std::uint32_t present_from = 0, present_to = 0;  // flat
};

// Best first: key, quality, similarity, frequency, all descending, then name. Names of one node differ.
bool comes_before(const Match& a, const Match& b);

std::uint64_t name_head(const std::uint8_t* name);

// How one pattern reads the query's distinct symbols, where it reads some otherwise than observed.
struct Reading {
    std::vector<Symbol> as;         // per distinct symbol
    std::vector<double> likeness;   // 0 where it is read as observed
};

// Compares patterns with one query. Working space of one thread.
class Judge {
public:
    Judge(const Query& query, const Settings& settings);

    // Look at a pattern: whether it passes the gate. The rest is about the pattern last looked at.
    bool passes_gate(const Row& row);
    double similarity() const { return similarity_; }
    bool passes(Filter filter);
    bool passes_filters();
    Match match();  // without its frequency, the key where that enters it, and the name's head
    Span<const Block> blocks();
    // Its outline where its hits are few, else null.
    const Outline* outline() const { return has_outline_ ? &outline_ : nullptr; }
    // With an outline: how many tokens lie from the first aligned one to the last.
    std::size_t span() const { return hits_[outline_.last].at - hits_[outline_.first].at + 1; }
    const Reading& reading() const { return reading_; }

    // What can be said of its alignment before it is made: the longest common subsequence, at least the adjacent pairs that
    // blocks can hold, and whether at least two tokens are certain to be aligned.
    struct Outlook {
        std::size_t common, pairs;
        bool several;
    };
    Outlook outlook() const;

    // Rows of this segment come next; their tokens are marked without looking symbols up. `local` tells the segment's number
    // of a distinct symbol of the query, −1 where it lacks it.
    template <class Local>
    void enter(const Segment& segment, Local&& local) {
        segment_ = &segment;
        if (query_.asked.size() < 256) mark_locals(small_marks_, local);
        else mark_locals(large_marks_, local);
    }

    // A symbol's mark in the query as observed, 0 for none.
    Mark mark(Symbol symbol) const {
        std::size_t at = table_place(symbol);
        while (table_[at].second != 0) {
            if (table_[at].first == symbol) return table_[at].second;
            at = (at + 1) & table_mask_;
        }
        return 0;
    }

private:
    struct Facts {
        std::size_t common, joined;
    };

    template <class Marks, class Local>
    void mark_locals(std::vector<Marks>& marks, Local&& local) {
        for (const std::uint32_t at : marked_) marks[at] = 0;
        marked_.clear();
        if (marks.size() < segment_->symbols().size()) marks.resize(segment_->symbols().size());
        for (std::size_t i = 0; i < query_.asked.size(); ++i) {
            const std::int64_t at = local(i);
            if (at < 0) continue;
            marks[std::size_t(at)] = Marks(i + 1);
            marked_.push_back(std::uint32_t(at));
        }
    }

    std::size_t table_place(Symbol symbol) const {
        return std::size_t(symbol * std::uint64_t{0x9e3779b97f4a7c15u} >> 32) & table_mask_;
    }

    void read();
    void find_hits();
    template <class Marks>
    void find_local_hits(const std::vector<Marks>& marks);
    double character_similarity();
    Facts facts();
    void lay_down(Match& match);
    void weigh(Match& match, Span<const Block> blocks);
    double key_of(const Match& match) const;

    const Query& query_;
    const Settings& settings_;
    Aligner aligner_;
    Outline outline_;
    bool has_outline_ = false;
    Memory observed_, respelt_, characters_;
    const Memory* memory_ = nullptr;  // the one that the marks belong to
    Row row_;
    std::vector<Hit> found_, letters_;
    Span<const Hit> hits_;  // of `found_`
    std::vector<Mark> read_marks_, read_letters_;
    std::vector<std::pair<Symbol, Mark>> table_;  // open addressing over the query's known symbols
    std::size_t table_mask_ = 0;
    std::unordered_map<Symbol, std::vector<std::pair<Mark, double>>> near_;
    std::unordered_map<char32_t, Mark> letter_marks_;
    Reading reading_;
    double similarity_ = 0.0;
    std::size_t common_ = 0;  // in symbols; only where they are compared
    const Segment* segment_ = nullptr;
    std::vector<std::uint8_t> small_marks_;  // by the segment's own numbers; bytes where they suffice, as they stay near
    std::vector<Mark> large_marks_;          // the same otherwise
    std::vector<std::uint32_t> marked_;      // which of them are not 0
    std::vector<Symbol> distinct_;
    ExactSum of_matches_, of_extras_, of_memory_, of_pattern_, of_present_;
};

struct Found {
    std::vector<Match> best;       // in order, at most settings.best
    std::uint64_t evaluated = 0;   // patterns compared with it
};

Found search(const State& state, const Query& query, const Settings& settings, Stopwatch& stopwatch);

struct Counted {
    std::uint64_t matched = 0;               // passed the gate and all filters
    std::vector<std::uint64_t> passed;       // per filter: passed it and those before
};

Counted count_matches(const State& state, const Query& query, const Settings& settings);

}  // namespace kato
