#include "core/engine/id_token_frames.hpp"

namespace pgchat {

std::string write_id_token(std::uint32_t request_number, const IdTokenRequest& request) {
    FrameWriter frame(RequestKind::id_token, request_number);
    frame.text(request.source.issuer).text(request.source.jwks_url).text(request.rules.client_id);
    frame.text(request.rules.nonce).text(request.rules.access_token).text(request.token);
    frame.u8(static_cast<std::uint8_t>(request.rules.algorithms.size()));
    for (const JoseAlgorithm algorithm : request.rules.algorithms) frame.u8(static_cast<std::uint8_t>(algorithm));
    return frame.take();
}

IdTokenRequest read_id_token_request(FrameReader& frame) {
    IdTokenRequest request;
    request.source.issuer = request.rules.issuer = frame.text();
    request.source.jwks_url = frame.text();
    request.rules.client_id = frame.text();
    request.rules.nonce = frame.text();
    request.rules.access_token = frame.text();
    request.token = frame.text();
    for (int left = frame.u8(); left > 0; --left)
        request.rules.algorithms.push_back(static_cast<JoseAlgorithm>(frame.u8()));
    return request;
}

}  // namespace pgchat
