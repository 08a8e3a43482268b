// How events and replies leave the engine: as many in one frame as fit, each reader from where it is, a full queue
// holding up nobody but its own reader.
#include <algorithm>

#include "pg/boundary.hpp"
#include "pg/engine_channels.hpp"

namespace pgchat::pg {
namespace {

// Events are gathered into frames up to about this size, so that one wake-up of the reader carries many.
constexpr std::size_t frame_target_bytes = 24 * 1024;

void write_event(FrameWriter& frame, std::uint32_t index, const StreamEvent& event) {
    frame.u32(index + 1).u8(static_cast<std::uint8_t>(event.kind)).text(event.text);
}

}  // namespace

void EngineChannels::mark_dirty(Call& call) {
    const bool for_gateways = !gateways_.empty() && call.spec().message_id != Uuid{};
    if (call.attachment == nullptr && !for_gateways) return;
    Stream& stream = stream_of(call);
    if (stream.dirty) return;
    stream.dirty = true;
    dirty_.push_back(call.spec().request_id);
}

void EngineChannels::send_result(Call& call) {
    if (call.attachment == nullptr) return;
    Stream& stream = stream_of(call);
    for (const auto& [client, number] : stream.waiters) {
        settle(*client, number, call);
        post(*client, write_flag(number, true));
    }
    stream.waiters.clear();
    if (stream.origin == nullptr) return;
    // A streamed call's reader gets the events first, then this.
    if (call.spec().stream) return;
    settle(*stream.origin, stream.origin_number, call);
    answer_origin(call, stream);
}

void EngineChannels::answer_origin(Call& call, Stream& stream) {
    std::string frame = write_result(stream.origin_number, call);
    if (stream.origin_item != 0) frame = write_item(stream.origin_number, stream.origin_item, frame);
    post(*stream.origin, std::move(frame));
    stream.origin = nullptr;
}

void EngineChannels::deliver() {
    for (LateAnswer& late : std::exchange(late_answers_, {}))
        send_to(late.process_number, late.channel, std::move(late.frame));
    for (auto next = blocked_.begin(); next != blocked_.end();) {
        Client& client = **next;
        if (!flush_outbox(client)) {
            ++next;
            continue;
        }
        next = blocked_.erase(next);
        for (const auto& [number, request_id] : client.calls)
            if (Call* const call = handler_.engine().find(request_id)) mark_dirty(*call);
    }
    for (const Uuid& id : std::exchange(dirty_, {})) {
        Call* const call = handler_.engine().find(id);
        if (call == nullptr) continue;
        Stream& stream = stream_of(*call);
        stream.dirty = false;
        deliver_to_readers(*call, stream);
        queue_for_gateways(*call, stream);
    }
    for (Client* const client : gateways_) send_gateway_events(*client);
    for (const int process_number : std::exchange(gone_, {}))
        if (const auto found = clients_.find(process_number); found != clients_.end()) retire(*found->second);
}

void EngineChannels::deliver_to_readers(Call& call, Stream& stream) {
    reader_count_ -= std::erase_if(stream.readers, [&](Reader& reader) {
        const bool ended_before = call.log().closed() && reader.next >= call.log().size();
        const bool has_all = send_events(reader, call) && call.log().closed();
        // It begins after the last event: an empty frame says that there is nothing to wait for.
        if (ended_before) post(*reader.client, FrameWriter(ReplyKind::events, reader.request_number).take());
        if (has_all && stream.origin == reader.client && stream.origin_number == reader.request_number) {
            answer_origin(call, stream);
        }
        if (has_all) settle(*reader.client, reader.request_number, call);
        return has_all;
    });
}

// True once the reader has been sent all events there are after its place.
bool EngineChannels::send_events(Reader& reader, const Call& call) {
    const StreamLog& log = call.log();
    while (reader.next < log.size() && reader.client->outbox.empty()) {
        FrameWriter frame(ReplyKind::events, reader.request_number);
        while (reader.next < log.size() && frame.size() < frame_target_bytes) {
            write_event(frame, reader.next, log.event(reader.next));
            ++reader.next;
        }
        post(*reader.client, frame.take());
    }
    return reader.next >= log.size();
}

void EngineChannels::queue_for_gateways(Call& call, Stream& stream) {
    if (call.spec().message_id == Uuid{}) return;
    for (Client* const client : gateways_) {
        auto reader = std::find_if(stream.gateways.begin(), stream.gateways.end(),
                                   [&](const Reader& candidate) { return candidate.client == client; });
        if (reader == stream.gateways.end())
            reader = stream.gateways.insert(reader, {client, client->gateway_number, 0});
        if (reader->queued || reader->next == call.log().size()) continue;
        reader->queued = true;
        client->gateway_queue.push_back(call.spec().request_id);
    }
}

void EngineChannels::send_gateway_events(Client& client) {
    while (!client.gateway_queue.empty() && client.outbox.empty()) {
        FrameWriter frame(ReplyKind::events, client.gateway_number);
        while (!client.gateway_queue.empty() && frame.size() < frame_target_bytes) {
            Call* const call = handler_.engine().find(client.gateway_queue.front());
            client.gateway_queue.pop_front();
            if (call == nullptr) continue;
            for (Reader& reader : stream_of(*call).gateways) {
                if (reader.client != &client) continue;
                while (reader.next < call->log().size() && frame.size() < frame_target_bytes) {
                    frame.uuid(call->spec().message_id).uuid(call->spec().user_id);
                    write_event(frame, reader.next, call->log().event(reader.next));
                    ++reader.next;
                }
                reader.queued = reader.next < call->log().size();
                if (reader.queued) client.gateway_queue.push_front(call->spec().request_id);
            }
        }
        post(client, frame.take());
    }
}

// True once nothing waits for room.
bool EngineChannels::flush_outbox(Client& client) {
    while (!client.outbox.empty()) {
        const std::string& frame = client.outbox.front();
        const shm_mq_result result =
            call([&] { return shm_mq_send(client.replies, frame.size(), frame.data(), true, true); });
        if (result == SHM_MQ_WOULD_BLOCK) return false;
        if (result == SHM_MQ_DETACHED) {
            client.outbox.clear();
            gone_.push_back(client.process_number);
            return true;
        }
        client.outbox.pop_front();
    }
    return true;
}

void EngineChannels::post(Client& client, std::string frame) {
    client.outbox.push_back(std::move(frame));
    pg_atomic_fetch_add_u32(&header_of(client.segment)->replies_sent, 1);
    if (client.outbox.size() == 1 && !flush_outbox(client)) blocked_.insert(&client);
}

}  // namespace pgchat::pg
