#include "core/engine/secret_service.hpp"

#include "core/billing/webhook_signature.hpp"
#include "core/engine/secret_frames.hpp"

namespace pgchat {
namespace {

// RFC 6238 section 5.2 recommends no more than one step for delays and clocks that are off.
constexpr int code_skew = 1;

bool holds_secrets(SealedStore& store) {
    if (const std::optional<bool> holds = store.holds_secrets()) return *holds;
    throw Error(ErrorCode::engine_unavailable, "it cannot be told now whether secrets are stored",
                "Try again; if it goes on, see the server log for locks.");
}

}  // namespace

SecretService::SecretService(Clock& clock, UnixSeconds unix_seconds, SealedStore& store)
    : vault_(clock, [&store] { return holds_secrets(store); }),
      rotation_(clock, vault_, store),
      unix_seconds_(std::move(unix_seconds)) {}

std::string SecretService::reply_to(FrameReader& frame) {
    const std::uint32_t number = frame.request_number();
    switch (static_cast<SecretAct>(frame.u8())) {
        case SecretAct::seal: {
            const SealFrame request = read_seal(frame);
            return write_answer(number, vault_.seal(request.place, receiver_.open(request.envelope).view()));
        }
        case SecretAct::check_totp:
            return write_answer(number, check_totp(frame));
        case SecretAct::check_webhook:
            return write_answer(number, check_webhook(frame));
        case SecretAct::rotate_master_key:
            rotation_.begin();
            [[fallthrough]];
        case SecretAct::master_key_status:
            return write_answer(number, rotation_.progress().to_json());
    }
    throw Error(ErrorCode::internal, "unknown secret act");
}

std::string SecretService::check_totp(FrameReader& frame) {
    const TotpCheckFrame request = read_totp_check(frame);
    const SecretBytes key = vault_.open({totp_purpose, request.user_id, request.factor_id}, request.sealed_key);
    const auto step = pgchat::totp_check(key.view(), request.code, unix_seconds_(), code_skew, request.scheme);
    return step ? std::to_string(*step) : std::string();
}

std::string SecretService::check_webhook(FrameReader& frame) {
    const WebhookCheckFrame request = read_webhook_check(frame);
    const SecretBytes secret = vault_.open({webhook_purpose, Uuid{}, request.row_id}, request.sealed_secret);
    return name_of(
        check_webhook_signature(request.header, request.body, secret.view(), unix_seconds_(), request.tolerance));
}

}  // namespace pgchat
