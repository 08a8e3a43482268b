// UUID text in and out, without a locale and without a parser library.
#include "core/uuid.hpp"

#include "core/text/hex.hpp"

namespace pgchat {
namespace {

constexpr std::size_t text_size = 36;

constexpr bool hyphen_at(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

std::string to_string(const Uuid& uuid) {
    std::string text(text_size, '-');
    std::size_t position = 0;
    for (const std::uint8_t byte : uuid.bytes) {
        if (hyphen_at(position)) ++position;
        write_hex(byte, &text[position]);
        position += 2;
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
