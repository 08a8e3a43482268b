#include "pg/engine_client.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "pg/channel.hpp"
#include "pg/compat.hpp"
#include "pg/preload.hpp"

extern "C" {
#include "access/xlog.h"
#include "libpq/libpq-be.h"
#include "libpq/libpq.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace pgchat::pg {
namespace {

using std::chrono::milliseconds;

// How long a new database's engine may take to appear before a call gives up.
constexpr milliseconds engine_start_wait{5000};
// How often a waiting backend looks whether its client is still there.
constexpr milliseconds client_check_interval{500};
// How often a backend that is about to leave looks whether its request has been taken.
constexpr std::chrono::microseconds taken_check_interval{200};

// This backend's channel. Kept from its first call to its end, and made anew when the engine was.
struct Channel {
    EngineSlot* slot = nullptr;
    std::uint64_t slot_generation = 0;
    std::uint64_t generation = 0;  // of this struct's own life; 0 before the first
    dsm_segment* segment = nullptr;
    Size reply_room = 0;
    shm_mq_handle* requests = nullptr;
    shm_mq_handle* replies = nullptr;
    std::uint32_t last_number = 0;
    std::uint32_t replies_taken = 0;
    std::unordered_map<std::uint32_t, std::deque<std::string>> inboxes;  // of requests in progress

    bool is_alive() const noexcept {
        return segment != nullptr && slot->pid != 0 && pg_atomic_read_u64(&slot->generation) == slot_generation;
    }
};

Channel channel;

std::uint32_t engine_wait_event() noexcept {
    static const std::uint32_t event = wait_event("PgchatEngineReply");
    return event;
}

// Runs while the backend ends: the engine learns of it by the doorbell, not by trying.
void on_segment_detach(dsm_segment*, Datum slot_address) noexcept {
    pg_atomic_write_u32(&shared->channels[my_proc_number()], DSM_HANDLE_INVALID);
    ring(*reinterpret_cast<EngineSlot*>(DatumGetPointer(slot_address)), my_proc_number());
}

void sleep_on_latch(milliseconds wait, std::uint32_t event) {
    call([&] {
        // Nothing is read while waiting, so no snapshot of the catalog may hold back VACUUM.
        InvalidateCatalogSnapshotConditionally();
        WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>(wait.count()), event);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    });
}

bool serves(EngineSlot* slot) noexcept {
    return slot != nullptr && pg_atomic_read_u32(&slot->state) == static_cast<std::uint32_t>(EngineState::running);
}

EngineSlot& running_engine() {
    for (milliseconds waited{0}; waited < engine_start_wait; waited += milliseconds{20}) {
        EngineSlot* const slot = find_engine(MyDatabaseId);
        if (serves(slot)) return *slot;
        sleep_on_latch(milliseconds{20}, engine_wait_event());
    }
    throw Error(
        ErrorCode::engine_unavailable, "the pgchat engine of this database is not running",
        "See the server log, and chat.engine_status(); pgchat.max_engines and max_worker_processes limit the engines.");
}

void close_channel() {
    if (channel.segment == nullptr) return;
    dsm_segment* const segment = channel.segment;
    channel.segment = nullptr;
    channel.inboxes.clear();
    call([&] {
        shm_mq_detach(channel.requests);
        shm_mq_detach(channel.replies);
        dsm_detach(segment);
    });
}

void open_channel(Size reply_room) {
    if (call([] { return RecoveryInProgress(); }))
        throw Error(ErrorCode::read_only_server, "this is not possible on a standby server");
    EngineSlot& slot = running_engine();
    const std::uint64_t slot_generation = pg_atomic_read_u64(&slot.generation);
    call([&] {
        MemoryContext const context = MemoryContextSwitchTo(TopMemoryContext);
        dsm_segment* const segment = dsm_create(ChannelLayout::replies + reply_room, 0);
        dsm_pin_mapping(segment);
        ChannelHeader* const header = header_of(segment);
        for (pg_atomic_uint32& place : header->abandoned) pg_atomic_init_u32(&place, 0);
        pg_atomic_init_u32(&header->requests_sent, 0);
        pg_atomic_init_u32(&header->replies_sent, 0);
        pg_atomic_init_u32(&header->requests_taken, 0);
        pg_atomic_init_u32(&header->closed, 0);
        // Callbacks run in reverse: the queues are marked as detached before the doorbell rings.
        on_dsm_detach(segment, on_segment_detach, PointerGetDatum(&slot));
        shm_mq* const requests = shm_mq_create(request_queue_of(segment), request_queue_size);
        shm_mq* const replies = shm_mq_create(reply_queue_of(segment), reply_room);
        shm_mq_set_sender(requests, MyProc);
        shm_mq_set_receiver(replies, MyProc);
        channel.requests = shm_mq_attach(requests, segment, nullptr);
        channel.replies = shm_mq_attach(replies, segment, nullptr);
        channel.segment = segment;
        MemoryContextSwitchTo(context);
    });
    channel.slot = &slot;
    channel.slot_generation = slot_generation;
    channel.replies_taken = 0;
    ++channel.generation;
    pg_atomic_write_u32(&shared->channels[my_proc_number()], dsm_segment_handle(channel.segment));
}

void ensure_channel(Size reply_room) {
    const bool usable = channel.is_alive() && pg_atomic_read_u32(&header_of(channel.segment)->closed) == 0;
    if (usable && channel.reply_room >= reply_room) return;
    if (usable && !channel.inboxes.empty())
        throw Error(ErrorCode::invalid_argument, "the gateway cannot be read beside other streams of the same session");
    close_channel();
    open_channel(reply_room);
    channel.reply_room = reply_room;
}

[[noreturn]] void throw_engine_gone() {
    throw Error(ErrorCode::outcome_unknown, "the engine ended during the call",
                "The provider may have done the work; it is not repeated unless you ask again.");
}

// Puts the whole frame into the queue. A frame left half written leaves the channel unusable, so it is closed then.
void send(std::string_view frame) {
    struct CloseUnlessSent {
        bool sent = false;
        ~CloseUnlessSent() {
            if (!sent) pg_atomic_write_u32(&header_of(channel.segment)->closed, 1);
        }
    } guard;
    pg_atomic_fetch_add_u32(&header_of(channel.segment)->requests_sent, 1);
    for (;;) {
        const shm_mq_result result =
            call([&] { return shm_mq_send(channel.requests, frame.size(), frame.data(), true, true); });
        ring(*channel.slot, my_proc_number());
        if (result == SHM_MQ_SUCCESS) break;
        if (result == SHM_MQ_DETACHED || !channel.is_alive()) throw_engine_gone();
        sleep_on_latch(client_check_interval, engine_wait_event());
    }
    guard.sent = true;
}

// The next whole frame of any request, valid until the next call; empty when there is none.
std::string_view receive() {
    ChannelHeader* const header = header_of(channel.segment);
    if (pg_atomic_read_u32(&header->closed) != 0) throw_engine_gone();
    if (pg_atomic_read_u32(&header->replies_sent) == channel.replies_taken) return {};
    Size size = 0;
    void* data = nullptr;
    const shm_mq_result result = call([&] { return shm_mq_receive(channel.replies, &size, &data, true); });
    if (result == SHM_MQ_DETACHED) throw_engine_gone();
    if (result == SHM_MQ_WOULD_BLOCK) return {};
    ++channel.replies_taken;
    return {static_cast<const char*>(data), size};
}

// Puts what has come into the inboxes of the requests it is for.
void sort_replies() {
    for (std::string_view bytes = receive(); !bytes.empty(); bytes = receive()) {
        const auto inbox = channel.inboxes.find(FrameReader(bytes).request_number());
        if (inbox != channel.inboxes.end()) inbox->second.emplace_back(bytes);
    }
}

void flush_rows_to_client() {
    if (whereToSendOutput == DestRemote) call([] { pq_flush(); });
}

// Spans waits: where events come faster than the interval, no single wait would be long enough for a check.
std::chrono::steady_clock::time_point next_client_check;

void check_client_now_and_then() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_client_check || whereToSendOutput != DestRemote) return;
    next_client_check = now + client_check_interval;
    call([] {
        if (!pq_check_connection()) {
            ClientConnectionLost = true;
            InterruptPending = true;
        }
        CHECK_FOR_INTERRUPTS();
    });
}

}  // namespace

