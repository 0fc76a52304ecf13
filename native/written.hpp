// Events as the JSON text that a storage keeps, read without a Python object for each symbol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "text.hpp"

namespace kato {

// The numbers of symbols by their UTF-8 bytes: linear probing, nothing is taken out.
class TextNumbers {
public:
    // The number of a text, as `make` gives it to one that is not known here yet.
    template <class Make>
    Symbol number(const char* text, std::size_t size, Make&& make) {
        if ((known_ + 1) * 3 > entries_.size() * 2) grow();
        const std::uint64_t hash = hash_of(text, size);
        std::size_t at = hash & (entries_.size() - 1);
        for (; entries_[at].used; at = (at + 1) & (entries_.size() - 1)) {
            const Entry& entry = entries_[at];
            if (entry.hash == hash && entry.size == size && std::memcmp(texts_.data() + entry.text, text, size) == 0)
                return entry.symbol;
        }
        const Symbol made = make();
        entries_[at] = {hash, texts_.size(), size, made, true};
        texts_.append(text, size);
        ++known_;
        return made;
    }

private:
    struct Entry {
        std::uint64_t hash = 0;
        std::size_t text = 0, size = 0;  // where it stands among the texts
        Symbol symbol = 0;
        bool used = false;
    };

    void grow() {
        std::vector<Entry> old(entries_.empty() ? 1024 : entries_.size() * 2);
        old.swap(entries_);
        for (const Entry& entry : old) {
            if (!entry.used) continue;
            std::size_t at = entry.hash & (entries_.size() - 1);
            while (entries_[at].used) at = (at + 1) & (entries_.size() - 1);
            entries_[at] = entry;
        }
    }

    std::vector<Entry> entries_;
    std::string texts_;
    std::size_t known_ = 0;
};

// One string of JSON, its opening quote read already: where its text is and how long, and `at` behind its closing quote. A text
// with escapes is made in `space`. Null where it is anything that a storage would not have written like this.
inline const char* read_text(const char*& at, const char* end, std::size_t& size, std::string& space) {
    const char* const start = at;
    while (at != end && *at != '"' && *at != '\\') ++at;
    if (at == end) return nullptr;
    if (*at == '"') {
        size = std::size_t(at++ - start);
        return start;
    }
    space.assign(start, at);
    while (at != end && *at != '"') {
        if (*at != '\\') {
            space += *at++;
            continue;
        }
        if (++at == end) return nullptr;
        const char named = *at++;
        if (named == 'u') {  // only what is below a space is written like this
            const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
            if (end - at < 4 || at[0] != '0' || at[1] != '0' || (at[2] != '0' && at[2] != '1') || digit(at[3]) < 0) return nullptr;
            space += char((at[2] - '0') * 16 + digit(at[3]));
            at += 4;
        } else {
            const char meant = escape_meant(named);
            if (!meant) return nullptr;
            space += meant;
        }
    }
    if (at == end) return nullptr;
    ++at;
    size = space.size();
    return space.data();
}

// `[["a","b"],["c"]]`: hands each symbol's text and size on, and whether an event starts with it. False where it is not written
// like this, to the last character, or an event is empty.
template <class Take>
bool read_events(const char* at, const char* end, std::string& space, Take&& take) {
    const auto is_next = [&](char wanted) { return at != end && *at == wanted && (++at, true); };
    if (!is_next('[')) return false;
    do {
        if (!is_next('[')) return false;
        bool starts = true;
        do {
            if (!is_next('"')) return false;
            std::size_t size = 0;
            const char* const text = read_text(at, end, size, space);
            if (!text) return false;
            take(text, size, starts);
            starts = false;
        } while (is_next(','));
        if (!is_next(']')) return false;
    } while (is_next(','));
    return is_next(']') && at == end;
}

}  // namespace kato
