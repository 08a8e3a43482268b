// SQL functions that return a reply's events row by row, as they come.
#include "pg/llm_arguments.hpp"
#include "pg/message_stream.hpp"
#include "pg/value_per_call.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// NULL for an event that carries no text, so that string_agg over all rows gives the text.
void set_delta(std::string_view text, EventKind kind, Datum& value, bool& is_null) {
    is_null = text.empty() && kind != EventKind::content;
    if (!is_null) value = text_datum(text);
}

// The rows of chat.llm_stream.
class CallRows {
public:
    explicit CallRows(CompleteRequest request) : request_id_(request.request_id) {
        request.stream = true;
        request_ =
            std::make_unique<EngineRequest>([&](std::uint32_t number) { return write_complete(number, request); });
    }

    bool next(Datum* values, bool* nulls) {
        if (ended_) return false;
        for (;;) {
            if (!frame_ || frame_->at_end()) {
                frame_ = request_->next(std::chrono::milliseconds{-1}, true);
                if (frame_->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame_);
                if (frame_->kind() == static_cast<std::uint8_t>(ReplyKind::result)) return end_of_call();
            }
            values[0] = Int32GetDatum(static_cast<std::int32_t>(frame_->u32()));
            const auto kind = static_cast<EventKind>(frame_->u8());
            const std::string_view text = frame_->text();
            // A failure is raised, with its SQLSTATE, when the result comes.
            if (is_terminal(kind) && kind != EventKind::done) continue;
            values[1] = text_datum(event_kind_name(kind));
            set_delta(text, kind, values[2], nulls[2]);
            values[3] = uuid_datum(request_id_);
            return true;
        }
    }

private:
    bool end_of_call() {
        ended_ = true;
        request_->done();
        const CompleteReply reply = read_result(*frame_);
        if (reply.status != CallStatus::complete) throw *reply.error;
        return false;
    }

    Uuid request_id_;
    std::unique_ptr<EngineRequest> request_;
    std::optional<FrameReader> frame_;
    bool ended_ = false;
};

// The rows of chat.stream_message and chat.read_stream.
class MessageRows {
public:
    MessageRows(const Uuid& message_id, std::uint32_t after_seq, std::optional<std::chrono::milliseconds> wait)
        : stream_(message_id, after_seq, wait) {}

    bool next(Datum* values, bool* nulls) {
        const std::optional<MessageStream::Event> event = stream_.next(true);
        if (!event) return false;
        values[0] = Int32GetDatum(static_cast<std::int32_t>(event->seq));
        values[1] = text_datum(event_kind_name(event->kind));
        set_delta(event->text, event->kind, values[2], nulls[2]);
        nulls[3] = stream_.request_id() == Uuid{};
        if (!nulls[3]) values[3] = uuid_datum(stream_.request_id());
        return true;
    }

private:
    MessageStream stream_;
};

// The rows of chat.stream_gateway.
class GatewayRows {
public:
    GatewayRows()
        : request_([](std::uint32_t number) { return FrameWriter(RequestKind::gateway, number).take(); },
                   EngineRequest::Room::gateway) {}

    bool next(Datum* values, bool* nulls) {
        while (!frame_ || frame_->at_end()) {
            frame_ = request_.next(std::chrono::milliseconds{-1}, true);
            if (frame_->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame_);
        }
        values[0] = uuid_datum(frame_->uuid());
        values[1] = uuid_datum(frame_->uuid());
        values[2] = Int32GetDatum(static_cast<std::int32_t>(frame_->u32()));
        const auto kind = static_cast<EventKind>(frame_->u8());
        values[3] = text_datum(event_kind_name(kind));
        set_delta(frame_->text(), kind, values[4], nulls[4]);
        return true;
    }

private:
    EngineRequest request_;
    std::optional<FrameReader> frame_;
};

std::uint32_t after_seq_argument(const Args& args, int index) {
    const int after_seq = args.int32_at(index, 0);
    if (after_seq < 0) throw Error(ErrorCode::invalid_argument, "after_seq must not be negative");
    return static_cast<std::uint32_t>(after_seq);
}

Datum llm_stream(FunctionCallInfo fcinfo, PromptForm form) {
    return value_per_call<CallRows>(fcinfo,
                                    [&] { return std::make_unique<CallRows>(complete_request(Args(fcinfo), form)); });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_llm_stream_prompt);
PG_FUNCTION_INFO_V1(pgchat_llm_stream_messages);
PG_FUNCTION_INFO_V1(pgchat_stream_message);
PG_FUNCTION_INFO_V1(pgchat_read_stream);
PG_FUNCTION_INFO_V1(pgchat_stream_gateway);

Datum pgchat_llm_stream_prompt(PG_FUNCTION_ARGS) {
    return entry([&] { return llm_stream(fcinfo, PromptForm::prompt); });
}

Datum pgchat_llm_stream_messages(PG_FUNCTION_ARGS) {
    return entry([&] { return llm_stream(fcinfo, PromptForm::messages); });
}

Datum pgchat_stream_message(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<MessageRows>(fcinfo, [&] {
            const Args args(fcinfo);
            args.require(0, "assistant_message_id");
            return std::make_unique<MessageRows>(args.uuid_at(0), after_seq_argument(args, 1), std::nullopt);
        });
    });
}

Datum pgchat_read_stream(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<MessageRows>(fcinfo, [&] {
            const Args args(fcinfo);
            args.require(0, "assistant_message_id");
            const int wait_ms = args.int32_at(2, 0);
            if (wait_ms < 0) throw Error(ErrorCode::invalid_argument, "wait_ms must not be negative");
            return std::make_unique<MessageRows>(args.uuid_at(0), after_seq_argument(args, 1),
                                                 std::chrono::milliseconds(wait_ms));
        });
    });
}

Datum pgchat_stream_gateway(PG_FUNCTION_ARGS) {
    return entry([&] { return value_per_call<GatewayRows>(fcinfo, [] { return std::make_unique<GatewayRows>(); }); });
}

}  // extern "C"
