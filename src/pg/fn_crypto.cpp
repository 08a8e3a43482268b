// SQL functions over core/crypto: password hashes, content hashes, ids and session tokens.
#include "core/crypto/bcrypt.hpp"
#include "core/crypto/session_token.hpp"
#include "core/crypto/sha256.hpp"
#include "core/crypto/uuid_v7.hpp"
#include "pg/convert.hpp"

extern "C" {
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_bcrypt_hash);
PG_FUNCTION_INFO_V1(pgchat_bcrypt_verify);
PG_FUNCTION_INFO_V1(pgchat_content_hash);
PG_FUNCTION_INFO_V1(pgchat_uuid_v7);
PG_FUNCTION_INFO_V1(pgchat_new_session_token);

Datum pgchat_bcrypt_hash(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return text_datum(bcrypt_hash(args.text_at(0), args.int32_at(1, 12)));
    });
}

Datum pgchat_bcrypt_verify(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return BoolGetDatum(bcrypt_verify(args.text_at(0), args.text_at(1)));
    });
}

Datum pgchat_content_hash(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Sha256Digest digest = sha256(Args(fcinfo).text_at(0));
        return bytea_datum(digest.data(), digest.size());
    });
}

Datum pgchat_uuid_v7(PG_FUNCTION_ARGS) {
    return entry([&] { return uuid_datum(uuid_v7()); });
}

Datum pgchat_new_session_token(PG_FUNCTION_ARGS) {
    return entry([&] {
        const SessionToken token = SessionToken::generate(Args(fcinfo).uuid_at(0));
        const Sha256Digest hash = token.hash();
        Datum values[2] = {text_datum(token.text()), bytea_datum(hash.data(), hash.size())};
        return call([&] {
            TupleDesc row_type;
            get_call_result_type(fcinfo, nullptr, &row_type);
            bool nulls[2] = {false, false};
            return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
        });
    });
}

}  // extern "C"
