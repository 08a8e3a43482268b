#include "core/llm/echo.hpp"

#include <gtest/gtest.h>

#include "encode_support.hpp"

namespace pgchat {
namespace {

TEST(Echo, MergesItsSettings) {
    ProviderConfig config;
    config.options = Json::parse(R"({"reply":"a","latency_ms":5,"include_usage":false})");
    const auto request = provider_for(ProviderKind::echo)
                             .encode(config, "m", chat(hello, R"({"extra":{"top_k":1,"echo":{"reply":"b"}}})"), true);
    EXPECT_EQ(request.url, "echo://local/chat/completions");
    expect_body(request, R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true,"top_k":1,
        "echo":{"reply":"b","latency_ms":5}})");
}

void expect_options_refused(const char* settings, const char* options) {
    ProviderConfig config;
    config.options = Json::parse(settings);
    try {
        provider_for(ProviderKind::echo).encode(config, "m", chat(hello, options), true);
        FAIL() << settings << options;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::malformed_options);
    }
}

TEST(Echo, RefusesUnknownSettings) {
    for (const char* options :
         {R"({"extra":{"echo":5}})", R"({"extra":{"echo":{"latency":5}}})", R"({"extra":{"echo":{"latency_ms":-5}}})",
          R"({"extra":{"echo":{"status":99}}})", R"({"extra":{"echo":{"hang":"yes"}}})"})
        expect_options_refused("{}", options);
    for (const char* settings :
         {R"({"answers":{}})", R"({"answers":[5]})", R"({"answers":[{"reply":"a"}]})", R"({"answers":[{"when":""}]})",
          R"({"answers":[{"when":[]}]})", R"({"answers":[{"when":"a","status":500}]})"})
        expect_options_refused(settings, "{}");
}

TEST(Echo, TakesAnswersFromItsOwnOptionsAlone) {
    expect_options_refused("{}", R"({"extra":{"echo":{"answers":[{"when":"a","reply":"b"}]}}})");
}

}  // namespace
}  // namespace pgchat
