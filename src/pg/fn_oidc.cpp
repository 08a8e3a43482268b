// SQL function behind logins with somebody else's identity: has the engine verify an ID token.
#include "core/engine/id_token_frames.hpp"
#include "core/jose/invalid_token.hpp"
#include "pg/convert.hpp"
#include "pg/engine_client.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// Two documents may have to be fetched, each within ten seconds.
constexpr std::chrono::milliseconds id_token_wait{25'000};

// A list with commas; what is unknown was refused when the provider was registered.
std::vector<JoseAlgorithm> algorithms_of(std::string_view names) {
    std::vector<JoseAlgorithm> algorithms;
    for (const JoseAlgorithm algorithm : jose_algorithms)
        if (names.find(jose_algorithm_name(algorithm)) != names.npos) algorithms.push_back(algorithm);
    return algorithms;
}

std::string ask_for_claims(const IdTokenRequest& asked) {
    return answer_of_engine([&](std::uint32_t number) { return write_id_token(number, asked); }, id_token_wait);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_verify_id_token);

Datum pgchat_verify_id_token(PG_FUNCTION_ARGS) {
    return entry([&] {
        const Args args(fcinfo);
        IdTokenRequest asked;
        asked.source = {std::string(args.text_at(0)), std::string(args.text_at(1))};
        asked.rules.client_id = args.text_at(2);
        asked.rules.algorithms = algorithms_of(args.text_at(3));
        asked.token = args.text_at(4);
        asked.rules.nonce = args.text_at(5);
        asked.rules.access_token = args.text_at(6);
        // So that nobody sends the engine megabytes.
        if (asked.token.size() > max_token_bytes || asked.rules.nonce.size() > max_token_bytes ||
            asked.rules.access_token.size() > max_token_bytes)
            refuse_token();
        return jsonb_datum(ask_for_claims(asked).c_str());
    });
}

}  // extern "C"
