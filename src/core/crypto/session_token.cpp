// Session tokens as text and back.
#include "core/crypto/session_token.hpp"

#include <algorithm>

#include "core/crypto/base64url.hpp"
#include "core/crypto/random_bytes.hpp"
#include "core/crypto/secret_memory.hpp"

namespace pgchat {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t secret_bytes = 32;
// 48 bytes fill 64 characters without a spare bit, so each token has exactly one spelling.
constexpr std::size_t encoded_size = (id_bytes + secret_bytes) * 4 / 3;

}  // namespace

SessionToken SessionToken::generate(const Uuid& user_id) {
    SessionToken token{user_id, {}};
    random_bytes(token.secret);
    return token;
}

std::optional<SessionToken> SessionToken::parse(std::string_view text, std::string_view prefix) {
    if (text.size() != prefix.size() + encoded_size || !text.starts_with(prefix)) return std::nullopt;
    std::optional<std::string> bytes = base64url_decode(text.substr(prefix.size()));
    if (!bytes) return std::nullopt;
    SessionToken token;
    std::copy_n(bytes->begin(), id_bytes, token.user_id.bytes.begin());
    std::copy_n(bytes->begin() + id_bytes, secret_bytes, token.secret.begin());
    secure_zero(bytes->data(), bytes->size());
    return token;
}

std::string SessionToken::text(std::string_view prefix) const {
    std::array<std::uint8_t, id_bytes + secret_bytes> bytes;
    std::copy(secret.begin(), secret.end(), std::copy(user_id.bytes.begin(), user_id.bytes.end(), bytes.begin()));
    std::string text = std::string(prefix) + base64url_encode(bytes);
    secure_zero(bytes.data(), bytes.size());
    return text;
}

Sha256Digest SessionToken::hash() const {
    return sha256({reinterpret_cast<const char*>(secret.data()), secret.size()});
}

}  // namespace pgchat
