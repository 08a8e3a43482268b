#include "core/engine/frames.hpp"

#include <cstring>

namespace pgchat {
namespace {

void put_error(FrameWriter& frame, const Error& error) {
    frame.u8(static_cast<std::uint8_t>(error.code())).text(error.what()).text(error.hint());
}

Error get_error(FrameReader& frame) {
    const auto code = static_cast<ErrorCode>(frame.u8());
    const std::string message(frame.text());
    return Error(code, message, std::string(frame.text()));
}

template <class Value>
void append_raw(std::string& bytes, const Value& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Value>
Value read_raw(std::string_view bytes) noexcept {
    Value value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace

FrameWriter::FrameWriter(std::uint8_t kind, std::uint32_t request_number) {
    u8(kind).u32(request_number);
}

FrameWriter& FrameWriter::u8(std::uint8_t value) {
    append_raw(bytes_, value);
    return *this;
}

FrameWriter& FrameWriter::u32(std::uint32_t value) {
    append_raw(bytes_, value);
    return *this;
}

FrameWriter& FrameWriter::i64(std::int64_t value) {
    append_raw(bytes_, value);
    return *this;
}

FrameWriter& FrameWriter::uuid(const Uuid& value) {
    append_raw(bytes_, value.bytes);
    return *this;
}

FrameWriter& FrameWriter::text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
    return *this;
}

FrameReader::FrameReader(std::string_view bytes) : rest_(bytes), kind_(u8()), request_number_(u32()) {}

std::string_view FrameReader::take(std::size_t size) {
    if (size > rest_.size()) throw Error(ErrorCode::internal, "frame is shorter than its contents");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint8_t FrameReader::u8() {
    return read_raw<std::uint8_t>(take(1));
}

std::uint32_t FrameReader::u32() {
    return read_raw<std::uint32_t>(take(4));
}

std::int64_t FrameReader::i64() {
    return read_raw<std::int64_t>(take(8));
}

Uuid FrameReader::uuid() {
    return read_raw<Uuid>(take(16));
}

std::string_view FrameReader::text() {
    return take(u32());
}

std::string write_complete(std::uint32_t request_number, const CompleteRequest& request) {
    FrameWriter frame(RequestKind::complete, request_number);
    frame.uuid(request.request_id).uuid(request.user_id).uuid(request.message_id).uuid(request.conversation_id);
    frame.u8(request.stream).u8(request.text.embeds).u32(request.item).i64(request.timeout_ms).text(request.model);
    frame.text(request.text.prompt).text(request.text.messages).text(request.text.system_prompt);
    frame.text(request.text.response_format).text(request.text.options);
    return frame.take();
}

CompleteRequest read_complete(FrameReader& frame) {
    CompleteRequest request;
    request.request_id = frame.uuid();
    request.user_id = frame.uuid();
    request.message_id = frame.uuid();
    request.conversation_id = frame.uuid();
    request.stream = frame.u8() != 0;
    request.text.embeds = frame.u8() != 0;
    request.item = frame.u32();
    request.timeout_ms = frame.i64();
    request.model = frame.text();
    request.text.prompt = frame.text();
    request.text.messages = frame.text();
    request.text.system_prompt = frame.text();
    request.text.response_format = frame.text();
    request.text.options = frame.text();
    return request;
}

std::string write_attach(std::uint32_t request_number, const AttachRequest& request) {
    FrameWriter frame(RequestKind::attach, request_number);
    return frame.uuid(request.message_id).u32(request.after_seq).u8(request.wait).take();
}

AttachRequest read_attach(FrameReader& frame) {
    AttachRequest request;
    request.message_id = frame.uuid();
    request.after_seq = frame.u32();
    request.wait = frame.u8() != 0;
    return request;
}

std::string write_attach_reply(std::uint32_t request_number, const AttachReply& reply) {
    return FrameWriter(ReplyKind::flag, request_number)
        .u8(reply.live)
        .u32(reply.last_seq)
        .uuid(reply.request_id)
        .take();
}

AttachReply read_attach_reply(FrameReader& frame) {
    AttachReply reply;
    reply.live = frame.u8() != 0;
    reply.last_seq = frame.u32();
    reply.request_id = frame.uuid();
    return reply;
}

std::string write_flag(std::uint32_t request_number, bool value) {
    return FrameWriter(ReplyKind::flag, request_number).u8(value).take();
}

bool read_flag(FrameReader& frame) {
    return frame.u8() != 0;
}

std::string write_ledger(std::uint32_t request_number, LedgerAct act, std::string_view payload) {
    return FrameWriter(RequestKind::ledger, request_number).u8(static_cast<std::uint8_t>(act)).text(payload).take();
}

LedgerFrame read_ledger(FrameReader& frame) {
    const std::optional<LedgerAct> act = ledger_act_from_number(frame.u8());
    if (!act) throw Error(ErrorCode::internal, "unknown ledger act");
    return {*act, frame.text()};
}

std::string write_answer(std::uint32_t request_number, std::string_view text) {
    return FrameWriter(ReplyKind::answer, request_number).text(text).take();
}

std::string_view read_answer(FrameReader& frame) {
    return frame.text();
}

std::string write_result(std::uint32_t request_number, const Call& call) {
    const CallResult& result = call.result();
    FrameWriter frame(ReplyKind::result, request_number);
    frame.u8(static_cast<std::uint8_t>(result.status)).text(call.log().content()).text(call.log().thinking());
    frame.text(result.tool_calls).text(result.finish_reason).text(call.embeddings()).text(call.spec().model->name);
    frame.i64(result.usage.input_tokens.value_or(-1)).i64(result.usage.output_tokens.value_or(-1));
    frame.i64(result.usage.cached_tokens.value_or(-1)).i64(result.cost).i64(result.latency.count());
    frame.i64(result.first_token ? result.first_token->count() : -1).u8(result.sanitized).u8(result.cached);
    frame.u8(result.error.has_value());
    if (result.error) put_error(frame, *result.error);
    return frame.take();
}

CompleteReply read_result(FrameReader& frame) {
    CompleteReply reply;
    reply.status = static_cast<CallStatus>(frame.u8());
    reply.content = frame.text();
    reply.thinking = frame.text();
    reply.tool_calls = frame.text();
    reply.finish_reason = frame.text();
    reply.embeddings = frame.text();
    reply.model = frame.text();
    reply.input_tokens = frame.i64();
    reply.output_tokens = frame.i64();
    reply.cached_tokens = frame.i64();
    reply.cost = frame.i64();
    reply.latency_ms = frame.i64();
    reply.first_token_ms = frame.i64();
    reply.sanitized = frame.u8() != 0;
    reply.cached = frame.u8() != 0;
    if (frame.u8() != 0) reply.error = get_error(frame);
    return reply;
}

std::string write_error(std::uint32_t request_number, const Error& error) {
    FrameWriter frame(ReplyKind::error, request_number);
    put_error(frame, error);
    return frame.take();
}

Error read_error(FrameReader& frame) {
    return get_error(frame);
}

std::string write_item(std::uint32_t request_number, std::uint32_t item, std::string_view frame) {
    return FrameWriter(ReplyKind::item, request_number).u32(item).text(frame).take();
}

ItemReply read_item(FrameReader& frame) {
    ItemReply reply;
    reply.item = frame.u32();
    reply.frame = frame.text();
    return reply;
}

}  // namespace pgchat
