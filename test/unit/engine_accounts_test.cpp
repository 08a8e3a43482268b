// How calls wait for their user's account.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

class EngineAccountsTest : public FakeEngineTest {
protected:
    Call& submit_of(std::uint64_t number, const Uuid& user) {
        CallSpec spec = fake_spec(number);
        spec.user_id = user;
        return engine.submit(std::move(spec));
    }
    void load(const Uuid& user, Account account = {}) {
        engine.accounts().put(user, std::move(account), engine.accounts().generation());
    }

    Uuid user = numbered_uuid(2'000'000'001);
    Uuid other = numbered_uuid(2'000'000'002);
};

TEST_F(EngineAccountsTest, ACallWaitsUntilItsAccountIsThere) {
    submit_of(1, user);
    submit_of(2, other);
    submit(3);
    engine.run();
    EXPECT_EQ(network.requests.size(), 1u) << "only that of the account that is there";
    EXPECT_EQ(engine.waiting(), 2u);
    std::vector<Uuid> missing = engine.missing_accounts();
    std::sort(missing.begin(), missing.end());
    EXPECT_EQ(missing, (std::vector<Uuid>{user, other})) << "the installation's is there";
    load(user);
    engine.accounts_loaded({user});
    engine.run();
    EXPECT_EQ(find(1)->attempts(), 1);
    EXPECT_EQ(find(2)->attempts(), 0);
    EXPECT_EQ(engine.waiting(), 1u);
    load(other);
    engine.accounts_loaded(engine.missing_accounts());
    engine.run();
    EXPECT_EQ(find(2)->attempts(), 1);
    EXPECT_TRUE(engine.missing_accounts().empty());
}

TEST_F(EngineAccountsTest, ACallOfAChangedAccountWaitsForItToBeReadAnew) {
    engine.accounts().set_generation(7);
    submit(1);
    engine.run();
    EXPECT_EQ(find(1)->attempts(), 0);
    engine.accounts().set_generation(8);
    const std::vector<Uuid> missing = engine.missing_accounts();
    EXPECT_NE(std::find(missing.begin(), missing.end(), Uuid{}), missing.end()) << "the installation's limits, too";
    for (const Uuid& id : engine.missing_accounts()) engine.accounts().put(id, {}, 7);
    engine.accounts_loaded(engine.missing_accounts());
    engine.run();
    EXPECT_EQ(find(1)->attempts(), 1) << "it was submitted before the second change";
    submit(2);
    engine.run();
    EXPECT_EQ(find(2)->attempts(), 0);
}

TEST_F(EngineAccountsTest, WhatEndsWhileItWaitsForItsAccountIsForgotten) {
    submit_of(1, user);
    CallSpec spec = fake_spec(2);
    spec.user_id = user;
    spec.timeout = Milliseconds(1'000);
    engine.submit(std::move(spec));
    engine.cancel(*find(1));
    EXPECT_EQ(engine.waiting(), 1u);
    run_at(1'000);
    EXPECT_EQ(find(2)->result().error->code(), ErrorCode::request_timeout);
    EXPECT_EQ(engine.waiting(), 0u);
    EXPECT_TRUE(engine.missing_accounts().empty());
    load(user);
    engine.accounts_loaded({user});
    engine.run();
    EXPECT_TRUE(network.requests.empty());
}

TEST_F(EngineAccountsTest, NothingIsSentForADisabledAccount) {
    Account disabled;
    disabled.is_active = false;
    load(user, disabled);
    submit_of(1, user);
    engine.run();
    ASSERT_TRUE(find(1)->is_finished());
    EXPECT_EQ(find(1)->result().error->code(), ErrorCode::permission_denied);
    // Nor for one that waited for room while it was disabled.
    limits.max_calls = 1;
    engine.set_limits(limits);
    load(other);
    submit(2);
    submit_of(3, other);
    engine.run();
    load(other, disabled);
    network.answer(1, 200, openai_done());
    engine.run();
    engine.run();
    ASSERT_TRUE(find(3)->is_finished());
    EXPECT_EQ(find(3)->attempts(), 0);
}

TEST_F(EngineAccountsTest, TheOrderOfSubmissionIsKept) {
    limits.max_calls = 1;
    engine.set_limits(limits);
    submit_of(1, user);
    submit_of(2, user);
    load(user);
    engine.accounts_loaded({user});
    engine.run();
    EXPECT_EQ(find(1)->attempts(), 1);
    EXPECT_EQ(find(2)->attempts(), 0);
}

TEST_F(EngineAccountsTest, EachCallGoesOutWithTheKeyOfItsUser) {
    const auto send = [&](std::uint64_t number, const Uuid& of) -> const CallSpec& {
        CallSpec spec = fake_spec(number);
        auto provider = std::make_shared<ProviderConfig>(*spec.model->provider);
        provider->auth = AuthType::bearer;
        provider->api_key = SecretText("shared key");
        auto model = std::make_shared<ModelEntry>(*spec.model);
        model->provider = std::move(provider);
        spec.model = std::move(model);
        spec.user_id = of;
        Call& call = engine.submit(std::move(spec));
        engine.run();
        return call.spec();
    };
    const auto sent_with = [&](const std::string& key) {
        const std::vector<std::string>& headers = network.requests.back().headers;
        return std::find(headers.begin(), headers.end(), "Authorization: Bearer " + key) != headers.end();
    };
    Account account;
    account.keys.add(fake_spec(1).model->provider->id, {numbered_uuid(9), SecretText("own key"), std::nullopt});
    load(user, account);
    load(other);
    EXPECT_TRUE(send(1, user).own_key);
    EXPECT_TRUE(sent_with("own key"));
    EXPECT_FALSE(send(2, other).own_key);
    EXPECT_TRUE(sent_with("shared key"));

    Account damaged;
    damaged.keys.add(fake_spec(1).model->provider->id, {numbered_uuid(9), {}, Error(ErrorCode::unsealing_failed, "x")});
    load(user, damaged);
    const std::size_t sent = network.requests.size();
    send(3, user);
    ASSERT_TRUE(find(3)->is_finished());
    EXPECT_EQ(find(3)->result().error->code(), ErrorCode::unsealing_failed);
    EXPECT_EQ(network.requests.size(), sent) << "nothing is sent with another key";
}

}  // namespace
}  // namespace pgchat
