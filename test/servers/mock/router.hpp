// Decides what a request is answered with: endpoint, API form, scenario, key.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exchange.hpp"
#include "http_request.hpp"
#include "ledger.hpp"
#include "options.hpp"

namespace mock {

// One per thread.
class Router {
public:
    Router(const Options& options, Ledger& ledger);

    // The answer to `request`, which is noted in the ledger unless it is for an admin endpoint.
    Order route(const HttpRequest& request);

private:
    using ScenarioPtr = std::shared_ptr<const Scenario>;

    bool admin(const HttpRequest& request, std::string_view path, std::string_view query, Order& order);
    void answer_api(const HttpRequest& request, std::string_view path, Order& order);
    void answer_chat(const HttpRequest& request, std::string_view path_query, Order& order);
    bool authorized(const HttpRequest& request) const;
    // The scenario of both queries on top of the defaults. Null, with `problem` set, where a query is bad.
    ScenarioPtr find_scenario(std::string_view path_query, std::string_view model, std::string& problem);
    void apply_failures(Order& order);

    const Options& options_;
    Ledger& ledger_;
    ScenarioPtr plain_;     // no parameters at all
    ScenarioPtr defaults_;  // the command line's
    std::unordered_map<std::string, ScenarioPtr> cache_;
};

}  // namespace mock
