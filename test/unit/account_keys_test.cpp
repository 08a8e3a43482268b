// Which key a user's call is made with.
#include "core/engine/account_keys.hpp"

#include <gtest/gtest.h>

#include "core/llm/provider_key.hpp"

namespace pgchat {
namespace {

const Uuid openai_id = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
const Uuid other = *parse_uuid("017f22e2-79b1-7cc3-98c4-dc0c0c073990");
const Uuid key_id = *parse_uuid("017f22e2-79b2-7cc3-98c4-dc0c0c073991");

std::shared_ptr<ProviderConfig> provider(const Uuid& id, AuthType auth = AuthType::bearer) {
    auto config = std::make_shared<ProviderConfig>();
    config->id = id;
    config->name = "p";
    config->auth = auth;
    config->api_key = SecretText("shared key");
    return config;
}

TEST(AccountKeys, AUsersOwnKeyComesFirst) {
    AccountKeys keys;
    keys.add(openai_id, {key_id, SecretText("own key"), std::nullopt});
    const auto shared = provider(openai_id);
    const AccountKeys::Way way = keys.to(shared);
    EXPECT_TRUE(way.own_key);
    EXPECT_EQ(way.provider->api_key.view(), "own key");
    EXPECT_EQ(way.provider->own_key_id, key_id);
    EXPECT_EQ(way.provider->name, "p");
    EXPECT_EQ(shared->api_key.view(), "shared key") << "others go on with theirs";
    EXPECT_EQ(keys.to(shared).provider, way.provider) << "made once";
}

TEST(AccountKeys, WithoutOneTheProvidersIsUsed) {
    AccountKeys keys;
    keys.add(other, {key_id, SecretText("own key"), std::nullopt});
    const auto shared = provider(openai_id);
    EXPECT_EQ(keys.to(shared).provider, shared);
    EXPECT_FALSE(keys.to(shared).own_key);
}

TEST(AccountKeys, AProviderThatChangedIsReachedWhereItIsNow) {
    AccountKeys keys;
    keys.add(openai_id, {key_id, SecretText("own key"), std::nullopt});
    keys.to(provider(openai_id));
    const auto moved = provider(openai_id);
    moved->base_url = "https://elsewhere.example";
    EXPECT_EQ(keys.to(moved).provider->base_url, "https://elsewhere.example");
}

TEST(AccountKeys, AKeyThatIsNotSentIsNobodysOwn) {
    AccountKeys keys;
    keys.add(openai_id, {key_id, SecretText("own key"), std::nullopt});
    const auto shared = provider(openai_id, AuthType::none);
    EXPECT_EQ(keys.to(shared).provider, shared);
    EXPECT_FALSE(keys.to(shared).own_key);
}

TEST(AccountKeys, OneThatCannotBeOpenedIsNotReplacedByTheProviders) {
    AccountKeys keys;
    keys.add(openai_id, {key_id, {}, Error(ErrorCode::unsealing_failed, "damaged")});
    const AccountKeys::Way way = keys.to(provider(openai_id));
    EXPECT_TRUE(way.own_key);
    EXPECT_TRUE(way.provider->api_key.empty());
    ASSERT_TRUE(way.provider->key_error.has_value());
    EXPECT_EQ(way.provider->key_error->code(), ErrorCode::unsealing_failed);
}

TEST(ProviderKey, TheFirstVariableThatIsThereCounts) {
    const auto variable = [](const char* name) -> const char* {
        if (std::string_view(name) == "EMPTY") return "";
        return std::string_view(name) == "KEY" ? "from the environment" : nullptr;
    };
    const KeyVariables allowed(" *EY, NONE,EMPTY,");
    const auto key = [&](const char* options) {
        return std::string(key_of_environment(Json::parse(options), allowed, variable).view());
    };
    EXPECT_EQ(key(R"({"api_key_env": "KEY"})"), "from the environment");
    EXPECT_EQ(key(R"({"api_key_env": ["NONE", "EMPTY", 7, "KEY"]})"), "from the environment");
    for (const char* options : {"null", "{}", R"({"api_key_env": "NONE"})", R"({"api_key_env": []})",
                                R"({"api_key_env": null})", R"({"api_key_env": {"KEY": "KEY"}})"})
        EXPECT_EQ(key(options), "") << options;
    for (const char* options : {R"({"api_key_env": "PGPASSWORD"})", R"({"api_key_env": ["NONE", "EMPTY_", "KEY"]})"})
        try {
            key(options);
            ADD_FAILURE() << options;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::configuration_error);
        }
    EXPECT_EQ(api_key_purpose(openai_id), "api_key:017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(SecretText, CopiesShareOnePieceOfMemory) {
    const SecretText text("secret");
    const SecretText copy = text;
    EXPECT_EQ(copy.view(), "secret");
    EXPECT_EQ(copy.view().data(), text.view().data());
    EXPECT_TRUE(SecretText().empty());
    EXPECT_TRUE(SecretText(std::string_view()).empty());
    EXPECT_EQ(SecretText(SecretBytes(std::string_view("x"))).view(), "x");
    EXPECT_EQ(SecretText().view(), "");
}

}  // namespace
}  // namespace pgchat
