#include "core/jose/oidc_keys.hpp"

#include <algorithm>

#include "core/http/url_guard.hpp"
#include "core/jose/id_token.hpp"
#include "core/jose/invalid_token.hpp"
#include "core/jose/token_json.hpp"
#include "core/llm/json_field.hpp"
#include "core/llm/json_parse.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds keys_age{3'600'000};
constexpr Milliseconds stale_age{86'400'000};
constexpr Milliseconds unknown_key_pause{60'000};
constexpr Milliseconds failure_pause{10'000};
constexpr Milliseconds fetch_timeout{10'000};
constexpr std::size_t max_document_bytes = 256 * 1024;
constexpr std::size_t most_sources = 256;

Error error_of(const HttpResult& result) {
    const std::string text = "the identity provider's keys could not be fetched";
    switch (result.outcome) {
        case HttpOutcome::ok:
            return Error(ErrorCode::provider_failed, text + ": status " + std::to_string(result.status));
        case HttpOutcome::address_refused:
        case HttpOutcome::invalid_request:
            return Error(ErrorCode::provider_address_refused, text + ": " + result.message,
                         "An operator allows private addresses and plain http by host in pgchat.trusted_hosts.");
        case HttpOutcome::too_large:
            return Error(ErrorCode::response_too_large, text + ": the document is larger than 256 kB");
        case HttpOutcome::protocol_error:
        case HttpOutcome::aborted:
            return Error(ErrorCode::provider_bad_response, text + ": " + result.message);
        default:
            return Error(ErrorCode::provider_unreachable, text + ": " + result.message,
                         "Try again; check the provider's issuer and that the server can reach it.");
    }
}

std::string discovery_url(std::string_view issuer) {
    while (issuer.ends_with('/')) issuer.remove_suffix(1);
    return std::string(issuer) + "/.well-known/openid-configuration";
}

// The address of the keys that a discovery document gives, which must be that issuer's own (OpenID Connect
// Discovery 1.0 section 4.3).
std::string jwks_url_of(std::string_view document, const std::string& issuer) {
    try {
        const Json json = parse_token_json(document);
        const Json& named = json_member(json, "issuer");
        const Json& url = json_member(json, "jwks_uri");
        if (named.is_string() && named.get_ref<const std::string&>() == issuer && url.is_string())
            return url.get<std::string>();
    } catch (const JsonError&) {
        // As wrong as one of another issuer.
    }
    throw Error(ErrorCode::provider_bad_response,
                "the identity provider's discovery document is not that of its issuer",
                "The issuer must be written exactly as in the document.");
}

std::vector<NamedKey> read_keys(std::string_view document) {
    try {
        return read_jwk_set(document);
    } catch (const Error&) {
        throw Error(ErrorCode::provider_bad_response, "the identity provider's keys are no JWK Set");
    }
}

}  // namespace

// One fetch: of the discovery document where the address of the keys is not known, then of the keys.
class OidcKeys::Fetch final : public HttpHandler {
public:
    Fetch(OidcKeys& owner, Entry& entry, const OidcSource& source) : owner_(owner), entry_(entry), source_(source) {}

    void begin() {
        is_discovery_ = source_.jwks_url.empty();
        get(is_discovery_ ? discovery_url(source_.issuer) : source_.jwks_url);
    }

    bool on_head(const HttpResponseHead&) noexcept override { return true; }
    bool on_body(std::string_view bytes) noexcept override {
        body_.append(bytes);
        return true;
    }
    void on_finished(const HttpResult& result) noexcept override {
        try {
            if (result.outcome != HttpOutcome::ok || result.status != 200) throw error_of(result);
            if (is_discovery_) {
                is_discovery_ = false;
                get(jwks_url_of(std::exchange(body_, {}), source_.issuer));
                return;
            }
            owner_.finish(entry_, read_keys(body_), std::nullopt);
        } catch (const Error& error) {
            owner_.finish(entry_, {}, error);
        } catch (const std::exception& error) {
            owner_.finish(entry_, {}, Error(ErrorCode::internal, error.what()));
        }
    }

private:
    void get(const std::string& url) {
        HttpRequest request;
        request.url = url;
        request.trusted_host = check_request_url(url, owner_.trusted_hosts_);
        request.headers = {"Accept: application/json"};
        request.connect_timeout = request.idle_timeout = request.total_timeout = fetch_timeout;
        request.max_response_bytes = max_document_bytes;
        owner_.transport_.start(std::move(request), *this);
    }

    OidcKeys& owner_;
    Entry& entry_;
    const OidcSource source_;
    bool is_discovery_ = false;
    std::string body_;
};

OidcKeys::OidcKeys(const Clock& clock, Transport& transport) : clock_(clock), transport_(transport) {}
OidcKeys::~OidcKeys() = default;

void OidcKeys::find(const OidcSource& source, const CompactJws& token, const std::vector<JoseAlgorithm>& algorithms,
                    Found found) {
    // Sources are registered by operators, so there are few; those that are no longer used may have gathered.
    if (entries_.size() >= most_sources) std::erase_if(entries_, [](const auto& item) { return !item.second.fetch; });
    Entry& entry = entries_[source];
    Waiting waiting{token.algorithm, token.kid, algorithms, std::move(found)};
    const bool is_known = usable_key(entry, waiting) != nullptr;
    const bool is_fresh = entry.fetched_at && clock_.now() < *entry.fetched_at + keys_age;
    if ((is_known && is_fresh) || (!entry.fetch && !may_ask(entry))) {
        answer(entry, waiting);
        return;
    }
    entry.waiting.push_back(std::move(waiting));
    if (entry.fetch) return;
    entry.asked_at = clock_.now();
    entry.fetch = std::make_unique<Fetch>(*this, entry, source);
    try {
        entry.fetch->begin();
    } catch (const Error& error) {
        finish(entry, {}, error);
    }
}

const JoseKey* OidcKeys::usable_key(const Entry& entry, const Waiting& token) const {
    if (!entry.fetched_at || clock_.now() >= *entry.fetched_at + stale_age) return nullptr;
    return find_id_token_key(token.algorithm, token.kid, entry.keys, token.algorithms);
}

bool OidcKeys::may_ask(const Entry& entry) const {
    if (!entry.asked_at) return true;
    return clock_.now() >= *entry.asked_at + (entry.error ? failure_pause : unknown_key_pause);
}

void OidcKeys::answer(const Entry& entry, const Waiting& token) const {
    const JoseKey* const key = usable_key(entry, token);
    if (key != nullptr)
        token.found(key, std::nullopt);
    else if (entry.error)
        token.found(nullptr, entry.error);
    else
        token.found(nullptr, invalid_token());
}

void OidcKeys::finish(Entry& entry, std::vector<NamedKey> keys, std::optional<Error> error) {
    // Handlers end inside their own method, so the object lives until then.
    const std::unique_ptr<Fetch> ended = std::move(entry.fetch);
    if (!error) {
        entry.keys = std::move(keys);
        entry.fetched_at = clock_.now();
    }
    entry.error = std::move(error);
    for (const Waiting& token : std::exchange(entry.waiting, {})) answer(entry, token);
}

}  // namespace pgchat
