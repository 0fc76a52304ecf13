// What the ensemble says of each of its members: docs/metrics.md on numbers, futures gathered, members ranked.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "search.hpp"
#include "state.hpp"

namespace kato {

enum class Ranking { potential, similarity, evidence, confidence, snr, fragmentation, frequency, normalized_entropy,
                     global_normalized_entropy, itfdf_similarity, confluence, predictive_information, bayesian_posterior,
                     bayesian_prior, bayesian_likelihood, tfidf_score, weighted_similarity, weighted_evidence,
                     weighted_confidence, weighted_snr };

// Numbers of a member that need only its present and the node.
struct PresentNumbers {
    double entropy, normalized_entropy, global_normalized_entropy, tfidf_score, confluence;
};

struct Member {
    Match match;
    double itfdf = 0.0, potential = 0.0, prior = 0.0, strength = 0.0, posterior = 0.0, information = 0.0;
    double rank = 0.0;
    std::int32_t future = -1;  // which of the futures; -1 for none
};

// One future that members have.
struct Future {
    double weight, aggregate;
};

class Ensemble {
public:
    Ensemble(const State& state, const Query& query, const Settings& settings, Ranking ranking, std::vector<Match> matches);

    std::vector<Member> members;  // in ranking order
    std::vector<Future> futures;  // in no order

    PresentNumbers present_numbers(const Match& match);

private:
    struct Counted {
        Symbol symbol;
        std::uint32_t count;
    };

    void count_present(const Match& match);
    double cosine(const Match& match);
    void gather_futures();
    double probability(Symbol symbol) const;
    double ranked_by(const Member& member, Ranking ranking);
    std::uint64_t future_hash(const Match& match) const;
    bool same_future(const Match& a, const Match& b) const;

    const State& state_;
    const Query& query_;
    Judge judge_;
    bool fuzzy_;
    ExactSum sum_, other_;
    std::array<ExactSum, 4> of_present_;
    std::vector<Symbol> flat_;
    std::vector<Counted> present_;
    std::unordered_map<Symbol, std::size_t> read_;  // of a memory read otherwise than observed: symbols and how often
    double memory_square_ = 0.0;
};

}  // namespace kato
