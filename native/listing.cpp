#include "listing.hpp"

#include <cstring>

#include "text.hpp"

namespace kato {

namespace {

struct Candidate {
    std::uint64_t value;
    const std::uint8_t* name;
    std::uint64_t frequency;
    Row row;
};

int compared(const std::uint8_t* left, const std::uint8_t* right) { return std::memcmp(left, right, kNameBytes); }

struct Before {
    Order order;
    bool descending;

    bool operator()(std::uint64_t value, const std::uint8_t* name, std::uint64_t other, const std::uint8_t* other_name) const {
        if (order == Order::name) return descending ? compared(name, other_name) > 0 : compared(name, other_name) < 0;
        if (value != other) return descending ? value > other : value < other;
        return compared(name, other_name) < 0;
    }
    bool operator()(const Candidate& left, const Candidate& right) const {
        return (*this)(left.value, left.name, right.value, right.name);
    }
};

bool begins(const std::uint8_t* name, const std::string& prefix) {
    if (prefix.size() > 2 * kNameBytes) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        const unsigned digit = i % 2 ? name[i / 2] & 15u : name[i / 2] >> 4;
        if (prefix[i] != kHexDigits[digit]) return false;
    }
    return true;
}

// Which rows of a segment hold a symbol that is looked for.
std::vector<bool> holders(const Segment& segment, const std::vector<bool>& symbols) {
    std::vector<char> wanted(segment.symbols().size());
    bool any = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const Symbol symbol = segment.symbols()[i];
        wanted[i] = symbol < symbols.size() && symbols[symbol];
        any = any || wanted[i];
    }
    std::vector<bool> found(segment.rows());
    if (!any) return found;
    for (const Run& run : segment.runs()) {
        std::uint64_t token = run.token;
        for (std::uint32_t row = run.first; row < run.first + run.count; ++row, token += run.length)
            for (std::uint32_t i = 0; i < run.length; ++i)
                if (wanted[segment.local_token(token + i)]) {
                    found[row] = true;
                    break;
                }
    }
    return found;
}

}  // namespace

Listed list_patterns(const State& state, const Listing& listing) {
    const Before before{listing.order, listing.descending};
    Best<Candidate, Before> best(listing.limit, before);
    Listed listed;
    const auto offer = [&](const Row& row, bool holds) {
        const std::uint64_t frequency = state.frequencies[row.slot()];
        if (frequency == 0) return;  // forgotten
        const std::uint8_t* name = row.name();
        if (!listing.all && !holds && !(listing.prefix && begins(name, *listing.prefix))) return;
        ++listed.total;
        const std::uint64_t value = listing.order == Order::frequency ? frequency : row.length;
        if (listing.after && !before(listing.after->value, listing.after->name.data(), value, name)) return;
        best.offer({value, name, frequency, row});
    };
    for (const auto& segment : state.segments) {
        const std::vector<bool> holds = listing.all ? std::vector<bool>(segment->rows()) : holders(*segment, listing.symbols);
        for (const Run& run : segment->runs())
            for (std::uint32_t row = run.first; row < run.first + run.count; ++row)
                offer(Row::of(*segment, run, row), holds[row]);
    }
    for (const auto& part : state.tails)
        for (std::size_t i = 0; i < part.count; ++i) {
            const Content& content = (*part.tail)[i];
            const bool holds = std::any_of(content.tokens.begin(), content.tokens.end(), [&](Symbol symbol) {
                return symbol < listing.symbols.size() && listing.symbols[symbol];
            });
            offer(Row::of(content), holds);
        }
    for (const Candidate& each : best.take(listed.more)) listed.page.emplace_back(each.row, each.frequency);
    return listed;
}

}  // namespace kato
