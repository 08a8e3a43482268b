#include "core/crypto/base32.hpp"

#include <array>
#include <cstdint>

#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

constexpr char base32_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr int bits_per_character = 5;

constexpr std::array<std::int8_t, 256> make_base32_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 32; ++i) {
        values[static_cast<unsigned char>(base32_alphabet[i])] = static_cast<std::int8_t>(i);
        values[static_cast<unsigned char>(ascii_lower(base32_alphabet[i]))] = static_cast<std::int8_t>(i);
    }
    return values;
}
constexpr auto base32_values = make_base32_values();

// Of a last group: 1, 3 and 6 characters hold no whole number of bytes more than one fewer does.
constexpr bool is_possible_length(std::size_t characters) {
    const std::size_t rest = characters % 8;
    return rest != 1 && rest != 3 && rest != 6;
}

}  // namespace

std::string base32_encode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 8 + bits_per_character - 1) / bits_per_character);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const char byte : bytes) {
        buffer = buffer << 8 | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= bits_per_character;) {
            bits -= bits_per_character;
            text += base32_alphabet[buffer >> bits & 31];
        }
    }
    if (bits > 0) text += base32_alphabet[buffer << (bits_per_character - bits) & 31];
    return text;
}

std::optional<std::string> base32_decode(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * bits_per_character / 8);
    std::uint32_t buffer = 0;
    int bits = 0;
    std::size_t characters = 0;
    bool padded = false;
    for (const char c : text) {
        if (c == ' ') continue;
        padded = padded || c == '=';
        if (padded && c == '=') continue;
        const int value = base32_values[static_cast<unsigned char>(c)];
        if (padded || value < 0) return std::nullopt;
        ++characters;
        buffer = buffer << bits_per_character | static_cast<std::uint32_t>(value);
        bits += bits_per_character;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(buffer >> bits & 255);
        }
    }
    if (!is_possible_length(characters)) return std::nullopt;
    return bytes;
}

}  // namespace pgchat
