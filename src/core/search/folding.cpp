#include "core/search/folding.hpp"

#include <algorithm>
#include <array>

namespace pgchat {
namespace {

struct Range {
    char32_t first, last;
};

template <std::size_t size>
bool is_in(const std::array<Range, size>& ranges, char32_t character) noexcept {
    const auto after = std::upper_bound(ranges.begin(), ranges.end(), character,
                                        [](char32_t c, const Range& range) { return c < range.first; });
    return after != ranges.begin() && character <= (after - 1)->last;
}

// Each table is sorted.
constexpr std::array<Range, 13> without_spaces{{{0x0E00, 0x0EFF},
                                                {0x1000, 0x109F},
                                                {0x1100, 0x11FF},
                                                {0x1780, 0x17FF},
                                                {0x3005, 0x3007},
                                                {0x3040, 0x318F},
                                                {0x31A0, 0x31BF},
                                                {0x31F0, 0x31FF},
                                                {0x3400, 0x9FFF},
                                                {0xAC00, 0xD7AF},
                                                {0xF900, 0xFAFF},
                                                {0xFF66, 0xFF9F},
                                                {0x1F000, 0x3FFFF}}};
constexpr std::array<Range, 18> between_words{{{0x0000, 0x002F},
                                               {0x003A, 0x0040},
                                               {0x005B, 0x0060},
                                               {0x007B, 0x00A9},
                                               {0x00AB, 0x00B4},
                                               {0x00B6, 0x00B9},
                                               {0x00BB, 0x00BF},
                                               {0x00D7, 0x00D7},
                                               {0x00F7, 0x00F7},
                                               {0x2000, 0x20CF},
                                               {0x2190, 0x2BFF},
                                               {0x2E00, 0x2E7F},
                                               {0x3000, 0x3004},
                                               {0x3008, 0x303F},
                                               {0xE000, 0xF8FF},
                                               {0xFE00, 0xFE0F},
                                               {0xFE30, 0xFE6F},
                                               {0xFFE0, 0xFFFF}}};
constexpr std::array<Range, 4> full_width_signs{
    {{0xFF00, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}}};

// Where a capital letter and its small one are neighbours: the capital is even, or odd.
constexpr std::array<Range, 11> even_capitals{{{0x0100, 0x012F},
                                               {0x0132, 0x0137},
                                               {0x014A, 0x0177},
                                               {0x01DE, 0x01EF},
                                               {0x01F8, 0x021F},
                                               {0x0222, 0x0233},
                                               {0x0460, 0x0481},
                                               {0x048A, 0x04BF},
                                               {0x04D0, 0x052F},
                                               {0x1E00, 0x1E95},
                                               {0x1EA0, 0x1EFF}}};
constexpr std::array<Range, 4> odd_capitals{{{0x0139, 0x0148}, {0x0179, 0x017E}, {0x01CD, 0x01DC}, {0x04C1, 0x04CE}}};

struct Shift {
    Range capitals;
    int distance;
};
constexpr std::array<Shift, 13> shifts{{{{0x00C0, 0x00D6}, 32},
                                        {{0x00D8, 0x00DE}, 32},
                                        {{0x0130, 0x0130}, 0x69 - 0x130},
                                        {{0x0178, 0x0178}, 0xFF - 0x178},
                                        {{0x0386, 0x0386}, 38},
                                        {{0x0388, 0x038A}, 37},
                                        {{0x038C, 0x038C}, 64},
                                        {{0x038E, 0x038F}, 63},
                                        {{0x0391, 0x03AB}, 32},
                                        {{0x03C2, 0x03C2}, 1},
                                        {{0x0400, 0x040F}, 80},
                                        {{0x0410, 0x042F}, 32},
                                        {{0x0531, 0x0556}, 48}}};

bool is_ascii_alnum(char32_t c) noexcept {
    return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z');
}

}  // namespace

CharacterKind kind_of(char32_t character) noexcept {
    if (character < 0x80) return is_ascii_alnum(character) ? CharacterKind::word : CharacterKind::other;
    if (is_in(without_spaces, character)) return CharacterKind::alone;
    if (is_in(between_words, character) || is_in(full_width_signs, character)) return CharacterKind::other;
    return CharacterKind::word;
}

char32_t fold(char32_t character) noexcept {
    if (character < 0x80) return character >= U'A' && character <= U'Z' ? character + 32 : character;
    if (character >= 0xFF21) return character <= 0xFF3A ? character + 32 : character;
    for (const Shift& shift : shifts)
        if (character >= shift.capitals.first && character <= shift.capitals.last)
            return static_cast<char32_t>(static_cast<int>(character) + shift.distance);
    if (is_in(even_capitals, character)) return character | 1U;
    if (is_in(odd_capitals, character)) return character + (character & 1U);
    return character;
}

char32_t next_character(std::string_view text, std::size_t& at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const std::size_t size = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    if (size == 1 || at + size > text.size()) return byte(at++);
    char32_t character = lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(at + i) & 0xC0U) != 0x80) return byte(at++);
        character = (character << 6) | (byte(at + i) & 0x3FU);
    }
    at += size;
    return character;
}

void append_utf8(std::string& out, char32_t character) {
    const auto add = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
    if (character < 0x80) {
        add(character);
    } else if (character < 0x800) {
        add(0xC0 | (character >> 6));
        add(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        add(0xE0 | (character >> 12));
        add(0x80 | ((character >> 6) & 0x3F));
        add(0x80 | (character & 0x3F));
    } else {
        add(0xF0 | (character >> 18));
        add(0x80 | ((character >> 12) & 0x3F));
        add(0x80 | ((character >> 6) & 0x3F));
        add(0x80 | (character & 0x3F));
    }
}

FoldedText::FoldedText(std::string_view original) {
    const bool is_ascii = std::all_of(original.begin(), original.end(), [](char c) { return (c & 0x80) == 0; });
    text.reserve(original.size());
    if (is_ascii) {
        for (const char c : original) text.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
        return;
    }
    origin.reserve(original.size() + 1);
    for (std::size_t at = 0; at < original.size();) {
        const auto begin = static_cast<std::uint32_t>(at);
        append_utf8(text, fold(next_character(original, at)));
        origin.resize(text.size(), begin);
    }
    origin.push_back(static_cast<std::uint32_t>(original.size()));
}

}  // namespace pgchat
