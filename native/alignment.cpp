#include "alignment.hpp"

#include <algorithm>

namespace kato {

void Memory::assign(Span<const Mark> memory, std::size_t marks) {
    size_ = memory.size();
    words_ = (size_ + 63) / 64;
    from_.assign(marks + 2, 0);
    for (const Mark mark : memory) ++from_[mark + 1];
    for (std::size_t i = 1; i < from_.size(); ++i) from_[i] += from_[i - 1];
    places_.resize(size_);
    bits_.assign((marks + 1) * words_, 0);
    auto next = from_;
    for (std::size_t at = 0; at < size_; ++at) {
        places_[next[memory[at]]++] = std::uint32_t(at);
        bits_[memory[at] * words_ + at / 64] |= std::uint64_t{1} << (at % 64);
    }
}

// Bit-parallel (Hyyrö 2004): bit j of the row is 0 where the j-th token of the memory ends a longer common subsequence than
// the one before it, so the zeros of the last row count its length.
std::size_t Aligner::common(Span<const Hit> hits, const Memory& memory) {
    const std::size_t words = memory.words();
    if (words == 0) return 0;
    if (words == 1) {
        std::uint64_t row = ~std::uint64_t{0};
        for (const Hit& hit : hits) {
            const std::uint64_t here = row & *memory.bits(hit.mark);
            row = (row + here) | (row - here);
        }
        const std::size_t unused = 64 - memory.size();
        return ones_in(~row << unused);
    }
    row_.assign(words, ~std::uint64_t{0});
    for (const Hit& hit : hits) {
        const std::uint64_t* bits = memory.bits(hit.mark);
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < words; ++i) {
            const std::uint64_t row = row_[i], here = row & bits[i];
            const std::uint64_t partial = row + here, whole = partial + carry;
            carry = std::uint64_t(partial < row) | std::uint64_t(whole < partial);
            row_[i] = whole | (row - here);
        }
    }
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < words; ++i) {
        const std::size_t unused = i + 1 == words ? words * 64 - memory.size() : 0;
        zeros += std::size_t(ones_in(~row_[i] << unused));
    }
    return zeros;
}

namespace {
constexpr std::size_t kMostPairs = std::size_t{1} << 20;  // beyond it the runs would need more memory than the rows
}

// All longest unbroken runs of matches, each on its diagonal. False when there are too many pairs to keep them.
bool Aligner::collect_runs(Span<const Hit> hits, const Memory& memory) {
    std::size_t pairs = 0;
    for (const Hit& hit : hits) pairs += memory.positions(hit.mark).size();
    if (pairs > kMostPairs) return false;
    runs_.clear();
    seen_in_.assign(memory.size() + 1, 0);
    run_at_.resize(memory.size() + 1);
    for (const Hit& hit : hits) {
        const auto positions = memory.positions(hit.mark);
        // From the right, so that the place to the left still tells of the row above. Places are shifted by one.
        for (std::size_t i = positions.size(); i-- > 0;) {
            const std::uint32_t place = positions[i];
            std::uint32_t run;
            if (hit.at > 0 && seen_in_[place] == hit.at) {
                run = run_at_[place];
                ++runs_[run].length;
            } else {
                run = std::uint32_t(runs_.size());
                runs_.push_back({hit.at, place, 1});
            }
            seen_in_[place + 1] = hit.at + 1;
            run_at_[place + 1] = run;
        }
    }
    return true;
}

namespace {
bool is_better(const Block& a, const Block& b) {
    if (a.length != b.length) return a.length > b.length;
    if (a.pattern != b.pattern) return a.pattern < b.pattern;
    return a.memory < b.memory;
}
}  // namespace

