// SQL's way to the ledger: chat_private.ask_ledger and tell_ledger.
#include "pg/convert.hpp"
#include "pg/ledger.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

LedgerAct named_act(std::string_view name) {
    const std::optional<LedgerAct> act = ledger_act_from_name(name);
    if (!act) throw Error(ErrorCode::invalid_argument, "there is no such act of the ledger");
    return *act;
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_ask_ledger);
PG_FUNCTION_INFO_V1(pgchat_tell_ledger);

Datum pgchat_ask_ledger(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::string answer = ask_ledger(named_act(args.text_at(0)), args.json_at(1));
        fcinfo->isnull = answer.empty();
        return answer.empty() ? Datum{0} : jsonb_datum(answer.c_str());
    });
}

Datum pgchat_tell_ledger(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        tell_ledger(named_act(args.text_at(0)), args.json_at(1));
        return Datum{0};
    });
}

}  // extern "C"
