// SHA-1 (FIPS 180-4), which names patterns; nothing here is kept secret by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace kato {

class Sha1 {
public:
    static std::array<std::uint8_t, 20> of(const std::string& content) {
        Sha1 digest;
        const auto* data = reinterpret_cast<const std::uint8_t*>(content.data());
        std::size_t left = content.size();
        for (; left >= 64; data += 64, left -= 64) digest.take(data);
        std::uint8_t last[128] = {};
        if (left != 0) std::memcpy(last, data, left);
        last[left] = 0x80;
        const std::size_t size = left < 56 ? 64 : 128;
        const std::uint64_t bits = std::uint64_t{content.size()} * 8;
        for (std::size_t i = 0; i < 8; ++i) last[size - 1 - i] = std::uint8_t(bits >> (8 * i));
        for (std::size_t at = 0; at < size; at += 64) digest.take(last + at);
        std::array<std::uint8_t, 20> bytes;
        for (std::size_t i = 0; i < 20; ++i) bytes[i] = std::uint8_t(digest.state_[i / 4] >> (24 - 8 * (i % 4)));
        return bytes;
    }

private:
    static std::uint32_t left(std::uint32_t word, unsigned by) { return word << by | word >> (32 - by); }

    void take(const std::uint8_t* block) {
        std::uint32_t words[80];
        for (std::size_t i = 0; i < 16; ++i)
            words[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
                       std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
        for (std::size_t i = 16; i < 80; ++i) words[i] = left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
        std::uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3], e = state_[4];
        const auto round = [&](std::uint32_t mixed, std::uint32_t constant, std::uint32_t word) {
            const std::uint32_t next = left(a, 5) + mixed + e + constant + word;
            e = d;
            d = c;
            c = left(b, 30);
            b = a;
            a = next;
        };
        for (std::size_t i = 0; i < 20; ++i) round((b & c) | (~b & d), 0x5a827999u, words[i]);
        for (std::size_t i = 20; i < 40; ++i) round(b ^ c ^ d, 0x6ed9eba1u, words[i]);
        for (std::size_t i = 40; i < 60; ++i) round((b & c) | (b & d) | (c & d), 0x8f1bbcdcu, words[i]);
        for (std::size_t i = 60; i < 80; ++i) round(b ^ c ^ d, 0xca62c1d6u, words[i]);
        state_[0] += a;
        state_[1] += b;
        state_[2] += c;
        state_[3] += d;
        state_[4] += e;
    }

    std::uint32_t state_[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
};

}  // namespace kato
