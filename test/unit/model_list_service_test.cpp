// The engine's answers to who asks for a page of a provider's list, from the request to the frame that goes back.
#include "core/engine/model_list_service.hpp"

#include "support/fake_transport.hpp"

namespace pgchat {
namespace {

class ModelListServiceTest : public testing::Test {
protected:
    ModelListServiceTest() : provider_(std::make_shared<ProviderConfig>()) {
        provider_->name = "p";
        provider_->base_url = "https://h/v1";
        provider_->auth = AuthType::bearer;
        provider_->api_key = SecretText("sk-very-secret-key");
    }
    // What a backend reads: the body, or the error's name and text; empty while there is no answer.
    std::shared_ptr<std::string> ask() {
        auto answer = std::make_shared<std::string>();
        service_.fetch(7, provider_, "", [answer](std::string reply) {
            FrameReader read(reply);
            EXPECT_EQ(read.request_number(), 7u);
            if (read.kind() != static_cast<std::uint8_t>(ReplyKind::error)) {
                *answer = std::string(read_answer(read));
                return;
            }
            const Error error = read_error(read);
            *answer = std::string(error_name(error.code())) + ": " + error.what();
        });
        return answer;
    }

    FakeTransport network_;
    ModelListService service_{network_};
    std::shared_ptr<ProviderConfig> provider_;
};

TEST(ModelPageFrame, KeepsWhatIsAsked) {
    Uuid id;
    id.bytes[3] = 5;
    const std::string bytes = write_model_page_request(9, {id, "after"});
    FrameReader frame(bytes);
    EXPECT_EQ(frame.kind(), static_cast<std::uint8_t>(RequestKind::model_page));
    EXPECT_EQ(frame.request_number(), 9u);
    const ModelPageRequest read = read_model_page_request(frame);
    EXPECT_TRUE(frame.at_end());
    EXPECT_EQ(read.provider_id, id);
    EXPECT_EQ(read.cursor, "after");
}

TEST_F(ModelListServiceTest, HandsThePageOnUnread) {
    const auto first = ask();
    const auto second = ask();
    EXPECT_EQ(network_.requests.at(0).url, "https://h/v1/models");
    EXPECT_LE(network_.requests.at(0).max_response_bytes, 4u << 20);
    network_.answer(2, 200, "second");
    network_.answer(1, 200, "fi");
    network_.run();
    EXPECT_EQ(*first, "fi");
    EXPECT_EQ(*second, "second");
}

TEST_F(ModelListServiceTest, SaysWhatWentWrongWithoutTheKey) {
    const std::pair<HttpOutcome, const char*> cases[] = {{HttpOutcome::resolve_failed, "provider_unreachable"},
                                                         {HttpOutcome::tls_failed, "provider_unreachable"},
                                                         {HttpOutcome::broken, "provider_unreachable"},
                                                         {HttpOutcome::address_refused, "provider_address_refused"},
                                                         {HttpOutcome::invalid_request, "configuration_error"},
                                                         {HttpOutcome::total_timeout, "request_timeout"},
                                                         {HttpOutcome::too_large, "response_too_large"},
                                                         {HttpOutcome::protocol_error, "provider_bad_response"}};
    for (const auto& [outcome, name] : cases) {
        const auto answer = ask();
        network_.end(network_.last_id, outcome);
        network_.run();
        EXPECT_TRUE(answer->starts_with(name)) << *answer;
    }
    const auto answer = ask();
    network_.answer(network_.last_id, 401, R"({"error":{"message":"not with sk-very-secret-key"}})");
    network_.run();
    EXPECT_TRUE(answer->starts_with("provider_rejected_key")) << *answer;
    EXPECT_EQ(answer->find("very-secret"), std::string::npos);
}

TEST_F(ModelListServiceTest, FollowsNoRedirect) {
    const auto answer = ask();
    network_.answer(network_.last_id, 302, "");
    network_.run();
    EXPECT_TRUE(answer->starts_with("provider_failed")) << *answer;
    EXPECT_EQ(network_.requests.size(), 1u);
}

TEST_F(ModelListServiceTest, RefusesBeforeAnythingIsSent) {
    provider_->headers = {{"X", "a\r\nb: c"}};
    EXPECT_THROW(ask(), Error);
    EXPECT_TRUE(network_.requests.empty());
}

}  // namespace
}  // namespace pgchat
