#include "pg/boundary.hpp"

namespace pgchat::pg {
namespace {

int encode_sqlstate(const char* state) noexcept {
    return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

}  // namespace

void ErrorReport::set(const Error& error) noexcept {
    sqlstate = encode_sqlstate(pgchat::sqlstate(error.code()));
    strlcpy(message, error.what(), sizeof message);
    strlcpy(hint, error.hint().c_str(), sizeof hint);
}

void ErrorReport::set(int code, const char* text) noexcept {
    sqlstate = code;
    strlcpy(message, text, sizeof message);
    hint[0] = '\0';
}

void ErrorReport::raise() const {
    ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message), hint[0] ? errhint("%s", hint) : 0));
    pg_unreachable();
}

TakenError take_parked_error() {
    MemoryContext const context = MemoryContextSwitchTo(TopMemoryContext);
    ErrorData* const data = CopyErrorData();
    FlushErrorState();
    TakenError taken{unpack_sql_state(data->sqlerrcode), data->message ? data->message : ""};
    FreeErrorData(data);
    MemoryContextSwitchTo(context);
    return taken;
}

}  // namespace pgchat::pg