// Within a range a run is what is left of it there; the longest common run of the range is the best of those.
Block Aligner::longest_of_runs(const Range& range) const {
    Block best{0, 0, 0};
    for (const Block& run : runs_) {
        std::uint32_t skip = 0;
        if (run.pattern < range.pattern_from) skip = range.pattern_from - run.pattern;
        if (run.memory + skip < range.memory_from) skip = range.memory_from - run.memory;
        std::uint32_t end = run.length;
        if (run.pattern >= range.pattern_to || run.memory >= range.memory_to) continue;
        end = std::min({end, range.pattern_to - run.pattern, range.memory_to - run.memory});
        if (end <= skip) continue;
        const Block part{run.pattern + skip, run.memory + skip, end - skip};
        if (best.length == 0 || is_better(part, best)) best = part;
    }
    return best;
}

// The same from the lengths of the runs that end in each row: no memory beyond two rows.
Block Aligner::longest_by_rows(const Range& range, Span<const Hit> hits, const Memory& memory) {
    Block best{0, 0, 0};
    above_.assign(memory.size() + 1, 0);
    here_.assign(memory.size() + 1, 0);
    std::uint32_t row = range.pattern_from;
    const auto first = std::lower_bound(hits.begin(), hits.end(), row, [](const Hit& hit, std::uint32_t at) { return hit.at < at; });
    for (const Hit* hit = first; hit != hits.end() && hit->at < range.pattern_to; ++hit) {
        if (hit->at != row) std::fill(above_.begin(), above_.end(), 0);
        row = hit->at + 1;
        std::fill(here_.begin(), here_.end(), 0);
        for (const std::uint32_t place : memory.positions(hit->mark)) {
            if (place < range.memory_from || place >= range.memory_to) continue;
            const std::uint32_t length = here_[place + 1] = above_[place] + 1;
            if (length > best.length) best = {hit->at + 1 - length, place + 1 - length, length};
        }
        std::swap(above_, here_);
    }
    return best;
}

// Adjacent in both sequences is one.
void Aligner::append(const Block& block) {
    if (!found_.empty()) {
        Block& before = found_.back();
        if (before.pattern + before.length == block.pattern && before.memory + before.length == block.memory) {
            before.length += block.length;
            return;
        }
    }
    found_.push_back(block);
}

// For few hits. Bit j of a hit's ends is set while a run of the length reached so far ends at
// this hit and at place j of the memory; `where` has the places of the range. When no run is longer, the first hit with an end
// has the smallest start in the pattern, and its lowest end the smallest in the memory.
void Aligner::align_few(const FewHits& few, std::size_t from, std::size_t to, std::uint64_t where) {
    std::uint64_t ends[kFewHits], longer[kFewHits], any = 0;
    for (std::size_t i = from; i < to; ++i) any |= ends[i] = *few.memory.bits(few.hits[i].mark) & where;
    if (any == 0) return;
    std::uint32_t length = 1;
    while (true) {
        any = 0;
        longer[from] = 0;
        for (std::size_t i = from + 1; i < to; ++i) {
            const bool adjacent = few.hits[i].at == few.hits[i - 1].at + 1;
            longer[i] = adjacent ? ends[i - 1] << 1 & *few.memory.bits(few.hits[i].mark) & where : 0;
            any |= longer[i];
        }
        if (any == 0) break;
        std::copy(longer + from, longer + to, ends + from);
        ++length;
    }
    std::size_t last = from;
    while (ends[last] == 0) ++last;
    const std::uint32_t end = lowest_one(ends[last]) + 1, start = end - length;
    const std::size_t first = last + 1 - length;
    if (first > from) align_few(few, from, first, where & ((std::uint64_t{1} << start) - 1));
    append({few.hits[first].at, start, length});
    if (last + 1 < to && end < 64) align_few(few, last + 1, to, where & ~((std::uint64_t{1} << end) - 1));
}

namespace {

// Of a word that is not 0, the bits above its lowest one.
std::uint64_t above_lowest(std::uint64_t word) { return ~(((word & (~word + 1)) << 1) - 1); }

// Hits from `at` to `to` none of which follows another in both sequences, within the places of `where`: each in turn is a block,
// at its lowest place beyond those before it.
void take_single(Outline& outline, Span<const Hit> hits, const Memory& memory, std::size_t at, std::size_t to, std::uint64_t where) {
    for (; at < to; ++at) {
        const std::uint64_t places = *memory.bits(hits[at].mark) & where;
        if (places == 0) continue;
        if (outline.blocks == 0) outline.first = std::uint32_t(at);
        outline.last = std::uint32_t(at);
        ++outline.aligned;
        ++outline.blocks;
        where &= above_lowest(places);
    }
}

}  // namespace

