#include "core/engine/model_list_service.hpp"

#include "core/llm/model_list.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds connect_timeout{10'000};

Error error_of(const ProviderConfig& provider, const HttpResult& result, std::string_view body) {
    const std::string said = "provider " + provider.name + ": " + result.message;
    switch (result.outcome) {
        case HttpOutcome::ok:
            return provider_for(provider.kind).error_from_response(provider, result.status, body);
        case HttpOutcome::invalid_request:
            return Error(ErrorCode::configuration_error, said);
        case HttpOutcome::address_refused:
            return Error(ErrorCode::provider_address_refused, said,
                         "An operator allows private addresses and plain http by host in pgchat.trusted_hosts.");
        case HttpOutcome::idle_timeout:
        case HttpOutcome::total_timeout:
            return Error(ErrorCode::request_timeout, said, "Try again later.");
        case HttpOutcome::too_large:
            return Error(ErrorCode::response_too_large,
                         "provider " + provider.name + ": a page of its list of models is larger than 4 MB",
                         "Register the models you want with chat.admin_register_model.");
        case HttpOutcome::protocol_error:
        case HttpOutcome::aborted:
            return Error(ErrorCode::provider_bad_response, said);
        default:
            return Error(ErrorCode::provider_unreachable, said,
                         "Check the provider's base_url and that the server can reach it.");
    }
}

}  // namespace

std::string write_model_page_request(std::uint32_t request_number, const ModelPageRequest& request) {
    return FrameWriter(RequestKind::model_page, request_number).uuid(request.provider_id).text(request.cursor).take();
}

ModelPageRequest read_model_page_request(FrameReader& frame) {
    ModelPageRequest request;
    request.provider_id = frame.uuid();
    request.cursor = frame.text();
    return request;
}

class ModelListService::Fetch final : public HttpHandler {
public:
    Fetch(ModelListService& owner, std::uint64_t number, std::uint32_t request_number,
          std::shared_ptr<const ProviderConfig> provider, Answer answer)
        : owner_(owner),
          number_(number),
          request_number_(request_number),
          provider_(std::move(provider)),
          answer_(std::move(answer)) {}

    bool on_head(const HttpResponseHead&) noexcept override { return true; }
    bool on_body(std::string_view bytes) noexcept override {
        body_.append(bytes);
        return true;
    }
    void on_finished(const HttpResult& result) noexcept override {
        // Ends inside its own method, so it lives until then.
        const auto self = owner_.fetches_.extract(number_);
        const bool is_page = result.outcome == HttpOutcome::ok && result.status == 200;
        answer_(is_page ? write_answer(request_number_, body_)
                        : write_error(request_number_, error_of(*provider_, result, body_)));
    }

private:
    ModelListService& owner_;
    const std::uint64_t number_;
    const std::uint32_t request_number_;
    const std::shared_ptr<const ProviderConfig> provider_;
    const Answer answer_;
    std::string body_;
};

ModelListService::ModelListService(Transport& transport) : transport_(transport) {}
ModelListService::~ModelListService() = default;

void ModelListService::fetch(std::uint32_t request_number, std::shared_ptr<const ProviderConfig> provider,
                             std::string_view cursor, Answer answer) {
    HttpRequest request = model_list_request(*provider, cursor);
    request.connect_timeout = connect_timeout;
    request.idle_timeout = request.total_timeout = model_page_timeout;
    request.max_response_bytes = max_model_page_bytes;
    const std::uint64_t number = ++last_number_;
    auto fetch = std::make_unique<Fetch>(*this, number, request_number, std::move(provider), std::move(answer));
    Fetch& handler = *fetch;
    fetches_.emplace(number, std::move(fetch));
    transport_.start(std::move(request), handler);
}

}  // namespace pgchat
