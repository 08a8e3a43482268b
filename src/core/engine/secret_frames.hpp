// What a backend asks of the engine because the engine alone holds the master key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/crypto/sealed_secret.hpp"
#include "core/crypto/totp.hpp"
#include "core/engine/frames.hpp"

namespace pgchat {

// Follows the head of a frame of RequestKind::secret. Each is answered by a text, or an error.
enum class SecretAct : std::uint8_t { seal, check_totp, master_key_status, rotate_master_key, check_webhook };

// The purpose of sealed TOTP keys; their row is the factor.
inline constexpr std::string_view totp_purpose = "totp";

// Answered by the sealed bytes.
struct SealFrame {
    SealPlace place;
    std::string_view envelope;  // holds the secret (put_in_envelope)
};

std::string write_seal(std::uint32_t request_number, const SealFrame& request);
SealFrame read_seal(FrameReader& frame);

// Answered by the step the code belongs to, as decimal digits; empty for a wrong code.
struct TotpCheckFrame {
    Uuid user_id;
    Uuid factor_id;
    TotpScheme scheme;
    std::string_view sealed_key;
    std::string_view code;
};

// Of the acts that concern the master key, which have nothing to say; answered by RotationProgress in JSON.
std::string write_secret_act(std::uint32_t request_number, SecretAct act);

std::string write_totp_check(std::uint32_t request_number, const TotpCheckFrame& request);
TotpCheckFrame read_totp_check(FrameReader& frame);

// The purpose of sealed secrets of webhooks, which belong to nobody.
inline constexpr std::string_view webhook_purpose = "webhook_secret";

// Answered by the name of a WebhookVerdict.
struct WebhookCheckFrame {
    Uuid row_id;
    std::string_view sealed_secret;
    std::string_view header;
    std::string_view body;
    std::int64_t tolerance = 0;  // seconds
};

std::string write_webhook_check(std::uint32_t request_number, const WebhookCheckFrame& request);
WebhookCheckFrame read_webhook_check(FrameReader& frame);

}  // namespace pgchat
