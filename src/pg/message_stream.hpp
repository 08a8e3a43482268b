// Reading the stream of one message: live from the engine while it is there, from the message's row once it has ended.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "core/engine/stream_log.hpp"
#include "pg/convert.hpp"
#include "pg/engine_client.hpp"

namespace pgchat::pg {

class MessageStream {
public:
    struct Event {
        std::uint32_t seq;
        EventKind kind;
        std::string_view text;  // valid until the next call
    };

    // Reads the events after `after_seq`. With `wait`, next() ends after what there is now, for which it waits at most
    // that long; without, it goes on to the terminal event.
    // Throws Error: not_found when the row policies show no such message.
    MessageStream(const Uuid& message_id, std::uint32_t after_seq, std::optional<std::chrono::milliseconds> wait);

    // The next event; nullopt at the end. Rows already handed out are flushed to the client before it waits, where
    // `flush_client`.
    std::optional<Event> next(bool flush_client);

    // Nil while the engine has not named it.
    const Uuid& request_id() const noexcept { return request_id_; }

private:
    struct StoredEvent {
        std::uint32_t seq;
        EventKind kind;
        std::string text;
    };

    bool read_row();
    bool query_row();
    bool is_open() const noexcept;
    void add_stored_events();
    void attach();
    bool await_live_stream(bool flush_client);
    std::optional<Event> next_live(bool flush_client);
    std::chrono::milliseconds live_wait() const;

    Uuid message_id_;
    Uuid request_id_;
    std::uint32_t after_seq_;
    std::optional<std::chrono::milliseconds> wait_;
    std::unique_ptr<EngineRequest> request_;
    std::optional<FrameReader> frame_;  // events not yet handed out
    std::uint32_t known_seq_ = 0;       // of the events the engine had when we attached
    bool live_ = false;
    bool ended_ = false;

    // The message's row, as last read.
    std::string status_, content_, thinking_, tool_calls_, error_;
    std::uint32_t last_seq_ = 0;
    std::deque<StoredEvent> stored_;
    std::string current_;
};

}  // namespace pgchat::pg
