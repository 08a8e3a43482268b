// The endpoints, the scenario's sources in their order of precedence, and the request key.
#include "router.hpp"

#include <charconv>

#include "catalog.hpp"
#include "json_scan.hpp"

namespace mock {
namespace {

using std::string_view;

constexpr size_t kMaxCachedScenarios = 4096;

size_t last_parameter(string_view query) {
    size_t count = 1;
    if (query.starts_with("last=")) std::from_chars(query.data() + 5, query.data() + query.size(), count);
    return count;
}

// The <query> of a path segment /s/<query>/.
string_view scenario_segment(string_view path) {
    const size_t at = path.find("/s/");
    if (at == string_view::npos) return {};
    const string_view rest = path.substr(at + 3);
    return rest.substr(0, rest.find('/'));
}

const WireForm* chat_form(string_view path) {
    if (path.ends_with("/chat/completions")) return &openai_form();
    if (path.ends_with("/v1/messages")) return &anthropic_form();
    if (path.ends_with("/api/chat")) return &ollama_form();
    return nullptr;
}

std::string request_key(const HttpRequest& request, const ChatBody& body) {
    for (const string_view name : {"x-request-key", "idempotency-key"}) {
        const string_view value = request.header(name);
        if (!value.empty()) return std::string(value);
    }
    if (!body.metadata_key.empty()) return json::unescape(body.metadata_key);
    if (!body.user.empty()) return json::unescape(body.user);
    if (body.last_user().starts_with("key:")) return json::unescape(body.last_user());
    return {};
}

void refuse(Order& order, int status, string_view message) {
    order.fixed_status = status;
    order.form->error_body(order.fixed_body, status, message);
}

}  // namespace

Router::Router(const Options& options, Ledger& ledger)
    : options_(options),
      ledger_(ledger),
      plain_(std::make_shared<Scenario>()),
      defaults_(std::make_shared<Scenario>(options.defaults)) {}

Order Router::route(const HttpRequest& request) {
    Order order;
    order.keep_alive = request.keep_alive;
    order.scenario = defaults_;
    order.form = &openai_form();
    const size_t mark = request.target.find('?');
    const string_view path = request.target.substr(0, mark);
    const string_view query = mark == string_view::npos ? string_view() : request.target.substr(mark + 1);
    if (admin(request, path, query, order)) return order;
    answer_api(request, path, order);
    ledger_.begin_request(request, order.key);
    return order;
}

bool Router::admin(const HttpRequest& request, string_view path, string_view query, Order& order) {
    if (path == "/stats" && request.method == "GET") {
        order.fixed_body = ledger_.stats();
    } else if (path == "/requests" && request.method == "GET") {
        order.fixed_body = ledger_.last_requests(last_parameter(query));
    } else if (path == "/timing" && request.method == "GET") {
        order.fixed_body = ledger_.last_timings(last_parameter(query));
    } else if (path == "/reset" && request.method == "POST") {
        ledger_.reset();
        order.fixed_body = "{}";
    } else {
        return false;
    }
    order.scenario = plain_;
    order.fixed_status = 200;
    order.counted = false;
    return true;
}

void Router::answer_api(const HttpRequest& request, string_view path, Order& order) {
    const bool post = request.method == "POST";
    const WireForm* form = chat_form(path);
    if (form != nullptr) order.form = form;
    order.key = request_key(request, {});
    if (!authorized(request)) return refuse(order, 401, "the API key is missing or wrong");
    const string_view path_query = scenario_segment(path);
    if (post && (form != nullptr || path.ends_with("/embeddings"))) return answer_chat(request, path_query, order);

    std::string problem;
    const bool models = !post && path.ends_with("/models");
    const bool tags = !post && path.ends_with("/api/tags");
    if (!models && !tags) return refuse(order, 404, "no such endpoint");
    const ScenarioPtr scenario = find_scenario(path_query, {}, problem);
    if (scenario == nullptr) return refuse(order, 400, problem);
    order.scenario = scenario;
    apply_failures(order);
    order.fixed_status = 200;
    const bool anthropic = !request.header("anthropic-version").empty();
    order.fixed_body = tags ? ollama_tags() : anthropic ? anthropic_models() : openai_models();
}

void Router::answer_chat(const HttpRequest& request, string_view path_query, Order& order) {
    const bool ollama = order.form == &ollama_form();
    if (!read_chat_body(request.body, ollama, order.body)) return refuse(order, 400, "the body is not a JSON object");
    order.key = request_key(request, order.body);
    std::string problem;
    const ScenarioPtr scenario = find_scenario(path_query, order.body.model, problem);
    if (scenario == nullptr) return refuse(order, 400, problem);
    order.scenario = scenario;
    apply_failures(order);
    if (chat_form(request.target.substr(0, request.target.find('?'))) != nullptr) {
        order.stream = order.body.stream;
        return;
    }
    order.fixed_status = 200;
    order.fixed_body = embeddings(order.body, *order.scenario);
}

bool Router::authorized(const HttpRequest& request) const {
    if (options_.require_key.empty()) return true;
    const string_view authorization = request.header("authorization");
    if (authorization.starts_with("Bearer ") && authorization.substr(7) == options_.require_key) return true;
    return request.header("x-api-key") == options_.require_key || request.header("api-key") == options_.require_key;
}

Router::ScenarioPtr Router::find_scenario(string_view path_query, string_view model, std::string& problem) {
    std::string decoded;
    if (model.find('\\') != string_view::npos) model = decoded = json::unescape(model);
    const size_t mark = model.find('?');
    const string_view model_query = mark == string_view::npos ? string_view() : model.substr(mark + 1);
    if (path_query.empty() && model_query.empty()) return defaults_;

    std::string cache_key(path_query);
    cache_key.append("\n").append(model_query);
    const auto found = cache_.find(cache_key);
    if (found != cache_.end()) return found->second;
    Scenario scenario = *defaults_;
    problem = apply_query(path_query, scenario);
    if (problem.empty()) problem = apply_query(model_query, scenario);
    if (!problem.empty()) return nullptr;
    if (cache_.size() >= kMaxCachedScenarios) cache_.clear();
    return cache_[cache_key] = std::make_shared<Scenario>(std::move(scenario));
}

// Of a scenario with fail_times, the first N requests keep the faults (503 where it names none) and later ones lose
// them.
void Router::apply_failures(Order& order) {
    const Scenario& wanted = *order.scenario;
    if (wanted.fail_times < 0) return;
    const auto changed = std::make_shared<Scenario>(wanted);
    if (!ledger_.take_failure(wanted.key.empty() ? order.key : wanted.key, wanted.fail_times)) {
        changed->clear_faults();
    } else if (!wanted.has_fault()) {
        changed->status = 503;
    }
    order.scenario = changed;
}

}  // namespace mock
