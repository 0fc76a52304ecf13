#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "measures.hpp"
#include "search.hpp"

namespace kato {

bool comes_before(const Match& a, const Match& b) {
    if (a.key != b.key) return a.key > b.key;
    if (a.quality != b.quality) return a.quality > b.quality;
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    if (a.frequency != b.frequency) return a.frequency > b.frequency;
    if (a.name_head != b.name_head) return a.name_head < b.name_head;
    return std::memcmp(a.row.name(), b.row.name(), kNameBytes) < 0;
}

Judge::Judge(const Query& query, const Settings& settings) : query_(query), settings_(settings) {
    observed_.assign(query.marks, query.asked.size());
    std::size_t size = 16;
    while (size < query.asked.size() * 4) size *= 2;
    table_.assign(size, {kUnknown, 0});
    table_mask_ = size - 1;
    for (std::size_t i = 0; i < query.asked.size(); ++i) {
        const Symbol symbol = query.asked[i].symbol;
        if (symbol != kUnknown) {
            std::size_t at = table_place(symbol);
            while (table_[at].second != 0) at = (at + 1) & table_mask_;
            table_[at] = {symbol, Mark(i + 1)};
        }
        for (const Respelling& near : query.asked[i].near) near_[near.symbol].push_back({Mark(i + 1), near.likeness});
        reading_.as.push_back(symbol);
    }
    reading_.likeness.assign(query.asked.size(), 0.0);
    memory_ = &observed_;
}

std::uint64_t name_head(const std::uint8_t* name) {
    std::uint64_t head = 0;
    for (std::size_t i = 0; i < 8; ++i) head = head << 8 | name[i];
    return head;
}

namespace {

// Written without a branch on whether a token is marked: it mostly is not, but not predictably.
template <class MarkOf>
Hit* hits_of(std::uint32_t length, Hit* next, MarkOf&& mark_of) {
    for (std::uint32_t i = 0; i < length; ++i) {
        const Mark found = mark_of(i);
        *next = {i, found};
        next += found != 0;
    }
    return next;
}

}  // namespace

template <class Marks>
void Judge::find_local_hits(const std::vector<Marks>& marks) {
    const auto find = [&](const auto* tokens) {
        return hits_of(row_.length, found_.data(), [by = marks.data(), tokens](std::size_t i) { return Mark(by[tokens[i]]); });
    };
    Hit* end = segment_->is_wide() ? find(segment_->wide_tokens() + row_.base) : find(segment_->narrow_tokens() + row_.base);
    hits_ = {found_.data(), end};
}

void Judge::find_hits() {
    if (found_.size() < row_.length) found_.resize(row_.length);
    if (row_.segment == nullptr || row_.segment != segment_)
        hits_ = {found_.data(), hits_of(row_.length, found_.data(), [this](std::size_t i) { return mark(row_.token(i)); })};
    else if (query_.asked.size() < 256)
        find_local_hits(small_marks_);
    else
        find_local_hits(large_marks_);
}

// A token of the query that the pattern lacks is read as the pattern's token most like it, the first on a tie.
void Judge::read() {
    memory_ = &observed_;
    const std::size_t distinct = query_.asked.size();
    for (std::size_t i = 0; i < distinct; ++i) {
        reading_.as[i] = query_.asked[i].symbol;
        reading_.likeness[i] = 0.0;
    }
    std::vector<bool> held(distinct + 1);
    for (const Hit& hit : hits_) held[hit.mark] = true;
    bool differs = false;
    for (std::size_t i = 0; i < row_.length; ++i) {
        const auto near = near_.find(row_.token(i));
        if (near == near_.end()) continue;
        for (const auto& [mark, likeness] : near->second)
            if (!held[mark] && likeness > reading_.likeness[mark - 1]) {
                reading_.likeness[mark - 1] = likeness;
                reading_.as[mark - 1] = near->first;
                differs = true;
            }
    }
    if (!differs) return;
    // Tokens read alike get one mark, also in the pattern.
    std::unordered_map<Symbol, Mark> first;
    for (const bool respelt : {false, true})
        for (std::size_t i = 0; i < distinct; ++i)
            if (reading_.as[i] != kUnknown && (reading_.likeness[i] > 0.0) == respelt)
                first.try_emplace(reading_.as[i], Mark(i + 1));
    read_marks_.resize(query_.size());
    for (std::size_t at = 0; at < query_.size(); ++at) {
        const Mark mark = query_.marks[at];
        read_marks_[at] = reading_.likeness[mark - 1] > 0.0 ? first[reading_.as[mark - 1]] : mark;
    }
    respelt_.assign(read_marks_, distinct);
    memory_ = &respelt_;
    Hit* next = found_.data();
    for (std::uint32_t i = 0; i < row_.length; ++i)
        if (const auto found = first.find(row_.token(i)); found != first.end()) *next++ = {i, found->second};
    hits_ = {found_.data(), next};
}

double Judge::character_similarity() {
    // The symbols' characters, joined with one space; the query's as read.
    const auto text_of = [this](Symbol symbol) -> const std::u32string& { return *query_.texts.get(symbol); };
    letter_marks_.clear();
    read_letters_.clear();
    const auto take = [this](char32_t letter) {
        read_letters_.push_back(letter_marks_.try_emplace(letter, Mark(letter_marks_.size() + 1)).first->second);
    };
    for (std::size_t at = 0; at < query_.size(); ++at) {
        if (at > 0) take(U' ');
        const std::size_t mark = query_.marks[at] - 1;
        const auto& text = reading_.likeness[mark] > 0.0 ? text_of(reading_.as[mark]) : query_.spelled[mark];
        for (const char32_t letter : text) take(letter);
    }
    characters_.assign(read_letters_, letter_marks_.size());
    letters_.clear();
    std::uint32_t length = 0;
    const auto place = [&](char32_t letter) {
        const auto found = letter_marks_.find(letter);
        if (found != letter_marks_.end()) letters_.push_back({length, found->second});
        ++length;
    };
    for (std::size_t i = 0; i < row_.length; ++i) {
        if (i > 0) place(U' ');
        for (const char32_t letter : text_of(row_.token(i))) place(letter);
    }
    if (length == 0 && read_letters_.empty()) return 1.0;  // two empty texts are the same text
    return measures::similarity(aligner_.common(letters_, characters_), length, read_letters_.size());
}

bool Judge::passes_gate(const Row& row) {
    row_ = row;
    find_hits();
    if (!near_.empty()) read();
    if (hits_.empty() && settings_.recall_threshold > 0.0) return false;
    has_outline_ = near_.empty() && Aligner::are_few(hits_, observed_);
    if (has_outline_) outline_ = aligner_.outline(hits_, observed_);
    if (settings_.by_tokens) {
        common_ = has_outline_ ? outline_.common : hits_.empty() ? 0 : aligner_.common(hits_, *memory_);
        similarity_ = measures::similarity(common_, row.length, query_.size());
    } else {
        similarity_ = character_similarity();
    }
    const bool begins = query_.size() == 1 && !hits_.empty() && hits_.front().at == 0;
    return begins || similarity_ >= settings_.recall_threshold;
}

Judge::Outlook Judge::outlook() const {
    Outlook outlook{settings_.by_tokens ? common_ : hits_.size(), 0, false};
    if (hits_.empty() || memory_->words() != 1) {
        outlook.pairs = hits_.size();
        return outlook;
    }
    for (std::size_t i = 1; i < hits_.size(); ++i)
        if (hits_[i].at == hits_[i - 1].at + 1 && (*memory_->bits(hits_[i - 1].mark) << 1 & *memory_->bits(hits_[i].mark)))
            ++outlook.pairs;
    // A common pair makes a run of two. Without one all runs are single tokens: the pattern's first hit is taken at its first
    // place in the memory, nothing lies before it, and more is aligned exactly if a later hit has a place behind that.
    outlook.several = outlook.pairs > 0;
    const std::uint32_t place = memory_->positions(hits_.front().mark).front();
    for (std::size_t i = 1; i < hits_.size() && !outlook.several; ++i)
        outlook.several = memory_->positions(hits_[i].mark).back() > place;
    return outlook;
}

Judge::Facts Judge::facts() {
    std::vector<Symbol> asked;
    for (const Symbol symbol : reading_.as)
        if (symbol != kUnknown) asked.push_back(symbol);
    const std::size_t unknown = query_.asked.size() - asked.size();
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
    distinct_.resize(row_.length);
    for (std::size_t i = 0; i < row_.length; ++i) distinct_[i] = row_.token(i);
    std::sort(distinct_.begin(), distinct_.end());
    distinct_.erase(std::unique(distinct_.begin(), distinct_.end()), distinct_.end());
    std::size_t common = 0;
    for (const Symbol symbol : asked) common += std::binary_search(distinct_.begin(), distinct_.end(), symbol);
    return {common, distinct_.size() + asked.size() + unknown - common};
}

bool Judge::passes(Filter filter) {
    if (filter == Filter::rapidfuzz) return true;  // the gate itself
    if (filter == Filter::length) {
        const double n = double(query_.size());
        const double least = std::max(1.0, std::floor(n * settings_.length_min_ratio));
        return least <= double(row_.length) && double(row_.length) <= n * settings_.length_max_ratio;
    }
    const Facts found = facts();
    const double share = double(found.common) / double(found.joined);
    if (filter == Filter::jaccard)
        return found.common >= settings_.jaccard_min_overlap && share >= settings_.jaccard_threshold;
    if (filter == Filter::minhash) return share >= settings_.minhash_threshold;
    return found.common > 0;
}

bool Judge::passes_filters() {
    return std::all_of(settings_.filters.begin(), settings_.filters.end(), [this](Filter filter) { return passes(filter); });
}

Span<const Block> Judge::blocks() { return aligner_.blocks(hits_, *memory_); }

void Judge::weigh(Match& match, Span<const Block> blocks) {
    for (ExactSum* sum : {&of_matches_, &of_extras_, &of_memory_, &of_pattern_, &of_present_}) sum->clear();
    std::size_t next = 0;
    for (std::size_t at = 0; at < query_.size(); ++at) {
        while (next < blocks.size() && at >= blocks[next].memory + blocks[next].length) ++next;
        const double weight = query_.weight(reading_.as[query_.marks[at] - 1]);
        const bool covered = next < blocks.size() && at >= blocks[next].memory;
        (covered ? of_matches_ : of_extras_).add(weight);
        of_memory_.add(weight);
    }
    for (std::size_t i = 0; i < row_.length; ++i) {
        const double weight = query_.weight(row_.token(i));
        of_pattern_.add(weight);
        if (i >= match.present_from && i < match.present_to) of_present_.add(weight);
    }
    const double matches = of_matches_.value();
    match.weighted_similarity = measures::weighted_similarity(matches, of_memory_.value(), of_pattern_.value());
    match.weighted_evidence = matches / of_pattern_.value();
    match.weighted_confidence = matches / of_present_.value();
    match.weighted_snr = measures::weighted_snr(matches, of_extras_.value());
}

double Judge::key_of(const Match& match) const {
    switch (settings_.key) {
        case Key::quality: return match.quality;
        case Key::similarity: return match.similarity;
        case Key::frequency:
        case Key::similarity_by_frequency: return std::numeric_limits<double>::infinity();  // for the caller to fill in
        case Key::evidence: return match.evidence;
        case Key::confidence: return match.confidence;
        case Key::snr: return match.snr;
        case Key::fragmentation: return match.blocks ? -double(match.blocks - 1) : -std::numeric_limits<double>::infinity();
        case Key::weighted_similarity: return match.weighted_similarity;
        case Key::weighted_evidence: return match.weighted_evidence;
        case Key::weighted_confidence: return match.weighted_confidence;
        case Key::weighted_snr: return match.weighted_snr;
    }
    return 0.0;
}

// The present's bounds, blocks and aligned tokens.
void Judge::lay_down(Match& match) {
    std::size_t from = 0, to = row_.length;
    if (has_outline_) {
        match.aligned = outline_.aligned;
        match.blocks = outline_.blocks;
        from = hits_[outline_.first].at;
        to = hits_[outline_.last].at + 1;
    } else {
        const auto blocks = this->blocks();
        match.blocks = std::uint32_t(blocks.size());
        for (const Block& block : blocks) match.aligned += block.length;
        if (!blocks.empty()) {
            from = blocks.front().pattern;
            to = blocks.back().pattern + blocks.back().length;
        }
    }
    while (!row_.starts(from)) --from;
    while (to < row_.length && !row_.starts(to)) ++to;
    match.present_from = std::uint32_t(from);
    match.present_to = std::uint32_t(to);
}

Match Judge::match() {
    Match match;
    match.row = row_;
    match.similarity = similarity_;
    lay_down(match);
    match.evidence = measures::evidence(match.aligned, row_.length);
    match.confidence = measures::confidence(match.aligned, match.present_to - match.present_from);
    match.snr = measures::snr(match.aligned, query_.size() - match.aligned);
    match.phi = measures::phi(match.blocks);
    if (query_.weights != nullptr) {
        weigh(match, blocks());
        match.quality =
            measures::quality(match.weighted_evidence, match.weighted_confidence, match.weighted_snr, match.phi);
    } else {
        match.quality = measures::quality(match.evidence, match.confidence, match.snr, match.phi);
    }
    match.key = key_of(match);
    return match;
}

}  // namespace kato