EngineRequest::EngineRequest(const Write& write, Room room) {
    require_preloaded();
    ensure_channel(room == Room::gateway ? gateway_reply_queue_size : reply_queue_size);
    channel_generation_ = channel.generation;
    if (++channel.last_number == 0) ++channel.last_number;
    number_ = channel.last_number;
    channel.inboxes.try_emplace(number_);
    try {
        send(write(number_));
    } catch (...) {
        channel.inboxes.erase(number_);
        throw;
    }
}

EngineRequest::~EngineRequest() {
    if (channel_generation_ != channel.generation || channel.segment == nullptr) return;
    channel.inboxes.erase(number_);
    if (finished_) return;
    ChannelHeader* const header = header_of(channel.segment);
    const auto place = std::find_if(std::begin(header->abandoned), std::end(header->abandoned),
                                    [](pg_atomic_uint32& number) { return pg_atomic_read_u32(&number) == 0; });
    if (place != std::end(header->abandoned))
        pg_atomic_write_u32(place, number_);
    else
        pg_atomic_write_u32(&header->closed, 1);
    ring(*channel.slot, my_proc_number());
}

void EngineRequest::add(const Write& write) {
    if (channel_generation_ != channel.generation || channel.segment == nullptr) throw_engine_gone();
    const std::string frame = write(number_);
    finished_ = false;
    send(frame);
}

