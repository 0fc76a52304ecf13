#include "index.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace kato {

namespace {

using Guard = std::lock_guard<std::mutex>;

// Segments are merged with others of their tier, eight times larger each; the largest are left alone.
std::size_t tier_of(std::size_t rows) {
    if (rows >= kSegmentRows - kSegmentRows / 8) return SIZE_MAX;
    std::size_t tier = 0;
    for (std::size_t size = kTailRows * 8; rows >= size; size *= 8) ++tier;
    return tier;
}

constexpr std::size_t kMerged = 8;

// A name's own bits, as names are digests already; the low ones say where it stands in the table.
std::uint32_t print_of(const std::uint8_t* name) {
    std::uint32_t bits;
    std::memcpy(&bits, name, sizeof bits);
    return bits;
}

}  // namespace

std::uint32_t Index::free_number() {
    for (std::uint32_t i = 0; i < holders_.size(); ++i)
        if (!holders_[i].segment && !holders_[i].tail) return i;
    if (holders_.size() > 0xffff) throw std::length_error("an index holds at most 65,536 segments");
    holders_.emplace_back();
    return std::uint32_t(holders_.size() - 1);
}

Row Index::row_of(Slot slot) const {
    const Holder& holder = holders_[places_[slot] >> 16];
    const std::uint32_t row = places_[slot] & 0xffff;
    if (holder.tail) return Row::of((*holder.tail)[row]);
    return Row::of(*holder.segment, holder.segment->run_of(row), row);
}

const std::uint8_t* Index::name_of(Slot slot) const {
    const Holder& holder = holders_[places_[slot] >> 16];
    const std::uint32_t row = places_[slot] & 0xffff;
    return holder.tail ? (*holder.tail)[row].name.data() : holder.segment->name(row);
}

// --- names: linear probing, entries taken out by moving later ones up ---

void Index::enter_name(const std::uint8_t* name, Slot slot) {
    if ((named_ + 1) * 3 > names_.size() * 2) {
        std::vector<Named> old(std::max<std::size_t>(64, names_.size() * 2));
        old.swap(names_);
        for (const Named& entry : old)
            if (entry.slot != 0) names_[free_place(entry.print)] = entry;
    }
    const std::uint32_t print = print_of(name);
    names_[free_place(print)] = {print, slot + 1};
    ++named_;
}

std::size_t Index::free_place(std::uint32_t print) const {
    const std::size_t mask = names_.size() - 1;
    std::size_t at = print & mask;
    while (names_[at].slot != 0) at = (at + 1) & mask;
    return at;
}

void Index::leave_name(Slot slot) {
    const std::size_t mask = names_.size() - 1;
    std::size_t at = print_of(name_of(slot)) & mask;
    while (names_[at].slot != slot + 1) at = (at + 1) & mask;
    for (std::size_t next = (at + 1) & mask; names_[next].slot != 0; next = (next + 1) & mask) {
        // It may move up if its home does not lie between the gap and itself.
        if (((next - names_[next].print) & mask) >= ((next - at) & mask)) {
            names_[at] = names_[next];
            at = next;
        }
    }
    names_[at] = {};
    --named_;
}

std::int64_t Index::find_name(const std::uint8_t* name) const {
    if (names_.empty()) return kAbsent;
    const std::size_t mask = names_.size() - 1;
    const std::uint32_t print = print_of(name);
    for (std::size_t at = print & mask; names_[at].slot != 0; at = (at + 1) & mask)
        if (names_[at].print == print && std::memcmp(name_of(names_[at].slot - 1), name, kNameBytes) == 0)
            return names_[at].slot - 1;
    return kAbsent;
}

std::int64_t Index::find(const std::array<std::uint8_t, kNameBytes>& name, Span<const Symbol> tokens,
                         Span<const std::uint8_t> starts) const {
    const Guard guard(mutex_);
    const std::int64_t slot = find_name(name.data());
    if (slot == kAbsent) return kAbsent;
    const Row row = row_of(Slot(slot));
    if (row.length != tokens.size()) return kOtherContent;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (row.token(i) != tokens[i] || row.starts(i) != (starts[i] != 0)) return kOtherContent;
    return slot;
}

std::optional<std::pair<Content, std::uint64_t>> Index::named(const std::array<std::uint8_t, kNameBytes>& name) const {
    const Guard guard(mutex_);
    const std::int64_t slot = find_name(name.data());
    if (slot == kAbsent) return std::nullopt;
    const Row row = row_of(Slot(slot));
    return std::pair{row.content ? *row.content : row.segment->content(row.row), frequencies_[Slot(slot)]};
}

// --- statistics ---

// Left in `distinct_`.
void Index::find_distinct(const Row& row) {
    distinct_.resize(row.length);
    for (std::size_t i = 0; i < row.length; ++i) distinct_[i] = row.token(i);
    std::sort(distinct_.begin(), distinct_.end());
    distinct_.erase(std::unique(distinct_.begin(), distinct_.end()), distinct_.end());
}

