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

TEST(Echo, RefusesUnknownSettings) {
    for (const char* options :
         {R"({"extra":{"echo":5}})", R"({"extra":{"echo":{"latency":5}}})", R"({"extra":{"echo":{"latency_ms":-5}}})",
          R"({"extra":{"echo":{"status":99}}})", R"({"extra":{"echo":{"hang":"yes"}}})",
          R"({"extra":{"echo":{"answers":{}}}})", R"({"extra":{"echo":{"answers":[5]}}})",
          R"({"extra":{"echo":{"answers":[{"reply":"a"}]}}})", R"({"extra":{"echo":{"answers":[{"when":""}]}}})",
          R"({"extra":{"echo":{"answers":[{"when":[]}]}}})",
          R"({"extra":{"echo":{"answers":[{"when":"a","status":500}]}}})"}) {
        try {
            provider_for(ProviderKind::echo).encode({}, "m", chat(hello, options), true);
            FAIL() << options;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::malformed_options);
        }
    }
}

}  // namespace
}  // namespace pgchat
