// SQL functions that check the arguments of a turn before anything is read or stored.
#include "core/llm/chat_options.hpp"
#include "core/llm/turn_check.hpp"
#include "pg/llm_arguments.hpp"
#include "pg/settings.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

void check_content_argument(const Args& args, int index, bool has_files) {
    if (args.is_null(index))
        throw Error(ErrorCode::null_argument, "content must not be null", "Pass the text to send.");
    check_content(args.text_at(index), static_cast<std::size_t>(settings.max_message_kb) * 1024, has_files);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_check_content);
PG_FUNCTION_INFO_V1(pgchat_check_turn);
PG_FUNCTION_INFO_V1(pgchat_check_timeout);
PG_FUNCTION_INFO_V1(pgchat_check_call_options);

Datum pgchat_check_content(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        check_content_argument(args, 0, args.boolean_at(1, false));
        return Datum{};
    });
}

Datum pgchat_check_turn(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        if (args.is_null(0))
            throw Error(ErrorCode::null_argument, "conversation_id must not be null",
                        "Make one with chat.create_conversation.");
        check_content_argument(args, 1, args.boolean_at(5, false));
        if (!args.is_null(2)) check_idempotency_key(args.text_at(2));
        parse_chat_options(args.json_at(3));
        timeout_argument(args, 4);
        return Datum{};
    });
}

Datum pgchat_check_timeout(PG_FUNCTION_ARGS) {
    return entry([&] {
        timeout_argument(Args(fcinfo), 0);
        return Datum{};
    });
}

Datum pgchat_check_call_options(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        parse_chat_options(args.json_at(0));
        parse_response_format(args.json_at(1));
        return Datum{};
    });
}

}  // extern "C"