void Index::count(const Row& row, std::uint64_t frequency) {
    for (std::size_t i = 0; i < row.length; ++i) occurrences_.at(row.token(i)) += frequency;
    find_distinct(row);
    for (const Symbol symbol : distinct_)
        if (members_.at(symbol)++ == 0) ++symbols_;
    frequency_ += frequency;
    ++patterns_;
}

void Index::uncount(const Row& row, std::uint64_t frequency) {
    for (std::size_t i = 0; i < row.length; ++i) occurrences_.at(row.token(i)) -= frequency;
    find_distinct(row);
    for (const Symbol symbol : distinct_)
        if (--members_.at(symbol) == 0) --symbols_;
    frequency_ -= frequency;
    --patterns_;
}

// --- changes ---

std::uint64_t Index::occurrences(Slot slot) const {
    const Guard guard(mutex_);
    return frequencies_[slot] * row_of(slot).length;
}

std::int64_t Index::learn(Content content, std::uint64_t frequency) {
    const Guard guard(mutex_);
    if (find_name(content.name.data()) != kAbsent) return kAbsent;
    state_.reset();
    if (open_ == UINT32_MAX) {
        open_ = free_number();
        holders_[open_].tail = std::make_shared<Tail>(gathers_ ? kSegmentRows : kTailRows);
    }
    const auto slot = Slot(places_.size());
    content.slot = slot;
    Holder& holder = holders_[open_];
    const std::size_t row = holder.count++;
    holder.tail->place(row, std::make_shared<const Content>(std::move(content)));
    places_.push_back(open_ << 16 | std::uint32_t(row));
    frequencies_.at(slot) = frequency;
    enter_name(name_of(slot), slot);
    count(row_of(slot), frequency);
    if (holder.count == holder.tail->capacity()) seal();
    return slot;
}

void Index::set_frequency(Slot slot, std::uint64_t frequency) {
    const Guard guard(mutex_);
    state_.reset();
    const Row row = row_of(slot);
    const std::uint64_t before = frequencies_[slot];
    for (std::size_t i = 0; i < row.length; ++i) occurrences_.at(row.token(i)) += frequency - before;  // modulo 2^64
    frequency_ += frequency - before;
    frequencies_.at(slot) = frequency;
    Holder& holder = holders_[places_[slot] >> 16];
    holder.highest = std::max(holder.highest, frequency);
}

void Index::forget(Slot slot) {
    const Guard guard(mutex_);
    state_.reset();
    uncount(row_of(slot), frequencies_[slot]);
    leave_name(slot);
    frequencies_.at(slot) = 0;
    ++holders_[places_[slot] >> 16].gone;
    untidy_ = true;
}

void Index::clear() {
    const Guard guard(mutex_);
    state_.reset();
    ++generation_;
    holders_.clear();
    open_ = UINT32_MAX;
    places_.clear();
    names_.clear();
    named_ = 0;
    frequencies_.clear();
    members_.clear();
    occurrences_.clear();
    patterns_ = symbols_ = frequency_ = 0;
}

void Index::fork(Index& other) {
    const Guard guard(other.mutex_);
    // Handing them out makes either copy a chunk before its first change to it.
    other.frequencies_.share();
    other.members_.share();
    other.occurrences_.share();
    frequencies_ = other.frequencies_;
    members_ = other.members_;
    occurrences_ = other.occurrences_;
    holders_ = other.holders_;  // the open tail too: the other one places only behind what is counted here
    places_ = other.places_;
    names_ = other.names_;
    named_ = other.named_;
    patterns_ = other.patterns_;
    symbols_ = other.symbols_;
    frequency_ = other.frequency_;
    untidy_ = other.untidy_;
}

void Index::begin_many() {
    const Guard guard(mutex_);
    if (open_ != UINT32_MAX) seal();
    gathers_ = true;
}

void Index::end_many() {
    const Guard guard(mutex_);
    if (open_ != UINT32_MAX) seal();
    gathers_ = false;
}

// The open tail's living patterns as a segment.
void Index::seal() {
    const Holder holder = std::move(holders_[open_]);
    holders_[open_] = Holder{};
    open_ = UINT32_MAX;
    std::vector<const Content*> contents;
    std::size_t tokens = 0;
    const auto build = [&] {
        if (contents.empty()) return;
        place_segment(Segment::build(std::move(contents), members_.size()));
        contents = {};
        tokens = 0;
    };
    for (std::size_t i = 0; i < holder.count; ++i) {
        const Content& content = (*holder.tail)[i];
        if (frequencies_[content.slot] == 0) continue;
        if (tokens + content.tokens.size() > kSegmentTokens) build();
        contents.push_back(&content);
        tokens += content.tokens.size();
    }
    build();
    state_.reset();
}

void Index::place_segment(std::shared_ptr<const Segment> segment) {
    const std::uint32_t number = free_number();
    std::uint64_t highest = 0;
    std::size_t gone = 0;
    for (std::size_t row = 0; row < segment->rows(); ++row) {
        const Slot slot = segment->slot(row);
        places_[slot] = number << 16 | std::uint32_t(row);
        highest = std::max(highest, frequencies_[slot]);
        gone += frequencies_[slot] == 0;  // since whoever merged looked
    }
    holders_[number].segment = std::move(segment);
    holders_[number].highest = highest;
    holders_[number].gone = gone;
    untidy_ = true;
}

