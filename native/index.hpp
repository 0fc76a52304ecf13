// The index of one node: takes patterns in, hands out states.
//
// New patterns go into a tail of a few hundred; a full tail becomes a segment, and segments of about one size are merged into
// larger ones by whoever calls `tend`, while others go on reading and learning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "state.hpp"

namespace kato {

class Index {
public:
    static constexpr std::int64_t kAbsent = -1, kOtherContent = -2;

    // The slot of a content, kAbsent, or kOtherContent where another content has its name.
    std::int64_t find(const std::array<std::uint8_t, kNameBytes>& name, Span<const Symbol> tokens,
                      Span<const std::uint8_t> starts) const;

    // The content of a name, and its frequency; nothing where no pattern has that name.
    std::optional<std::pair<Content, std::uint64_t>> named(const std::array<std::uint8_t, kNameBytes>& name) const;

    // Take a new pattern. Returns its slot, or kAbsent if there is one of its name.
    std::int64_t learn(Content content, std::uint64_t frequency);

    // Frequency times length.
    std::uint64_t occurrences(Slot slot) const;

    void set_frequency(Slot slot, std::uint64_t frequency);
    void forget(Slot slot);
    void clear();

    // Become, from nothing, what another index is at this moment; then both go their own ways. Segments, and all else that
    // neither changes, they hold together.
    void fork(Index& other);

    // While many patterns arrive, they are gathered for one large segment instead of many small ones.
    void begin_many();
    void end_many();

    std::shared_ptr<const State> state();

    // One step of upkeep, without holding anybody up; false when there is nothing to do. One caller at a time.
    bool tend();
    // Whether there may be something to do.
    bool is_untidy() const;

    // The state in memory is replaced by that of segments read from elsewhere.
    void restore(std::vector<std::shared_ptr<const Segment>> segments, Span<const std::uint64_t> frequencies,
                 Span<const std::uint32_t> members, Span<const std::uint64_t> occurrences);

    // Bytes in memory or mapped.
    std::size_t bytes() const;

private:
    // What holds a row: a segment, or a tail.
    struct Holder {
        std::shared_ptr<const Segment> segment;
        std::shared_ptr<Tail> tail;
        std::size_t count = 0;  // of the tail
        std::size_t gone = 0;   // forgotten rows of the segment
        std::uint64_t highest = 0;  // at least the frequency of each
    };

    struct Named {
        std::uint32_t print = 0;  // of the name
        std::uint32_t slot = 0;   // plus one; 0 for none
    };

    std::int64_t find_name(const std::uint8_t* name) const;
    std::uint32_t free_number();
    Row row_of(Slot slot) const;
    const std::uint8_t* name_of(Slot slot) const;
    void count(const Row& row, std::uint64_t frequency);
    void uncount(const Row& row, std::uint64_t frequency);
    void seal();
    void place_segment(std::shared_ptr<const Segment> segment);
    void enter_name(const std::uint8_t* name, Slot slot);
    std::size_t free_place(std::uint32_t print) const;
    void leave_name(Slot slot);
    void find_distinct(const Row& row);
    std::vector<std::uint32_t> to_merge() const;

    mutable std::mutex mutex_;
    std::vector<Holder> holders_;           // by number; places are used again
    std::uint32_t open_ = UINT32_MAX;       // number of the tail that takes new patterns
    bool gathers_ = false;
    bool untidy_ = false;                   // segments came or lost rows since `tend` found nothing to do
    std::vector<std::uint32_t> places_;     // by slot: holder's number and row, sixteen bits each
    std::vector<Named> names_;              // open addressing by name
    std::size_t named_ = 0;
    std::vector<Symbol> distinct_;          // working space
    Frequencies frequencies_;
    Members members_;
    Occurrences occurrences_;
    std::uint64_t patterns_ = 0, symbols_ = 0, frequency_ = 0;
    std::uint64_t generation_ = 0;          // raised when everything is replaced
    std::shared_ptr<const State> state_;    // null when something changed since
};

}  // namespace kato
