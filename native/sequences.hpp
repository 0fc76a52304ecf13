// Sequences to learn as they arrive: JSON read straight into events, with the name and the text that follow from them.
//
// What comes out is what kato.wire.reading, make_events, pattern_name and events_text make of the same bytes. Whatever is not
// plainly a list of lists of strings, within every limit, is left to them: they know what is wrong with it, or what else it says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <nanobind/nanobind.h>

#include "sha1.hpp"
#include "text.hpp"

namespace kato {

namespace nb = nanobind;

struct SequenceLimits {
    bool sorts;
    std::size_t symbol_bytes, symbols, events, sequences;
};

class SequenceReader {
public:
    SequenceReader(bool sorts, std::size_t symbol_bytes, std::size_t symbols, std::size_t events, std::size_t sequences)
        : limits_{sorts, symbol_bytes, symbols, events, sequences} {}

    // `[["a"],["b","c"]]` as (events, name, text, symbols); None where it is anything else.
    nb::object sequence(nb::bytes body) {
        begin(body);
        nb::object found = one();
        return found.is_valid() && at_end() ? found : nb::none();
    }

    // `{"sequences":[…]}` as a list of those; None where it is anything else.
    nb::object sequences(nb::bytes body) {
        begin(body);
        if (!is_next('{') || !is_next('"') || !is_word("sequences\"") || !is_next(':') || !is_next('[')) return nb::none();
        nb::list all;
        do {
            if (nb::len(all) == limits_.sequences) return nb::none();
            nb::object found = one();
            if (!found.is_valid()) return nb::none();
            all.append(found);
            if (nb::len(all) % kAtOnce == 0) nb::gil_scoped_release breath;
        } while (is_next(','));
        return is_next(']') && is_next('}') && at_end() ? nb::object(all) : nb::none();
    }

private:
    static constexpr std::size_t kAtOnce = 256;             // sequences read between two moments in which others may go on
    static constexpr std::size_t kRemembered = 1 << 24;     // bytes of symbols known; beyond, they are forgotten

    // A symbol, by what stands between its quotes, and everything that is made of it again and again.
    struct Known {
        std::uint64_t hash;
        std::string source, utf8, shown, written;  // `shown` as Python shows it, `written` as JSON, both with quotes
        nb::object text, alone;                    // itself, and an event of nothing else
    };

    void begin(nb::bytes body) {
        if (remembered_ > kRemembered) {
            known_.clear();
            places_.clear();
            remembered_ = 0;
        }
        at_ = body.c_str();
        end_ = at_ + body.size();
    }

    void skip() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }
    bool is_next(char wanted) {
        skip();
        return at_ != end_ && *at_ == wanted && (++at_, true);
    }
    bool is_word(const char* word) {
        const std::size_t size = std::strlen(word);
        if (std::size_t(end_ - at_) < size || std::memcmp(at_, word, size) != 0) return false;
        at_ += size;
        return true;
    }
    bool at_end() {
        skip();
        return at_ == end_;
    }

    // One sequence; nothing where it is not plainly one.
    nb::object one() {
        if (!is_next('[')) return {};
        std::vector<nb::object> events;
        shown_.assign(1, '[');
        written_.assign(1, '[');
        std::size_t symbols = 0, given = 0;
        if (!is_next(']')) {
            do {
                if (++given > limits_.events || !is_next('[')) return {};
                if (is_next(']')) continue;  // of no symbols: left out
                if (!event()) return {};
                symbols += event_.size();
                events.push_back(written_event());
            } while (is_next(','));
            if (!is_next(']')) return {};
        }
        shown_ += ']';
        written_ += ']';
        nb::object made = nb::steal(PyTuple_New(Py_ssize_t(events.size())));
        if (!made.is_valid()) nb::raise_python_error();
        for (std::size_t i = 0; i < events.size(); ++i) PyTuple_SET_ITEM(made.ptr(), Py_ssize_t(i), events[i].release().ptr());
        PyObject_GC_UnTrack(made.ptr());  // nothing in it can lead back to it
        return nb::make_tuple(made, name(), utf8(written_), symbols);
    }

    // The symbols of an event, its opening bracket read already, in `event_`.
    bool event() {
        event_.clear();
        do {
            if (event_.size() == limits_.symbols || !is_next('"')) return false;
            const Known* const symbol = read_symbol();
            if (symbol == nullptr) return false;
            event_.push_back(symbol);
        } while (is_next(','));
        if (!is_next(']')) return false;
        // Bytes of UTF-8 are in the order of the code points they stand for.
        if (limits_.sorts && event_.size() > 1)
            std::stable_sort(event_.begin(), event_.end(), [](const Known* a, const Known* b) { return a->utf8 < b->utf8; });
        return true;
    }

    nb::object written_event() {
        shown_ += shown_.size() == 1 ? "[" : ", [";
        written_ += written_.size() == 1 ? "[" : ",[";
        for (std::size_t i = 0; i < event_.size(); ++i) {
            if (i != 0) {
                shown_ += ", ";
                written_ += ',';
            }
            shown_ += event_[i]->shown;
            written_ += event_[i]->written;
        }
        shown_ += ']';
        written_ += ']';
        if (event_.size() == 1) return event_[0]->alone;
        return tuple_of(event_);
    }