// Two neighbouring hits whose marks are neighbours in the memory are a pair. If there is none, all runs are single tokens. If all
// pairs make one run, that is the longest, and nothing left or right of it has a pair. Both are told without recursion; they are what
// nearly all patterns are.
Outline Aligner::outline(Span<const Hit> hits, const Memory& memory) {
    Outline outline;
    std::uint64_t row = ~std::uint64_t{0}, before = 0;  // of the common subsequence; the hit before
    std::uint64_t ends = 0;                             // of the run that the first pairs make, in the memory
    std::uint32_t pairs = 0, length = 0, last = 0;      // of all hits; of that run, and its last hit
    for (std::uint32_t i = 0; i < hits.size(); ++i) {
        const std::uint64_t bits = *memory.bits(hits[i].mark), here = row & bits;
        row = (row + here) | (row - here);
        const std::uint64_t pair = i > 0 && hits[i].at == hits[i - 1].at + 1 ? before << 1 & bits : 0;
        before = bits;
        if (pair == 0) continue;
        ++pairs;
        if (pairs == 1) {
            ends = pair;
            length = 2;
            last = i;
        } else if (last + 1 == i && (ends << 1 & bits) != 0) {
            ends = ends << 1 & bits;
            ++length;
            last = i;
        }
    }
    outline.common = ones_in(~row << (64 - memory.size()));
    if (pairs == 0) {
        take_single(outline, hits, memory, 0, hits.size(), ~std::uint64_t{0});
    } else if (pairs + 1 == length) {
        const std::uint32_t end = lowest_one(ends) + 1, first = last + 1 - length;
        take_single(outline, hits, memory, 0, first, (std::uint64_t{1} << (end - length)) - 1);
        if (outline.blocks == 0) outline.first = first;
        outline.aligned += length;
        ++outline.blocks;
        outline.last = last;
        take_single(outline, hits, memory, last + 1, hits.size(), above_lowest(ends));
    } else {
        const auto found = blocks(hits, memory);
        outline.blocks = std::uint32_t(found.size());
        for (const Block& block : found) outline.aligned += block.length;
        while (hits[outline.first].at != found.front().pattern) ++outline.first;
        while (hits[outline.last].at != found.back().pattern + found.back().length - 1) ++outline.last;
    }
    return outline;
}

Span<const Block> Aligner::blocks(Span<const Hit> hits, const Memory& memory) {
    found_.clear();
    if (hits.empty()) return found_;
    if (are_few(hits, memory)) {
        align_few({hits, memory}, 0, hits.size(), ~std::uint64_t{0});
        return found_;
    }
    const bool by_runs = collect_runs(hits, memory);
    ranges_.assign(1, {0, hits.back().at + 1, 0, std::uint32_t(memory.size())});
    while (!ranges_.empty()) {
        const Range range = ranges_.back();
        ranges_.pop_back();
        const Block best = by_runs ? longest_of_runs(range) : longest_by_rows(range, hits, memory);
        if (best.length == 0) continue;
        found_.push_back(best);
        if (range.pattern_from < best.pattern && range.memory_from < best.memory)
            ranges_.push_back({range.pattern_from, best.pattern, range.memory_from, best.memory});
        const std::uint32_t pattern_end = best.pattern + best.length, memory_end = best.memory + best.length;
        if (pattern_end < range.pattern_to && memory_end < range.memory_to)
            ranges_.push_back({pattern_end, range.pattern_to, memory_end, range.memory_to});
    }
    std::sort(found_.begin(), found_.end(), [](const Block& a, const Block& b) { return a.pattern < b.pattern; });
    const std::vector<Block> pieces = std::move(found_);
    found_.clear();
    for (const Block& piece : pieces) append(piece);
    return found_;
}

}  // namespace kato
