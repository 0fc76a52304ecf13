#include "spelling.hpp"

#include <algorithm>

#include "alignment.hpp"

namespace kato {

namespace {

using Guard = std::lock_guard<std::mutex>;

// A text's characters, the copies of one numbered.
std::vector<std::uint64_t> elements_of(const std::u32string& text) {
    std::vector<std::uint64_t> elements;
    std::unordered_map<char32_t, std::uint32_t> copies;
    for (const char32_t letter : text) elements.push_back(std::uint64_t{letter} << 32 | copies[letter]++);
    return elements;
}

// The least number of common characters for a likeness of `threshold`; beyond `a` or `b` when even all are too few.
std::size_t least_common(std::size_t a, std::size_t b, double threshold) {
    std::size_t least = std::size_t(threshold * double(a + b) / 2.0);
    while (least > 0 && double(2 * (least - 1)) / double(a + b) >= threshold) --least;
    while (double(2 * least) / double(a + b) < threshold) ++least;
    return least;
}

}  // namespace

std::size_t Spellings::known() const {
    const Guard guard(mutex_);
    return texts_.size();
}

void Spellings::add(std::size_t first, std::vector<std::u32string> texts) {
    const Guard guard(mutex_);
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (first + i == texts_.size()) texts_.at(first + i) = std::make_shared<const std::u32string>(std::move(texts[i]));
}

Texts::View Spellings::texts() {
    const Guard guard(mutex_);
    return texts_.share();
}

std::vector<Respelling> Spellings::near(const std::u32string& text, double threshold) {
    const Guard guard(mutex_);
    for (; indexed_ < texts_.size(); ++indexed_) {
        const std::u32string& known = *texts_[indexed_];
        Bucket& bucket = buckets_[known.size()];
        bucket.all.push_back(Symbol(indexed_));
        for (const std::uint64_t element : elements_of(known)) bucket.holders[element].push_back(Symbol(indexed_));
    }
    std::unordered_map<char32_t, Mark> marks;
    std::vector<Mark> marked;
    for (const char32_t letter : text) marked.push_back(marks.try_emplace(letter, Mark(marks.size() + 1)).first->second);
    Memory memory;
    memory.assign(marked, marks.size());
    Aligner aligner;
    std::vector<Hit> hits;
    const auto elements = elements_of(text);
    std::vector<Respelling> found;
    for (const auto& [length, bucket] : buckets_) {
        if (text.size() + length == 0) continue;
        const std::size_t least = least_common(text.size(), length, threshold);
        if (least > std::min(text.size(), length)) continue;
        std::vector<const std::vector<Symbol>*> lists;
        std::size_t absent = 0;
        for (const std::uint64_t element : elements) {
            const auto holders = bucket.holders.find(element);
            if (holders == bucket.holders.end()) ++absent;
            else lists.push_back(&holders->second);
        }
        const std::size_t needed = text.size() - least + 1;
        if (absent >= needed) continue;  // the rarest elements are held by nobody
        std::sort(lists.begin(), lists.end(), [](const auto* a, const auto* b) { return a->size() < b->size(); });
        std::vector<Symbol> candidates;
        for (std::size_t i = 0; i < needed - absent; ++i) candidates.insert(candidates.end(), lists[i]->begin(), lists[i]->end());
        std::sort(candidates.begin(), candidates.end());
        candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
        for (const Symbol symbol : candidates) {
            const std::u32string& other = *texts_[symbol];
            if (other == text) continue;
            hits.clear();
            for (std::size_t at = 0; at < other.size(); ++at)
                if (const auto mark = marks.find(other[at]); mark != marks.end())
                    hits.push_back({std::uint32_t(at), mark->second});
            const double likeness = double(2 * aligner.common(hits, memory)) / double(text.size() + length);
            if (likeness >= threshold) found.push_back({symbol, likeness});
        }
    }
    return found;
}

}  // namespace kato
