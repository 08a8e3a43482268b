// SQL functions over core/crypto/totp: one-time codes of secrets that the caller holds.
#include "core/crypto/totp.hpp"
#include "pg/convert.hpp"

extern "C" {
#include "utils/timestamp.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

constexpr int default_digits = 6;

// Whole seconds since 1970, rounded down.
std::int64_t unix_seconds_of(TimestampTz at) {
    if (TIMESTAMP_NOT_FINITE(at))
        throw Error(ErrorCode::invalid_argument, "the time of a one-time code must be finite");
    constexpr std::int64_t epoch_seconds =
        static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
    const std::int64_t seconds = at / USECS_PER_SEC - (at % USECS_PER_SEC < 0);
    return seconds + epoch_seconds;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_totp_generate);
PG_FUNCTION_INFO_V1(pgchat_totp_check);

Datum pgchat_totp_generate(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const TotpScheme scheme = totp_scheme(args.text_at(2), args.int32_at(3, default_digits));
        return text_datum(totp(totp_key(args.text_at(0)), unix_seconds_of(PG_GETARG_TIMESTAMPTZ(1)), scheme));
    });
}

Datum pgchat_totp_check(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const TotpScheme scheme = totp_scheme(args.text_at(4), args.int32_at(5, default_digits));
        const auto step = totp_check(totp_key(args.text_at(0)), args.text_at(1),
                                     unix_seconds_of(PG_GETARG_TIMESTAMPTZ(2)), args.int32_at(3, 1), scheme);
        return BoolGetDatum(step.has_value());
    });
}

}  // extern "C"
