// Test support: a transport without a network, whose answers the test writes, and which checks how it is used.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/http/transport.hpp"

namespace pgchat {

class FakeTransport final : public Transport {
public:
    // What answers say is told to handlers by the next run(), in this order; of requests that are cancelled before,
    // nothing is told.
    void head(Id id, int status, std::string retry_after = {}) {
        tell(id, [=, this](HttpHandler& handler) {
            HttpResponseHead head;
            head.status = open.at(id).status = status;
            head.retry_after = retry_after;
            if (!handler.on_head(head)) end_now(id, HttpOutcome::aborted);
        });
    }
    void body(Id id, std::string bytes) {
        tell(id, [=, this](HttpHandler& handler) {
            if (!handler.on_body(bytes)) end_now(id, HttpOutcome::aborted);
        });
    }
    void end(Id id, HttpOutcome outcome = HttpOutcome::ok, bool request_sent = true) {
        tell(id, [=, this](HttpHandler&) { end_now(id, outcome, request_sent); });
    }
    // A whole response.
    void answer(Id id, int status, std::string bytes, std::string retry_after = {}) {
        head(id, status, std::move(retry_after));
        if (!bytes.empty()) body(id, std::move(bytes));
        end(id);
    }

    Id start(HttpRequest request, HttpHandler& handler) override {
        EXPECT_FALSE(busy_) << "start() from within on_head or on_body";
        const Id id = ++last_id;
        requests.push_back(std::move(request));
        open[id] = {&handler, 0};
        most_open = std::max(most_open, open.size());
        return id;
    }
    void cancel(Id id) noexcept override {
        EXPECT_FALSE(busy_) << "cancel() from within on_head or on_body";
        EXPECT_EQ(open.erase(id), 1u) << "cancel() of a request that has ended";
        ++cancelled;
    }
    void run() override {
        for (std::size_t count = steps_.size(); count > 0; --count) {
            const Step step = std::move(steps_.front());
            steps_.pop_front();
            const auto found = open.find(step.id);
            if (found != open.end()) step.act(*found->second.handler);
        }
    }
    std::optional<TimePoint> next_deadline() const override { return deadline; }

    struct Open {
        HttpHandler* handler;
        int status;
    };
    std::map<Id, Open> open;
    std::vector<HttpRequest> requests;  // all that were started
    Id last_id = 0;
    std::size_t most_open = 0;
    int cancelled = 0;
    std::optional<TimePoint> deadline;

private:
    struct Step {
        Id id;
        std::function<void(HttpHandler&)> act;
    };

    void tell(Id id, std::function<void(HttpHandler&)> act) {
        steps_.push_back({id, [this, act = std::move(act)](HttpHandler& handler) {
                              busy_ = true;
                              act(handler);
                              busy_ = false;
                          }});
    }
    void end_now(Id id, HttpOutcome outcome, bool request_sent = true) {
        busy_ = false;
        HttpResult result;
        result.outcome = outcome;
        result.status = open.at(id).status;
        result.request_sent = request_sent;
        if (outcome != HttpOutcome::ok) result.message = "it failed";
        HttpHandler& handler = *open.at(id).handler;
        open.erase(id);
        handler.on_finished(result);
    }

    std::deque<Step> steps_;
    bool busy_ = false;
};

}  // namespace pgchat
