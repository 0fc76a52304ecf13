// The node's symbols as text, and which of them are spelt like a given one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "query.hpp"

namespace kato {

// Likeness of two texts of a and b characters is 2 · LCS / (a + b). LCS ≤ the characters they share as multisets, so with
// likeness ≥ t two texts share at least T = the least whole number with 2T / (a + b) ≥ t. Number the copies of a character
// within a text, so that texts become sets of (character, copy): whoever shares T of a text's a elements lacks at most a − T,
// hence has one of any a − T + 1. The rarest a − T + 1 elements find all candidates, per length of the other text; each is then
// compared exactly. So a lookup costs what the rare elements' holders cost, not the vocabulary.
class Spellings {
public:
    // How many symbols are known; the next to be added has this number.
    std::size_t known() const;
    // Add the texts of the symbols numbered from `first` on; those known already are passed over.
    void add(std::size_t first, std::vector<std::u32string> texts);

    Texts::View texts();

    // Symbols other than the text itself with a likeness of at least `threshold` (> 0), in no order.
    std::vector<Respelling> near(const std::u32string& text, double threshold);

private:
    struct Bucket {
        std::unordered_map<std::uint64_t, std::vector<Symbol>> holders;  // by character and copy
        std::vector<Symbol> all;
    };

    mutable std::mutex mutex_;
    Texts texts_;
    std::size_t indexed_ = 0;  // symbols in the buckets; they are filled when somebody asks for likeness
    std::unordered_map<std::size_t, Bucket> buckets_;  // by length
};

}  // namespace kato
