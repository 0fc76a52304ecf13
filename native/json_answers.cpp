#include "json_answers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "json.hpp"
#include "laid.hpp"
#include "potentials.hpp"

namespace kato {

namespace {

// What is needed of Python, gathered while its lock is held; the strings lie in the node's symbols and in the question, which
// keep them.
struct Gathered {
    Gathered(const Answered& answered, const Symbols& symbols, const nb::object& annotate, const nb::object& encode) {
        const nb::list texts = symbols.texts();
        for (std::size_t i = 0; i < answered.members.size(); ++i) {
            const Match& match = answered.members[i].match;
            // Of those that are no predictions only the future is told.
            const std::size_t from = i < answered.present.size() ? 0 : match.present_to;
            first.push_back(std::ptrdiff_t(tokens.size()) - std::ptrdiff_t(from));
            for (std::size_t at = from; at < match.row.length; ++at)
                tokens.push_back(Letters::of(PyList_GET_ITEM(texts.ptr(), Py_ssize_t(match.row.token(at)))));
        }
        for (const nb::object& text : answered.observed.flat) observed.push_back(Letters::of(text.ptr()));
        if (annotate.is_none()) return;
        for (std::size_t i = 0; i < answered.present.size(); ++i) {
            const nb::object found = annotate(answered.members[i].match.row.slot());
            const nb::bytes members = nb::cast<nb::bytes>(encode(found[0], found[1]));
            annotations.emplace_back(members.c_str(), members.size());
        }
    }

    // A token of a member's pattern, by its flat place.
    const Letters& token(std::size_t member, std::size_t at) const {
        return tokens[std::size_t(first[member] + std::ptrdiff_t(at))];
    }

    std::vector<Letters> tokens;
    std::vector<std::ptrdiff_t> first;  // per member, where its place 0 would be among them
    std::vector<Letters> observed;
    std::vector<std::string> annotations;  // per prediction; empty where no pattern has any
};

class Teller {
public:
    Teller(const Answered& answered, const Gathered& gathered)
        : answered_(answered), gathered_(gathered), judge_(answered.query, answered.settings) {
        names_.reserve(answered.members.size());
        for (const Member& member : answered.members) {
            std::array<char, 2 * kNameBytes>& hex = names_.emplace_back();
            write_hex(member.match.row.name(), kNameBytes, hex.data());
        }
    }

    Json predictions() {
        Json out;
        out.reserve(answered_.present.size() * kPerPrediction);
        out.raw("[");
        for (std::size_t i = 0; i < answered_.present.size(); ++i) {
            if (i) out.raw(",");
            prediction(out, i);
        }
        out.raw("]");
        return out;
    }

    Json future_potentials() const {
        const auto supports = future_supports(answered_.members, answered_.futures.size());
        std::vector<std::uint32_t> order(supports.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            const double x = answered_.futures[a].aggregate, y = answered_.futures[b].aggregate;
            if (x != y) return x > y;
            const auto &one = supports[a].members, &other = supports[b].members;
            if (one.size() != other.size()) return one.size() > other.size();
            return future_before(one.front(), other.front());
        });
        Json out;
        out.reserve(supports.size() * kPerPotential + answered_.members.size() * kPerName);
        out.raw("[");
        for (std::size_t i = 0; i < order.size(); ++i) {
            const Support& support = supports[order[i]];
            const Future& future = answered_.futures[order[i]];
            const std::uint32_t holder = support.members.front();
            const Match& match = answered_.members[holder].match;
            out.raw(i ? ",{\"future\":" : "{\"future\":");
            events(out, holder, match.present_to, match.row.length);
            out.raw(",\"aggregate_potential\":").number(future.aggregate);
            out.raw(",\"supporting_patterns\":").whole(support.members.size());
            out.raw(",\"total_weighted_frequency\":").number(future.weight);
            out.raw(",\"symbol\":").string(gathered_.token(holder, match.present_to));
            out.raw(",\"total_potential\":").number(support.potential);
            out.raw(",\"prediction_count\":").whole(support.members.size());
            names(out, support.members);
            out.raw("}");
        }
        out.raw("]");
        return out;
    }

