#include "potentials.hpp"

#include <algorithm>
#include <utility>

namespace kato {

namespace {

double potential_of(const std::vector<std::uint32_t>& supporters, const std::vector<Member>& members, ExactSum& sum) {
    sum.clear();
    for (const std::uint32_t i : supporters) sum.add(members[i].potential);
    return sum.value();
}

}  // namespace

std::vector<Support> future_supports(const std::vector<Member>& members, std::size_t futures) {
    std::vector<Support> supports(futures);
    for (std::uint32_t i = 0; i < members.size(); ++i)
        if (members[i].future >= 0) supports[std::size_t(members[i].future)].members.push_back(i);
    ExactSum sum;
    for (Support& each : supports) each.potential = potential_of(each.members, members, sum);
    return supports;
}

std::vector<SymbolSupport> symbol_supports(const std::vector<Member>& members) {
    std::vector<std::pair<Symbol, std::uint32_t>> held;
    for (std::uint32_t i = 0; i < members.size(); ++i) {
        const Match& match = members[i].match;
        for (std::size_t at = match.present_to; at < match.row.length; ++at) held.emplace_back(match.row.token(at), i);
    }
    std::sort(held.begin(), held.end());
    held.erase(std::unique(held.begin(), held.end()), held.end());
    std::vector<SymbolSupport> supports;
    ExactSum sum;
    for (std::size_t at = 0; at < held.size();) {
        supports.push_back({held[at].first, {}});
        auto& support = supports.back().support;
        for (; at < held.size() && held[at].first == supports.back().symbol; ++at) support.members.push_back(held[at].second);
        support.potential = potential_of(support.members, members, sum);
    }
    return supports;
}

}  // namespace kato
