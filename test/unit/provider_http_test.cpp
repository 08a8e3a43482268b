#include "core/llm/provider_http.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(ProviderHttp, PutsThePathBeforeTheQuery) {
    EXPECT_EQ(endpoint_url("https://h/v1", "/chat"), "https://h/v1/chat");
    EXPECT_EQ(endpoint_url("https://h/v1//", "/chat"), "https://h/v1/chat");
    EXPECT_EQ(endpoint_url("https://h/v1/chat", "/chat"), "https://h/v1/chat");
    EXPECT_EQ(endpoint_url("https://h/d/?api-version=2", "/chat"), "https://h/d/chat?api-version=2");
    for (const char* url : {"https://h/#x", "https://h /", "https://h/\r\nX: y"})
        EXPECT_THROW(endpoint_url(url, "/chat"), Error);
}

TEST(ProviderHttp, SendsTheKeyAsTheProviderWantsIt) {
    struct Case {
        AuthType auth;
        const char* header;
        const char* url;
    };
    for (const Case& c :
         {Case{AuthType::bearer, "Authorization: Bearer k/1", "https://h/p"},
          Case{AuthType::x_api_key, "x-api-key: k/1", "https://h/p"},
          Case{AuthType::api_key, "api-key: k/1", "https://h/p"}, Case{AuthType::query, "", "https://h/p?key=k%2F1"},
          Case{AuthType::none, "", "https://h/p"}}) {
        ProviderConfig config;
        config.auth = c.auth;
        config.api_key = SecretText("k/1");
        config.trusted_host = true;
        const HttpRequest request = provider_post(config, "https://h/p", {}, "{}", "application/json");
        std::vector<std::string> expected{"Content-Type: application/json", "Accept: application/json"};
        if (*c.header != '\0') expected.emplace_back(c.header);
        EXPECT_EQ(request.headers, expected);
        EXPECT_EQ(request.url, c.url);
        EXPECT_TRUE(request.trusted_host);
        config.api_key = {};
        EXPECT_EQ(provider_post(config, "https://h/p", {}, "{}", "x").url, "https://h/p");
    }
    ProviderConfig config;
    config.auth = AuthType::query;
    config.api_key = SecretText("ü &");
    EXPECT_EQ(provider_post(config, "https://h/p?a=1", {}, "{}", "x").url, "https://h/p?a=1&key=%C3%BC%20%26");
    config.options = {{"query_parameter", "api key"}};
    EXPECT_EQ(provider_get(config, "https://h/p", {}).url, "https://h/p?api%20key=%C3%BC%20%26");
}

TEST(ProviderHttp, ConfiguredHeadersReplaceOthers) {
    ProviderConfig config;
    config.auth = AuthType::bearer;
    config.api_key = SecretText("k");
    config.headers = {{"AUTHORIZATION", "Custom z"}, {"X-Org", "7"}, {"v", "2"}};
    const HttpRequest request = provider_post(config, "https://h/", {"V: 1"}, "{}", "a/b");
    EXPECT_EQ(request.headers, (std::vector<std::string>{"Content-Type: application/json", "Accept: a/b",
                                                         "AUTHORIZATION: Custom z", "X-Org: 7", "v: 2"}));
}

TEST(ProviderHttp, RefusesWhatCouldBreakOutOfALine) {
    const auto refused = [](const ProviderConfig& config, std::string_view model) {
        try {
            check_provider_input(config, model);
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()).find("evil"), std::string::npos);
            return error.code() == ErrorCode::invalid_argument;
        }
        return false;
    };
    EXPECT_FALSE(refused({}, "m"));
    EXPECT_TRUE(refused({}, ""));
    for (const std::string& bad : {std::string("evil\r\nX: y"), std::string("evil\n"), std::string("evil\0", 5)}) {
        EXPECT_TRUE(refused({}, bad));
        ProviderConfig config;
        config.api_key = SecretText(bad);
        EXPECT_TRUE(refused(config, "m"));
        config = {};
        config.headers = {{"X", bad}};
        EXPECT_TRUE(refused(config, "m"));
        config.headers = {{bad, "x"}};
        EXPECT_TRUE(refused(config, "m"));
    }
    ProviderConfig config;
    config.headers = {{"a:b", "x"}};
    EXPECT_TRUE(refused(config, "m"));
}

TEST(Provider, HasNames) {
    EXPECT_EQ(provider_kind_from_name("anthropic"), ProviderKind::anthropic);
    EXPECT_EQ(provider_kind_from_name("echo"), ProviderKind::echo);
    EXPECT_FALSE(provider_kind_from_name("OpenAI").has_value());
    EXPECT_EQ(auth_type_from_name("x_api_key"), AuthType::x_api_key);
    EXPECT_FALSE(auth_type_from_name("").has_value());
}

TEST(ProviderHttp, AKeyThatCannotBeUsedIsAnErrorWhereOneIsSent) {
    ProviderConfig config;
    config.key_error = Error(ErrorCode::unsealing_failed, "damaged");
    for (const AuthType auth : {AuthType::bearer, AuthType::x_api_key, AuthType::api_key, AuthType::query}) {
        config.auth = auth;
        try {
            provider_post(config, "https://h/p", {}, "{}", "*/*");
            ADD_FAILURE() << "sent without the key";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::unsealing_failed);
        }
    }
    config.auth = AuthType::none;
    EXPECT_EQ(provider_post(config, "https://h/p", {}, "{}", "*/*").url, "https://h/p");
}

}  // namespace
}  // namespace pgchat
