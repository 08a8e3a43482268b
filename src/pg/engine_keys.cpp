#include "pg/engine_keys.hpp"

#include <cstdlib>

#include "core/llm/provider_key.hpp"
#include "pg/engine_statement.hpp"
#include "pg/settings.hpp"

namespace pgchat::pg {
namespace {

constexpr Milliseconds note_interval{60'000};
constexpr Milliseconds keys_retry_delay{1000};

// What cannot be opened is an error of the calls that need it, and of no others.
OwnKey opened(SecretVault& vault, const SealPlace& place, const Uuid& id, std::string_view sealed) {
    try {
        return {id, SecretText(vault.open(place, sealed)), std::nullopt};
    } catch (const Error& error) {
        return {id, {}, error};
    }
}

}  // namespace

void ProviderKeys::load() {
    static Statement statement("SELECT * FROM chat_private.engine_provider_keys()", {});
    keys_.clear();
    statement.execute(nullptr);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        const Uuid provider = row.uuid(1);
        keys_.insert_or_assign(provider,
                               opened(vault_, {provider_key_purpose, Uuid{}, provider}, provider, row.bytes_at(2)));
    }
}

void ProviderKeys::give(ProviderConfig& provider) const {
    const auto found = keys_.find(provider.id);
    if (found == keys_.end()) {
        try {
            provider.api_key = key_of_environment(provider.options, KeyVariables(settings.api_key_variables),
                                                  [](const char* name) { return std::getenv(name); });
        } catch (const Error& error) {
            provider.key_error = error;
        }
        return;
    }
    provider.api_key = found->second.key;
    provider.key_error = found->second.error;
}

void load_own_keys(SecretVault& vault, Datum user_ids,
                   const std::function<void(const Uuid& user_id, const Uuid& provider_id, OwnKey key)>& take) {
    static Statement statement("SELECT * FROM chat_private.engine_keys($1)", {UUIDARRAYOID});
    statement.execute(&user_ids);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        const Uuid user = row.uuid(1), provider = row.uuid(2), id = row.uuid(3);
        take(user, provider, opened(vault, {api_key_purpose(provider), user, id}, id, row.bytes_at(4)));
    }
}

void KeyUses::used(const Uuid& user_id, const Uuid& key_id) {
    Use& use = uses_[key_id];
    use.user_id = user_id;
    use.is_new = true;
    const TimePoint at = std::max(use.due, clock_.now());
    next_run_ = next_run_ ? std::min(*next_run_, at) : at;
}

void KeyUses::run() {
    static Statement statement("SELECT chat_private.api_keys_used($1, $2)", {UUIDARRAYOID, UUIDARRAYOID});
    const TimePoint now = clock_.now();
    if (!next_run_ || now < *next_run_) return;
    const auto is_due = [&](const Use& use) { return use.is_new && use.due <= now; };
    const Outcome outcome = in_transaction(Durability::asynchronous, "noting which keys were used", [&] {
        ArrayColumn users(UUIDOID, uses_.size()), ids(UUIDOID, uses_.size());
        for (const auto& [id, use] : uses_) {
            if (!is_due(use)) continue;
            users.add_uuid(use.user_id);
            ids.add_uuid(id);
        }
        Datum values[] = {users.array(), ids.array()};
        statement.execute(values);
    });
    if (outcome != Outcome::committed) {
        next_run_ = now + keys_retry_delay;
        return;
    }
    next_run_.reset();
    std::erase_if(uses_, [&](const auto& entry) { return !entry.second.is_new && entry.second.due <= now; });
    for (auto& [id, use] : uses_) {
        if (is_due(use)) use = {use.user_id, false, now + note_interval};
        if (use.is_new) next_run_ = next_run_ ? std::min(*next_run_, use.due) : use.due;
    }
}

std::optional<TimePoint> KeyUses::next_run() const {
    return next_run_;
}

}  // namespace pgchat::pg
