#include "core/search/search_terms.hpp"

namespace pgchat {
namespace {

// The finalizer of SplitMix64: every bit of the result depends on every bit of the value.
std::uint32_t mix(std::uint64_t value) noexcept {
    value ^= value >> 30;
    value *= 0xBF58476D1CE4E5B9U;
    value ^= value >> 27;
    value *= 0x94D049BB133111EBU;
    return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::uint32_t term_of(std::string_view form) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : form) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return mix(hash);
}

std::uint32_t term_of(char32_t first, char32_t second, char32_t third) noexcept {
    constexpr unsigned bits = 21;
    return mix((static_cast<std::uint64_t>(first) << (2 * bits)) | (static_cast<std::uint64_t>(second) << bits) |
               third);
}

std::uint32_t pair_term(std::uint32_t first, std::uint32_t second, std::size_t distance) noexcept {
    return mix(((static_cast<std::uint64_t>(first) << 32) | second) + distance * 0x9E3779B97F4A7C15U);
}

}  // namespace pgchat
