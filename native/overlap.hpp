// What every row of every segment shares with a query: at least as many tokens, and at least as many adjacent pairs, as it
// truly does; and how broad the broadest, or the narrowest, of those pairs is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "query.hpp"
#include "segment.hpp"
#include "state.hpp"

namespace kato {

class Overlap {
public:
    // Above this many tokens ceilings by pairs cost more than they save.
    static constexpr std::size_t kMostPaired = 64;

    static bool counts_pairs(const Query& query) {
        for (const Asked& each : query.asked)
            if (!each.near.empty()) return false;
        return query.size() > 1 && query.size() <= kMostPaired;
    }

    Overlap(const State& state, const Query& query, Breadth::Wanted wanted)
        : query_(query), counts_pairs_(counts_pairs(query)), wanted_(counts_pairs_ ? wanted : Breadth::Wanted::none) {
        // What is counted is at most the query's length, so this many bits are enough; eight are added to eight at a time.
        width_ = query.size() < 128 ? 1 : query.size() < 65'536 ? 2 : 4;
        std::size_t rows = 0;
        for (const auto& segment : state.segments) {
            first_.push_back(rows);
            rows += (segment->rows() + 7) / 8 * 8;
        }
        rows_ = rows;
        bytes_.reset(new std::uint8_t[rows * width_]);
        if (counts_pairs_) pairs_.reset(new std::uint8_t[rows]);
        if (wanted_ != Breadth::Wanted::none) breadth_.reset(new std::uint8_t[rows]);
        locals_.reserve(state.segments.size() * query.asked.size());
        for (std::size_t i = 0; i < state.segments.size(); ++i) count(*state.segments[i], i);
    }

    // The number that a segment gives a distinct symbol of the query; −1 if it lacks it.
    std::int64_t local(std::size_t segment, std::size_t asked) const { return locals_[segment * query_.asked.size() + asked]; }

    std::size_t tokens(std::size_t segment, std::size_t row) const {
        const std::size_t at = first_[segment] + row;
        if (width_ == 1) return bytes_[at];
        if (width_ == 2) return reinterpret_cast<const std::uint16_t*>(bytes_.get())[at];
        return reinterpret_cast<const std::uint32_t*>(bytes_.get())[at];
    }
    std::size_t pairs(std::size_t segment, std::size_t row) const { return counts_pairs_ ? pairs_[first_[segment] + row] : 0; }

    // From here on `has_surplus` can be asked. For queries whose pairs are counted.
    void find_surplus(const State& state) {
        if (!surplus_.empty()) return;
        surplus_.resize(rows_);
        for (std::size_t number = 0; number < state.segments.size(); ++number) {
            const Segment& segment = *state.segments[number];
            for (std::size_t i = 0; i < query_.asked.size(); ++i) {
                const std::int64_t own = local(number, i);
                const std::size_t rank = query_.asked[i].positions.size() + 1;
                if (own >= 0 && rank <= segment.ranks(std::size_t(own)))
                    segment.count(std::size_t(own), rank, std::uint8_t{1}, surplus_.data() + first_[number]);
            }
        }
    }

    // Whether a row holds a symbol of the query oftener than the query does.
    bool has_surplus(std::size_t segment, std::size_t row) const { return surplus_[first_[segment] + row] != 0; }

    // Visit the rows from `from` to `to` with at least `least` (≥ 1) shared tokens, ascending.
    template <class Visit>
    void each(std::size_t segment, std::size_t from, std::size_t to, std::size_t least, Visit&& visit) const {
        if (width_ == 1 && least < 128) return each_byte(bytes_.get() + first_[segment], from, to, AtLeast(least), visit);
        for (std::size_t row = from; row < to; ++row)
            if (tokens(segment, row) >= least) visit(row);
    }

