#include "pg/engine_catalog.hpp"

#include "core/http/url_guard.hpp"
#include "core/llm/json_field.hpp"
#include "pg/engine_keys.hpp"
#include "pg/engine_statement.hpp"
#include "pg/settings.hpp"

namespace pgchat::pg {
namespace {

// Columns of chat_private.engine_providers().
namespace provider_column {
enum { id = 1, name, kind, base_url, auth_type, headers, options };
}

// Columns of chat_private.engine_models().
namespace model_column {
enum { id = 1, name, is_default, is_open, provider_id, provider_model, input_price, output_price, cached_price };
}

Json parse_json(std::string_view text) {
    return text.empty() ? Json() : Json::parse(text);
}

std::shared_ptr<const ProviderConfig> read_provider(const Row& row, const ProviderKeys& keys) {
    using namespace provider_column;
    auto provider = std::make_shared<ProviderConfig>();
    provider->id = row.uuid(id);
    provider->name = row.text_at(name);
    const std::optional<ProviderKind> known_kind = provider_kind_from_name(row.text_at(kind));
    const std::optional<AuthType> known_auth = auth_type_from_name(row.text_at(auth_type));
    if (!known_kind || !known_auth)
        throw Error(ErrorCode::configuration_error, "provider " + provider->name + " is of an unknown kind");
    provider->kind = *known_kind;
    provider->auth = *known_auth;
    const Json header_object = parse_json(row.json(headers));
    for (const auto& [header, value] : header_object.items())
        if (value.is_string()) provider->headers.emplace_back(header, value.get<std::string>());
    provider->options = parse_json(row.json(options));
    keys.give(*provider);
    const Json& cap = json_member(provider->options, "max_concurrent_calls");
    if (cap.is_number_unsigned()) provider->max_concurrent_calls = cap.get<std::size_t>();
    provider->base_url = row.text_at(base_url);
    if (provider->base_url.empty()) provider->base_url = provider_for(*known_kind).default_base_url();
    if (provider->kind != ProviderKind::echo)
        provider->trusted_host = check_request_url(provider->base_url, TrustedHosts(settings.trusted_hosts));
    return provider;
}

ModelEntry read_model(const Row& row, const Catalog& catalog) {
    using namespace model_column;
    ModelEntry model;
    model.id = row.uuid(id);
    model.name = row.text_at(name);
    model.provider_model = row.text_at(provider_model);
    model.provider = catalog.find_provider(row.uuid(provider_id));
    model.is_open = row.boolean(is_open);
    model.input_price = row.price(input_price);
    model.output_price = row.price(output_price);
    model.cached_price = row.value(cached_price) ? row.price(cached_price) : model.input_price;
    return model;
}

void log_left_out(const char* what, const std::string& name, const char* reason) {
    call([&] { ereport(LOG, (errmsg("pgchat: %s \"%s\" is left out: %s", what, name.c_str(), reason))); });
}

Error reason_of(const std::exception& error) {
    const auto* const reason = dynamic_cast<const Error*>(&error);
    return reason != nullptr ? *reason : Error(ErrorCode::configuration_error, error.what());
}

// One provider that cannot be used must not take the others away; nor one model.
void read_providers(const ProviderKeys& keys, Catalog& catalog) {
    static Statement statement("SELECT * FROM chat_private.engine_providers()", {});
    statement.execute(nullptr);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        try {
            catalog.add_provider(read_provider(row, keys));
        } catch (const std::exception& error) {
            catalog.add_unusable_provider(row.uuid(provider_column::id), reason_of(error));
            log_left_out("provider", std::string(row.text_at(provider_column::name)), error.what());
        }
    }
}

void read_models(Catalog& catalog) {
    static Statement statement("SELECT * FROM chat_private.engine_models()", {});
    statement.execute(nullptr);
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
        const Row row(i);
        const bool is_default = row.boolean(model_column::is_default);
        try {
            catalog.add(read_model(row, catalog), is_default);
        } catch (const std::exception& error) {
            const std::string name(row.text_at(model_column::name));
            catalog.add_unusable(name, reason_of(error), is_default);
            log_left_out("model", name, error.what());
        }
    }
}

}  // namespace

bool load_catalog(SecretVault& vault, std::shared_ptr<const Catalog>& catalog) {
    auto loaded = std::make_shared<Catalog>();
    ProviderKeys keys(vault);
    const Outcome outcome = in_transaction(Durability::asynchronous, "loading models", [&] {
        keys.load();
        read_providers(keys, *loaded);
        read_models(*loaded);
    });
    if (outcome == Outcome::committed) catalog = std::move(loaded);
    return outcome == Outcome::committed;
}

}  // namespace pgchat::pg
