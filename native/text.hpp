// Bytes of text, for whoever reads or writes them without Python: hashed, in hexadecimal, as UTF-8, escaped as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "segment.hpp"

namespace kato {

inline std::uint64_t hash_of(const char* text, std::size_t size) {
    std::uint64_t hash = size, word;
    for (; size > 8; text += 8, size -= 8) {
        std::memcpy(&word, text, 8);
        hash = mixed(hash ^ word);
    }
    word = 0;
    std::memcpy(&word, text, size);
    return mixed(hash ^ word);
}

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

// Two digits for each byte.
inline void write_hex(const std::uint8_t* bytes, std::size_t size, char* out) {
    for (std::size_t i = 0; i < size; ++i) {
        out[2 * i] = kHexDigits[bytes[i] >> 4];
        out[2 * i + 1] = kHexDigits[bytes[i] & 15];
    }
}

// Of a code point.
inline void append_utf8(std::string& out, char32_t point) {
    const auto byte = [&](char32_t value) { out.push_back(char(static_cast<unsigned char>(value))); };
    const auto rest = [&](unsigned shift) { byte(0x80 | ((point >> shift) & 0x3f)); };
    if (point < 0x80) {
        byte(point);
    } else if (point < 0x800) {
        byte(0xc0 | point >> 6);
        rest(0);
    } else if (point < 0x10000) {
        byte(0xe0 | point >> 12);
        rest(6);
        rest(0);
    } else {
        byte(0xf0 | point >> 18);
        rest(12);
        rest(6);
        rest(0);
    }
}

// --- strings of JSON ---

inline bool is_escaped(char32_t letter) { return letter < 0x20 || letter == '"' || letter == '\\'; }

// Of a letter that is.
inline void append_escape(std::string& out, char32_t letter) {
    constexpr std::string_view meant = "\"\\\b\f\n\r\t", named = "\"\\bfnrt";
    const std::size_t found = meant.find(char(static_cast<unsigned char>(letter)));
    out.push_back('\\');
    if (found != meant.npos) {
        out.push_back(named[found]);
        return;
    }
    out.append("u00");
    out.push_back(kHexDigits[letter >> 4]);
    out.push_back(kHexDigits[letter & 15]);
}

// Bytes of UTF-8, without quotes.
inline void append_escaped(std::string& out, std::string_view text) {
    std::size_t written = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = char32_t(static_cast<unsigned char>(text[i]));
        if (!is_escaped(byte)) continue;
        out.append(text.substr(written, i - written));
        append_escape(out, byte);
        written = i + 1;
    }
    out.append(text.substr(written));
}

// The letter that a backslash and `named` stand for; 0 where JSON has no such escape of two letters.
inline char escape_meant(char named) {
    constexpr std::string_view names = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    const std::size_t found = names.find(named);
    return found != names.npos ? meant[found] : '\0';
}

}  // namespace kato
