// An index as one file: written once, mapped when it is opened again.
//
// The file is only ever a shortcut: what it says can be made anew from what it was made of. So everything in it is checked
// when it is opened, and whatever does not fit makes the whole file unreadable, never a part of it believable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "state.hpp"

namespace kato {

struct Saved {
    std::vector<std::string> texts;  // UTF-8, by symbol
    std::vector<std::uint64_t> frequencies;
    std::vector<std::uint32_t> members;
    std::vector<std::uint64_t> occurrences;
    std::string extra;  // the caller's own
    std::vector<std::shared_ptr<const Segment>> segments;
};

// Throws std::runtime_error with a reason when the file cannot be written.
void save(const State& state, const std::vector<std::string>& texts, const std::string& extra, const std::string& path);

// Throws std::runtime_error with a reason when there is no such file, or it is not one that `save` wrote, whole.
Saved open_saved(const std::string& path);

}  // namespace kato
