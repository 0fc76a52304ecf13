// What a node holds, listed: a page of its patterns or of its symbols in an order, without sorting the rest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state.hpp"

namespace kato {

enum class Order { name, frequency, length };

// Where a pattern stands: by value, ties by name.
struct Place {
    std::uint64_t value;
    std::array<std::uint8_t, kNameBytes> name;
};

struct Listing {
    Order order = Order::name;
    bool descending = false;
    std::optional<Place> after;  // only what stands beyond it
    std::size_t limit = 0;
    bool all = true;             // no search: everything passes
    std::vector<bool> symbols;   // by number: patterns that hold one of these pass
    std::optional<std::string> prefix;  // lower-case digits: patterns whose name begins so pass
};

struct Listed {
    std::vector<std::pair<Row, std::uint64_t>> page;  // with the pattern's frequency
    bool more = false;
    std::uint64_t total = 0;  // that pass the search, wherever they stand
};

Listed list_patterns(const State& state, const Listing& listing);

// The first `limit` of all that is offered, by `before(a, b)`; one more is kept, to know whether there is more.
template <class Value, class Before>
class Best {
public:
    Best(std::size_t limit, Before before) : limit_(limit), before_(std::move(before)) {}

    void offer(const Value& value) {
        if (values_.size() <= limit_) {
            values_.push_back(value);
            std::push_heap(values_.begin(), values_.end(), before_);
        } else if (before_(value, values_.front())) {
            std::pop_heap(values_.begin(), values_.end(), before_);
            values_.back() = value;
            std::push_heap(values_.begin(), values_.end(), before_);
        }
    }

    // In order; `more` says whether others follow.
    std::vector<Value> take(bool& more) {
        std::sort_heap(values_.begin(), values_.end(), before_);
        more = values_.size() > limit_;
        if (more) values_.pop_back();
        return std::move(values_);
    }

private:
    std::size_t limit_;
    Before before_;
    std::vector<Value> values_;
};

}  // namespace kato
