#include "pg/engine_store.hpp"

#include "core/engine/completion_json.hpp"
#include "core/http/url_guard.hpp"
#include "pg/array_column.hpp"
#include "pg/engine_statement.hpp"
#include "pg/settings.hpp"

namespace pgchat::pg {
namespace {

// Rows of each kind that one turn of the loop removes, so that no stream waits for it.
constexpr std::int32_t tidy_batch = 500;

Json parse_json(std::string_view text) {
    return text.empty() ? Json() : Json::parse(text);
}

std::string string_member(const Json& object, const char* name) {
    return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                   : "";
}

// Columns of chat_private.engine_models().
enum ModelColumn {
    model_id = 1,
    model_name,
    is_default,
    provider_name,
    provider_kind,
    base_url,
    auth_type,
    headers,
    provider_options,
    model_options,
    context_window,
    input_price,
    output_price,
    cached_price
};

std::shared_ptr<const ProviderConfig> read_provider(const Row& row) {
    auto provider = std::make_shared<ProviderConfig>();
    provider->name = row.text_at(provider_name);
    const std::optional<ProviderKind> kind = provider_kind_from_name(row.text_at(provider_kind));
    const std::optional<AuthType> auth = auth_type_from_name(row.text_at(auth_type));
    if (!kind || !auth)
        throw Error(ErrorCode::configuration_error, "provider " + provider->name + " is of an unknown kind");
    provider->kind = *kind;
    provider->auth = *auth;
    provider->base_url = row.text_at(base_url);
    const Json header_object = parse_json(row.json(headers));
    for (const auto& [name, value] : header_object.items())
        if (value.is_string()) provider->headers.emplace_back(name, value.get<std::string>());
    provider->options = parse_json(row.json(provider_options));
    const std::string variable = string_member(provider->options, "api_key_env");
    if (const char* const key = variable.empty() ? nullptr : std::getenv(variable.c_str())) provider->api_key = key;
    if (provider->base_url.empty()) provider->base_url = provider_for(*kind).default_base_url();
    if (provider->kind != ProviderKind::echo)
        provider->trusted_host = check_request_url(provider->base_url, TrustedHosts(settings.trusted_hosts));
    return provider;
}

ModelEntry read_model(const Row& row, std::shared_ptr<const ProviderConfig> provider) {
    ModelEntry model;
    model.id = row.uuid(model_id);
    model.name = row.text_at(model_name);
    model.provider_model = string_member(parse_json(row.json(model_options)), "provider_model");
    if (model.provider_model.empty()) model.provider_model = model.name;
    model.provider = std::move(provider);
    model.input_price = row.price(input_price);
    model.output_price = row.price(output_price);
    model.cached_price = row.value(cached_price) ? row.price(cached_price) : model.input_price;
    return model;
}

}  // namespace

bool load_catalog(std::shared_ptr<const Catalog>& catalog) {
    static Statement statement("SELECT * FROM chat_private.engine_models()", {});
    auto loaded = std::make_shared<Catalog>();
    const Outcome outcome = in_transaction(Durability::asynchronous, "loading models", [&] {
        statement.execute(nullptr);
        for (std::uint64_t i = 0; i < SPI_processed; ++i) {
            const Row row(i);
            try {
                loaded->add(read_model(row, read_provider(row)), row.boolean(is_default));
            } catch (const std::exception& error) {
                // One provider that cannot be used must not take the others away.
                const std::string name(row.text_at(model_name));
                const auto* const reason = dynamic_cast<const Error*>(&error);
                loaded->add_unusable(name,
                                     reason != nullptr ? *reason : Error(ErrorCode::configuration_error, error.what()),
                                     row.boolean(is_default));
                call([&] {
                    ereport(LOG, (errmsg("pgchat: model \"%s\" is left out: %s", name.c_str(), error.what())));
                });
            }
        }
    });
    if (outcome == Outcome::committed) catalog = std::move(loaded);
    return outcome == Outcome::committed;
}

bool claim_requests(std::size_t limit, const std::function<void(const ClaimedRequest&)>& take, std::size_t& claimed) {
    static Statement statement("SELECT * FROM chat_private.claim_requests($1)", {INT4OID});
    claimed = 0;
    // Flushed before anything is sent: after a crash nobody may send it again.
    return in_transaction(Durability::flushed, "claiming requests", [&] {
               Datum values[] = {Int32GetDatum(static_cast<std::int32_t>(limit))};
               statement.execute(values);
               for (std::uint64_t i = 0; i < SPI_processed; ++i) {
                   const Row row(i);
                   ClaimedRequest request;
                   request.user_id = row.uuid(1);
                   request.request_id = row.uuid(2);
                   request.message_id = row.uuid(3);
                   request.conversation_id = row.uuid(4);
                   request.model = row.text_at(5);
                   request.text.messages = row.json(6);
                   request.text.system_prompt = row.text_at(7);
                   request.text.response_format = row.json(8);
                   request.text.options = row.json(9);
                   request.timeout_ms = row.integer(10);
                   take(request);
                   ++claimed;
               }
           }) == Outcome::committed;
}

bool save_checkpoints(const std::vector<Checkpoint>& checkpoints) {
    static Statement statement("SELECT chat_private.checkpoint_messages($1, $2, $3, $4)",
                               {UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    return in_transaction(Durability::asynchronous, "saving checkpoints", [&] {
               const std::size_t count = checkpoints.size();
               ArrayColumn users(UUIDOID, count), messages(UUIDOID, count), contents(TEXTOID, count),
                   thinkings(TEXTOID, count);
               for (const Checkpoint& checkpoint : checkpoints) {
                   users.add_uuid(checkpoint.user_id);
                   messages.add_uuid(checkpoint.message_id);
                   contents.add_text(checkpoint.log->content());
                   thinkings.add_text_or_null(checkpoint.log->thinking());
               }
               Datum values[] = {users.array(), messages.array(), contents.array(), thinkings.array()};
               statement.execute(values);
           }) == Outcome::committed;
}

Outcome record_finished(const std::vector<FinishedCall*>& calls, std::vector<Uuid>& busy) {
    static const std::vector<Oid> types = {
        UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
        TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
        BOOLARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, BOOLARRAYOID, BOOLARRAYOID};
    static Statement statement(
        "SELECT chat_private.finish_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
        "$17, $18, $19, $20, $21, $22)",
        types);
    return in_transaction(Durability::asynchronous, "recording finished calls", [&] {
        std::vector<ArrayColumn> columns;
        for (const Oid type : types) columns.emplace_back(call([&] { return get_element_type(type); }), calls.size());
        for (const FinishedCall* finished : calls) {
            const CallResult& result = finished->result;
            const bool has_user = finished->user_id != Uuid{};
            // Calls of a trusted backend without a user belong to the nil UUID.
            has_user ? columns[0].add_uuid(finished->user_id) : columns[0].add(uuid_datum(Uuid{}));
            columns[1].add_uuid(finished->request_id);
            columns[2].add_uuid(finished->message_id);
            columns[3].add_uuid(finished->conversation_id);
            columns[4].add_text(finished->model);
            columns[5].add_text_or_null(finished->provider);
            columns[6].add_text(call_status_name(result.status));
            finished->log ? columns[7].add_text(finished->log->content()) : columns[7].add_null();
            finished->log ? columns[8].add_text_or_null(finished->log->thinking()) : columns[8].add_null();
            columns[9].add_text_or_null(result.tool_calls);
            columns[10].add_text_or_null(result.finish_reason);
            columns[11].add_text_or_null(result.error ? error_json(*result.error) : std::string());
            columns[12].add_bigint(result.usage.input_tokens);
            columns[13].add_bigint(result.usage.output_tokens);
            columns[14].add_bigint(result.usage.cached_tokens);
            columns[15].add_bigint(result.cost);
            columns[16].add_bool(result.estimated);
            columns[17].add_int(static_cast<std::int32_t>(result.latency.count()));
            columns[18].add_int(result.first_token ? std::optional<std::int32_t>(result.first_token->count())
                                                   : std::nullopt);
            columns[19].add_int(static_cast<std::int32_t>(finished->last_seq));
            columns[20].add_bool(result.sanitized);
            columns[21].add_bool(finished->durable);
        }
        std::vector<Datum> values;
        for (ArrayColumn& column : columns) values.push_back(column.array());
        statement.execute(values.data());
        busy = Row(0).uuids(1);
    });
}

bool recover_requests() {
    static Statement statement("SELECT chat_private.recover_requests()", {});
    return in_transaction(Durability::flushed, "recovering requests", [] { statement.execute(nullptr); }) ==
           Outcome::committed;
}

bool tidy(bool& more) {
    static Statement statement("SELECT chat_private.tidy($1)", {INT4OID});
    more = false;
    return in_transaction(Durability::asynchronous, "tidying", [&] {
               Datum values[] = {Int32GetDatum(tidy_batch)};
               statement.execute(values);
               more = Row(0).boolean(1);
           }) == Outcome::committed;
}

}  // namespace pgchat::pg