    Json symbol_potentials() const {
        struct Told {
            Letters text;
            const Support* support;
        };
        const auto supports = symbol_supports(answered_.members);
        std::vector<Told> told;
        std::size_t named = 0;
        for (const SymbolSupport& each : supports) {
            told.push_back({text_of(each), &each.support});
            named += std::min(each.support.members.size(), kNamed);
        }
        std::sort(told.begin(), told.end(), [](const Told& a, const Told& b) {
            if (a.support->potential != b.support->potential) return a.support->potential > b.support->potential;
            return compared(a.text, b.text) < 0;
        });
        Json out;
        out.reserve(supports.size() * kPerPotential + named * kPerName);
        out.raw("[");
        for (std::size_t i = 0; i < told.size(); ++i) {
            out.raw(i ? ",{\"symbol\":" : "{\"symbol\":").string(told[i].text);
            out.raw(",\"total_potential\":").number(told[i].support->potential);
            out.raw(",\"prediction_count\":").whole(told[i].support->members.size());
            names(out, told[i].support->members);
            out.raw("}");
        }
        out.raw("]");
        return out;
    }

private:
    // About the bytes of each, so that the text need not be moved while it grows.
    static constexpr std::size_t kPerPrediction = 2500, kPerPotential = 160, kPerName = 2 * kNameBytes + 3;

    // --- one prediction ---

    void prediction(Json& out, std::size_t at) {
        const Member& member = answered_.members[at];
        const Match& match = member.match;
        judge_.passes_gate(match.row);
        const auto blocks = judge_.blocks();
        out.raw("{\"type\":\"prototypical\",\"name\":\"").raw(name(at)).raw("\",\"pattern_name\":\"PTRN|").raw(name(at));
        out.raw("\",\"frequency\":").whole(match.frequency).raw(",\"length\":").whole(match.row.length);
        matches(out, blocks);
        events(out.raw(",\"past\":"), at, 0, match.present_from);
        events(out.raw(",\"present\":"), at, match.present_from, match.present_to);
        events(out.raw(",\"future\":"), at, match.present_to, match.row.length);
        missing(out, at, blocks);
        extras(out, blocks);
        anomalies(out, at, blocks);
        events(out.raw(",\"sequence\":"), at, 0, match.row.length);
        out.raw(",").raw(gathered_.annotations.empty() ? "\"emotives\":{},\"metadata\":{}" : gathered_.annotations[at]);
        out.raw(",");
        const std::size_t from = out.size();
        numbers(out, member, answered_.present[at]);
        const std::size_t to = out.size();
        out.raw(",\"metrics\":{").again(from, to).raw(",\"frequency\":").whole(match.frequency).raw("}}");
    }

    void numbers(Json& out, const Member& member, const PresentNumbers& present) const {
        const Match& match = member.match;
        out.raw("\"similarity\":").number(match.similarity);
        out.raw(",\"evidence\":").number(match.evidence);
        out.raw(",\"confidence\":").number(match.confidence);
        out.raw(",\"snr\":").number(match.snr);
        out.raw(",\"fragmentation\":");
        if (match.blocks > 0) out.whole(match.blocks - 1);
        else out.raw("-1");
        out.raw(",\"entropy\":").number(present.entropy);
        out.raw(",\"normalized_entropy\":").number(present.normalized_entropy);
        out.raw(",\"global_normalized_entropy\":").number(present.global_normalized_entropy);
        out.raw(",\"itfdf_similarity\":").number(member.itfdf);
        out.raw(",\"tfidf_score\":").number(present.tfidf_score);
        out.raw(",\"confluence\":").number(present.confluence);
        out.raw(",\"predictive_information\":").number(member.information);
        out.raw(",\"potential\":").number(member.potential);
        out.raw(",\"bayesian_prior\":").number(member.prior);
        out.raw(",\"bayesian_likelihood\":").number(match.similarity);
        out.raw(",\"bayesian_posterior\":").number(member.posterior);
        out.raw(",\"pattern_probability\":").number(member.prior);
        out.raw(",\"weighted_strength\":").number(member.strength);
        const bool weighted = answered_.query.weights != nullptr;
        const auto weigh = [&](std::string_view member_name, double value) {
            out.raw(member_name);
            if (weighted) out.number(value);
            else out.raw("null");
        };
        weigh(",\"weighted_similarity\":", match.weighted_similarity);
        weigh(",\"weighted_evidence\":", match.weighted_evidence);
        weigh(",\"weighted_confidence\":", match.weighted_confidence);
        weigh(",\"weighted_snr\":", match.weighted_snr);
    }

    // --- lists ---

    // Commas between the items of a list: nothing the first time.
    class Comma {
    public:
        std::string_view operator()() {
            const std::string_view now = next_;
            next_ = ",";
            return now;
        }

    private:
        std::string_view next_;
    };

    void events(Json& out, std::size_t member, std::size_t from, std::size_t to) const {
        Comma comma;
        out.raw("[");
        each_event(answered_.members[member].match.row, from, to, [&](std::size_t first, std::size_t last) {
            Comma within;
            out.raw(comma()).raw("[");
            for (std::size_t i = first; i < last; ++i) out.raw(within()).string(gathered_.token(member, i));
            out.raw("]");
        });
        out.raw("]");
    }

