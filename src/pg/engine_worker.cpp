#include "pg/engine_worker.hpp"

#include <algorithm>
#include <ctime>

#include "pg/boundary.hpp"
#include "pg/call_record.hpp"
#include "pg/engine_accounts.hpp"
#include "pg/engine_totals.hpp"
#include "pg/engine_transaction.hpp"
#include "pg/key_settings.hpp"
#include "pg/settings.hpp"

extern "C" {
#include "postmaster/interrupt.h"
}

namespace pgchat::pg {
namespace {

// The queue is looked at when a commit wakes the engine; this only catches what no wake-up announced (a row restored by
// hand).
constexpr Milliseconds queue_poll_interval{5000};
// Rows that a turn of the loop may claim, so that no stream waits for a long transaction.
constexpr std::size_t claim_batch = 100;
constexpr Milliseconds write_retry_delay{1000};
// Up to so many calls in flight a claim is flushed at once, as hardly anybody waits meanwhile.
constexpr std::size_t few_calls = 32;
constexpr Milliseconds tidy_interval{60000};
constexpr Milliseconds tidy_pause{200};

CurlTransportOptions transport_options() {
    CurlTransportOptions options;
    options.max_kept_connections = settings.max_calls;
    options.ca_file = settings.ca_file;
    return options;
}

// What immediate and claimed requests have in common. Throws Error where the request cannot be sent.
template <class Request>
CallSpec spec_of(const Request& request, const Catalog& catalog) {
    CallSpec spec;
    spec.request_id = request.request_id;
    spec.user_id = request.user_id;
    spec.message_id = request.message_id;
    spec.conversation_id = request.conversation_id;
    spec.model = catalog.find(request.model);
    spec.request = parse_chat_request(request.text);
    for (const std::string& name : spec.request.options.fallback_models)
        if (auto model = catalog.find_usable(name)) spec.fallbacks.push_back(std::move(model));
    spec.timeout = Milliseconds(request.timeout_ms > 0 ? request.timeout_ms : settings.request_timeout_ms);
    return spec;
}

Error refusal_of(const ClaimedRequest& request) {
    if (request.message_id == Uuid{})
        return Error(ErrorCode::not_found, "what this request is about is not there any more");
    return Error(ErrorCode::context_length_exceeded, "the conversation does not fit the model's context window",
                 "Send a shorter message, ask a model with a larger window, or choose another context_strategy.");
}

std::int64_t unix_seconds() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

}  // namespace

EngineWorker::EngineWorker(EngineSlot& slot)
    : slot_(slot),
      network_(clock_, transport_options()),
      echo_(clock_),
      engine_(clock_, network_, echo_, *this),
      channels_(*this),
      recorder_(clock_, [this](const FinishedCall& finished) { close_recorded(finished); }),
      usage_(clock_),
      search_(clock_),
      ledger_(clock_,
              [this](const LedgerRequest& asked, std::string frame) { channels_.answer(asked, std::move(frame)); }),
      key_uses_(clock_),
      sealed_rows_(slot),
      secrets_(clock_, unix_seconds, sealed_rows_),
      tokens_(slot, secrets_.vault()),
      id_tokens_(clock_, network_, unix_seconds),
      model_lists_(network_),
      wait_(network_.poll_fd()),
      heap_trim_(clock_) {}

void EngineWorker::run() {
    slot_.envelope_address = secrets_.address();
    apply_settings();
    catalog_generation_ = pg_atomic_read_u64(&slot_.catalog_generation) - 1;
    refresh_catalog();
    while (!recover_requests()) {
        wait_.sleep(clock_.now(), clock_.now() + write_retry_delay);
        take_wakes();
        if (stopping_) return;
    }
    pg_atomic_write_u32(&slot_.state, static_cast<std::uint32_t>(EngineState::running));
    for (take_wakes(); !stopping_; take_wakes()) {
        // Each transaction is followed by a look at what is new: neither requests nor tokens must wait for all of them.
        look_around();
        if (ledger_.run()) look_around();
        if (settle_finished()) look_around();
        if (save_checkpoints()) look_around();
        tidy();
        usage_.run();
        search_.run(engine_.counters().submitted, is_idle(), load_.load());
        secrets_.rotation().run();
        key_uses_.run();
        channels_.deliver();
        publish_totals(slot_.totals, engine_, claim_gate_.size(), channels_.reader_count());
        heap_trim_.run(engine_.counters().submitted, is_idle());
        sleep();
    }
    stop();
}

void EngineWorker::sleep() {
    const TimePoint now = clock_.now();
    wait_.sleep(now, next_wake());
    load_.slept(now, clock_.now());
    network_.stretch_rests(load_.patience());
}

Call& EngineWorker::begin_call(const CompleteRequest& request) {
    refresh_catalog();
    engine_.accounts().set_generation(pg_atomic_read_u64(&slot_.account_generation));
    CallSpec spec = spec_of(request, engine_.catalog());
    spec.stream = request.stream;
    spec.may_wait = request.item != 0;
    return engine_.submit(std::move(spec));
}

void EngineWorker::fetch_models(std::uint32_t request_number, const ModelPageRequest& request,
                                ModelListService::Answer answer) {
    refresh_catalog();
    model_lists_.fetch(request_number, engine_.catalog().find_provider(request.provider_id), request.cursor,
                       std::move(answer));
}

void EngineWorker::events_ready(Call& call) noexcept {
    channels_.mark_dirty(call);
    if (call.checkpoint_scheduled || !call.spec().durable || call.spec().message_id == Uuid{} || call.is_finished())
        return;
    call.checkpoint_scheduled = true;
    checkpoints_.add(call.spec().request_id, clock_.now() + Milliseconds(settings.checkpoint_interval_ms));
}

void EngineWorker::call_finished(Call& call) noexcept {
    finished_.push_back(call.spec().request_id);
}

bool EngineWorker::may_release(Call& call) noexcept {
    if (!channels_.may_forget(call)) return false;
    channels_.forget(call);
    return true;
}

void EngineWorker::take_wakes() {
    if (ConfigReloadPending) {
        ConfigReloadPending = false;
        call([] { ProcessConfigFile(PGC_SIGHUP); });
        apply_settings();
        catalog_generation_ = pg_atomic_read_u64(&slot_.catalog_generation) - 1;
    }
    const std::uint32_t reasons = pg_atomic_exchange_u32(&slot_.wake, 0);
    if (ShutdownRequestPending || (reasons & wake_stop) != 0) stopping_ = true;
    if ((reasons & wake_extension) != 0 || clock_.now() >= next_extension_look_) look_for_extension();
    if ((reasons & wake_keys) != 0) secrets_.rotation().keys_changed();
    if ((reasons & wake_queue) != 0) queue_.look_again();
    if ((reasons & wake_doorbell) != 0) take_doorbells(slot_, [&](int process) { serve(process); });
}

void EngineWorker::look_for_extension() {
    const Served served = extension_served();
    if (served == Served::no) stopping_ = true;
    next_extension_look_ = served == Served::unknown ? clock_.now() + write_retry_delay : TimePoint::max();
}

// One backend's channel that fails must not end the calls of all others.
void EngineWorker::serve(int process_number) {
    try {
        channels_.serve(process_number);
    } catch (const ParkedError&) {
        const TakenError error = take_parked_error();
        call([&] {
            ereport(LOG, (errmsg("pgchat: the channel of process number %d failed: %s", process_number,
                                 error.message.c_str())));
        });
        channels_.drop(process_number);
    }
}

void EngineWorker::apply_settings() {
    EngineLimits limits;
    limits.max_calls = static_cast<std::size_t>(settings.max_calls);
    limits.flush_interval = Milliseconds(settings.flush_interval_ms);
    limits.retention = Milliseconds(settings.stream_retention_s * 1000LL);
    limits.call.connect_timeout = Milliseconds(settings.connect_timeout_ms);
    limits.call.read_rest = limits.flush_interval;
    limits.call.idle_timeout = Milliseconds(settings.idle_timeout_ms);
    limits.call.max_response_bytes = static_cast<std::size_t>(settings.max_response_kb) * 1024;
    limits.call.retry.max_retries = settings.max_retries;
    limits.breaker.failures = settings.breaker_failures;
    limits.breaker.pause = Milliseconds(settings.breaker_pause_ms);
    limits.sharing.max_bytes = static_cast<std::size_t>(settings.cache_max_kb) * 1024;
    limits.sharing.ttl = Milliseconds(settings.cache_ttl_s * 1000LL);
    limits.sharing.across_users = settings.cache_shared;
    engine_.set_limits(limits);
    secrets_.vault().set_source(key_source());
    secrets_.rotation().keys_changed();
    // What could not be opened before, perhaps can now.
    pg_atomic_fetch_add_u64(&slot_.account_generation, 1);
    tokens_.forget();
    id_tokens_.keys().set_trusted_hosts(TrustedHosts(settings.trusted_hosts));
}

void EngineWorker::refresh_catalog() {
    const std::uint64_t generation = pg_atomic_read_u64(&slot_.catalog_generation);
    if (generation == catalog_generation_) return;
    std::shared_ptr<const Catalog> catalog;
    if (!load_catalog(secrets_.vault(), catalog)) return;
    engine_.set_catalog(std::move(catalog));
    catalog_generation_ = generation;
}

void EngineWorker::look_around() {
    claim();
    work_on_network();
}

void EngineWorker::work_on_network() {
    if (claim_gate_.size() > 0) submit_claimed(false);
    refresh_accounts();
    engine_.run();
    channels_.deliver();
}

// Calls go on whose accounts were missing, or had changed.
void EngineWorker::refresh_accounts() {
    const std::vector<Uuid> missing = engine_.missing_accounts();
    if (missing.empty() || clock_.now() < next_account_load_) return;
    const std::uint64_t generation = pg_atomic_read_u64(&slot_.account_generation);
    if (load_accounts(missing, generation, clock_, secrets_.vault(), engine_.accounts()))
        engine_.accounts_loaded(missing);
    else
        next_account_load_ = clock_.now() + write_retry_delay;
}

void EngineWorker::claim() {
    const TimePoint now = clock_.now();
    if (now >= next_queue_poll_) queue_.look_again();
    const std::size_t limit = std::min(claim_batch, room());
    if (!queue_.may_have_more() || limit == 0 || now < next_claim_) return;
    const QueueHolds holds = queue_holds();
    if (!queue_.may_have_more(holds)) return;
    refresh_catalog();
    engine_.accounts().set_generation(pg_atomic_read_u64(&slot_.account_generation));
    std::vector<CallSpec> claimed;
    std::vector<FinishedCall> refused;
    const auto take = [&](const ClaimedRequest& request) {
        try {
            if (request.is_refused) throw refusal_of(request);
            claimed.push_back(spec_of(request, engine_.catalog()));
            claimed.back().durable = true;
            claimed.back().may_wait = true;
            claimed.back().stream = request.message_id != Uuid{};
        } catch (const Error& error) {
            refused.push_back(refused_call(request, error));
        } catch (const std::exception& error) {
            // One request must not keep the others in the queue.
            refused.push_back(refused_call(request, Error(ErrorCode::internal, error.what())));
        }
    };
    const bool committed = queue_.claim(limit, holds, take);
    next_queue_poll_ = now + (committed ? queue_poll_interval : write_retry_delay);
    if (!committed) {
        next_claim_ = next_queue_poll_;
        return;
    }
    claim_gate_.add(std::move(claimed), clock_.now());
    submit_claimed(engine_.in_flight() <= few_calls);
    for (FinishedCall& finished : refused) recorder_.add_durable(std::move(finished));
}

// Nothing is sent before the claim is on disk: after a crash nobody may send it again.
void EngineWorker::submit_claimed(bool at_once) {
    for (CallSpec& spec : claim_gate_.take(clock_.now(), at_once))
        channels_.call_started(engine_.submit(std::move(spec)));
}

std::size_t EngineWorker::room() const noexcept {
    const std::size_t room = engine_.room_for_durable();
    return room - std::min(room, claim_gate_.size());
}

bool EngineWorker::settle_finished() {
    for (const Uuid& id : std::exchange(finished_, {})) {
        Call* const call = engine_.find(id);
        if (call == nullptr) continue;
        const Uuid& own_key = call->spec().provider->own_key_id;
        if (call->attempts() > 0 && own_key != Uuid{}) key_uses_.used(call->spec().user_id, own_key);
        if (!call->spec().durable) {
            settle_immediate(*call);
            continue;
        }
        FinishedCall finished = finished_call(*call);
        finished.log = &call->log();
        recorder_.add_durable(std::move(finished));
    }
    return recorder_.run();
}

void EngineWorker::settle_immediate(Call& call) {
    if (!call.result().attempts.empty())
        recorder_.add_usage(finished_call(call));
    else
        engine_.usage_settled(call.spec().user_id);
    channels_.send_result(call);
    if (call.spec().stream) {
        engine_.publish_end(call);
        return;
    }
    channels_.forget(call);
    engine_.release(call);
}

void EngineWorker::close_recorded(const FinishedCall& finished) {
    usage_.note_recorded();
    if (finished.was_submitted) engine_.usage_settled(finished.user_id);
    if (!finished.durable) return;
    channels_.call_refused(finished.request_id, finished.message_id);
    Call* const call = engine_.find(finished.request_id);
    if (call == nullptr) return;
    channels_.send_result(*call);
    engine_.publish_end(*call);
}

bool EngineWorker::save_checkpoints() {
    const TimePoint now = clock_.now();
    std::vector<Checkpoint> batch;
    while (batch.size() < CheckpointQueue::batch_size) {
        const std::optional<Uuid> request_id = checkpoints_.take(now);
        if (!request_id) break;
        Call* const call = engine_.find(*request_id);
        if (call == nullptr) continue;
        call->checkpoint_scheduled = false;
        if (call->is_finished()) continue;
        batch.push_back({call->spec().user_id, call->spec().message_id, &call->log()});
    }
    if (batch.empty()) return false;
    checkpoints_.saved(now, batch.size(), pgchat::pg::save_checkpoints(batch));
    return true;
}

void EngineWorker::tidy() {
    const TimePoint now = clock_.now();
    if (now < next_tidy_) return;
    bool more = false;
    pgchat::pg::tidy(more);
    next_tidy_ = now + (more ? tidy_pause : tidy_interval);
}

TimePoint EngineWorker::next_wake() const {
    const TimePoint now = clock_.now();
    // A lock that was waited for in this turn has reset the latch, and with it whatever woke us meanwhile.
    if (pg_atomic_read_u32(&slot_.wake) != 0 || ShutdownRequestPending || ConfigReloadPending) return now;
    const bool has_room = room() > 0;
    if (has_room && next_claim_ <= now && queue_.may_have_more() && queue_.may_have_more(queue_holds())) return now;
    // What delivery found to be abandoned is still to be recorded.
    if (!finished_.empty()) return now;
    TimePoint earliest = has_room ? next_queue_poll_ : now + queue_poll_interval;
    if (claim_gate_.size() > 0) earliest = std::min(earliest, claim_gate_.next_look());
    earliest = std::min({earliest, next_extension_look_, next_tidy_, usage_.next_run(), search_.next_run()});
    if (const auto at = heap_trim_.next_run(engine_.counters().submitted, is_idle()))
        earliest = std::min(earliest, *at);
    if (const auto at = engine_.next_deadline()) earliest = std::min(earliest, *at);
    if (const auto at = key_uses_.next_run()) earliest = std::min(earliest, *at);
    if (const auto at = secrets_.rotation().next_run()) earliest = std::min(earliest, *at);
    if (const auto at = recorder_.next_run()) earliest = std::min(earliest, *at);
    if (engine_.has_parked()) earliest = std::min(earliest, std::max(now, next_account_load_));
    if (!ledger_.empty()) earliest = std::min(earliest, ledger_.next_run());
    if (const auto at = checkpoints_.next_run()) earliest = std::min(earliest, *at);
    return earliest;
}

// What is under way is ended and recorded, so that the next engine finds nothing half done.
void EngineWorker::stop() {
    pg_atomic_write_u32(&slot_.state, static_cast<std::uint32_t>(EngineState::stopping));
    submit_claimed(true);
    engine_.interrupt_all();
    settle_finished();
    recorder_.finish();
    ledger_.finish();
    channels_.deliver();
}

}  // namespace pgchat::pg
