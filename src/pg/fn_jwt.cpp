// SQL functions around signed tokens: verifying them, authenticating by them, and having the engine sign.
#include "core/crypto/session_token.hpp"
#include "core/jose/invalid_token.hpp"
#include "core/jose/jws.hpp"
#include "core/jose/jwt_claims.hpp"
#include "core/llm/json_field.hpp"
#include "pg/convert.hpp"
#include "pg/identity.hpp"
#include "pg/session_lookup.hpp"
#include "pg/settings.hpp"
#include "pg/token_keys.hpp"
#include "pg/token_signing.hpp"

extern "C" {
#include "access/htup_details.h"
#include "utils/timestamp.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// By how much the clocks of those who sign for this database may differ from its own.
constexpr std::int64_t clock_skew_s = 30;

std::int64_t unix_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// The token, taken apart and verified, and its claims.
std::pair<CompactJws, Json> verified(std::string_view text) {
    CompactJws token = read_compact_jws(text);
    if (token.algorithm == JoseAlgorithm::hs256) {
        if (!engine_verifies(text)) refuse_token();
    } else {
        const JoseKey* const key = token.kid.empty() ? nullptr : find_public_key(token.kid);
        if (key == nullptr) refuse_token();
        verify_jws(token, *key);
    }
    const std::string issuer = token_issuer(), audience = token_audience();
    Json claims = read_claims(token.payload, {issuer, audience, unix_now(), clock_skew_s});
    return {std::move(token), std::move(claims)};
}

// A claim that is a UUID; nullopt where it is absent. Refuses any other value.
std::optional<Uuid> uuid_claim(const Json& claims, const char* name) {
    if (!claims.contains(name)) return std::nullopt;
    const std::optional<Uuid> id = parse_uuid(text_claim(claims, name));
    if (!id) refuse_token();
    return id;
}

// When an identity that these claims give ends; infinite where they do not say.
std::int64_t end_of(const Json& claims) {
    constexpr std::int64_t epoch_s = static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
    const Json& expiry = json_member(claims, "exp");
    if (!expiry.is_number()) return DT_NOEND;
    return static_cast<std::int64_t>((expiry.get<double>() - epoch_s + clock_skew_s) * USECS_PER_SEC);
}

// The in-app role of the user of a token, who must be active, of that version where there is one, and in that session
// where there is one.
std::string role_of(const Uuid& user_id, const std::optional<Uuid>& session_id, std::optional<std::int32_t> version) {
    if (!session_id) {
        const std::optional<std::string> role = find_user(user_id, version);
        if (!role) refuse_token();
        return *role;
    }
    const std::optional<SessionUser> session = find_session(user_id, *session_id);
    if (!session || session->mfa_pending || (version && session->token_version != *version)) refuse_token();
    if (session->activity_is_old) touch_session(user_id, *session_id);
    return session->role;
}

std::optional<std::int32_t> version_claim(const Json& claims) {
    const Json& value = json_member(claims, "token_version");
    if (value.is_null()) return std::nullopt;
    const std::int64_t version = value.is_number_integer() ? value.get<std::int64_t>() : -1;
    if (version < 0 || version > INT32_MAX) refuse_token();
    return static_cast<std::int32_t>(version);
}

// Authenticates the user of claims that are verified. Where `version_required`, they must say of which token version
// they are.
Uuid authenticate_claims(const Json& claims, bool version_required, bool is_local) {
    const std::optional<Uuid> user_id = uuid_claim(claims, "sub"), session_id = uuid_claim(claims, "sid");
    const std::optional<std::int32_t> version = version_claim(claims);
    if (!user_id || (version_required && !version)) refuse_token();
    const std::string role = role_of(*user_id, session_id, version);
    const TokenClaims remembered{version.value_or(0), end_of(claims)};
    set_identity(&*user_id, role, session_id ? &*session_id : nullptr, is_local, version ? &remembered : nullptr);
    set_pending_identity(nullptr, is_local);
    set_signed_identity(true, is_local);
    return *user_id;
}

Datum record(FunctionCallInfo fcinfo, Datum* values, bool* nulls) {
    return call([&] {
        TupleDesc row_type;
        get_call_result_type(fcinfo, nullptr, &row_type);
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
    });
}

JoseAlgorithm algorithm_at(const Args& args, int index) {
    const std::optional<JoseAlgorithm> algorithm = jose_algorithm_from_name(args.text_at(index));
    if (!algorithm)
        throw Error(ErrorCode::invalid_argument, "the algorithm is not known",
                    "It is one of EdDSA, ES256, RS256 and HS256.");
    return *algorithm;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_jwt_verify);
PG_FUNCTION_INFO_V1(pgchat_authenticate_jwt);
PG_FUNCTION_INFO_V1(pgchat_trusts_jwt_claims);
PG_FUNCTION_INFO_V1(pgchat_authenticate_claims);
PG_FUNCTION_INFO_V1(pgchat_is_signed_identity);
PG_FUNCTION_INFO_V1(pgchat_sign_token);
PG_FUNCTION_INFO_V1(pgchat_token_issuer);
PG_FUNCTION_INFO_V1(pgchat_token_audience);
PG_FUNCTION_INFO_V1(pgchat_token_database_role);
PG_FUNCTION_INFO_V1(pgchat_make_signing_key);
PG_FUNCTION_INFO_V1(pgchat_new_refresh_token);
PG_FUNCTION_INFO_V1(pgchat_read_refresh_token);

Datum pgchat_jwt_verify(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        args.require(0, "token");
        return jsonb_datum(verified(args.text_at(0)).first.payload.c_str());
    });
}