    void matches(Json& out, Span<const Block> blocks) const {
        Comma comma;
        out.raw(",\"matches\":[");
        for (const Block& block : blocks)
            for (std::uint32_t i = 0; i < block.length; ++i)
                out.raw(comma()).string(gathered_.observed[block.memory + i]);
        out.raw("]");
    }

    void missing(Json& out, std::size_t member, Span<const Block> blocks) const {
        const Match& match = answered_.members[member].match;
        Covered<&Block::pattern> covered(blocks);
        Comma comma;
        out.raw(",\"missing\":[");
        each_event(match.row, match.present_from, match.present_to, [&](std::size_t first, std::size_t last) {
            Comma within;
            out.raw(comma()).raw("[");
            for (std::size_t i = first; i < last; ++i)
                if (!covered(i)) out.raw(within()).string(gathered_.token(member, i));
            out.raw("]");
        });
        out.raw("]");
    }

    void extras(Json& out, Span<const Block> blocks) const {
        Covered<&Block::memory> covered(blocks);
        Comma comma;
        std::size_t at = 0;
        out.raw(",\"extras\":[");
        for (const std::size_t size : answered_.observed.sizes) {
            Comma within;
            out.raw(comma()).raw("[");
            for (const std::size_t end = at + size; at < end; ++at)
                if (!covered(at)) out.raw(within()).string(gathered_.observed[at]);
            out.raw("]");
        }
        out.raw("]");
    }

    void anomalies(Json& out, std::size_t member, Span<const Block> blocks) const {
        Comma comma;
        out.raw(",\"anomalies\":[");
        for (const Block& block : blocks) {
            for (std::uint32_t i = 0; i < block.length; ++i) {
                const double likeness = judge_.reading().likeness[answered_.query.marks[block.memory + i] - 1];
                if (likeness <= 0.0) continue;
                out.raw(comma()).raw("{\"observed\":").string(gathered_.observed[block.memory + i]);
                out.raw(",\"expected\":").string(gathered_.token(member, block.pattern + i));
                out.raw(",\"similarity\":").number(likeness).raw("}");
            }
        }
        out.raw("]");
    }

    // The names of the first hundred.
    void names(Json& out, const std::vector<std::uint32_t>& supporters) const {
        Comma comma;
        out.raw(",\"patterns\":[");
        for (std::size_t i = 0; i < std::min(supporters.size(), kNamed); ++i)
            out.raw(comma()).raw("\"").raw(name(supporters[i])).raw("\"");
        out.raw("]");
    }

    std::string_view name(std::size_t member) const { return {names_[member].data(), names_[member].size()}; }

    // --- texts ---

    // Whether one member's future comes before another's, as Python orders tuples of tuples of strings.
    bool future_before(std::size_t a, std::size_t b) const {
        const Match &one = answered_.members[a].match, &other = answered_.members[b].match;
        for (std::size_t i = 0;; ++i) {
            const std::size_t at = one.present_to + i, to = other.present_to + i;
            if (const int order = compared(gathered_.token(a, at), gathered_.token(b, to))) return order < 0;
            const bool last = at + 1 == one.row.length, other_last = to + 1 == other.row.length;
            const bool ends = last || one.row.starts(at + 1), other_ends = other_last || other.row.starts(to + 1);
            if (ends != other_ends) return ends;
            if (last || other_last) return last && !other_last;
        }
    }

    Letters text_of(const SymbolSupport& support) const {
        const std::uint32_t holder = support.support.members.front();
        const Match& match = answered_.members[holder].match;
        std::size_t at = match.present_to;
        while (match.row.token(at) != support.symbol) ++at;
        return gathered_.token(holder, at);
    }

    const Answered& answered_;
    const Gathered& gathered_;
    Judge judge_;
    std::vector<std::array<char, 2 * kNameBytes>> names_;
};

nb::bytes bytes_of(const Json& json) { return nb::bytes(json.text().data(), json.size()); }

}  // namespace

nb::object written_of(const Answered& answered, const Symbols& symbols, nb::object annotate, nb::object encode) {
    const Gathered gathered(answered, symbols, annotate, encode);
    Json predictions, futures, of_symbols;
    {
        nb::gil_scoped_release release;
        Teller teller(answered, gathered);
        predictions = teller.predictions();
        futures = teller.future_potentials();
        of_symbols = teller.symbol_potentials();
    }
    if (predictions.is_broken() || futures.is_broken() || of_symbols.is_broken()) return nb::none();
    return nb::make_tuple(bytes_of(predictions), bytes_of(futures), bytes_of(of_symbols));
}

nb::bytes written_number(double value) { return bytes_of(Json().number(value)); }

}  // namespace kato
