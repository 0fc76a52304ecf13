// What is asked of a node, as Python says it: names and settings.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <nanobind/nanobind.h>

#include "ensemble.hpp"
#include "listing.hpp"
#include "query.hpp"
#include "stopwatch.hpp"

namespace kato {

namespace nb = nanobind;

using Name = std::array<std::uint8_t, kNameBytes>;

inline Name name_of(const std::string& hex) {
    if (hex.size() != 2 * kNameBytes) throw nb::value_error("a pattern's name has 40 hexadecimal digits");
    Name name{};
    for (std::size_t i = 0; i < hex.size(); ++i) {
        const char digit = hex[i];
        const int value = digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
        if (value < 0) throw nb::value_error("a pattern's name has 40 lower-case hexadecimal digits");
        name[i / 2] = std::uint8_t(name[i / 2] << 4 | value);
    }
    return name;
}

template <class Value, std::size_t N>
Value named(const char* what, const std::string& name, const std::pair<const char*, Value> (&names)[N]) {
    for (const auto& [text, value] : names)
        if (name == text) return value;
    throw nb::value_error((std::string("no ") + what + " is named " + name).c_str());
}

inline constexpr std::pair<const char*, Key> kKeys[] = {
    {"quality", Key::quality}, {"similarity", Key::similarity}, {"frequency", Key::frequency},
    {"similarity_by_frequency", Key::similarity_by_frequency}, {"evidence", Key::evidence},
    {"confidence", Key::confidence}, {"snr", Key::snr}, {"fragmentation", Key::fragmentation},
    {"weighted_similarity", Key::weighted_similarity}, {"weighted_evidence", Key::weighted_evidence},
    {"weighted_confidence", Key::weighted_confidence}, {"weighted_snr", Key::weighted_snr}};

inline constexpr std::pair<const char*, Ranking> kRankings[] = {
    {"potential", Ranking::potential}, {"similarity", Ranking::similarity}, {"evidence", Ranking::evidence},
    {"confidence", Ranking::confidence}, {"snr", Ranking::snr}, {"fragmentation", Ranking::fragmentation},
    {"frequency", Ranking::frequency}, {"normalized_entropy", Ranking::normalized_entropy},
    {"global_normalized_entropy", Ranking::global_normalized_entropy}, {"itfdf_similarity", Ranking::itfdf_similarity},
    {"confluence", Ranking::confluence}, {"predictive_information", Ranking::predictive_information},
    {"bayesian_posterior", Ranking::bayesian_posterior}, {"bayesian_prior", Ranking::bayesian_prior},
    {"bayesian_likelihood", Ranking::bayesian_likelihood}, {"tfidf_score", Ranking::tfidf_score},
    {"weighted_similarity", Ranking::weighted_similarity}, {"weighted_evidence", Ranking::weighted_evidence},
    {"weighted_confidence", Ranking::weighted_confidence}, {"weighted_snr", Ranking::weighted_snr}};

inline constexpr std::pair<const char*, Order> kOrders[] = {
    {"name", Order::name}, {"frequency", Order::frequency}, {"length", Order::length}};

inline constexpr std::pair<const char*, Filter> kFilters[] = {{"length", Filter::length}, {"jaccard", Filter::jaccard},
                                                       {"minhash", Filter::minhash}, {"bloom", Filter::bloom},
                                                       {"rapidfuzz", Filter::rapidfuzz}};

inline constexpr std::pair<const char*, Stage> kStageNames[] = {
    {"reading", Stage::reading}, {"counting", Stage::counting}, {"ordering", Stage::ordering},
    {"comparing", Stage::comparing}, {"measuring", Stage::measuring}, {"making", Stage::making}};

inline Settings settings_of(nb::handle from, const std::string& key) {
    Settings settings;
    settings.recall_threshold = nb::cast<double>(from.attr("recall_threshold"));
    settings.fuzzy_threshold = nb::cast<double>(from.attr("fuzzy_token_threshold"));
    settings.by_tokens = nb::cast<bool>(from.attr("use_token_matching"));
    settings.key = named("selection key", key, kKeys);
    const auto ensemble = nb::cast<std::size_t>(from.attr("ensemble_size"));
    settings.best = ensemble ? std::max(ensemble, nb::cast<std::size_t>(from.attr("max_predictions"))) : 0;
    for (nb::handle name : from.attr("filter_pipeline"))
        settings.filters.push_back(named("filter", nb::cast<std::string>(name), kFilters));
    if (settings.filters.empty()) return settings;
    settings.length_min_ratio = nb::cast<double>(from.attr("length_min_ratio"));
    settings.length_max_ratio = nb::cast<double>(from.attr("length_max_ratio"));
    settings.jaccard_threshold = nb::cast<double>(from.attr("jaccard_threshold"));
    const nb::object overlap = from.attr("jaccard_min_overlap");
    const std::uint64_t least = PyLong_AsUnsignedLongLong(overlap.ptr());
    if (PyErr_Occurred()) PyErr_Clear();  // more than any pattern has; the value is then the largest there is
    settings.jaccard_min_overlap = least;
    settings.minhash_threshold = nb::cast<double>(from.attr("minhash_threshold"));
    return settings;
}

}  // namespace kato
