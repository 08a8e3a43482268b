// The keys of identity providers: when they are fetched, from where, how often, and what a failure leaves.
#include "core/jose/oidc_keys.hpp"

#include "jose_support.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace pgchat {
namespace {

constexpr const char* issuer = "https://idp.example";
constexpr const char* discovery = R"({"issuer":"https://idp.example","jwks_uri":"https://keys.example/set"})";

class OidcKeysTest : public testing::Test {
protected:
    OidcKeysTest()
        : keys_(clock_, network_),
          old_(JoseKey::generate(JoseAlgorithm::es256)),
          new_(JoseKey::generate(JoseAlgorithm::es256)) {}

    static std::string set_of(std::initializer_list<const JoseKey*> keys) {
        Json set{{"keys", Json::array()}};
        for (const JoseKey* key : keys) set["keys"].push_back(public_jwk(*key));
        return set.dump();
    }
    // What becomes of a token of the key: "" while it waits, "found", or the error's name.
    std::shared_ptr<std::string> ask(const JoseKey& key, OidcSource source = {issuer, ""}) {
        auto outcome = std::make_shared<std::string>();
        const std::string text = sign_jws("{}", key, jwk_thumbprint(key));
        const CompactJws token = read_compact_jws(text);
        keys_.find(source, token, {JoseAlgorithm::es256},
                   [outcome](const JoseKey* found, const std::optional<Error>& error) {
                       ASSERT_TRUE(outcome->empty());
                       *outcome = found != nullptr ? "found" : error_name(error->code());
                   });
        return outcome;
    }
    void answer(std::string body, int status = 200) {
        network_.answer(network_.last_id, status, std::move(body));
        network_.run();
    }
    void fetch(std::initializer_list<const JoseKey*> keys) {
        answer(discovery);
        answer(set_of(keys));
    }

    FakeClock clock_;
    FakeTransport network_;
    OidcKeys keys_;
    JoseKey old_;
    JoseKey new_;
};

TEST_F(OidcKeysTest, DiscoversAndKeepsThem) {
    const auto first = ask(old_), second = ask(old_);
    EXPECT_EQ(*first, "");
    ASSERT_EQ(network_.requests.size(), 1u);
    EXPECT_EQ(network_.requests[0].url, "https://idp.example/.well-known/openid-configuration");
    EXPECT_FALSE(network_.requests[0].trusted_host);
    EXPECT_LE(network_.requests[0].max_response_bytes, 256u * 1024);
    answer(discovery);
    ASSERT_EQ(network_.requests.size(), 2u);
    EXPECT_EQ(network_.requests[1].url, "https://keys.example/set");
    answer(set_of({&old_}));
    EXPECT_EQ(*first, "found");
    EXPECT_EQ(*second, "found");
    EXPECT_EQ(*ask(old_), "found");
    EXPECT_EQ(network_.requests.size(), 2u);
    clock_.advance(std::chrono::minutes(61));
    EXPECT_EQ(*ask(old_), "");
    EXPECT_EQ(network_.requests.size(), 3u);
}

TEST_F(OidcKeysTest, TakesTheAddressItIsTold) {
    const auto outcome = ask(old_, {issuer, "https://other.example/jwks"});
    EXPECT_EQ(network_.requests.at(0).url, "https://other.example/jwks");
    answer(set_of({&old_}));
    EXPECT_EQ(*outcome, "found");
}

TEST_F(OidcKeysTest, FetchesForAnUnknownKeyOnceAMinute) {
    ask(old_);
    fetch({&old_});
    EXPECT_EQ(*ask(new_), "invalid_token") << "just fetched";
    EXPECT_EQ(network_.requests.size(), 2u);
    clock_.advance(std::chrono::seconds(60));
    const auto outcome = ask(new_);
    EXPECT_EQ(*outcome, "");
    EXPECT_EQ(*ask(old_), "found") << "known ones do not wait";
    fetch({&old_, &new_});
    EXPECT_EQ(*outcome, "found");
    clock_.advance(std::chrono::seconds(59));
    EXPECT_EQ(*ask(JoseKey::generate(JoseAlgorithm::es256)), "invalid_token");
    EXPECT_EQ(network_.requests.size(), 4u);
}

TEST_F(OidcKeysTest, RemembersAFailureForAWhileAndKeepsWhatItHas) {
    const auto outcome = ask(old_);
    network_.end(network_.last_id, HttpOutcome::connect_failed);
    network_.run();
    EXPECT_EQ(*outcome, "provider_unreachable");
    EXPECT_EQ(*ask(old_), "provider_unreachable");
    EXPECT_EQ(network_.requests.size(), 1u);
    clock_.advance(std::chrono::seconds(10));
    ask(old_);
    fetch({&old_});
    EXPECT_EQ(*ask(old_), "found");
    clock_.advance(std::chrono::hours(2));
    const auto later = ask(old_);
    answer("", 503);
    EXPECT_EQ(*later, "found") << "keys of two hours ago";
    EXPECT_EQ(*ask(new_), "provider_failed");
    clock_.advance(std::chrono::hours(23));
    const auto too_late = ask(old_);
    answer("", 503);
    EXPECT_EQ(*too_late, "provider_failed");
}

TEST_F(OidcKeysTest, DropsARevokedKey) {
    ask(old_);
    fetch({&old_});
    clock_.advance(std::chrono::hours(1));
    const auto outcome = ask(old_);
    fetch({&new_});
    EXPECT_EQ(*outcome, "invalid_token");
    EXPECT_EQ(*ask(new_), "found");
}

TEST_F(OidcKeysTest, RefusesDocumentsThatAreNotTheIssuers) {
    for (const char* const document :
         {R"({"issuer":"https://evil.example","jwks_uri":"https://keys.example/set"})",
          R"({"issuer":"https://idp.example/","jwks_uri":"https://keys.example/set"})",
          R"({"issuer":"https://idp.example"})",
          R"({"issuer":"https://idp.example","jwks_uri":"https://a.example","jwks_uri":"https://b.example"})", "<html>",
          ""}) {
        clock_.advance(std::chrono::minutes(2));
        const auto outcome = ask(old_);
        answer(document);
        EXPECT_EQ(*outcome, "provider_bad_response") << document;
    }
    for (const char* const url : {"http://keys.example/set", "https://10.0.0.1/set", "https://127.0.0.1/set",
                                  "file:///etc/passwd", "https://user@keys.example/set"}) {
        clock_.advance(std::chrono::minutes(2));
        const auto outcome = ask(old_);
        const std::size_t before = network_.requests.size();
        answer(Json{{"issuer", issuer}, {"jwks_uri", url}}.dump());
        EXPECT_TRUE(*outcome == "provider_address_refused" || *outcome == "invalid_argument") << url << *outcome;
        EXPECT_EQ(network_.requests.size(), before) << "nothing is sent there";
    }
    clock_.advance(std::chrono::minutes(2));
    const auto outcome = ask(old_);
    answer(discovery);
    answer("<html>");
    EXPECT_EQ(*outcome, "provider_bad_response");
}

TEST_F(OidcKeysTest, ReachesTrustedHosts) {
    EXPECT_EQ(*ask(old_, {"http://127.0.0.1:1234", ""}), "provider_address_refused");
    EXPECT_TRUE(network_.requests.empty());
    keys_.set_trusted_hosts(TrustedHosts("127.0.0.0/8"));
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(*ask(old_, {"http://127.0.0.1:1234", ""}), "");
    EXPECT_TRUE(network_.requests.at(0).trusted_host);
}

}  // namespace
}  // namespace pgchat
