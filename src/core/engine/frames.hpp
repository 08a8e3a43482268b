// What travels between a backend and the engine through shared memory: one frame a message, in the machine's own byte
// order, read in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/engine/call.hpp"
#include "core/engine/ledger_act.hpp"
#include "core/uuid.hpp"

namespace pgchat {

// The number of requests to which there is no reply.
inline constexpr std::uint32_t unanswered = 0;

// From a backend. Every frame begins with its kind and the number by which replies name the request.
enum class RequestKind : std::uint8_t {
    complete,
    attach,
    gateway,
    cancel,
    wait,
    ledger,
    secret,
    sign_token,
    verify_token,
    id_token,
    model_page
};

// To a backend.
enum class ReplyKind : std::uint8_t { result, events, error, flag, answer, item };

// Appends values to a frame.
class FrameWriter {
public:
    FrameWriter(std::uint8_t kind, std::uint32_t request_number);
    template <class Kind>
    FrameWriter(Kind kind, std::uint32_t request_number)
        : FrameWriter(static_cast<std::uint8_t>(kind), request_number) {}

    FrameWriter& u8(std::uint8_t value);
    FrameWriter& u32(std::uint32_t value);
    FrameWriter& i64(std::int64_t value);
    FrameWriter& uuid(const Uuid& value);
    FrameWriter& text(std::string_view value);

    std::size_t size() const noexcept { return bytes_.size(); }
    std::string take() noexcept { return std::move(bytes_); }

private:
    std::string bytes_;
};

// Takes values from a frame, in the order they were written. Throws Error internal past the end.
class FrameReader {
public:
    explicit FrameReader(std::string_view bytes);

    std::uint8_t kind() const noexcept { return kind_; }
    std::uint32_t request_number() const noexcept { return request_number_; }
    bool at_end() const noexcept { return rest_.empty(); }

    std::uint8_t u8();
    std::uint32_t u32();
    std::int64_t i64();
    Uuid uuid();
    std::string_view text();  // into the frame

private:
    std::string_view take(std::size_t size);

    std::string_view rest_;
    std::uint8_t kind_;
    std::uint32_t request_number_;
};

// An immediate call.
struct CompleteRequest {
    Uuid request_id;
    Uuid user_id;
    Uuid message_id;
    Uuid conversation_id;
    bool stream = false;
    std::uint32_t item = 0;       // from 1: one of the calls that share a request number, each answered by an item
    std::int64_t timeout_ms = 0;  // 0: the server's default
    std::string_view model;
    ChatRequestText text;
};

std::string write_complete(std::uint32_t request_number, const CompleteRequest& request);
CompleteRequest read_complete(FrameReader& frame);

// Where a reader of a stream wants to start.
struct AttachRequest {
    Uuid message_id;
    std::uint32_t after_seq = 0;
    bool wait = false;  // for a stream that has not begun; else the answer is at once that it is not live
};

// Answered by an AttachReply, and where it is live, by events until the terminal one.
std::string write_attach(std::uint32_t request_number, const AttachRequest& request);
AttachRequest read_attach(FrameReader& frame);

struct AttachReply {
    bool live = false;           // the engine holds the stream's log
    std::uint32_t last_seq = 0;  // of the events there are now
    Uuid request_id;
};

std::string write_attach_reply(std::uint32_t request_number, const AttachReply& reply);
AttachReply read_attach_reply(FrameReader& frame);

// A yes or no: of cancel, whether there was a call to cancel; of wait, whether there was one to wait for.
std::string write_flag(std::uint32_t request_number, bool value);
bool read_flag(FrameReader& frame);

// Something for the engine to do in a transaction of its own. Answered by a text, or an error, once that is committed.
struct LedgerFrame {
    LedgerAct act;
    std::string_view payload;  // into the frame
};

std::string write_ledger(std::uint32_t request_number, LedgerAct act, std::string_view payload);
LedgerFrame read_ledger(FrameReader& frame);
std::string write_answer(std::uint32_t request_number, std::string_view text);
std::string_view read_answer(FrameReader& frame);

// The final state of a call, as a backend sees it.
struct CompleteReply {
    CallStatus status = CallStatus::error;
    std::string_view content;
    std::string_view thinking;
    std::string_view tool_calls;  // JSON, or empty
    std::string_view finish_reason;
    std::string_view embeddings;  // as ReplyInfo has them
    std::string_view model;
    std::int64_t input_tokens = -1;  // -1: unknown, here and below
    std::int64_t output_tokens = -1;
    std::int64_t cached_tokens = -1;
    std::int64_t cost = 0;  // 10^-12 of the currency
    std::int64_t latency_ms = 0;
    std::int64_t first_token_ms = -1;
    bool sanitized = false;  // U+FFFD stands for bytes that were no text
    bool cached = false;     // the reply of an identical call, which cost nothing
    std::optional<Error> error;
};

std::string write_result(std::uint32_t request_number, const Call& call);
CompleteReply read_result(FrameReader& frame);

std::string write_error(std::uint32_t request_number, const Error& error);
Error read_error(FrameReader& frame);

// How one of the calls that share a request number ended.
struct ItemReply {
    std::uint32_t item;
    std::string_view frame;  // into the frame: a result or an error
};

std::string write_item(std::uint32_t request_number, std::uint32_t item, std::string_view frame);
ItemReply read_item(FrameReader& frame);

}  // namespace pgchat
