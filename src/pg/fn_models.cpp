// SQL function behind the synchronisation of models: has the engine fetch a provider's list, and reads it.
#include "core/engine/model_list_service.hpp"
#include "core/llm/model_list.hpp"
#include "pg/convert.hpp"
#include "pg/engine_client.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// The engine gives up first, and says why.
constexpr std::chrono::milliseconds page_wait = model_page_timeout + std::chrono::seconds(5);

std::string fetch_page(const ModelPageRequest& asked) {
    return answer_of_engine([&](std::uint32_t number) { return write_model_page_request(number, asked); }, page_wait);
}

Json fetch_models(const Uuid& provider_id, ProviderKind kind) {
    ModelList list(kind);
    ModelPageRequest asked{provider_id, {}};
    do asked.cursor = list.add_page(fetch_page(asked));
    while (!asked.cursor.empty());
    return list.json();
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_fetch_models);

Datum pgchat_fetch_models(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        const std::optional<ProviderKind> kind = provider_kind_from_name(args.text_at(1));
        if (!kind) throw Error(ErrorCode::invalid_argument, "the provider is of an unknown kind");
        return jsonb_datum(fetch_models(args.uuid_at(0), *kind).dump().c_str());
    });
}

}  // extern "C"
