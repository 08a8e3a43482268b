// One request's reply: what is sent when, until it is finished or cut off.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "chat_body.hpp"
#include "clock.hpp"
#include "ledger.hpp"
#include "scenario.hpp"
#include "script.hpp"
#include "wire_form.hpp"

namespace mock {

// What is to be replied, as the router decided.
struct Order {
    std::shared_ptr<const Scenario> scenario;
    const WireForm* form = nullptr;
    ChatBody body;         // of a chat request; its views are used only while the Exchange is made
    int fixed_status = 0;  // not 0: the reply is `fixed_body`, JSON
    std::string fixed_body;
    std::string key;  // the request key
    bool stream = false;
    bool keep_alive = true;
    bool counted = true;  // false for the admin endpoints
};

class Exchange {
public:
    enum class End { kOpen, kKeepAlive, kClose, kReset };

    // `now`: the monotonic time at which the request was complete.
    Exchange(Order order, Ledger& ledger, Nanos now);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // Appends to `out` whatever is due at `now`, as long as `out` stays below about 256 KiB. Returns when to call
    // again: `now` itself when `out` is full, kNever when nothing more will come by time.
    Nanos advance(Nanos now, std::string& out);

    // Not kOpen: what to do with the connection once everything has been sent.
    End end() const { return end_; }
    // Closes the books; `aborted` when the client went away first.
    void settle(bool aborted);
    // An offset in `out` at which the bytes are to be sent in two segments with a pause between; given once.
    std::optional<size_t> take_split() { return std::exchange(split_, std::nullopt); }
    double slow_bytes_ms() const { return order_.scenario->slow_bytes_ms; }
    // True where not even the connection is to be read any more.
    bool hangs_deaf() const { return stage_ == Stage::kHung && order_.scenario->hang == Hang::kAccept; }

private:
    enum class Stage { kHead, kTokens, kHung, kEnded };

    const Scenario& scenario() const { return *order_.scenario; }
    bool is_whole_chat() const;
    Nanos token_due(long index) const;
    void send_head(std::string& out);
    void send_plain(std::string& out, int status, std::string_view type, std::string_view body,
                    const std::string& extra = {});
    void send_error(std::string& out);
    void start_stream(std::string& out);
    void send_whole(std::string& out);
    void send_token(std::string& out, EventWriter& writer);
    Nanos advance_tokens(Nanos now, std::string& out);
    bool stops_here(EventWriter& writer);
    void begin_head(std::string& out, int status, std::string_view type) const;
    void finish(End end) { end_ = end, stage_ = Stage::kEnded; }
    EventWriter writer(std::string& out) const;

    Order order_;
    Ledger& ledger_;
    Script script_;
    ReplyFacts facts_;
    StreamTiming timing_;
    Nanos head_due_;
    Stage stage_ = Stage::kHead;
    End end_ = End::kOpen;
    bool whole_endless_ = false;
    bool cut_ = false;
    std::optional<size_t> split_;
    std::string fragment_;
};

}  // namespace mock
