// The formulas of docs/metrics.md on numbers, operation by operation as engine/metrics/ computes them.
#pragma once

#include <cstddef>

namespace kato::measures {

inline double similarity(std::size_t common, std::size_t pattern, std::size_t memory) {
    return double(2 * common) / double(pattern + memory);
}

inline double evidence(std::size_t aligned, std::size_t length) { return double(aligned) / double(length); }

inline double confidence(std::size_t aligned, std::size_t present) { return present ? double(aligned) / double(present) : 0.0; }

inline double snr(std::size_t matches, std::size_t extras) {
    if (matches == 0 && extras == 0) return 0.0;
    return (double(2 * matches) - double(extras)) / double(2 * matches + extras) + 0.0;
}

inline double phi(std::size_t blocks) { return blocks ? 1.0 / double(blocks) : 0.0; }

inline double quality(double evidence, double confidence, double snr, double phi) {
    return (evidence + confidence) * snr + phi;
}

inline double potential(double evidence, double confidence, double snr, double itfdf, double phi) {
    return (evidence + confidence) * snr + itfdf + phi;
}

inline double weighted_similarity(double matches, double memory, double pattern) {
    return matches / (memory / 2 + pattern / 2);
}

inline double weighted_snr(double matches, double extras) { return (matches / 2) / (matches / 2 + extras / 2); }

}  // namespace kato::measures