std::optional<FrameReader> EngineRequest::next(milliseconds wait, bool flush_client) {
    if (channel_generation_ != channel.generation || channel.segment == nullptr) throw_engine_gone();
    std::deque<std::string>& inbox = channel.inboxes[number_];
    if (!inbox.empty()) {
        frame_ = std::move(inbox.front());
        inbox.pop_front();
        return FrameReader(frame_);
    }
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (bool flushed = false;;) {
        for (std::string_view bytes = receive(); !bytes.empty(); bytes = receive()) {
            FrameReader frame(bytes);
            if (frame.request_number() == number_) {
                if (frame.kind() != static_cast<std::uint8_t>(ReplyKind::events)) return frame;
                // Events are read over many calls, between which another request may receive.
                frame_.assign(bytes);
                return FrameReader(frame_);
            }
            const auto other = channel.inboxes.find(frame.request_number());
            if (other != channel.inboxes.end()) other->second.emplace_back(bytes);
        }
        if (!channel.is_alive()) throw_engine_gone();
        const auto now = std::chrono::steady_clock::now();
        if (wait >= milliseconds{0} && now >= deadline) return std::nullopt;
        if (flush_client && !flushed) {
            flush_rows_to_client();
            flushed = true;
        }
        milliseconds pause = client_check_interval;
        if (wait >= milliseconds{0})
            pause = std::min(pause, std::chrono::duration_cast<milliseconds>(deadline - now) + milliseconds{1});
        sleep_on_latch(pause, engine_wait_event());
        check_client_now_and_then();
    }
}

bool EngineRequest::is_taken() const noexcept {
    if (channel_generation_ != channel.generation || !channel.is_alive()) return true;
    ChannelHeader* const header = header_of(channel.segment);
    return pg_atomic_read_u32(&header->requests_taken) == pg_atomic_read_u32(&header->requests_sent);
}

bool EngineRequest::has_reply() {
    if (channel_generation_ != channel.generation || channel.segment == nullptr) throw_engine_gone();
    if (!channel.inboxes[number_].empty()) return true;
    sort_replies();
    if (!channel.inboxes[number_].empty()) return true;
    if (!channel.is_alive()) throw_engine_gone();
    return false;
}

void EngineRequest::wait_until_taken() const noexcept {
    for (auto waited = std::chrono::microseconds{0}; waited < std::chrono::seconds{1}; waited += taken_check_interval) {
        if (is_taken()) return;
        pg_usleep(taken_check_interval.count());
    }
}

bool engine_takes_requests() {
    return serves(find_engine(MyDatabaseId)) && !call([] { return RecoveryInProgress(); });
}

void wait_for_any(const std::vector<EngineRequest*>& requests, milliseconds wait, bool flush_client) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    for (bool flushed = false;;) {
        for (EngineRequest* const request : requests)
            if (request->has_reply()) return;
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds{0}) return;
        if (flush_client && !flushed) {
            flush_rows_to_client();
            flushed = true;
        }
        sleep_on_latch(std::min(client_check_interval, left), engine_wait_event());
        check_client_now_and_then();
    }
}

bool ask_engine(const EngineRequest::Write& write, milliseconds wait) {
    EngineRequest request(write);
    std::optional<FrameReader> reply = request.next(wait);
    if (!reply) return false;
    request.done();
    if (reply->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*reply);
    return read_flag(*reply);
}

void tell_engine(const EngineRequest::Write& write) {
    require_preloaded();
    if (!engine_takes_requests()) return;
    ensure_channel(std::max(channel.reply_room, reply_queue_size));
    send(write(unanswered));
}

std::string answer_of_engine(const EngineRequest::Write& write, std::chrono::milliseconds wait) {
    EngineRequest request(write);
    std::optional<FrameReader> reply = request.next(wait);
    if (!reply)
        throw Error(ErrorCode::engine_unavailable, "the pgchat engine gave no answer",
                    "Try again; see chat.engine_status().");
    request.done();
    if (reply->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*reply);
    return std::string(read_answer(*reply));
}

}  // namespace pgchat::pg
