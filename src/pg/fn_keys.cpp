// SQL functions over the master key.
#include "pg/convert.hpp"
#include "pg/sealing.hpp"

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_master_key_state);

Datum pgchat_master_key_state(PG_FUNCTION_ARGS) {
    return entry([&] { return jsonb_datum(master_key_state(Args(fcinfo).boolean_at(0, false)).c_str()); });
}

}  // extern "C"
