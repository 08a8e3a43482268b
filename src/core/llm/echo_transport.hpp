// The transport that plays the requests of the echo provider: no network, only the clock.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/http/transport.hpp"

namespace pgchat {

class EchoCall;

// Replies come from run() at the times that the request's script sets, by `clock`; with neither latency nor rate all
// comes in the first run(). A call costs O(log n) each time something is due for it.
class EchoTransport final : public Transport {
public:
    explicit EchoTransport(Clock& clock);
    ~EchoTransport() override;

    // Requests that EchoProvider did not make end as invalid_request.
    Id start(HttpRequest request, HttpHandler& handler) override;
    void cancel(Id id) noexcept override;
    void run() override;
    std::optional<TimePoint> next_deadline() const override;

private:
    std::uint64_t count_attempt(const std::string& key);

    Clock& clock_;
    Id last_id_ = 0;
    std::unordered_map<Id, std::unique_ptr<EchoCall>> calls_;
    std::set<std::pair<TimePoint, Id>> deadlines_;
    std::vector<Id> due_;                                      // reused by run()
    std::unordered_map<std::string, std::uint64_t> attempts_;  // by the key of requests with fail_times
};

}  // namespace pgchat
