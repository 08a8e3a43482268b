// SQL functions over sealed secrets and the second factor.
#include "core/crypto/base32.hpp"
#include "core/crypto/otpauth_uri.hpp"
#include "core/crypto/recovery_code.hpp"
#include "core/crypto/secret_memory.hpp"
#include "core/engine/secret_frames.hpp"
#include "core/text/qr_svg.hpp"
#include "pg/convert.hpp"
#include "pg/sealing.hpp"

extern "C" {
#include "access/htup_details.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

Datum row_of(FunctionCallInfo fcinfo, Datum* values) {
    return call([&] {
        TupleDesc row_type;
        get_call_result_type(fcinfo, nullptr, &row_type);
        bool nulls[4] = {};
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls));
    });
}

// A new TOTP key: as text, URI and QR code for the user, and sealed for the table.
Datum new_totp(FunctionCallInfo fcinfo) {
    const Args args(fcinfo);
    const TotpScheme scheme = totp_scheme(args.text_at(4), args.int32_at(5, 0));
    std::string key = generate_totp_key(scheme.algorithm);
    const std::string uri = otpauth_uri(args.text_at(2), args.text_at(3), key, scheme);
    const std::string sealed = seal({totp_purpose, args.uuid_at(0), args.uuid_at(1)}, key);
    Datum values[] = {text_datum(base32_encode(key)), text_datum(uri), text_datum(qr_svg(uri)), bytea_datum(sealed)};
    secure_zero(key.data(), key.size());
    return row_of(fcinfo, values);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_seal);
PG_FUNCTION_INFO_V1(pgchat_seal_totp);
PG_FUNCTION_INFO_V1(pgchat_new_totp);
PG_FUNCTION_INFO_V1(pgchat_check_totp_code);
PG_FUNCTION_INFO_V1(pgchat_new_recovery_code);
PG_FUNCTION_INFO_V1(pgchat_recovery_code_hash);

Datum pgchat_seal(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return bytea_datum(seal({args.text_at(0), args.uuid_at(1), args.uuid_at(2)}, args.text_at(3)));
    });
}

Datum pgchat_seal_totp(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return bytea_datum(seal({totp_purpose, args.uuid_at(0), args.uuid_at(1)}, totp_key(args.text_at(2))));
    });
}

Datum pgchat_new_totp(PG_FUNCTION_ARGS) {
    return entry([&] { return new_totp(fcinfo); });
}

Datum pgchat_check_totp_code(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const TotpScheme scheme = totp_scheme(args.text_at(3), args.int32_at(4, 0));
        const auto step = check_totp_code(args.uuid_at(0), args.uuid_at(1), scheme, args.text_at(2), args.text_at(5));
        fcinfo->isnull = !step;
        return step ? Int64GetDatum(*step) : Datum{0};
    });
}

Datum pgchat_new_recovery_code(PG_FUNCTION_ARGS) {
    return entry([&] {
        const std::string code = generate_recovery_code();
        const Sha256Digest hash = *recovery_code_hash(Args(fcinfo).uuid_at(0), code);
        Datum values[] = {text_datum(code), bytea_datum(hash.data(), hash.size())};
        return row_of(fcinfo, values);
    });
}

Datum pgchat_recovery_code_hash(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::optional<Sha256Digest> hash = recovery_code_hash(args.uuid_at(0), args.text_at(1));
        fcinfo->isnull = !hash;
        return hash ? bytea_datum(hash->data(), hash->size()) : Datum{0};
    });
}

}  // extern "C"
