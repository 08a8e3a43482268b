// The engine's answers to ID tokens, from the backend's frame to the frame that goes back.
#include "core/engine/id_token_service.hpp"

#include "jose_support.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"

namespace pgchat {
namespace {

constexpr std::int64_t now = 1'800'000'000;

class IdTokenServiceTest : public testing::Test {
protected:
    IdTokenServiceTest()
        : service_(clock_, network_, [] { return now; }), key_(JoseKey::generate(JoseAlgorithm::eddsa)) {}

    IdTokenRequest request(std::string_view nonce) const {
        const Json claims{{"iss", "https://idp.example"},
                          {"sub", "s"},
                          {"aud", "client"},
                          {"nonce", "right"},
                          {"exp", now + 600},
                          {"iat", now}};
        IdTokenRequest made;
        made.source = {"https://idp.example", "https://idp.example/keys"};
        made.rules.client_id = "client";
        made.rules.algorithms = {JoseAlgorithm::rs256, JoseAlgorithm::eddsa};
        made.rules.nonce = nonce;
        made.rules.access_token = "access";
        made.token = sign_jws(claims.dump(), key_, jwk_thumbprint(key_));
        return made;
    }
    // What a backend reads: the claims, or the error's name; empty while there is no answer.
    std::shared_ptr<std::string> ask(const IdTokenRequest& request) {
        auto answer = std::make_shared<std::string>();
        const std::string bytes = write_id_token(7, request);
        FrameReader frame(bytes);
        EXPECT_EQ(frame.kind(), static_cast<std::uint8_t>(RequestKind::id_token));
        service_.verify(frame, [answer](std::string reply) {
            FrameReader read(reply);
            EXPECT_EQ(read.request_number(), 7u);
            *answer = read.kind() == static_cast<std::uint8_t>(ReplyKind::error) ? error_name(read_error(read).code())
                                                                                 : std::string(read_answer(read));
        });
        return answer;
    }
    void answer_keys() {
        network_.answer(network_.last_id, 200, Json{{"keys", Json::array({public_jwk(key_)})}}.dump());
        network_.run();
    }

    FakeClock clock_;
    FakeTransport network_;
    IdTokenService service_;
    JoseKey key_;
};

TEST_F(IdTokenServiceTest, FrameKeepsWhatIsAsked) {
    const IdTokenRequest asked = request("right");
    const std::string bytes = write_id_token(1, asked);
    FrameReader frame(bytes);
    const IdTokenRequest read = read_id_token_request(frame);
    EXPECT_TRUE(frame.at_end());
    EXPECT_EQ(read.source, asked.source);
    EXPECT_EQ(read.rules.issuer, asked.source.issuer);
    EXPECT_EQ(read.rules.client_id, asked.rules.client_id);
    EXPECT_EQ(read.rules.algorithms, asked.rules.algorithms);
    EXPECT_EQ(read.rules.nonce, asked.rules.nonce);
    EXPECT_EQ(read.rules.access_token, asked.rules.access_token);
    EXPECT_EQ(read.token, asked.token);
}

TEST_F(IdTokenServiceTest, AnswersOnceTheKeysAreThere) {
    const auto first = ask(request("right"));
    EXPECT_EQ(*first, "");
    answer_keys();
    EXPECT_EQ(Json::parse(*first)["sub"], "s");
    EXPECT_EQ(Json::parse(*ask(request("right")))["sub"], "s");
    EXPECT_EQ(*ask(request("wrong")), "invalid_token");
    EXPECT_EQ(network_.requests.size(), 1u);
}

TEST_F(IdTokenServiceTest, TellsWhyThereAreNoKeys) {
    const auto answer = ask(request("right"));
    network_.end(network_.last_id, HttpOutcome::resolve_failed);
    network_.run();
    EXPECT_EQ(*answer, "provider_unreachable");
}

TEST_F(IdTokenServiceTest, FetchesNothingForWhatIsNoToken) {
    IdTokenRequest bad = request("right");
    bad.token = "not a token";
    EXPECT_TRUE(is_refused([&] { ask(bad); }));
    bad.token = std::string(2'000'000, 'x');
    EXPECT_TRUE(is_refused([&] { ask(bad); }));
    EXPECT_TRUE(network_.requests.empty());
}

}  // namespace
}  // namespace pgchat
