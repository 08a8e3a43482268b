// SQL's way to the ledger: chat_private.ask_ledger.
#include "pg/convert.hpp"
#include "pg/ledger.hpp"

using namespace pgchat;
using namespace pgchat::pg;

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_ask_ledger);

Datum pgchat_ask_ledger(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::optional<LedgerAct> act = ledger_act_from_name(args.text_at(0));
        if (!act) throw Error(ErrorCode::invalid_argument, "there is no such act of the ledger");
        const std::string answer = ask_ledger(*act, args.json_at(1));
        fcinfo->isnull = answer.empty();
        return answer.empty() ? Datum{0} : jsonb_datum(answer.c_str());
    });
}

}  // extern "C"
