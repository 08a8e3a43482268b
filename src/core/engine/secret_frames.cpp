#include "core/engine/secret_frames.hpp"

namespace pgchat {
namespace {

FrameWriter begin(std::uint32_t request_number, SecretAct act) {
    FrameWriter frame(RequestKind::secret, request_number);
    frame.u8(static_cast<std::uint8_t>(act));
    return frame;
}

}  // namespace

std::string write_seal(std::uint32_t request_number, const SealFrame& request) {
    FrameWriter frame = begin(request_number, SecretAct::seal);
    frame.text(request.place.purpose).uuid(request.place.user_id).uuid(request.place.row_id).text(request.envelope);
    return frame.take();
}

SealFrame read_seal(FrameReader& frame) {
    SealFrame request;
    request.place.purpose = frame.text();
    request.place.user_id = frame.uuid();
    request.place.row_id = frame.uuid();
    request.envelope = frame.text();
    return request;
}

std::string write_secret_act(std::uint32_t request_number, SecretAct act) {
    return begin(request_number, act).take();
}

std::string write_totp_check(std::uint32_t request_number, const TotpCheckFrame& request) {
    FrameWriter frame = begin(request_number, SecretAct::check_totp);
    frame.uuid(request.user_id).uuid(request.factor_id).u8(static_cast<std::uint8_t>(request.scheme.algorithm));
    frame.u8(static_cast<std::uint8_t>(request.scheme.digits)).text(request.sealed_key).text(request.code);
    return frame.take();
}

TotpCheckFrame read_totp_check(FrameReader& frame) {
    TotpCheckFrame request;
    request.user_id = frame.uuid();
    request.factor_id = frame.uuid();
    request.scheme.algorithm = static_cast<HashAlgorithm>(frame.u8());
    request.scheme.digits = frame.u8();
    request.sealed_key = frame.text();
    request.code = frame.text();
    return request;
}

std::string write_webhook_check(std::uint32_t request_number, const WebhookCheckFrame& request) {
    FrameWriter frame = begin(request_number, SecretAct::check_webhook);
    frame.uuid(request.row_id).text(request.sealed_secret).text(request.header).text(request.body);
    return frame.i64(request.tolerance).take();
}

WebhookCheckFrame read_webhook_check(FrameReader& frame) {
    WebhookCheckFrame request;
    request.row_id = frame.uuid();
    request.sealed_secret = frame.text();
    request.header = frame.text();
    request.body = frame.text();
    request.tolerance = frame.i64();
    return request;
}

}  // namespace pgchat
