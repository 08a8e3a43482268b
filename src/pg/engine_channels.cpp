#include "pg/engine_channels.hpp"

#include <algorithm>
#include <utility>

#include "core/crypto/secret_memory.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include "storage/proc.h"
}

namespace pgchat::pg {
namespace {

// No more of a backend's requests to the ledger wait in the engine: the others stay in its queue, and where that is
// full it waits. So whoever asks for many holds up others little, and fills no memory.
constexpr std::uint32_t most_waiting_of_one = 8;

}  // namespace

void EngineChannels::serve(int process_number) {
    const dsm_handle handle = pg_atomic_read_u32(&shared->channels[process_number]);
    const auto known = clients_.find(process_number);
    Client* client = known == clients_.end() ? nullptr : known->second.get();
    if (client != nullptr && client->handle != handle) {
        retire(*client);
        client = nullptr;
    }
    if (client == nullptr && handle != DSM_HANDLE_INVALID) client = open(process_number, handle);
    if (client == nullptr) return;
    if (pg_atomic_read_u32(&header_of(client->segment)->closed) != 0) {
        // Not to be opened again when the same backend rings once more, unless it has made a new one meanwhile.
        std::uint32_t closed_handle = handle;
        pg_atomic_compare_exchange_u32(&shared->channels[process_number], &closed_handle, DSM_HANDLE_INVALID);
        retire(*client);
        return;
    }
    // A number is abandoned after its request was sent, so whatever is named here is in the queue by now.
    note_abandoned(*client);
    if (!take_requests(*client)) {
        drop(process_number);
        return;
    }
    if (client->ledger_waiting >= most_waiting_of_one) return;
    for (const std::uint32_t number : std::exchange(client->abandoned, {})) abandon(*client, number);
}

EngineChannels::Client* EngineChannels::open(int process_number, dsm_handle handle) {
    auto client = std::make_unique<Client>();
    client->process_number = process_number;
    client->handle = handle;
    call([&] {
        MemoryContext const context = MemoryContextSwitchTo(TopMemoryContext);
        client->segment = dsm_attach(handle);
        if (client->segment != nullptr) {
            dsm_pin_mapping(client->segment);
            shm_mq_set_receiver(request_queue_of(client->segment), MyProc);
            shm_mq_set_sender(reply_queue_of(client->segment), MyProc);
            client->requests = shm_mq_attach(request_queue_of(client->segment), client->segment, nullptr);
            client->replies = shm_mq_attach(reply_queue_of(client->segment), client->segment, nullptr);
        }
        MemoryContextSwitchTo(context);
    });
    if (client->segment == nullptr) return nullptr;  // the backend has gone meanwhile
    return (clients_[process_number] = std::move(client)).get();
}

void EngineChannels::drop(int process_number) {
    const auto found = clients_.find(process_number);
    if (found == clients_.end()) return;
    Client& client = *found->second;
    while (!client.calls.empty()) abandon(client, client.calls.begin()->first);
    while (!client.early.empty()) abandon(client, client.early.begin()->first);
    stop_gateway(client);
    blocked_.erase(&client);
    call([&] {
        shm_mq_detach(client.requests);
        shm_mq_detach(client.replies);
        dsm_detach(client.segment);
    });
    clients_.erase(found);
}

// False when the backend has gone.
bool EngineChannels::take_requests(Client& client) {
    ChannelHeader* const header = header_of(client.segment);
    while (client.ledger_waiting < most_waiting_of_one &&
           pg_atomic_read_u32(&header->requests_sent) != client.requests_taken) {
        std::string_view bytes;
        const shm_mq_result result = take_frame(client, bytes);
        if (result == SHM_MQ_WOULD_BLOCK) return true;
        if (result == SHM_MQ_DETACHED) return false;
        FrameReader frame(bytes);
        try {
            handle(client, frame);
        } catch (const Error& error) {
            post(client, write_error(frame.request_number(), error));
        } catch (const std::exception& error) {
            post(client, write_error(frame.request_number(), Error(ErrorCode::internal, error.what())));
        }
        // The queue is the sender's again only with the next look into it.
        if (frame.kind() == static_cast<std::uint8_t>(RequestKind::secret))
            secure_zero(const_cast<char*>(bytes.data()), bytes.size());
    }
    return true;
}

// The next whole frame, valid until the next call.
shm_mq_result EngineChannels::take_frame(Client& client, std::string_view& bytes) {
    Size size = 0;
    void* data = nullptr;
    const shm_mq_result result = call([&] { return shm_mq_receive(client.requests, &size, &data, true); });
    if (result != SHM_MQ_SUCCESS) return result;
    bytes = {static_cast<const char*>(data), size};
    pg_atomic_write_u32(&header_of(client.segment)->requests_taken, ++client.requests_taken);
    return result;
}

// Drops a client that is leaving. What it gave to the ledger happens all the same.
void EngineChannels::retire(Client& client) {
    std::string_view bytes;
    while (take_frame(client, bytes) == SHM_MQ_SUCCESS) {
        FrameReader frame(bytes);
        if (frame.kind() == static_cast<std::uint8_t>(RequestKind::ledger)) keep(client, frame);
    }
    drop(client.process_number);
}

void EngineChannels::keep(Client& client, FrameReader& frame) {
    const LedgerFrame asked = read_ledger(frame);
    handler_.keep(
        {client.process_number, client.handle, frame.request_number(), asked.act, std::string(asked.payload)});
    ++client.ledger_waiting;
}

void EngineChannels::note_abandoned(Client& client) const {
    for (pg_atomic_uint32& place : header_of(client.segment)->abandoned)
        if (pg_atomic_read_u32(&place) != 0) client.abandoned.push_back(pg_atomic_exchange_u32(&place, 0));
}

void EngineChannels::handle(Client& client, FrameReader& frame) {
    const std::uint32_t number = frame.request_number();
    switch (static_cast<RequestKind>(frame.kind())) {
        case RequestKind::complete:
            begin(client, number, read_complete(frame));
            return;
        case RequestKind::attach:
            attach(client, number, read_attach(frame));
            return;
        case RequestKind::gateway:
            start_gateway(client, number);
            return;
        case RequestKind::cancel: {
            const Uuid user_id = frame.uuid();
            Call* const call = handler_.engine().find(frame.uuid());
            const bool mine = call != nullptr && !call->is_finished() && call->spec().user_id == user_id;
            if (mine) handler_.engine().cancel(*call);
            post(client, write_flag(number, mine));
            return;
        }
        case RequestKind::wait: {
            const Uuid user_id = frame.uuid();
            wait_for(client, number, user_id, frame.uuid());
            return;
        }
        case RequestKind::ledger:
            keep(client, frame);
            return;
        case RequestKind::secret:
            post(client, handler_.secrets().reply_to(frame));
            return;
        case RequestKind::sign_token: {
            const auto algorithm = static_cast<JoseAlgorithm>(frame.u8());
            post(client, write_answer(number, handler_.tokens().sign(frame.text(), algorithm)));
            return;
        }
        case RequestKind::id_token:
            handler_.id_tokens().verify(frame, late_answer(client));
            return;
        case RequestKind::model_page:
            handler_.fetch_models(number, read_model_page_request(frame), late_answer(client));
            return;
        case RequestKind::verify_token:
            post(client, write_flag(number, handler_.tokens().verifies(frame.text())));
            return;
    }
    throw Error(ErrorCode::internal, "unknown request kind");
}

void EngineChannels::answer(const LedgerRequest& request, std::string frame) {
    const auto found = clients_.find(request.process_number);
    if (found != clients_.end() && found->second->handle == request.channel &&
        found->second->ledger_waiting-- == most_waiting_of_one)
        handler_.serve_again(request.process_number);
    if (request.number != unanswered) send_to(request.process_number, request.channel, std::move(frame));
}

std::function<void(std::string)> EngineChannels::late_answer(const Client& client) {
    return [this, process = client.process_number, channel = client.handle](std::string reply) {
        answer_later(process, channel, std::move(reply));
    };
}

void EngineChannels::answer_later(int process_number, dsm_handle channel, std::string frame) {
    late_answers_.push_back({process_number, channel, std::move(frame)});
}

// Nothing where the backend has gone meanwhile.
void EngineChannels::send_to(int process_number, dsm_handle channel, std::string frame) {
    const auto found = clients_.find(process_number);
    if (found != clients_.end() && found->second->handle == channel) post(*found->second, std::move(frame));
}

void EngineChannels::begin(Client& client, std::uint32_t number, const CompleteRequest& request) {
    Call& call = handler_.begin_call(request);
    client.calls.emplace(number, request.request_id);
    Stream& stream = stream_of(call);
    stream.origin = &client;
    stream.origin_number = number;
    if (!request.stream) return;
    stream.readers.push_back({&client, number, 0});
    ++reader_count_;
}

void EngineChannels::attach(Client& client, std::uint32_t number, const AttachRequest& request) {
    if (Call* const call = handler_.engine().find_by_message(request.message_id))
        join(client, number, *call, request.after_seq);
    else if (request.wait)
        come_early(client, number, request.message_id, request.after_seq, true);
    else
        post(client, write_attach_reply(number, {}));
}

void EngineChannels::join(Client& client, std::uint32_t number, Call& call, std::uint32_t after_seq) {
    post(client, write_attach_reply(number, {true, call.log().size(), call.spec().request_id}));
    client.calls.emplace(number, call.spec().request_id);
    stream_of(call).readers.push_back({&client, number, after_seq});
    ++reader_count_;
    mark_dirty(call);
}

void EngineChannels::come_early(Client& client, std::uint32_t number, const Uuid& id, std::uint32_t after_seq,
                                bool reads) {
    client.early.emplace(number, id);
    early_[id].push_back({&client, number, after_seq, reads});
}

std::vector<EngineChannels::EarlyComer> EngineChannels::take_early(const Uuid& id) {
    const auto found = early_.find(id);
    if (found == early_.end()) return {};
    std::vector<EarlyComer> comers = std::move(found->second);
    early_.erase(found);
    for (const EarlyComer& comer : comers) comer.client->early.erase(comer.request_number);
    return comers;
}

void EngineChannels::call_started(Call& call) {
    if (early_.empty()) return;
    for (const EarlyComer& comer : take_early(call.spec().message_id))
        join(*comer.client, comer.request_number, call, comer.after_seq);
    for (const EarlyComer& comer : take_early(call.spec().request_id)) {
        stream_of(call).waiters.emplace_back(comer.client, comer.request_number);
        comer.client->calls.emplace(comer.request_number, call.spec().request_id);
    }
}

void EngineChannels::call_refused(const Uuid& request_id, const Uuid& message_id) {
    if (early_.empty()) return;
    for (const EarlyComer& comer : take_early(message_id))
        post(*comer.client, write_attach_reply(comer.request_number, {}));
    for (const EarlyComer& comer : take_early(request_id)) post(*comer.client, write_flag(comer.request_number, true));
}

void EngineChannels::start_gateway(Client& client, std::uint32_t number) {
    if (client.gateway_number != 0) throw Error(ErrorCode::invalid_argument, "this session already reads the gateway");
    client.gateway_number = number;
    gateways_.insert(&client);
    ++reader_count_;
    handler_.engine().for_each([&](Call& call) {
        if (!call.log().closed()) mark_dirty(call);
    });
}

void EngineChannels::wait_for(Client& client, std::uint32_t number, const Uuid& user_id, const Uuid& request_id) {
    Call* const call = handler_.engine().find(request_id);
    if (call == nullptr) {
        come_early(client, number, request_id, 0, false);
    } else if (call->spec().user_id != user_id || call->log().closed()) {
        post(client, write_flag(number, true));
    } else {
        stream_of(*call).waiters.emplace_back(&client, number);
        client.calls.emplace(number, request_id);
    }
}

void EngineChannels::abandon(Client& client, std::uint32_t number) {
    if (client.gateway_number == number) stop_gateway(client);
    if (const auto early = client.early.find(number); early != client.early.end()) {
        std::erase_if(early_[early->second], [&](const EarlyComer& comer) {
            return comer.client == &client && comer.request_number == number;
        });
        if (early_[early->second].empty()) early_.erase(early->second);
        client.early.erase(early);
    }
    const auto found = client.calls.find(number);
    if (found == client.calls.end()) return;
    Call* const call = handler_.engine().find(found->second);
    client.calls.erase(found);
    if (call == nullptr || call->attachment == nullptr) return;
    Stream& stream = stream_of(*call);
    const auto is_this = [&](const Reader& reader) {
        return reader.client == &client && reader.request_number == number;
    };
    reader_count_ -= std::erase_if(stream.readers, is_this);
    std::erase(stream.waiters, std::pair(&client, number));
    if (stream.origin != &client || stream.origin_number != number) return;
    stream.origin = nullptr;
    if (!call->is_finished()) handler_.engine().cancel(*call);
}

void EngineChannels::stop_gateway(Client& client) {
    if (client.gateway_number == 0) return;
    client.gateway_number = 0;
    client.gateway_queue.clear();
    gateways_.erase(&client);
    --reader_count_;
    handler_.engine().for_each([&](Call& call) {
        if (call.attachment != nullptr)
            std::erase_if(stream_of(call).gateways, [&](const Reader& reader) { return reader.client == &client; });
    });
}

EngineChannels::Stream& EngineChannels::stream_of(Call& call) {
    if (call.attachment == nullptr) call.attachment = new Stream;
    return *static_cast<Stream*>(call.attachment);
}

bool EngineChannels::may_forget(const Call& call) const {
    if (call.attachment == nullptr) return true;
    const Stream& stream = *static_cast<const Stream*>(call.attachment);
    const bool gateway_is_behind =
        std::any_of(stream.gateways.begin(), stream.gateways.end(), [](const Reader& reader) { return reader.queued; });
    return !stream.dirty && stream.readers.empty() && !gateway_is_behind;
}

void EngineChannels::forget(Call& call) {
    delete static_cast<Stream*>(call.attachment);
    call.attachment = nullptr;
}

}  // namespace pgchat::pg
