#include "pg/token_signing.hpp"

#include "core/crypto/base64url.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/crypto/uuid_v7.hpp"
#include "core/jose/jwk.hpp"
#include "pg/engine_client.hpp"
#include "pg/ledger.hpp"
#include "pg/sealing.hpp"

namespace pgchat::pg {
namespace {

// A signature takes well under a millisecond; the engine may be in the middle of something else.
constexpr std::chrono::milliseconds signing_wait{5000};

// The engine's token over the claims; empty where it has no key for the algorithm.
std::string ask_to_sign(std::string_view claims, JoseAlgorithm algorithm) {
    EngineRequest request([&](std::uint32_t number) {
        return FrameWriter(RequestKind::sign_token, number)
            .u8(static_cast<std::uint8_t>(algorithm))
            .text(claims)
            .take();
    });
    std::optional<FrameReader> reply = request.next(signing_wait);
    if (!reply)
        throw Error(ErrorCode::engine_unavailable, "the pgchat engine did not sign in time",
                    "Try again; see chat.engine_status().");
    request.done();
    if (reply->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*reply);
    return std::string(read_answer(*reply));
}

// In a transaction of the engine's, for the engine cannot see a key of this one.
void make_first_key(JoseAlgorithm algorithm) {
    const SealedKey key = seal_key(JoseKey::generate(algorithm));
    Json payload{{"id", to_string(key.id)},
                 {"kid", key.kid},
                 {"algorithm", jose_algorithm_name(algorithm)},
                 {"sealed_private", base64url_encode(key.sealed)}};
    payload["public_jwk"] = key.public_jwk.empty() ? Json() : Json::parse(key.public_jwk);
    ask_ledger(LedgerAct::signing_key, payload.dump());
}

}  // namespace

SealedKey seal_key(const JoseKey& key) {
    SealedKey row;
    row.id = uuid_v7();
    if (key.algorithm() == JoseAlgorithm::hs256) {
        row.kid = to_string(uuid_v7());
    } else {
        row.kid = jwk_thumbprint(key);
        row.public_jwk = public_jwk(key).dump();
    }
    std::string bytes = key.private_bytes();
    row.sealed = seal({"signing_key", Uuid{}, row.id}, bytes);
    secure_zero(bytes.data(), bytes.size());
    return row;
}

std::string sign_token(std::string_view claims, JoseAlgorithm algorithm) {
    std::string token = ask_to_sign(claims, algorithm);
    if (!token.empty()) return token;
    make_first_key(algorithm);
    token = ask_to_sign(claims, algorithm);
    if (token.empty())
        throw Error(ErrorCode::engine_unavailable, "the signing key was revoked at this moment", "Try again.");
    return token;
}

bool engine_verifies(std::string_view token) {
    const auto write = [&](std::uint32_t number) {
        return FrameWriter(RequestKind::verify_token, number).text(token).take();
    };
    return ask_engine(write, signing_wait);
}

}  // namespace pgchat::pg
