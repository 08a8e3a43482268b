// The engine: the background worker of one database that makes all its model calls.
#pragma once

#include <vector>

#include "core/engine/checkpoint_queue.hpp"
#include "core/engine/engine.hpp"
#include "core/engine/load_meter.hpp"
#include "core/http/curl_transport.hpp"
#include "core/llm/echo_transport.hpp"
#include "pg/claim_gate.hpp"
#include "pg/engine_catalog.hpp"
#include "pg/engine_channels.hpp"
#include "pg/engine_keys.hpp"
#include "pg/engine_ledger.hpp"
#include "pg/engine_queue.hpp"
#include "pg/engine_recorder.hpp"
#include "pg/engine_sealed_rows.hpp"
#include "pg/engine_search.hpp"
#include "pg/engine_store.hpp"
#include "pg/engine_usage.hpp"
#include "pg/engine_wait.hpp"
#include "pg/heap_trim.hpp"

namespace pgchat::pg {

class EngineWorker final : private RequestHandler, private EngineListener {
public:
    explicit EngineWorker(EngineSlot& slot);

    // Serves until the server, the end of the extension or a hold on the database asks it to leave.
    void run();

private:
    Call& begin_call(const CompleteRequest& request) override;
    Engine& engine() override { return engine_; }
    void submit_held() override { submit_claimed(true); }
    void keep(LedgerRequest request) override { ledger_.add(std::move(request)); }
    void serve_again(int process_number) override { ring(slot_, process_number); }
    SecretService& secrets() override { return secrets_; }
    EngineTokens& tokens() override { return tokens_; }
    IdTokenService& id_tokens() override { return id_tokens_; }
    void fetch_models(std::uint32_t request_number, const ModelPageRequest& request,
                      ModelListService::Answer answer) override;
    void events_ready(Call& call) noexcept override;
    void call_finished(Call& call) noexcept override;
    bool may_release(Call& call) noexcept override;

    // Those that return whether they did say so of a transaction, which takes a while.
    void take_wakes();
    void look_for_extension();
    void serve(int process_number);
    void apply_settings();
    void refresh_catalog();
    void look_around();
    void work_on_network();
    void refresh_accounts();
    void claim();
    void submit_claimed(bool at_once);
    std::size_t room() const noexcept;
    QueueHolds queue_holds() const { return {engine_.full_models(), engine_.saturated_users()}; }
    bool settle_finished();
    void settle_immediate(Call& call);
    void close_recorded(const FinishedCall& finished);
    bool save_checkpoints();
    void tidy();
    bool is_idle() const noexcept { return engine_.in_flight() + engine_.waiting() == 0; }
    TimePoint next_wake() const;
    void sleep();
    void stop();

    EngineSlot& slot_;
    SteadyClock clock_;
    CurlTransport network_;
    EchoTransport echo_;
    Engine engine_;
    EngineChannels channels_;
    EngineRecorder recorder_;
    ClaimGate claim_gate_;
    EngineUsage usage_;
    EngineSearch search_;
    EngineLedger ledger_;
    EngineQueue queue_;
    KeyUses key_uses_;
    EngineSealedRows sealed_rows_;
    SecretService secrets_;
    EngineTokens tokens_;
    IdTokenService id_tokens_;
    ModelListService model_lists_;
    EngineWait wait_;
    LoadMeter load_;
    HeapTrim heap_trim_;
    bool stopping_ = false;
    std::uint64_t catalog_generation_ = 0;
    TimePoint next_queue_poll_{};
    TimePoint next_claim_{};  // not before, after a failure; so too
    TimePoint next_account_load_{};
    TimePoint next_tidy_{};
    TimePoint next_extension_look_ = TimePoint::max();  // where the last one failed
    std::vector<Uuid> finished_;                        // calls that finished in this turn of the loop
    CheckpointQueue checkpoints_;
};

}  // namespace pgchat::pg
