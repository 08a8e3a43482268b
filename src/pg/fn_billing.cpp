// SQL functions over webhooks of payment providers.
#include "pg/convert.hpp"
#include "pg/sealing.hpp"

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_check_webhook);

Datum pgchat_check_webhook(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        return text_datum(
            check_webhook(args.uuid_at(0), args.bytes_at(1), args.text_at(2), args.text_at(3), args.int32_at(4, 0)));
    });
}

}  // extern "C"