    // Visit the rows from `from` to `to` that share no pair and from `least` (≥ 1) to `most` tokens, ascending.
    template <class Visit>
    void each_unpaired(std::size_t segment, std::size_t from, std::size_t to, std::size_t least, std::size_t most,
                       Visit&& visit) const {
        const auto look = [&](std::size_t row) {
            if (tokens(segment, row) <= most && pairs(segment, row) == 0) visit(row);
        };
        if (width_ == 1 && least == most && least < 128)
            return each_byte(bytes_.get() + first_[segment], from, to, Equal(least), look);
        each(segment, from, to, least, look);
    }

    // Visit the rows that share a pair, ascending: with the tokens and the pairs they share, and, if such were wanted, the least or
    // the most of those pairs' breadths; 15 may be more.
    template <class Visit>
    void each_paired(std::size_t segment, std::size_t from, std::size_t to, Visit&& visit) const {
        if (!counts_pairs_) return;
        const std::uint8_t* pairs = pairs_.get() + first_[segment];
        const std::uint8_t* breadth = breadth_ ? breadth_.get() + first_[segment] : pairs;  // whatever, then
        const std::size_t reversed = wanted_ == Breadth::Wanted::least ? Breadth::kMostTold : 0;
        // As many tokens as a query with pairs has are counted in one byte.
        const std::uint8_t* tokens = bytes_.get() + first_[segment];
        each_byte(pairs, from, to, AtLeast(1), [&](std::size_t row) {
            visit(row, std::size_t{tokens[row]}, std::size_t{pairs[row]}, breadth[row] ^ reversed);
        });
    }

    // No more rows than this share a pair.
    std::size_t most_paired() const { return most_paired_; }

private:
    static constexpr std::uint64_t kOnes = 0x0101010101010101u, kTops = 0x8080808080808080u;

    // What is asked of bytes below 128: of one, or of eight, whose top bits then say which pass.
    class AtLeast {
    public:
        explicit AtLeast(std::size_t least) : least_(std::uint8_t(least)), lacking_((128 - least) * kOnes) {}
        bool one(std::uint8_t byte) const { return byte >= least_; }
        // A byte reaches 128 when what `least` lacks is added, exactly if it is at least `least`.
        std::uint64_t eight(std::uint64_t bytes) const { return bytes + lacking_; }

    private:
        std::uint8_t least_;
        std::uint64_t lacking_;
    };
    class Equal {
    public:
        explicit Equal(std::size_t value) : value_(std::uint8_t(value)), values_(value * kOnes) {}
        bool one(std::uint8_t byte) const { return byte == value_; }
        // Those that differ from it in no bit.
        std::uint64_t eight(std::uint64_t bytes) const { return ~((bytes ^ values_) + (kTops - kOnes)); }

    private:
        std::uint8_t value_;
        std::uint64_t values_;
    };

    template <class Test, class Visit>
    static void visit_word(std::size_t row, std::uint64_t word, Test test, Visit& visit) {
        for (std::uint64_t passed = test.eight(word) & kTops; passed != 0; passed &= passed - 1)
            visit(row + std::size_t(lowest_one(passed)) / 8);
    }

    // Mostly no byte of many passes, which compilers find out for several words at a time.
    template <class Test, class Visit>
    static void each_byte(const std::uint8_t* bytes, std::size_t row, std::size_t to, Test test, Visit&& visit) {
        constexpr std::size_t many = 8;
        for (; row + 8 * many <= to; row += 8 * many) {
            std::uint64_t words[many], any = 0;
            std::memcpy(words, bytes + row, sizeof words);
            for (const std::uint64_t word : words) any |= test.eight(word);
            if ((any & kTops) == 0) continue;
            for (std::size_t i = 0; i < many; ++i) visit_word(row + 8 * i, words[i], test, visit);
        }
        for (; row + 8 <= to; row += 8) {
            std::uint64_t word;
            std::memcpy(&word, bytes + row, sizeof word);
            visit_word(row, word, test, visit);
        }
        for (; row < to; ++row)
            if (test.one(bytes[row])) visit(row);
    }

