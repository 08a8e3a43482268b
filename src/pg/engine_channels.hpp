// The engine's side of all channels: takes requests from backends, and carries replies and live events to them, each
// reader at its own speed.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/engine/engine.hpp"
#include "core/engine/frames.hpp"
#include "core/engine/id_token_service.hpp"
#include "core/engine/model_list_service.hpp"
#include "core/engine/secret_service.hpp"
#include "pg/channel.hpp"
#include "pg/engine_ledger.hpp"
#include "pg/engine_tokens.hpp"

namespace pgchat::pg {

// What the channels need the engine's worker to do.
class RequestHandler {
public:
    virtual ~RequestHandler() = default;
    // An immediate call: submits it. Throws Error when it cannot be.
    virtual Call& begin_call(const CompleteRequest& request) = 0;
    virtual Engine& engine() = 0;
    // Something to be done in a transaction of the engine's own, answered by EngineChannels::answer().
    virtual void keep(LedgerRequest request) = 0;
    // The process may have something that was not taken from it: EngineChannels::serve() is to be called for it again.
    virtual void serve_again(int process_number) = 0;
    virtual SecretService& secrets() = 0;
    virtual EngineTokens& tokens() = 0;
    virtual IdTokenService& id_tokens() = 0;
    // A page of a provider's list of models. Throws Error where it cannot be asked for.
    virtual void fetch_models(std::uint32_t request_number, const ModelPageRequest& request,
                              ModelListService::Answer answer) = 0;
};

class EngineChannels {
public:
    explicit EngineChannels(RequestHandler& handler) : handler_(handler) {}

    // A backend rang: takes its requests, or forgets it when it has gone.
    void serve(int process_number);
    // Forgets the backend, whose requests are abandoned; it opens a new channel for its next one.
    void drop(int process_number);
    // A durable call has begun: whoever came early to read it or wait for it is joined to it.
    void call_started(Call& call);
    // A durable call ended before it began: whoever came early is told to look at its row.
    void call_refused(const Uuid& request_id, const Uuid& message_id);
    // The call's log has new events; they go out in deliver().
    void mark_dirty(Call& call);
    // The call's result is final: tells those who asked for it or wait for it.
    void send_result(Call& call);
    // A ledger request is settled: answers it, unless its backend has gone meanwhile. Called once for each.
    void answer(const LedgerRequest& request, std::string frame);
    // The same for any request, with the next deliver(): may be called from within I/O.
    void answer_later(int process_number, dsm_handle channel, std::string frame);
    // Sends what can be sent. Never waits.
    void deliver();
    // Whether no reader needs the call's log any more.
    bool may_forget(const Call& call) const;
    // The call is about to be destroyed.
    void forget(Call& call);

    std::size_t reader_count() const noexcept { return reader_count_; }

private:
    struct Client {
        int process_number;
        dsm_handle handle;
        dsm_segment* segment = nullptr;
        shm_mq_handle* requests = nullptr;
        shm_mq_handle* replies = nullptr;
        std::uint32_t requests_taken = 0;
        std::uint32_t ledger_waiting = 0;      // its requests to the ledger that are not settled
        std::vector<std::uint32_t> abandoned;  // numbers whose requests may not have been taken yet
        std::deque<std::string> outbox;        // frames not yet wholly in the queue; the first may be half sent
        // The calls that this client's requests, by number, started or read.
        std::unordered_map<std::uint32_t, Uuid> calls;
        // Messages and requests that are not there yet, likewise.
        std::unordered_map<std::uint32_t, Uuid> early;
        std::uint32_t gateway_number = 0;  // 0: not a gateway
        std::deque<Uuid> gateway_queue;    // calls with events the gateway has not seen
    };
    // A place in one call's log.
    struct Reader {
        Client* client;
        std::uint32_t request_number;
        std::uint32_t next;   // index of the next event
        bool queued = false;  // of a gateway: the call is in its queue
    };
    // A reader of a message, or a waiter for a request, that has not begun.
    struct EarlyComer {
        Client* client;
        std::uint32_t request_number;
        std::uint32_t after_seq;
        bool reads;
    };
    // What the channels know of a call: its attachment.
    struct Stream {
        Client* origin = nullptr;  // whose request started it, while that waits for the result
        std::uint32_t origin_number = 0;
        std::vector<Reader> readers;
        std::vector<Reader> gateways;
        std::vector<std::pair<Client*, std::uint32_t>> waiters;  // for its end
        bool dirty = false;
    };

    Client* open(int process_number, dsm_handle handle);
    bool take_requests(Client& client);
    void send_to(int process_number, dsm_handle channel, std::string frame);
    shm_mq_result take_frame(Client& client, std::string_view& bytes);
    void retire(Client& client);
    void keep(Client& client, FrameReader& frame);
    void note_abandoned(Client& client) const;
    void handle(Client& client, FrameReader& frame);
    void begin(Client& client, std::uint32_t number, const CompleteRequest& request);
    void attach(Client& client, std::uint32_t number, const AttachRequest& request);
    void start_gateway(Client& client, std::uint32_t number);
    void wait_for(Client& client, std::uint32_t number, const Uuid& user_id, const Uuid& request_id);
    void abandon(Client& client, std::uint32_t number);
    std::function<void(std::string)> late_answer(const Client& client);
    void stop_gateway(Client& client);

    void join(Client& client, std::uint32_t number, Call& call, std::uint32_t after_seq);
    void come_early(Client& client, std::uint32_t number, const Uuid& id, std::uint32_t after_seq, bool reads);
    std::vector<EarlyComer> take_early(const Uuid& id);
    static Stream& stream_of(Call& call);
    void deliver_to_readers(Call& call, Stream& stream);
    void queue_for_gateways(Call& call, Stream& stream);
    bool send_events(Reader& reader, const Call& call);
    void send_gateway_events(Client& client);
    bool flush_outbox(Client& client);
    void post(Client& client, std::string frame);

    RequestHandler& handler_;
    std::unordered_map<int, std::unique_ptr<Client>> clients_;
    std::unordered_map<Uuid, std::vector<EarlyComer>, UuidHash> early_;  // by message id or request id
    std::unordered_set<Client*> gateways_;
    std::unordered_set<Client*> blocked_;  // clients whose queue is full
    std::vector<Uuid> dirty_;
    struct LateAnswer {
        int process_number;
        dsm_handle channel;
        std::string frame;
    };
    std::vector<LateAnswer> late_answers_;
    std::vector<int> gone_;  // clients found dead while sending
    std::size_t reader_count_ = 0;
};

}  // namespace pgchat::pg
