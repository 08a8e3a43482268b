#include "pg/engine_accounts.hpp"

#include "pg/engine_keys.hpp"
#include "pg/engine_statement.hpp"

namespace pgchat::pg {
namespace {

using Accounts = std::unordered_map<Uuid, Account, UuidHash>;

Datum ids_datum(const std::vector<Uuid>& user_ids) {
    ArrayColumn ids(UUIDOID, user_ids.size());
    for (const Uuid& id : user_ids) ids.add(uuid_datum(id));
    return ids.array();
}

// Role, plan, limits and what has been used of them.
void read_limits(Datum ids, const Clock& clock, Accounts& accounts) {
    static Statement statement("SELECT * FROM chat_private.engine_accounts($1)", {UUIDARRAYOID});
    statement.execute(&ids);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        Account& account = accounts[row.uuid(1)];
        account.role = row.text_at(2);
        account.plan = row.text_at(3);
        account.limits.requests_per_minute = row.bigint(4);
        account.limits.concurrent_calls = row.bigint(5);
        account.limits.tokens_per_day = row.bigint(6);
        account.limits.cost_per_month = row.bigint(7);
        account.limits.own_keys_exempt = row.boolean(8);
        account.usage = usage_at(clock.unix_seconds(), row.bigint(9).value_or(0), row.bigint(10).value_or(0));
        account.is_active = row.boolean(11);
    }
}

// The models each was given.
void read_access(Datum ids, Accounts& accounts) {
    static Statement statement("SELECT user_id, model_id FROM chat_private.engine_grants($1)", {UUIDARRAYOID});
    statement.execute(&ids);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        accounts[row.uuid(1)].access.given.insert(row.uuid(2));
    }
}

}  // namespace

bool load_accounts(const std::vector<Uuid>& user_ids, std::uint64_t generation, const Clock& clock, SecretVault& vault,
                   AccountBook& book) {
    Accounts accounts;
    const Outcome outcome = in_transaction(Durability::asynchronous, "loading accounts", [&] {
        Datum const ids = ids_datum(user_ids);
        read_limits(ids, clock, accounts);
        read_access(ids, accounts);
        load_own_keys(vault, ids, [&](const Uuid& user_id, const Uuid& provider_id, OwnKey key) {
            accounts[user_id].keys.add(provider_id, std::move(key));
        });
    });
    if (outcome != Outcome::committed) return false;
    for (const Uuid& id : user_ids) book.put(id, std::move(accounts[id]), generation);
    return true;
}

}  // namespace pgchat::pg
