// SQL functions that hash and check passwords of accounts, each in one of the server's few hashing slots.
#include "core/crypto/bcrypt.hpp"
#include "core/crypto/password_check.hpp"
#include "pg/convert.hpp"
#include "pg/hash_slots.hpp"
#include "pg/settings.hpp"

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_hash_password);
PG_FUNCTION_INFO_V1(pgchat_verify_password);
PG_FUNCTION_INFO_V1(pgchat_check_password_evenly);
PG_FUNCTION_INFO_V1(pgchat_hash_is_outdated);

Datum pgchat_hash_password(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::string_view password = Args(fcinfo).text_at(0);
        std::string hash;
        {
            const HashSlot slot;
            hash = bcrypt_hash(password, settings.bcrypt_cost);
        }
        return text_datum(hash);
    });
}

Datum pgchat_verify_password(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::string_view password = args.text_at(0), hash = args.text_at(1);
        const HashSlot slot;
        return BoolGetDatum(bcrypt_verify(password, hash));
    });
}

Datum pgchat_check_password_evenly(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::string_view password = args.text_at(0), hash = args.text_at(1);
        const HashSlot slot;
        return BoolGetDatum(check_password_evenly(password, hash, settings.bcrypt_cost));
    });
}

Datum pgchat_hash_is_outdated(PG_FUNCTION_ARGS) {
    return entry([&] { return BoolGetDatum(bcrypt_cost(Args(fcinfo).text_at(0)) != settings.bcrypt_cost); });
}

}  // extern "C"
