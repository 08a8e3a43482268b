#include "pg/token_keys.hpp"

#include <unordered_map>

#include "core/jose/jwk.hpp"
#include "pg/convert.hpp"
#include "pg/keyed_row.hpp"

extern "C" {
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

// There are few keys at a time, so that this is only reached by years of rotation in one session.
constexpr std::size_t most_kept_keys = 64;

struct KeptKey {
    std::string jwk;
    JoseKey key;
};

const char* json_text(Datum value) noexcept {
    Jsonb* const json = DatumGetJsonbP(value);
    return JsonbToCString(nullptr, &json->root, VARSIZE(json));
}

// The JWK of a key that may verify now, palloc'd; null where there is none.
const char* read_public_jwk(Datum kid) {
    return call([&]() -> const char* {
        const char* columns[] = {"kid"};
        const RegProcedure equals[] = {F_TEXTEQ};
        KeyedRow row("chat_private", "signing_keys", nullptr, columns, &kid, equals, 1);
        const char* jwk = nullptr;
        if (row.found()) {
            const std::string_view state = view_of(DatumGetTextPP(row.column("state")));
            bool has_no_end = false, is_secret = false;
            const Datum end = row.column("valid_until", has_no_end);
            const Datum json = row.column("public_jwk", is_secret);
            const bool is_over = !has_no_end && DatumGetTimestampTz(end) <= GetCurrentTimestamp();
            if (state != "revoked" && !is_over && !is_secret) jwk = json_text(json);
        }
        row.close();
        return jwk;
    });
}

}  // namespace

const JoseKey* find_public_key(std::string_view kid) {
    static std::unordered_map<std::string, KeptKey> kept;
    const char* const jwk = read_public_jwk(text_datum(kid));
    if (jwk == nullptr) return nullptr;
    const std::string name(kid);
    auto found = kept.find(name);
    if (found == kept.end() || found->second.jwk != jwk) {
        if (kept.size() >= most_kept_keys) kept.clear();
        found = kept.insert_or_assign(name, KeptKey{jwk, read_jwk(Json::parse(jwk))}).first;
    }
    return &found->second.key;
}

std::string text_setting(const char* key, const char* fallback) {
    const Datum name = text_datum(key);
    const char* const json = call([&]() -> const char* {
        const char* columns[] = {"key"};
        const RegProcedure equals[] = {F_TEXTEQ};
        KeyedRow row("chat", "settings", nullptr, columns, &name, equals, 1);
        const char* const value = row.found() ? json_text(row.column("value")) : nullptr;
        row.close();
        return value;
    });
    const Json value = json == nullptr ? Json() : Json::parse(json);
    return value.is_string() ? value.get<std::string>() : fallback;
}

std::string token_issuer() {
    return text_setting("jwt_issuer", "pgchat");
}

std::string token_audience() {
    return text_setting("jwt_audience", "pgchat");
}

}  // namespace pgchat::pg