std::shared_ptr<const State> Index::state() {
    const Guard guard(mutex_);
    if (state_) return state_;
    auto state = std::make_shared<State>();
    for (const Holder& holder : holders_) {
        state->has_gone = state->has_gone || holder.gone != 0;
        if (holder.segment) {
            state->segments.push_back(holder.segment);
            state->highest.push_back(holder.highest);
        }
        if (holder.tail && holder.count) state->tails.push_back({holder.tail, holder.count});
    }
    state->frequencies = frequencies_.share();
    state->members = members_.share();
    state->occurrences = occurrences_.share();
    state->patterns = patterns_;
    state->symbols = symbols_;
    state->frequency = frequency_;
    state_ = std::move(state);
    return state_;
}

// --- upkeep ---

// Numbers of segments to be made one: the first tier that has enough, or one that is mostly forgotten.
std::vector<std::uint32_t> Index::to_merge() const {
    std::vector<std::vector<std::uint32_t>> tiers(8);
    for (std::uint32_t i = 0; i < holders_.size(); ++i) {
        if (!holders_[i].segment) continue;
        if (holders_[i].gone * 2 > holders_[i].segment->rows()) return {i};
        const std::size_t tier = tier_of(holders_[i].segment->rows());
        if (tier < tiers.size()) tiers[tier].push_back(i);
    }
    for (auto& numbers : tiers) {
        std::size_t rows = 0, tokens = 0, taken = 0;
        for (const std::uint32_t number : numbers) {
            rows += holders_[number].segment->rows();
            tokens += holders_[number].segment->tokens();
            if (rows > kSegmentRows || tokens > kSegmentTokens || taken == kMerged) break;
            ++taken;
        }
        const bool is_full = taken == kMerged || (taken >= 2 && taken < numbers.size());
        if (!is_full) continue;
        numbers.resize(taken);
        return numbers;
    }
    return {};
}

bool Index::tend() {
    std::vector<std::uint32_t> numbers;
    std::vector<std::shared_ptr<const Segment>> segments;
    Frequencies::View frequencies;
    std::uint64_t generation;
    std::size_t known;
    {
        const Guard guard(mutex_);
        numbers = to_merge();
        untidy_ = !numbers.empty();
        if (numbers.empty()) return false;
        for (const std::uint32_t number : numbers) segments.push_back(holders_[number].segment);
        frequencies = frequencies_.share();
        generation = generation_;
        known = members_.size();
    }
    std::vector<Content> contents;
    for (const auto& segment : segments)
        for (std::size_t row = 0; row < segment->rows(); ++row)
            if (frequencies[segment->slot(row)] != 0) contents.push_back(segment->content(row));
    std::shared_ptr<const Segment> merged;
    if (!contents.empty()) {
        std::vector<const Content*> each;
        for (const Content& content : contents) each.push_back(&content);
        merged = Segment::build(std::move(each), known);
    }
    const Guard guard(mutex_);
    if (generation != generation_) return true;
    for (const std::uint32_t number : numbers) holders_[number] = Holder{};
    if (merged) place_segment(std::move(merged));
    state_.reset();
    return true;
}

bool Index::is_untidy() const {
    const Guard guard(mutex_);
    return untidy_;
}

void Index::restore(std::vector<std::shared_ptr<const Segment>> segments, Span<const std::uint64_t> frequencies,
                    Span<const std::uint32_t> members, Span<const std::uint64_t> occurrences) {
    clear();
    const Guard guard(mutex_);
    places_.resize(frequencies.size());
    for (std::size_t i = 0; i < frequencies.size(); ++i) frequencies_.at(i) = frequencies[i];
    for (std::size_t i = 0; i < members.size(); ++i) {
        members_.at(i) = members[i];
        symbols_ += members[i] != 0;
    }
    for (std::size_t i = 0; i < occurrences.size(); ++i) occurrences_.at(i) = occurrences[i];
    for (auto& segment : segments) {
        const Segment& here = *segment;
        place_segment(std::move(segment));
        for (std::size_t row = 0; row < here.rows(); ++row) {
            const Slot slot = here.slot(row);
            if (frequencies_[slot] == 0) continue;
            enter_name(here.name(row), slot);
            frequency_ += frequencies_[slot];
            ++patterns_;
        }
    }
}

std::size_t Index::bytes() const {
    const Guard guard(mutex_);
    std::size_t total = places_.capacity() * 4 + names_.capacity() * sizeof(Named) + frequencies_.bytes() + members_.bytes() + occurrences_.bytes();
    for (const Holder& holder : holders_) {
        if (holder.segment) total += holder.segment->block().size();
        if (holder.tail) total += holder.tail->capacity() * 16;
        for (std::size_t i = 0; i < holder.count; ++i)
            total += sizeof(Content) + (*holder.tail)[i].tokens.size() * (sizeof(Symbol) + 1);
    }
    return total;
}

}  // namespace kato
