#include "pg/engine_tokens.hpp"

#include <algorithm>

#include "core/jose/jws.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace pgchat::pg {

std::string EngineTokens::sign(std::string_view claims, JoseAlgorithm algorithm) {
    refresh();
    for (const Key& key : keys_) {
        if (!key.is_active || key.algorithm != algorithm) continue;
        if (!key.key) throw *key.error;
        // Whoever shares an imported secret knows it by no name.
        const bool is_nameless = key.is_imported && algorithm == JoseAlgorithm::hs256;
        return sign_jws(claims, *key.key, is_nameless ? std::string_view() : key.kid);
    }
    return {};
}

bool EngineTokens::verifies(std::string_view text) {
    refresh();
    const CompactJws token = read_compact_jws(text);
    if (token.algorithm != JoseAlgorithm::hs256) return false;
    const TimestampTz now = GetCurrentTimestamp();
    for (const Key& key : keys_) {
        const bool is_meant = token.kid.empty() ? key.is_imported : key.kid == token.kid;
        if (is_meant && key.valid_until > now && key.key && key.algorithm == JoseAlgorithm::hs256 &&
            key.key->verify(token.signing_input, token.signature))
            return true;
    }
    return false;
}

void EngineTokens::refresh() {
    const std::uint64_t generation = pg_atomic_read_u64(&slot_.catalog_generation);
    if (is_loaded_ && generation == generation_) return;
    load();
    generation_ = generation;
}

EngineTokens::Key EngineTokens::open(const Row& row) {
    const std::optional<Datum> end = row.value(7);
    Key key{std::string(row.text_at(1)),
            jose_algorithm_from_name(row.text_at(3)).value(),
            std::nullopt,
            std::nullopt,
            row.boolean(5),
            row.boolean(6),
            end ? DatumGetTimestampTz(*end) : DT_NOEND};
    try {
        const SecretBytes bytes = vault_.open({"signing_key", Uuid{}, row.uuid(2)}, row.bytes_at(4));
        key.key = JoseKey::from_private(key.algorithm, bytes.view());
    } catch (const Error& error) {
        key.error = error;
        call([&] {
            ereport(LOG, (errmsg("pgchat: signing key \"%s\" cannot be used: %s", key.kid.c_str(), error.what())));
        });
    }
    return key;
}

void EngineTokens::load() {
    static Statement statement("SELECT * FROM chat_private.engine_signing_keys()", {});
    std::vector<Key> loaded;
    const Outcome outcome = in_transaction(Durability::asynchronous, "loading signing keys", [&] {
        statement.execute(nullptr);
        for (std::uint64_t i = 0; i < SPI_processed; ++i) loaded.push_back(open(Row(i)));
    });
    if (outcome != Outcome::committed)
        throw Error(ErrorCode::engine_unavailable, "the engine could not read the signing keys",
                    "Try again; see the server log.");
    keys_ = std::move(loaded);
    // The master key may be there the next time.
    is_loaded_ = std::none_of(keys_.begin(), keys_.end(), [](const Key& key) { return key.error.has_value(); });
}

}  // namespace pgchat::pg
