// Base64url by table; OpenSSL's decoder knows neither the alphabet nor strictness.
#include "core/crypto/base64url.hpp"

#include <array>

namespace pgchat {
namespace {

constexpr char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_base64url_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 64; ++i)
        values[static_cast<unsigned char>(base64url_alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}
constexpr auto base64url_values = make_base64url_values();

}  // namespace

std::string base64url_encode(std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        buffer = buffer << 8 | byte;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            text += base64url_alphabet[buffer >> bits & 63];
        }
    }
    if (bits > 0) text += base64url_alphabet[buffer << (6 - bits) & 63];
    return text;
}

std::string base64url_encode(std::string_view bytes) {
    return base64url_encode(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::optional<std::string> base64url_decode(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t buffer = 0;
    int bits = 0;
    for (const char c : text) {
        const int value = base64url_values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        buffer = buffer << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(buffer >> bits & 255);
        }
    }
    if ((buffer & ((1u << bits) - 1)) != 0) return std::nullopt;
    return bytes;
}

}  // namespace pgchat
