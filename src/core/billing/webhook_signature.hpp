// Whether a payment provider's webhook comes from who it says: the header that Stripe calls Stripe-Signature.
//
// It is a list of pairs such as "t=1700000000,v1=5257a8…,v0=…": t is when it was signed, in seconds since 1970; each v1
// is the HMAC-SHA256, in hex, of the text of t, a full stop, and the body exactly as it was sent, under the secret of
// the endpoint. There are several while a secret is being changed; other schemes are passed over.
// https://docs.stripe.com/webhooks/signature
#pragma once

#include <cstdint>
#include <string_view>

namespace pgchat {

enum class WebhookVerdict : std::uint8_t {
    valid,
    malformed,  // the header has not one time and at least one v1
    too_old,    // by more than the tolerance, as one that is played back
    too_early,  // signed in what is the future here, by more than the tolerance
    wrong,      // no v1 is that of this body under this secret
};

// `now` in seconds since 1970, `tolerance` in seconds. Compares in a time that tells nothing of the right signature.
WebhookVerdict check_webhook_signature(std::string_view header, std::string_view body, std::string_view secret,
                                       std::int64_t now, std::int64_t tolerance);

// The name as in the enum, static storage.
const char* name_of(WebhookVerdict verdict) noexcept;

}  // namespace pgchat
