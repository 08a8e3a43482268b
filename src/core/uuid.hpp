// The identifier of every row, as sixteen bytes, so that the core needs no type of the server.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace pgchat {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};  // big-endian, as in RFC 9562 section 4

    auto operator<=>(const Uuid&) const = default;
};

// Hashes ids whose last eight bytes are random, as a version 7 UUID's are.
struct UuidHash {
    std::size_t operator()(const Uuid& id) const noexcept {
        std::size_t random_part;
        std::memcpy(&random_part, id.bytes.data() + 8, sizeof random_part);
        return random_part;
    }
};

// The canonical text, 8-4-4-4-12 lower-case hexadecimal digits (RFC 9562 section 4).
std::string to_string(const Uuid& uuid);

// The inverse of to_string, in either case; nullopt for any other form (braces, no hyphens, …).
std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

}  // namespace pgchat