    void count(const Segment& segment, std::size_t number) {
        for (const Asked& asked : query_.asked)
            locals_.push_back(asked.symbol == kUnknown ? -1 : std::int32_t(segment.local(asked.symbol)));
        // Cleared only now, so that they are near when they are counted up.
        const std::size_t rows = (segment.rows() + 7) / 8 * 8;
        std::uint8_t* counters = bytes_.get() + first_[number] * width_;
        std::memset(counters, 0, rows * width_);
        if (width_ == 1) count_tokens(segment, number, counters);
        else if (width_ == 2) count_tokens(segment, number, reinterpret_cast<std::uint16_t*>(counters));
        else count_tokens(segment, number, reinterpret_cast<std::uint32_t*>(counters));
        if (counts_pairs_) count_pairs(segment, number);
    }

    template <class Counter>
    void count_tokens(const Segment& segment, std::size_t number, Counter* counters) {
        for (std::size_t i = 0; i < query_.asked.size(); ++i) {
            const Asked& asked = query_.asked[i];
            const std::int64_t own = local(number, i);
            if (!asked.near.empty()) {
                count_respelt(segment, asked, own, counters);
                continue;
            }
            if (own < 0) continue;
            const std::size_t most = std::min(asked.positions.size(), segment.ranks(std::size_t(own)));
            for (std::size_t rank = 1; rank <= most; ++rank) segment.count(std::size_t(own), rank, Counter{1}, counters);
        }
    }

    // A pair whose symbols a segment does not both hold is in none of its rows. Breadths are kept so that the wanted one is the
    // largest: as they are, or as what they lack of the largest that is told.
    void count_pairs(const Segment& segment, std::size_t number) {
        const std::size_t padded = (segment.rows() + 7) / 8 * 8;
        std::uint8_t* counters = pairs_.get() + first_[number];
        std::memset(counters, 0, padded);
        std::uint8_t* kept = breadth_ ? breadth_.get() + first_[number] : nullptr;
        if (kept) std::memset(kept, 0, padded);
        for (std::size_t at = 1; at < query_.size(); ++at) {
            const std::size_t left = query_.marks[at - 1] - 1, right = query_.marks[at] - 1;
            if (local(number, left) < 0 || local(number, right) < 0) continue;
            const std::uint64_t hash = bigram_hash(query_.asked[left].symbol, query_.asked[right].symbol);
            const auto rows = segment.bigram_rows(hash);
            for (const std::uint16_t row : rows) ++counters[row];
            most_paired_ += rows.size();
            const std::uint8_t* told = segment.bigram_breadths(hash);
            if (wanted_ == Breadth::Wanted::most)
                for (std::size_t i = 0; i < rows.size(); ++i) kept[rows[i]] = std::max(kept[rows[i]], Breadth::of(told[i]).most);
            if (wanted_ == Breadth::Wanted::least)
                for (std::size_t i = 0; i < rows.size(); ++i)
                    kept[rows[i]] = std::max(kept[rows[i]], std::uint8_t(Breadth::kMostTold - Breadth::of(told[i]).least));
        }
    }

    // A token that may be read in several ways aligns at most as often as it stands in the query, where any way occurs.
    template <class Counter>
    void count_respelt(const Segment& segment, const Asked& asked, std::int64_t own, Counter* counters) {
        any_.assign((segment.rows() + 7) / 8 * 8, 0);
        if (own >= 0) segment.count(std::size_t(own), 1, std::uint8_t{1}, any_.data());
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
    bool counts_pairs_;
    Breadth::Wanted wanted_;
    std::size_t rows_ = 0;  // of all segments, each filled up to eight
    std::size_t width_ = 1;
    std::size_t most_paired_ = 0;
    std::vector<std::size_t> first_;       // per segment, the place of its first row
    std::unique_ptr<std::uint8_t[]> bytes_, pairs_, breadth_;
    std::vector<std::uint8_t> surplus_, any_;
    std::vector<std::int32_t> locals_;
};

}  // namespace kato
