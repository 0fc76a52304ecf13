// JSON text under construction, written as the encoder of kato.wire.encoding writes it. Needs no interpreter's lock.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <Python.h>

#include "text.hpp"

namespace kato {

// The characters of a Python string. Strings never change, so whoever keeps one alive may read it without the lock.
struct Letters {
    const void* data = nullptr;
    std::size_t length = 0;
    int kind = PyUnicode_1BYTE_KIND;
    bool is_ascii = true;

    static Letters of(PyObject* text) {
        return {PyUnicode_DATA(text), std::size_t(PyUnicode_GET_LENGTH(text)), int(PyUnicode_KIND(text)),
                PyUnicode_IS_ASCII(text) != 0};
    }
    char32_t at(std::size_t i) const { return PyUnicode_READ(kind, data, i); }
};

// Less than 0, 0 or more: by code point, as Python compares strings.
inline int compared(const Letters& a, const Letters& b) {
    const std::size_t shorter = a.length < b.length ? a.length : b.length;
    for (std::size_t i = 0; i < shorter; ++i)
        if (a.at(i) != b.at(i)) return a.at(i) < b.at(i) ? -1 : 1;
    return a.length == b.length ? 0 : a.length < b.length ? -1 : 1;
}

class Json {
public:
    // A lone surrogate was met: what was written is no text.
    bool is_broken() const { return broken_; }
    const std::string& text() const { return out_; }
    std::size_t size() const { return out_.size(); }
    void reserve(std::size_t bytes) { out_.reserve(bytes); }

    Json& raw(std::string_view text) {
        out_.append(text);
        return *this;
    }

    // What was written from there on, once more.
    Json& again(std::size_t from, std::size_t to) {
        out_.reserve(out_.size() + to - from);
        out_.append(out_.data() + from, to - from);
        return *this;
    }

    Json& whole(std::uint64_t value) {
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        return raw({digits, std::size_t(end - digits)});
    }

    // The shortest digits that read back as this very number; null for what is none. What was written lately is copied: the
    // best patterns of a question have most numbers in common.
    Json& number(double value) {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        Lately& lately = lately_[bits * 0x9e3779b97f4a7c15u >> (64 - kBits)];
        if (lately.to == 0 || lately.bits != bits) {
            const std::size_t from = out_.size();
            spell(value);
            lately = {bits, from, out_.size()};
            return *this;
        }
        return again(lately.from, lately.to);
    }

    Json& string(const Letters& letters) {
        out_.push_back('"');
        if (letters.is_ascii) append_escaped(out_, {static_cast<const char*>(letters.data), letters.length});
        else for (std::size_t i = 0; i < letters.length; ++i) character(letters.at(i));
        out_.push_back('"');
        return *this;
    }

private:
    struct Lately {
        std::uint64_t bits;
        std::size_t from, to;  // where it stands in the text; `to` is 0 where nothing was written
    };

    Json& spell(double value) {
        if (!std::isfinite(value)) return raw("null");
        if (std::signbit(value)) out_.push_back('-');
        char text[32];
        const auto end = std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific).ptr;
        const char* mark = end;
        while (*--mark != 'e') {}
        char digits[20];
        std::size_t count = 0;
        for (const char* at = text; at < mark; ++at)
            if (*at != '.') digits[count++] = *at;
        int exponent = 0;
        std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
        return placed({digits, count}, exponent);
    }

    // Digits with their point: the first digit stands for that power of ten.
    Json& placed(std::string_view digits, int exponent) {
        const auto before = std::size_t(exponent + 1);  // digits before the point
        if (exponent >= 0 && exponent < kLongest) {
            if (digits.size() <= before) return raw(digits).raw(kZeros.substr(0, before - digits.size())).raw(".0");
            return raw(digits.substr(0, before)).raw(".").raw(digits.substr(before));
        }
        if (exponent < 0 && exponent >= kSmallest)
            return raw("0.").raw(kZeros.substr(0, std::size_t(-exponent - 1))).raw(digits);
        raw(digits.substr(0, 1));
        if (digits.size() > 1) raw(".").raw(digits.substr(1));
        raw(exponent < 0 ? "e-" : "e+");
        return whole(std::uint64_t(exponent < 0 ? -exponent : exponent));
    }

    void character(char32_t letter) {
        broken_ = broken_ || (letter >= 0xd800 && letter < 0xe000);
        if (is_escaped(letter)) append_escape(out_, letter);
        else append_utf8(out_, letter);
    }

    // Powers of ten of the first digit that are written without an exponent.
    static constexpr int kLongest = 16, kSmallest = -5;
    static constexpr std::string_view kZeros = "0000000000000000";

    static constexpr unsigned kBits = 7;

    std::string out_;
    std::array<Lately, std::size_t{1} << kBits> lately_{};
    bool broken_ = false;
};

}  // namespace kato
