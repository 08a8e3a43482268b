#include "core/billing/webhook_signature.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto/hmac.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/text/ascii.hpp"
#include "core/text/hex.hpp"

namespace pgchat {
namespace {

// Far more than a provider sends; each costs a comparison only.
constexpr std::size_t longest_header = 4096;

struct Signature {
    std::string_view time;  // as it was signed
    std::int64_t signed_at = 0;
    std::vector<std::string_view> v1;
};

std::optional<std::int64_t> seconds_from(std::string_view text) {
    std::int64_t seconds = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, seconds);
    if (error != std::errc() || rest != end || seconds < 0) return std::nullopt;
    return seconds;
}

std::optional<Signature> parse(std::string_view header) {
    if (header.size() > longest_header) return std::nullopt;
    Signature signature;
    while (!header.empty()) {
        const std::size_t comma = std::min(header.find(','), header.size());
        const std::string_view pair = trimmed(header.substr(0, comma), " ");
        header.remove_prefix(std::min(comma + 1, header.size()));
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = pair.substr(0, equals), value = pair.substr(equals + 1);
        if (name == "v1") {
            signature.v1.push_back(value);
        } else if (name == "t") {
            const std::optional<std::int64_t> seconds = seconds_from(value);
            if (!seconds || !signature.time.empty()) return std::nullopt;
            signature.time = value;
            signature.signed_at = *seconds;
        }
    }
    if (signature.time.empty() || signature.v1.empty()) return std::nullopt;
    return signature;
}

bool signs(const Signature& signature, std::string_view body, std::string_view secret) {
    std::string message(signature.time);
    message.append(1, '.').append(body);
    const std::string expected = hex_of(hmac(HashAlgorithm::sha256, secret, message));
    bool is_found = false;
    for (const std::string_view given : signature.v1) {
        std::string lower(given);
        std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
        is_found |= constant_time_equal(lower, expected);
    }
    return is_found;
}

}  // namespace

WebhookVerdict check_webhook_signature(std::string_view header, std::string_view body, std::string_view secret,
                                       std::int64_t now, std::int64_t tolerance) {
    const std::optional<Signature> signature = parse(header);
    if (!signature) return WebhookVerdict::malformed;
    // Both are not negative, so that no difference overflows.
    if (now - signature->signed_at > tolerance) return WebhookVerdict::too_old;
    if (signature->signed_at - now > tolerance) return WebhookVerdict::too_early;
    return signs(*signature, body, secret) ? WebhookVerdict::valid : WebhookVerdict::wrong;
}

const char* name_of(WebhookVerdict verdict) noexcept {
    switch (verdict) {
        case WebhookVerdict::valid:
            return "valid";
        case WebhookVerdict::malformed:
            return "malformed";
        case WebhookVerdict::too_old:
            return "too_old";
        case WebhookVerdict::too_early:
            return "too_early";
        case WebhookVerdict::wrong:
            break;
    }
    return "wrong";
}

}  // namespace pgchat