    static nb::object tuple_of(const std::vector<const Known*>& symbols) {
        nb::object made = nb::steal(PyTuple_New(Py_ssize_t(symbols.size())));
        if (!made.is_valid()) nb::raise_python_error();
        for (std::size_t i = 0; i < symbols.size(); ++i)
            PyTuple_SET_ITEM(made.ptr(), Py_ssize_t(i), nb::object(symbols[i]->text).release().ptr());
        PyObject_GC_UnTrack(made.ptr());
        return made;
    }

    // A pattern is named by the SHA-1 of its events as Python shows them.
    nb::object name() const {
        const auto digest = Sha1::of(shown_);
        std::string digits(2 * digest.size(), '0');
        write_hex(digest.data(), digest.size(), digits.data());
        return utf8(digits);
    }

    static nb::object utf8(const std::string& text) {
        nb::object made = nb::steal(PyUnicode_DecodeUTF8(text.data(), Py_ssize_t(text.size()), nullptr));
        if (!made.is_valid()) nb::raise_python_error();
        return made;
    }

    // A string, its opening quote read already; nothing where it is no symbol.
    const Known* read_symbol() {
        const char* const start = at_;
        while (at_ != end_ && *at_ != '"')
            if (*at_++ == '\\') {
                if (at_ == end_) return nullptr;
                ++at_;
            }
        if (at_ == end_) return nullptr;
        const auto size = std::size_t(at_++ - start);
        const std::uint64_t hash = hash_of(start, size);
        if ((known_.size() + 1) * 3 > places_.size() * 2) spread();
        std::size_t place = hash & (places_.size() - 1);
        for (; places_[place] != nullptr; place = (place + 1) & (places_.size() - 1)) {
            const Known& here = *places_[place];
            if (here.hash == hash && here.source.size() == size && std::memcmp(here.source.data(), start, size) == 0) return &here;
        }
        Known made;
        made.hash = hash;
        made.source.assign(start, size);
        if (!make(made)) return nullptr;
        remembered_ += sizeof made + 5 * size;
        known_.push_back(std::move(made));
        return places_[place] = &known_.back();
    }

    void spread() {
        places_.assign(places_.empty() ? 1024 : places_.size() * 2, nullptr);
        for (const Known& each : known_) {
            std::size_t place = each.hash & (places_.size() - 1);
            while (places_[place] != nullptr) place = (place + 1) & (places_.size() - 1);
            places_[place] = &each;
        }
    }

    // What is made of a symbol; false where it is none.
    bool make(Known& symbol) const {
        if (!unescaped(symbol.source, symbol.utf8) || symbol.utf8.size() > limits_.symbol_bytes) return false;
        symbol.text = nb::steal(PyUnicode_DecodeUTF8(symbol.utf8.data(), Py_ssize_t(symbol.utf8.size()), nullptr));
        if (!symbol.text.is_valid()) {
            PyErr_Clear();
            return false;
        }
        const nb::object shown = nb::steal(PyObject_Repr(symbol.text.ptr()));
        if (!shown.is_valid()) nb::raise_python_error();
        symbol.shown = nb::cast<std::string>(shown);
        symbol.written = "\"";
        append_escaped(symbol.written, symbol.utf8);
        symbol.written += '"';
        symbol.alone = tuple_of({&symbol});
        return true;
    }

    // The text that stands in JSON as `source`; false where it is not JSON, or a surrogate without its other half.
    static bool unescaped(const std::string& source, std::string& text) {
        const auto digits = [&](std::size_t at) {
            std::int32_t value = 0;
            for (std::size_t i = at; i < at + 4; ++i) {
                const char c = i < source.size() ? source[i] : '\0';
                const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
                if (digit < 0) return -1;
                value = value * 16 + digit;
            }
            return value;
        };
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (std::uint8_t(source[i]) < 0x20) return false;
            if (source[i] != '\\') {
                text += source[i];
                continue;
            }
            const char named = source[++i];
            if (named != 'u') {
                const char meant = escape_meant(named);
                if (!meant) return false;
                text += meant;
                continue;
            }
            std::int32_t point = digits(i + 1);
            i += 4;
            if (point >= 0xd800 && point < 0xdc00) {
                const std::int32_t low = i + 2 < source.size() && source[i + 1] == '\\' && source[i + 2] == 'u' ? digits(i + 3) : -1;
                if (low < 0xdc00 || low > 0xdfff) return false;
                point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                i += 6;
            }
            if (point < 0 || (point >= 0xdc00 && point <= 0xdfff)) return false;
            append_utf8(text, char32_t(point));
        }
        return true;
    }

    SequenceLimits limits_;
    const char* at_ = nullptr;
    const char* end_ = nullptr;
    std::deque<Known> known_;
    std::vector<const Known*> places_;  // by hash; linear probing
    std::size_t remembered_ = 0;
    std::string shown_, written_;  // the sequence so far, as Python shows it and as JSON
    std::vector<const Known*> event_;
};

}  // namespace kato
