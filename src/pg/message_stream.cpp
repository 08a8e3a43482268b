#include "pg/message_stream.hpp"

#include <algorithm>

#include "pg/fresh_look.hpp"
#include "pg/identity.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/snapmgr.h"
}

namespace pgchat::pg {
namespace {

using std::chrono::milliseconds;

// While a reply has not begun, its row is looked at this often; the engine's word normally comes first.
constexpr milliseconds row_check_interval{1000};

constexpr const char* row_query =
    "SELECT m.status, m.content, m.thinking, m.tool_calls::pg_catalog.text, m.last_seq, m.error "
    "OPERATOR(pg_catalog.->>) 'message'"
    " FROM chat.messages m WHERE m.user_id OPERATOR(pg_catalog.=) $1 AND m.id OPERATOR(pg_catalog.=) $2";

std::string message_column(int column) {
    const char* const value = call([&] { return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column); });
    return value != nullptr ? value : "";
}

EventKind terminal_kind(std::string_view status) noexcept {
    if (status == "complete") return EventKind::done;
    if (status == "incomplete") return EventKind::incomplete;
    return status == "cancelled" ? EventKind::cancelled : EventKind::error;
}

}  // namespace

MessageStream::MessageStream(const Uuid& message_id, std::uint32_t after_seq, std::optional<milliseconds> wait)
    : message_id_(message_id), after_seq_(after_seq), wait_(wait) {
    if (!read_row())
        throw Error(ErrorCode::not_found, "message not found", "Pass the id of a reply in one of your conversations.");
    if (!is_open() && after_seq_ == 0)
        add_stored_events();
    else
        attach();
}

bool MessageStream::read_row() {
    return look_and_undo([&] { return query_row(); });
}

// Reads the row as it is now, whatever this transaction's snapshot; under the row policies of whoever calls.
bool MessageStream::query_row() {
    Datum values[2] = {uuid_datum(require_identity().user_id), uuid_datum(message_id_)};
    const bool found = call([&] {
        static SPIPlanPtr plan = nullptr;
        SPI_connect();
        if (plan == nullptr) {
            Oid types[2] = {UUIDOID, UUIDOID};
            SPIPlanPtr const prepared = SPI_prepare(row_query, 2, types);
            if (prepared == nullptr) elog(ERROR, "cannot prepare: %s", SPI_result_code_string(SPI_result));
            SPI_keepplan(prepared);
            plan = prepared;
        }
        Snapshot const snapshot = RegisterSnapshot(GetLatestSnapshot());
        SPI_execute_snapshot(plan, values, nullptr, snapshot, InvalidSnapshot, true, false, 1);
        UnregisterSnapshot(snapshot);
        return SPI_processed == 1;
    });
    if (found) {
        status_ = message_column(1);
        content_ = message_column(2);
        thinking_ = message_column(3);
        tool_calls_ = message_column(4);
        const std::string last_seq = message_column(5);
        last_seq_ = last_seq.empty() ? 0 : static_cast<std::uint32_t>(std::stoul(last_seq));
        error_ = message_column(6);
    }
    call([] { SPI_finish(); });
    return found;
}

// The row's text as events that end at its last sequence number.
void MessageStream::add_stored_events() {
    ended_ = true;
    std::deque<StoredEvent> events;
    if (!thinking_.empty()) events.push_back({0, EventKind::thinking, thinking_});
    if (!content_.empty()) events.push_back({0, EventKind::content, content_});
    if (!tool_calls_.empty()) events.push_back({0, EventKind::tool_calls, tool_calls_});
    events.push_back({0, terminal_kind(status_), error_});
    const auto count = static_cast<std::uint32_t>(events.size());
    const std::uint32_t last = std::max(last_seq_, count);
    for (std::uint32_t i = 0; i < count; ++i) events[i].seq = last - count + 1 + i;
    if (after_seq_ >= last) return;
    if (after_seq_ > 0) {
        // Where the reader was in the text is no longer known, so that it gets all of it once more.
        std::erase_if(events, [](const StoredEvent& event) { return event.kind == EventKind::thinking; });
        for (StoredEvent& event : events)
            if (event.kind == EventKind::content) event.kind = EventKind::snapshot;
    }
    stored_ = std::move(events);
}

// Whether the row, as it was last read, is that of a reply in progress.
bool MessageStream::is_open() const noexcept {
    return status_ == "pending" || status_ == "streaming";
}

void MessageStream::attach() {
    AttachRequest request;
    request.message_id = message_id_;
    request.after_seq = after_seq_;
    // Of a reply that has ended, the engine has its deltas at once or never.
    request.wait = is_open() && (!wait_ || *wait_ > milliseconds{0});
    request_ = std::make_unique<EngineRequest>([&](std::uint32_t number) { return write_attach(number, request); });
}

// Waits until the engine says what it has. False when there will be nothing live.
bool MessageStream::await_live_stream(bool flush_client) {
    const auto deadline = std::chrono::steady_clock::now() + wait_.value_or(milliseconds{0});
    for (;;) {
        milliseconds pause = row_check_interval;
        if (wait_) {
            const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
            // With no time to wait, the engine still gets a moment to say that it has nothing.
            pause =
                std::clamp(left, *wait_ > milliseconds{0} ? milliseconds{1} : row_check_interval, row_check_interval);
        }
        if (std::optional<FrameReader> frame = request_->next(pause, flush_client)) {
            if (frame->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame);
            const AttachReply reply = read_attach_reply(*frame);
            known_seq_ = reply.last_seq;
            request_id_ = reply.request_id;
            if (reply.live) return live_ = true;
            request_->done();
        }
        if (!read_row()) throw Error(ErrorCode::not_found, "the message was deleted while it was read");
        if (!is_open()) {
            add_stored_events();
            return false;
        }
        if (wait_ && std::chrono::steady_clock::now() >= deadline) {
            ended_ = true;
            return false;
        }
        attach();
    }
}

milliseconds MessageStream::live_wait() const {
    if (!wait_) return milliseconds{-1};
    // What the engine had when we attached is on its way.
    if (after_seq_ < known_seq_) return row_check_interval;
    return *wait_;
}

std::optional<MessageStream::Event> MessageStream::next_live(bool flush_client) {
    if (!frame_ || frame_->at_end()) {
        frame_ = request_->next(live_wait(), flush_client);
        if (!frame_) {
            ended_ = true;
            return std::nullopt;
        }
        // What comes now was waited for; beyond it, only what is already there is taken.
        if (wait_) wait_ = milliseconds{0};
        if (frame_->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame_);
        if (frame_->at_end()) {  // the reply has ended, with nothing after after_seq_
            request_->done();
            ended_ = true;
            return std::nullopt;
        }
    }
    Event event;
    event.seq = frame_->u32();
    event.kind = static_cast<EventKind>(frame_->u8());
    event.text = frame_->text();
    after_seq_ = event.seq;
    if (is_terminal(event.kind)) {
        request_->done();
        ended_ = true;
    }
    return event;
}

std::optional<MessageStream::Event> MessageStream::next(bool flush_client) {
    if (!ended_ && !live_) await_live_stream(flush_client);
    if (!stored_.empty()) {
        StoredEvent& front = stored_.front();
        current_ = std::move(front.text);
        const Event event{front.seq, front.kind, current_};
        stored_.pop_front();
        return event;
    }
    if (ended_ && !(frame_ && !frame_->at_end())) return std::nullopt;
    return next_live(flush_client);
}

}  // namespace pgchat::pg
