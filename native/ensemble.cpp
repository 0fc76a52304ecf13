#include "ensemble.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "measures.hpp"

namespace kato {

Ensemble::Ensemble(const State& state, const Query& query, const Settings& settings, Ranking ranking,
                   std::vector<Match> matches)
    : state_(state), query_(query), judge_(query, settings), fuzzy_(settings.fuzzy_threshold > 0.0) {
    std::uint64_t frequency = 0;
    for (const Match& match : matches) frequency += match.frequency;
    const double whole = double(frequency);
    sum_.clear();
    for (const Asked& asked : query.asked) {
        const double weight = probability(asked.symbol) * double(asked.positions.size());
        sum_.add(weight * weight);
    }
    memory_square_ = sum_.value();
    members.reserve(matches.size());
    ExactSum evidence;
    for (Match& match : matches) {
        Member member;
        member.prior = double(match.frequency) / whole;
        member.strength = match.similarity * member.prior;
        evidence.add(member.strength);
        count_present(match);
        member.itfdf = 1 - (1 - cosine(match)) * double(match.frequency) / whole;
        const bool weighted = query.weights != nullptr;
        member.potential = measures::potential(weighted ? match.weighted_evidence : match.evidence,
                                               weighted ? match.weighted_confidence : match.confidence,
                                               weighted ? match.weighted_snr : match.snr, member.itfdf, match.phi);
        member.match = match;
        members.push_back(member);
    }
    const double all_evidence = evidence.value();
    for (Member& member : members)
        member.posterior = all_evidence != 0.0 ? member.match.similarity * member.prior / all_evidence : 0.0;
    gather_futures();
    for (Member& member : members) {
        const double support = member.future >= 0 ? futures[std::size_t(member.future)].aggregate : 0.0;
        member.information =
            support != 0.0 ? member.match.similarity * double(member.match.frequency) / whole / support : 0.0;
        member.rank = ranked_by(member, ranking);
    }
    std::vector<std::uint32_t> order(members.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [this](std::uint32_t x, std::uint32_t y) {
        const Member &a = members[x], &b = members[y];
        if (a.rank != b.rank) return a.rank > b.rank;
        if (a.potential != b.potential) return a.potential > b.potential;
        if (a.match.similarity != b.match.similarity) return a.match.similarity > b.match.similarity;
        if (a.match.frequency != b.match.frequency) return a.match.frequency > b.match.frequency;
        return std::memcmp(a.match.row.name(), b.match.row.name(), kNameBytes) < 0;
    });
    std::vector<Member> ranked;
    ranked.reserve(members.size());
    for (const std::uint32_t i : order) ranked.push_back(members[i]);
    members = std::move(ranked);
}

double Ensemble::probability(Symbol symbol) const {
    if (symbol == kUnknown) return 0.0;
    const std::uint32_t holders = state_.members[symbol];
    return holders ? double(holders) / double(state_.patterns) : 0.0;
}

void Ensemble::count_present(const Match& match) {
    flat_.clear();
    for (std::size_t i = match.present_from; i < match.present_to; ++i) flat_.push_back(match.row.token(i));
    std::sort(flat_.begin(), flat_.end());
    present_.clear();
    for (const Symbol symbol : flat_) {
        if (!present_.empty() && present_.back().symbol == symbol) ++present_.back().count;
        else present_.push_back({symbol, 1});
    }
}

// Of the memory as this pattern reads it and the present, after `count_present`.
double Ensemble::cosine(const Match& match) {
    double memory_square = memory_square_;
    if (fuzzy_) {
        read_.clear();
        judge_.passes_gate(match.row);
        sum_.clear();
        for (std::size_t i = 0; i < query_.asked.size(); ++i) {
            const Symbol symbol = judge_.reading().as[i];
            if (symbol != kUnknown) read_[symbol] += query_.asked[i].positions.size();
        }
        for (const auto& [symbol, count] : read_) {
            const double weight = probability(symbol) * double(count);
            sum_.add(weight * weight);
        }
        memory_square = sum_.value();
    }
    sum_.clear();
    other_.clear();
    for (const Counted& each : present_) {
        const double p = probability(each.symbol), weight = p * double(each.count);
        sum_.add(weight * weight);
        std::size_t count = 0;
        if (fuzzy_) {
            const auto found = read_.find(each.symbol);
            count = found == read_.end() ? 0 : found->second;
        } else if (const Mark mark = judge_.mark(each.symbol)) {
            count = query_.asked[mark - 1].positions.size();
        }
        if (count) other_.add((p * double(count)) * weight);
    }
    const double present_square = sum_.value();
    if (memory_square == 0.0 || present_square == 0.0) return 0.0;
    return std::min(1.0, other_.value() / std::sqrt(memory_square * present_square));
}

PresentNumbers Ensemble::present_numbers(const Match& match) {
    count_present(match);
    const std::size_t length = flat_.size();
    const bool has_base = state_.symbols > 1;
    const double base = has_base ? std::log2(double(state_.symbols)) : 1.0;
    auto& [plain, normalized, global, telling] = of_present_;
    for (ExactSum& sum : of_present_) sum.clear();
    for (const Counted& each : present_) {
        const double q = double(each.count) / double(length), bits = std::log2(q);
        plain.add(-q * bits);
        if (has_base) normalized.add(-q * (bits / base));
        const double p = probability(each.symbol);
        if (has_base && p > 0.0) global.add(-p * (std::log2(p) / base));
        const double holders = double(state_.members[each.symbol]);
        telling.add(q * (std::log2(double(state_.patterns) / holders) + 1));
    }
    double chance = 1.0;
    for (std::size_t i = match.present_from; i < match.present_to; ++i) chance *= probability(match.row.token(i));
    return {plain.value(), normalized.value(), global.value(), telling.value() / double(present_.size()) + 0.0,
            double(match.frequency) / double(state_.frequency) * (1 - chance)};
}

double Ensemble::ranked_by(const Member& member, Ranking ranking) {
    const Match& match = member.match;
    switch (ranking) {
        case Ranking::potential: return member.potential;
        case Ranking::similarity:
        case Ranking::bayesian_likelihood: return match.similarity;
        case Ranking::evidence: return match.evidence;
        case Ranking::confidence: return match.confidence;
        case Ranking::snr: return match.snr;
        case Ranking::fragmentation:
            return match.blocks ? -double(match.blocks - 1) : -std::numeric_limits<double>::infinity();
        case Ranking::frequency: return double(match.frequency);
        case Ranking::normalized_entropy: return present_numbers(match).normalized_entropy;
        case Ranking::global_normalized_entropy: return present_numbers(match).global_normalized_entropy;
        case Ranking::itfdf_similarity: return member.itfdf;
        case Ranking::confluence: return present_numbers(match).confluence;
        case Ranking::predictive_information: return member.information;
        case Ranking::bayesian_posterior: return member.posterior;
        case Ranking::bayesian_prior: return member.prior;
        case Ranking::tfidf_score: return present_numbers(match).tfidf_score;
        case Ranking::weighted_similarity: return match.weighted_similarity;
        case Ranking::weighted_evidence: return match.weighted_evidence;
        case Ranking::weighted_confidence: return match.weighted_confidence;
        case Ranking::weighted_snr: return match.weighted_snr;
    }
    return 0.0;
}

std::uint64_t Ensemble::future_hash(const Match& match) const {
    std::uint64_t hash = match.row.length - match.present_to;
    for (std::size_t i = match.present_to; i < match.row.length; ++i)
        hash = rotated((hash ^ (std::uint64_t{match.row.token(i)} << 1 | std::uint64_t{match.row.starts(i)})) * 0x9e3779b97f4a7c15u, 29);
    return hash;
}

bool Ensemble::same_future(const Match& a, const Match& b) const {
    const std::size_t length = a.row.length - a.present_to;
    if (b.row.length - b.present_to != length) return false;
    for (std::size_t i = 0; i < length; ++i)
        if (a.row.token(a.present_to + i) != b.row.token(b.present_to + i) ||
            a.row.starts(a.present_to + i) != b.row.starts(b.present_to + i))
            return false;
    return true;
}

void Ensemble::gather_futures() {
    // Members by their future's hash; those of one hash have one future, or, rarely, several.
    std::vector<std::pair<std::uint64_t, std::uint32_t>> hashed;
    for (std::uint32_t i = 0; i < members.size(); ++i)
        if (members[i].match.present_to < members[i].match.row.length) hashed.emplace_back(future_hash(members[i].match), i);
    std::sort(hashed.begin(), hashed.end());
    ExactSum whole;
    for (std::size_t from = 0; from < hashed.size(); ++from) {
        Member& first = members[hashed[from].second];
        if (first.future >= 0) continue;  // with one before
        sum_.clear();
        const auto take = [&](Member& member) {
            member.future = std::int32_t(futures.size());
            sum_.add(double(member.match.frequency) * member.match.similarity);
        };
        take(first);
        for (std::size_t at = from + 1; at < hashed.size() && hashed[at].first == hashed[from].first; ++at) {
            Member& other = members[hashed[at].second];
            if (other.future < 0 && same_future(first.match, other.match)) take(other);
        }
        futures.push_back({sum_.value(), 0.0});
        whole.add(futures.back().weight);
    }
    const double all = whole.value();
    for (Future& future : futures) future.aggregate = all != 0.0 ? future.weight / all : 0.0;
}

}  // namespace kato