Datum pgchat_authenticate_jwt(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        args.require(0, "token");
        return uuid_datum(authenticate_claims(verified(args.text_at(0)).second, true, args.boolean_at(1, true)));
    });
}

Datum pgchat_trusts_jwt_claims(PG_FUNCTION_ARGS) {
    return entry([&] { return BoolGetDatum(settings.trust_jwt_claims); });
}

Datum pgchat_authenticate_claims(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Json claims = Json::parse(Args(fcinfo).json_at(0));
        return uuid_datum(authenticate_claims(claims, false, true));
    });
}

Datum pgchat_is_signed_identity(PG_FUNCTION_ARGS) {
    return entry([&] { return BoolGetDatum(identity_is_signed()); });
}

Datum pgchat_sign_token(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return text_datum(sign_token(args.json_at(0), algorithm_at(args, 1)));
    });
}

Datum pgchat_token_issuer(PG_FUNCTION_ARGS) {
    return entry([&] { return text_datum(token_issuer()); });
}

Datum pgchat_token_audience(PG_FUNCTION_ARGS) {
    return entry([&] { return text_datum(token_audience()); });
}

Datum pgchat_token_database_role(PG_FUNCTION_ARGS) {
    return entry([&] { return text_datum(text_setting("jwt_database_role", "pgchat_client")); });
}

Datum pgchat_make_signing_key(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const JoseAlgorithm algorithm = algorithm_at(args, 0);
        const SealedKey key = args.is_null(1) ? seal_key(JoseKey::generate(algorithm))
                                              : seal_key(JoseKey::from_private(algorithm, args.bytes_at(1)));
        Datum values[4] = {uuid_datum(key.id), text_datum(key.kid), Datum{0}, bytea_datum(key.sealed)};
        bool nulls[4] = {false, false, key.public_jwk.empty(), false};
        if (!key.public_jwk.empty()) values[2] = jsonb_datum(key.public_jwk.c_str());
        return record(fcinfo, values, nulls);
    });
}

Datum pgchat_new_refresh_token(PG_FUNCTION_ARGS) {
    return entry([&] {
        const SessionToken token = SessionToken::generate(Args(fcinfo).uuid_at(0));
        const Sha256Digest hash = token.hash();
        Datum values[2] = {text_datum(token.text(refresh_token_prefix)), bytea_datum(hash.data(), hash.size())};
        bool nulls[2] = {false, false};
        return record(fcinfo, values, nulls);
    });
}

Datum pgchat_read_refresh_token(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::optional<SessionToken> token = SessionToken::parse(Args(fcinfo).text_at(0), refresh_token_prefix);
        if (!token) refuse_token();
        const Sha256Digest hash = token->hash();
        Datum values[2] = {uuid_datum(token->user_id), bytea_datum(hash.data(), hash.size())};
        bool nulls[2] = {false, false};
        return record(fcinfo, values, nulls);
    });
}

}  // extern "C"
