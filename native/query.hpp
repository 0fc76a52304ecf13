// A query: the flat short-term memory as numbers, and what is asked of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "segment.hpp"
#include "shared_array.hpp"

namespace kato {

constexpr Symbol kUnknown = std::numeric_limits<Symbol>::max();

// The number the best matches are chosen by; in the order of the names in answers.cpp.
enum class Key { quality, similarity, frequency, similarity_by_frequency, evidence, confidence, snr, fragmentation,
                 weighted_similarity, weighted_evidence, weighted_confidence, weighted_snr };

enum class Filter { length, jaccard, minhash, bloom, rapidfuzz };

struct Settings {
    double recall_threshold = 0.1;
    double fuzzy_threshold = 0.0;
    bool by_tokens = true;
    Key key = Key::quality;
    std::size_t best = 300;  // how many matches the ensemble has at most
    std::vector<Filter> filters;
    double length_min_ratio = 0.5, length_max_ratio = 2.0;
    double jaccard_threshold = 0.3;
    std::uint64_t jaccard_min_overlap = 2;
    double minhash_threshold = 0.7;
};

// Another spelling under which a symbol of the query may be read.
struct Respelling {
    Symbol symbol;
    double likeness;
};

// One distinct symbol of the query.
struct Asked {
    Symbol symbol;  // kUnknown when no pattern ever held it
    std::vector<std::uint32_t> positions;  // ascending
    std::vector<Respelling> near;          // with fuzzy tokens: known symbols like it, itself not among them
};

using Texts = SharedArray<std::shared_ptr<const std::u32string>, 512>;  // by symbol

struct Query {
    std::vector<Asked> asked;              // by first appearance; a token's mark is its place here plus one, 0 means none
    std::vector<std::uint32_t> marks;      // per position
    std::vector<std::u32string> spelled;   // per distinct symbol, where characters are compared
    Texts::View texts;                     // of the node's symbols, then
    const double* weights = nullptr;       // per symbol, where an emotive weights the metrics
    std::size_t weighted_symbols = 0;
    double least_weight = 0.0;             // of every other symbol

    std::size_t size() const { return marks.size(); }
    double weight(Symbol symbol) const { return symbol < weighted_symbols ? weights[symbol] : least_weight; }
};

}  // namespace kato
