// UUID text in and out, without a locale and without a parser library.
#include "core/uuid.hpp"

namespace pgchat {
namespace {

constexpr std::size_t text_size = 36;

constexpr bool hyphen_at(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string to_string(const Uuid& uuid) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text(text_size, '-');
    std::size_t position = 0;
    for (const std::uint8_t byte : uuid.bytes) {
        if (hyphen_at(position)) ++position;
        text[position++] = digits[byte >> 4];
        text[position++] = digits[byte & 15];
    }
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
    if (text.size() != text_size) return std::nullopt;
    Uuid uuid;
    std::size_t position = 0;
    for (std::uint8_t& byte : uuid.bytes) {
        if (hyphen_at(position) && text[position++] != '-') return std::nullopt;
        const int high = hex_value(text[position++]);
        const int low = hex_value(text[position++]);
        if (high < 0 || low < 0) return std::nullopt;
        byte = static_cast<std::uint8_t>(high << 4 | low);
    }
    return uuid;
}

}  // namespace pgchat
