#include "segment.hpp"

#include <algorithm>
#include <stdexcept>

namespace kato {

std::uint64_t mixed(std::uint64_t value) {
    // splitmix64's finaliser: every input bit reaches every output bit.
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

const std::array<std::uint64_t, 256>& spread_bits() {
    static const auto table = [] {
        std::array<std::uint64_t, 256> made{};
        for (std::size_t byte = 0; byte < 256; ++byte)
            for (std::size_t bit = 0; bit < 8; ++bit)
                if (byte >> bit & 1) made[byte] |= std::uint64_t{1} << (8 * bit);
        return made;
    }();
    return table;
}

namespace {

std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

std::uint64_t checksum_of(const std::uint8_t* data, std::size_t bytes) {
    // Four lanes of multiply-and-rotate over 8-byte words: any flipped bit changes it, and it reads as fast as memory does.
    std::uint64_t lanes[4] = {1, 2, 3, 4};
    std::size_t at = 0;
    for (; at + 32 <= bytes; at += 32)
        for (std::size_t lane = 0; lane < 4; ++lane) {
            std::uint64_t word;
            std::memcpy(&word, data + at + 8 * lane, 8);
            lanes[lane] = rotated((lanes[lane] ^ word) * 0x9e3779b97f4a7c15u, 29);
        }
    std::uint64_t all = bytes;
    for (; at < bytes; ++at) all = mixed(all ^ data[at]);
    for (const std::uint64_t lane : lanes) all = mixed(all ^ lane);
    return all;
}

std::size_t Segment::measure(const Header& h) {
    return sizeof(Header) + padded(h.runs * sizeof(Run)) + padded(h.rows * kNameBytes) + padded(h.rows * sizeof(Slot)) +
           padded(h.symbols * sizeof(Symbol)) + padded(h.tokens * (h.wide ? 4 : 2)) + padded((h.tokens + 63) / 64 * 8) +
           padded((h.symbols + 1) * 4) + padded((h.lists + 1) * 4) + padded(h.posted * 2) + padded((h.buckets + 1) * 4) +
           padded(h.paired * 2) + padded(h.paired);
}

void Segment::attach() {
    header_ = reinterpret_cast<const Header*>(block_);
    const Header& h = *header_;
    const std::uint8_t* at = block_ + sizeof(Header);
    const auto take = [&at](std::size_t bytes) {
        const std::uint8_t* here = at;
        at += padded(bytes);
        return here;
    };
    runs_ = reinterpret_cast<const Run*>(take(h.runs * sizeof(Run)));
    names_ = take(h.rows * kNameBytes);
    slots_ = reinterpret_cast<const Slot*>(take(h.rows * sizeof(Slot)));
    symbols_ = reinterpret_cast<const Symbol*>(take(h.symbols * sizeof(Symbol)));
    const std::uint8_t* tokens = take(h.tokens * (h.wide ? 4 : 2));
    narrow_ = reinterpret_cast<const std::uint16_t*>(tokens);
    wide_ = reinterpret_cast<const std::uint32_t*>(tokens);
    starts_ = reinterpret_cast<const std::uint64_t*>(take((h.tokens + 63) / 64 * 8));
    ranks_ = reinterpret_cast<const std::uint32_t*>(take((h.symbols + 1) * 4));
    lists_ = reinterpret_cast<const std::uint32_t*>(take((h.lists + 1) * 4));
    posted_ = reinterpret_cast<const std::uint16_t*>(take(h.posted * 2));
    buckets_ = reinterpret_cast<const std::uint32_t*>(take((h.buckets + 1) * 4));
    paired_ = reinterpret_cast<const std::uint16_t*>(take(h.paired * 2));
    breadths_ = take(h.paired);
}

std::shared_ptr<const Segment> Segment::adopt(const std::uint8_t* block, std::size_t bytes, std::shared_ptr<const void> keep) {
    if (bytes < sizeof(Header)) return nullptr;
    Header header;
    std::memcpy(&header, block, sizeof(Header));
    for (const std::uint64_t part : {header.rows, header.runs, header.symbols, header.tokens, header.lists, header.posted,
                                     header.buckets, header.paired})
        if (part > bytes) return nullptr;
    if (header.rows > kSegmentRows || measure(header) != bytes) return nullptr;
    auto segment = std::shared_ptr<Segment>(new Segment());
    segment->block_ = block;
    segment->bytes_ = bytes;
    segment->keep_ = std::move(keep);
    segment->attach();
    return segment;
}

const Run& Segment::run_of(std::size_t row) const {
    const auto all = runs();
    const auto after = std::upper_bound(all.begin(), all.end(), row, [](std::size_t r, const Run& run) { return r < run.first; });
    return *(after - 1);
}

std::int64_t Segment::local(Symbol symbol) const {
    const auto all = symbols();
    const auto found = std::lower_bound(all.begin(), all.end(), symbol);
    return found != all.end() && *found == symbol ? found - all.begin() : -1;
}

Span<const std::uint16_t> Segment::bigram_rows(std::uint64_t hash) const {
    const std::size_t bucket = hash & (header_->buckets - 1);
    return {paired_ + buckets_[bucket], paired_ + buckets_[bucket + 1]};
}

const std::uint8_t* Segment::bigram_breadths(std::uint64_t hash) const {
    return breadths_ + buckets_[hash & (header_->buckets - 1)];
}

Content Segment::content(std::size_t row) const {
    const Run& run = run_of(row);
    Content made;
    made.slot = slot(row);
    std::memcpy(made.name.data(), name(row), kNameBytes);
    const std::size_t from = run.token + (row - run.first) * run.length;
    made.tokens.resize(run.length);
    made.starts.resize(run.length);
    for (std::size_t i = 0; i < run.length; ++i) {
        made.tokens[i] = symbols_[local_token(from + i)];
        made.starts[i] = starts_event(from + i);
    }
    return made;
}

namespace {

// The distinct symbols of all contents, ascending.
std::vector<Symbol> symbols_of(const std::vector<const Content*>& contents, std::size_t tokens, std::size_t known) {
    std::vector<Symbol> found;
    if (tokens > known / 8) {
        std::vector<bool> seen(known);
        for (const Content* each : contents)
            for (const Symbol symbol : each->tokens) seen[symbol] = true;
        for (std::size_t symbol = 0; symbol < known; ++symbol)
            if (seen[symbol]) found.push_back(Symbol(symbol));
        return found;
    }
    found.reserve(tokens);
    for (const Content* each : contents) found.insert(found.end(), each->tokens.begin(), each->tokens.end());
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

// Symbols to their numbers in the segment.
class Numbering {
public:
    Numbering(const std::vector<Symbol>& symbols, std::size_t tokens, std::size_t known) : symbols_(symbols) {
        if (tokens <= known / 8) return;
        numbers_.resize(known);
        for (std::size_t i = 0; i < symbols.size(); ++i) numbers_[symbols[i]] = std::uint32_t(i);
    }
    std::uint32_t operator()(Symbol symbol) const {
        if (!numbers_.empty()) return numbers_[symbol];
        return std::uint32_t(std::lower_bound(symbols_.begin(), symbols_.end(), symbol) - symbols_.begin());
    }

private:
    const std::vector<Symbol>& symbols_;
    std::vector<std::uint32_t> numbers_;
};

// How broad the pair before each token is; nothing of use at a row's first.
std::vector<std::uint8_t> breadths_of(const std::vector<const Content*>& contents, std::size_t tokens) {
    constexpr std::size_t most = Breadth::kMostTold;
    std::vector<std::uint8_t> made;
    made.reserve(tokens);
    for (const Content* each : contents) {
        std::size_t before = 0;
        for (std::size_t from = 0, to; from < each->starts.size(); from = to) {
            for (to = from + 1; to < each->starts.size() && !each->starts[to]; ++to) {}
            made.push_back(std::uint8_t(std::min(most, before + to - from)));
            made.insert(made.end(), to - from - 1, std::uint8_t(std::min(most, to - from)));
            before = to - from;
        }
    }
    return made;
}

std::uint32_t widest_event(const Content& content) {
    std::uint32_t widest = 0, size = 0;
    for (const std::uint8_t starts : content.starts) {
        size = starts ? 1 : size + 1;
        widest = std::max(widest, size);
    }
    return widest;
}

}  // namespace

std::shared_ptr<const Segment> Segment::build(std::vector<const Content*> contents, std::size_t known_symbols) {
    std::sort(contents.begin(), contents.end(), [](const Content* a, const Content* b) {
        if (a->tokens.size() != b->tokens.size()) return a->tokens.size() < b->tokens.size();
        return std::memcmp(a->name.data(), b->name.data(), kNameBytes) < 0;
    });
    Header header{};
    header.rows = contents.size();
    for (const Content* each : contents) header.tokens += each->tokens.size();
    if (header.rows > kSegmentRows || header.rows == 0) throw std::length_error("a segment holds 1 to 65,536 patterns");

    const auto symbols = symbols_of(contents, header.tokens, known_symbols);
    const Numbering number(symbols, header.tokens, known_symbols);
    header.symbols = symbols.size();
    header.wide = symbols.size() > 65'536;

    std::vector<Run> runs;
    std::vector<std::uint32_t> local;
    local.reserve(header.tokens);
    for (std::size_t row = 0; row < contents.size(); ++row) {
        const auto length = std::uint32_t(contents[row]->tokens.size());
        if (runs.empty() || runs.back().length != length) runs.push_back({length, std::uint32_t(row), 0, 0, local.size()});
        ++runs.back().count;
        runs.back().widest = std::max(runs.back().widest, widest_event(*contents[row]));
        for (const Symbol symbol : contents[row]->tokens) local.push_back(number(symbol));
    }
    header.runs = runs.size();

    // Which rank each token has among its equals in its row, and how many rows each (symbol, rank) has.
    std::vector<std::uint32_t> rank(local.size()), held(symbols.size()), deepest(symbols.size());
    for (const Run& run : runs)
        for (std::size_t row = 0; row < run.count; ++row) {
            const std::size_t from = run.token + row * run.length, to = from + run.length;
            for (std::size_t i = from; i < to; ++i) rank[i] = held[local[i]]++;
            for (std::size_t i = from; i < to; ++i) deepest[local[i]] = std::max(deepest[local[i]], held[local[i]]);
            for (std::size_t i = from; i < to; ++i) held[local[i]] = 0;
        }
    std::vector<std::uint32_t> ranks(symbols.size() + 1);
    for (std::size_t i = 0; i < symbols.size(); ++i) ranks[i + 1] = ranks[i] + deepest[i];
    header.lists = ranks.back();
    std::vector<std::uint32_t> sizes(header.lists);
    for (std::size_t i = 0; i < local.size(); ++i) ++sizes[ranks[local[i]] + rank[i]];
    const std::size_t bitmap_cells = (header.rows + 63) / 64 * 4;
    std::vector<std::uint32_t> lists(header.lists + 1);
    std::uint32_t cells = 0;
    for (std::size_t i = 0; i < header.lists; ++i) {
        const bool bitmap = sizes[i] > bitmap_cells;
        lists[i] = cells | (bitmap ? kBitmap : 0);
        cells += std::uint32_t(bitmap ? bitmap_cells : sizes[i]);
    }
    lists[header.lists] = cells;
    header.posted = cells;

    // Buckets hold twelve to twenty-four rows each when pairs are spread evenly.
    const std::size_t pairs = header.tokens - header.rows;
    header.buckets = next_power_of_two(std::max<std::size_t>(16, pairs / 24));
    std::vector<std::uint32_t> buckets(header.buckets + 1), last(header.buckets, UINT32_MAX), bucket_of(local.size());
    for (std::size_t i = 1; i < local.size(); ++i)
        bucket_of[i] = std::uint32_t(bigram_hash(symbols[local[i - 1]], symbols[local[i]]) & (header.buckets - 1));
    // Calls `visit` with a bucket, a row that has a pair in it, the place of the pair, and whether the row came before.
    const auto each_bucket = [&](auto&& visit) {
        std::fill(last.begin(), last.end(), UINT32_MAX);
        for (const Run& run : runs)
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row) {
                const std::uint64_t from = run.token + std::uint64_t{row - run.first} * run.length;
                for (std::uint64_t i = from + 1; i < from + run.length; ++i) {
                    const std::size_t bucket = bucket_of[i];
                    visit(bucket, row, i, last[bucket] == row);
                    last[bucket] = row;
                }
            }
    };
    each_bucket([&](std::size_t bucket, std::size_t, std::size_t, bool again) { buckets[bucket + 1] += !again; });
    for (std::size_t i = 0; i < header.buckets; ++i) buckets[i + 1] += buckets[i];
    header.paired = buckets.back();

    const std::size_t bytes = measure(header);
    auto memory = std::make_shared<std::vector<std::uint64_t>>(bytes / 8);
    auto* block = reinterpret_cast<std::uint8_t*>(memory->data());
    std::memcpy(block, &header, sizeof(Header));
    auto segment = std::shared_ptr<Segment>(new Segment());
    segment->block_ = block;
    segment->bytes_ = bytes;
    segment->keep_ = memory;
    segment->attach();
    const auto writable = [](const auto* part) { return const_cast<std::remove_const_t<std::remove_pointer_t<decltype(part)>>*>(part); };

    std::copy(runs.begin(), runs.end(), writable(segment->runs_));
    for (std::size_t row = 0; row < contents.size(); ++row) {
        std::memcpy(writable(segment->names_) + kNameBytes * row, contents[row]->name.data(), kNameBytes);
        writable(segment->slots_)[row] = contents[row]->slot;
    }
    std::copy(symbols.begin(), symbols.end(), writable(segment->symbols_));
    for (std::size_t i = 0; i < local.size(); ++i) {
        if (header.wide)
            writable(segment->wide_)[i] = local[i];
        else
            writable(segment->narrow_)[i] = std::uint16_t(local[i]);
    }
    std::copy(ranks.begin(), ranks.end(), writable(segment->ranks_));
    std::copy(lists.begin(), lists.end(), writable(segment->lists_));
    std::copy(buckets.begin(), buckets.end(), writable(segment->buckets_));

    std::vector<std::uint32_t> filled(header.lists);
    auto* posted = writable(segment->posted_);
    auto* starts = writable(segment->starts_);
    for (std::size_t row = 0, at = 0; row < contents.size(); ++row) {
        for (const std::uint8_t flag : contents[row]->starts) {
            if (flag) starts[at / 64] |= std::uint64_t{1} << (at % 64);
            const std::size_t list = ranks[local[at]] + rank[at];
            const std::size_t from = lists[list] & ~kBitmap;
            if (lists[list] & kBitmap)
                reinterpret_cast<std::uint8_t*>(posted + from)[row / 8] |= std::uint8_t(1u << (row % 8));
            else
                posted[from + filled[list]++] = std::uint16_t(row);
            ++at;
        }
    }
    const auto breadths = breadths_of(contents, header.tokens);
    std::vector<std::uint32_t> paired(header.buckets);
    each_bucket([&](std::size_t bucket, std::size_t row, std::size_t place, bool again) {
        if (!again) ++paired[bucket];
        const std::size_t at = buckets[bucket] + paired[bucket] - 1;
        std::uint8_t& breadth = writable(segment->breadths_)[at];
        writable(segment->paired_)[at] = std::uint16_t(row);
        const Breadth before = again ? Breadth::of(breadth) : Breadth{Breadth::kMostTold, 0};
        breadth = Breadth{std::min(before.least, breadths[place]), std::max(before.most, breadths[place])}.packed();
    });
    return segment;
}

}  // namespace kato
