// What a forecast's voters are, as far as it does not depend on the memory they are asked about: made once where many questions are
// asked of the same voters, as in a self-test of a node in which everybody votes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "electorate.hpp"
#include "query.hpp"
#include "span.hpp"

namespace kato {

// Symbols to small numbers, in the order in which they are first asked for.
class Numbers {
public:
    // At most `most` numbers are given; no symbol is as high as `known`. Few symbols have a place each, of many those asked for.
    Numbers(std::size_t most, std::size_t known) : direct_(known <= 2 * most) {
        slots_.assign(direct_ ? known : next_power_of_two(most * 2 + 16), {kUnknown, 0});
    }

    // The number of a symbol, a new one if it has none yet.
    std::uint32_t number(Symbol symbol) {
        auto& slot = slots_[place(symbol)];
        if (slot.first == kUnknown) {
            slot = {symbol, std::uint32_t(symbols_.size())};
            symbols_.push_back(symbol);
        }
        return slot.second;
    }

    // Its number; beyond all others if it has none.
    std::uint32_t find(Symbol symbol) const {
        if (symbol == kUnknown || (direct_ && symbol >= slots_.size())) return std::uint32_t(symbols_.size());
        const auto& slot = slots_[place(symbol)];
        return slot.first == kUnknown ? std::uint32_t(symbols_.size()) : slot.second;
    }

    const std::vector<Symbol>& symbols() const { return symbols_; }

private:
    std::size_t place(Symbol symbol) const {
        if (direct_) return symbol;
        std::size_t at = mixed(symbol) & (slots_.size() - 1);
        while (slots_[at].first != kUnknown && slots_[at].first != symbol) at = (at + 1) & (slots_.size() - 1);
        return at;
    }

    bool direct_;
    std::vector<std::pair<Symbol, std::uint32_t>> slots_;
    std::vector<Symbol> symbols_;
};

// Voters with their events. An event of a voter is a position that votes, all of them numbered through; symbols have small numbers.
class Ground {
public:
    // `known`: no symbol is that high.
    Ground(std::vector<Voter> voters, std::size_t horizon, std::size_t known);

    const std::vector<Voter>& voters() const { return voters_; }
    const std::vector<Symbol>& symbols() const { return numbers_.symbols(); }
    std::uint32_t number(Symbol symbol) const { return numbers_.find(symbol); }
    std::size_t horizon() const { return horizon_; }

    std::size_t positions() const { return event_at_.size() - 1; }
    std::size_t first_of(std::size_t voter) const { return first_of_[voter]; }  // of the voter after the last, all positions
    std::size_t voter_of(std::size_t position) const;
    std::size_t longest() const { return longest_; }  // events of a voter
    // The symbols of an event, as they stand in it.
    Span<const std::uint32_t> event(std::size_t position) const {
        return {tokens_.data() + event_at_[position], tokens_.data() + event_at_[position + 1]};
    }
    // What a position votes for, once each.
    Span<const std::uint32_t> targets(std::size_t position) const {
        return {targets_ + target_at_[position], targets_ + target_at_[position + 1]};
    }
    // The events that hold a symbol, ascending.
    Span<const std::uint32_t> places(std::uint32_t number) const {
        return {places_.data() + place_at_[number], places_.data() + place_at_[number + 1]};
    }

    // Per symbol: the positions that vote for it; the same, and its occurrences, each times the frequency of the voter.
    const std::vector<std::uint32_t>& ballots() const { return ballots_; }
    const std::vector<std::uint64_t>& voted() const { return voted_; }
    const std::vector<std::uint64_t>& shown() const { return shown_; }

private:
    void find_targets();
    void find_places();

    std::vector<Voter> voters_;
    std::size_t horizon_, longest_ = 0;
    Numbers numbers_;
    std::vector<std::uint32_t> tokens_, event_at_, first_of_;
    const std::uint32_t* targets_ = nullptr;  // often the tokens themselves
    const std::uint32_t* target_at_ = nullptr;
    std::vector<std::uint32_t> own_targets_, own_target_at_;
    std::vector<std::uint32_t> places_, place_at_;
    std::vector<std::uint32_t> ballots_;
    std::vector<std::uint64_t> voted_, shown_;
};

// Who is asked a question, as electing.py defines it: a ground, and which of its voters are heard.
struct Hearing {
    std::shared_ptr<const Ground> ground;
    std::size_t heard = 0;  // voters, the first ones
    std::size_t left = SIZE_MAX;  // of them, the one of which a learning is left out
    std::uint64_t left_frequency = 0;

    std::uint64_t frequency(std::size_t voter) const {
        return voter == left ? left_frequency : ground->voters()[voter].frequency;
    }
    std::size_t voters() const { return heard - (left < heard && left_frequency == 0); }
};

// Whether all patterns vote in every question.
bool everybody_votes(const State& state, const Bounds& bounds);

// The grounds of one state of a node. That of everybody is kept, for the horizon asked about last.
class Grounds {
public:
    Hearing hear(const State& state, const Question& question, const Bounds& bounds);

private:
    std::shared_ptr<const Ground> of_everybody(const State& state, const Question& question, const Bounds& bounds);

    std::mutex guard_;
    std::optional<bool> everybody_votes_;
    std::shared_ptr<const Ground> everybody_;
};

}  // namespace kato
