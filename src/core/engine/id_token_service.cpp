#include "core/engine/id_token_service.hpp"

namespace pgchat {

void IdTokenService::verify(FrameReader& frame, Answer answer) {
    const std::uint32_t number = frame.request_number();
    auto request = std::make_shared<IdTokenRequest>(read_id_token_request(frame));
    const CompactJws token = read_compact_jws(request->token);
    keys_.find(request->source, token, request->rules.algorithms,
               [=, this](const JoseKey* key, const std::optional<Error>& error) {
                   if (key == nullptr) return answer(write_error(number, *error));
                   try {
                       request->rules.now = unix_seconds_();
                       const Json claims = read_id_token(read_compact_jws(request->token), *key, request->rules);
                       answer(write_answer(number, claims.dump()));
                   } catch (const Error& refused) {
                       answer(write_error(number, refused));
                   }
               });
}

}  // namespace pgchat
