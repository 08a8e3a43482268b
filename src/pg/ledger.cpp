#include "pg/ledger.hpp"

#include "pg/convert.hpp"
#include "pg/engine_client.hpp"
#include "pg/lifecycle.hpp"
#include "pg/query_as.hpp"

extern "C" {
#include "catalog/pg_type.h"
}

namespace pgchat::pg {
namespace {

constexpr std::chrono::milliseconds no_limit{-1};

std::string answer_to(EngineRequest& request) {
    std::optional<FrameReader> reply;
    try {
        reply = request.next(no_limit);
    } catch (const ParkedError&) {
        request.wait_until_taken();
        throw;
    }
    request.done();
    if (reply->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*reply);
    return std::string(read_answer(*reply));
}

// In a transaction that has just created the extension: what it undoes, it undoes with the tables.
std::string do_here(LedgerAct act, std::string_view payload) {
    const char* const answer =
        query_text_as("pgchat_engine", ledger_act_statement(act).c_str(), {{TEXTOID, text_datum(payload)}});
    return answer != nullptr ? answer : "";
}

}  // namespace

std::string ask_ledger(LedgerAct act, std::string_view payload) {
    if (extension_is_uncommitted()) return do_here(act, payload);
    try {
        EngineRequest request([&](std::uint32_t number) { return write_ledger(number, act, payload); });
        return answer_to(request);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::outcome_unknown) throw;
        throw Error(ErrorCode::engine_unavailable, "the pgchat engine ended before it answered",
                    "It is started again by itself; try again shortly.");
    }
}

void tell_ledger(LedgerAct act, std::string_view payload) {
    if (extension_is_uncommitted()) return;
    tell_engine([&](std::uint32_t number) { return write_ledger(number, act, payload); });
}

}  // namespace pgchat::pg
