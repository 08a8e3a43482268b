#include "core/crypto/recovery_code.hpp"

#include <array>

#include "core/crypto/random_bytes.hpp"
#include "core/text/ascii.hpp"

namespace pgchat {
namespace {

// 32 characters, so that each is five bits of a random byte, all equally likely.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
static_assert(alphabet.size() == 32);
constexpr std::size_t code_characters = 16;
constexpr std::size_t group_characters = 4;

char as_meant(char c) noexcept {
    c = ascii_lower(c);
    if (c == 'o') return '0';
    return c == 'i' || c == 'l' ? '1' : c;
}

// The characters alone; nullopt for what cannot be a code.
std::optional<std::string> characters_of(std::string_view code) {
    std::string characters;
    for (const char c : code) {
        if (c == ' ' || c == '-') continue;
        const char meant = as_meant(c);
        if (characters.size() == code_characters || alphabet.find(meant) == std::string_view::npos) return std::nullopt;
        characters += meant;
    }
    if (characters.size() != code_characters) return std::nullopt;
    return characters;
}

}  // namespace

std::string generate_recovery_code() {
    std::array<std::uint8_t, code_characters> bytes;
    random_bytes(bytes);
    std::string code;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i > 0 && i % group_characters == 0) code += '-';
        code += alphabet[bytes[i] & 31];
    }
    return code;
}

std::optional<Sha256Digest> recovery_code_hash(const Uuid& user_id, std::string_view code) {
    const std::optional<std::string> characters = characters_of(code);
    if (!characters) return std::nullopt;
    return sha256(std::string(user_id.bytes.begin(), user_id.bytes.end()) + *characters);
}

}  // namespace pgchat
