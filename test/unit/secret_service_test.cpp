// What the engine answers to requests that need the master key, frame by frame.
#include "core/engine/secret_service.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/engine/secret_frames.hpp"
#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

const Uuid holder = *parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
const Uuid factor = *parse_uuid("017f22e2-79b1-7cc3-98c4-dc0c0c073990");
const std::string totp_key_bytes = "12345678901234567890";

// What a change of the master key would seal anew: nothing.
class EmptyStore final : public SealedStore {
public:
    bool is_quiet() override { return true; }
    void rewind() override {}
    Page next_page(const Reseal&) override { return Page::last; }
    std::optional<Counts> count(const std::vector<std::string>&) override { return Counts{}; }
    std::optional<bool> holds_secrets() override { return holds; }
    bool all_sealed_with(std::string_view) override { return true; }
    void announce() override {}

    std::optional<bool> holds = false;
};

class SecretServiceTest : public ::testing::Test {
protected:
    SecretServiceTest() {
        KeySource source;
        source.command = "printf '%064d' 1";
        service.vault().set_source(source);
    }

    // The text of the answer.
    std::string answer_to(const std::string& request) {
        FrameReader frame(request);
        const std::string reply = service.reply_to(frame);
        FrameReader reader(reply);
        EXPECT_EQ(reader.kind(), static_cast<std::uint8_t>(ReplyKind::answer));
        EXPECT_EQ(reader.request_number(), 7u);
        return std::string(read_answer(reader));
    }
    std::string seal(std::string_view purpose = totp_purpose) {
        return answer_to(
            write_seal(7, {{purpose, holder, factor}, put_in_envelope(service.address(), totp_key_bytes)}));
    }
    std::string check(const std::string& sealed, const std::string& code, const Uuid& user = holder,
                      const TotpScheme& scheme = {}) {
        return answer_to(write_totp_check(7, {user, factor, scheme, sealed, code}));
    }

    FakeClock clock;
    std::int64_t now = 1111111111;
    EmptyStore store;
    SecretService service{clock, [this] { return now; }, store};
};

TEST_F(SecretServiceTest, SealsForOnePlace) {
    const std::string sealed = seal("api_key");
    EXPECT_EQ(service.vault().open({"api_key", holder, factor}, sealed).view(), totp_key_bytes);
    EXPECT_THROW(service.vault().open({totp_purpose, holder, factor}, sealed), Error);
}

TEST_F(SecretServiceTest, TellsTheStepOfACodeOfRealTime) {
    const std::string sealed = seal();
    const std::int64_t step = totp_step(now);
    for (const int offset : {-1, 0, 1})
        EXPECT_EQ(check(sealed, totp(totp_key_bytes, now + offset * totp_period_seconds, {})),
                  std::to_string(step + offset));
    for (const int offset : {-2, 2})
        EXPECT_EQ(check(sealed, totp(totp_key_bytes, now + offset * totp_period_seconds, {})), "");
    for (const char* code : {"", "000000", "abc"}) EXPECT_EQ(check(sealed, code), "");
    const TotpScheme scheme{HashAlgorithm::sha512, 8};
    EXPECT_EQ(check(sealed, totp(totp_key_bytes, now, scheme), holder, scheme), std::to_string(step));
    const std::string code = totp(totp_key_bytes, now, {});
    now += 2 * totp_period_seconds;
    EXPECT_EQ(check(sealed, code), "") << "time goes on";
}

TEST_F(SecretServiceTest, ChecksSignaturesOfWebhooksInRealTime) {
    const auto sealed_for = [&](std::string_view purpose) {
        return answer_to(
            write_seal(7, {{purpose, Uuid{}, factor}, put_in_envelope(service.address(), totp_key_bytes)}));
    };
    const auto verdict = [&](const std::string& sealed, const std::string& signature) {
        return answer_to(write_webhook_check(7, {factor, sealed, "t=1111111111,v1=" + signature, "{}", 60}));
    };
    const std::string sealed = sealed_for(webhook_purpose);
    // python3: hmac.new(b"12345678901234567890", b"1111111111.{}", "sha256").hexdigest()
    const std::string right = "55ac76048fe94b7654263201da9078878511ea823df7773fa085c692852fb2ca";
    EXPECT_EQ(verdict(sealed, right), "valid");
    EXPECT_EQ(verdict(sealed, std::string(64, '0')), "wrong");
    EXPECT_THROW(verdict(sealed_for("api_key"), right), Error);
    now += 61;
    EXPECT_EQ(verdict(sealed, right), "too_old");
}

TEST_F(SecretServiceTest, OpensNothingThatBelongsElsewhere) {
    const std::string code = totp(totp_key_bytes, now, {});
    const auto expect_unsealing_fails = [&](const std::string& sealed, const Uuid& user) {
        try {
            check(sealed, code, user);
            ADD_FAILURE() << "opened";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::unsealing_failed);
        }
    };
    expect_unsealing_fails(seal(), factor);
    expect_unsealing_fails(seal("api_key"), holder);
    expect_unsealing_fails("", holder);
}

TEST_F(SecretServiceTest, TellsOfTheMasterKeyAndChangesIt) {
    const auto state = [&](SecretAct act) { return answer_to(write_secret_act(7, act)); };
    const std::string before = state(SecretAct::master_key_status);
    EXPECT_NE(before.find(R"("old_keys":0)"), std::string::npos) << before;
    KeySource source;
    source.command = "printf '%064d\\n' 2; printf '%064d\\n' 1";
    service.vault().set_source(source);
    const std::string after = state(SecretAct::rotate_master_key);
    EXPECT_NE(after.find(R"("old_keys":1)"), std::string::npos) << after;
    EXPECT_NE(after.substr(0, 27), before.substr(0, 27)) << "another key_id";
}

TEST_F(SecretServiceTest, MakesAKeyFileOnlyWhereNothingIsStored) {
    std::string folder = std::filesystem::temp_directory_path() / "pgchat-service-XXXXXX";
    const std::filesystem::path file = std::filesystem::path(::mkdtemp(folder.data())) / "key";
    service.vault().set_source({"", file, true});
    const auto expect_error = [&](ErrorCode code, auto&& function) {
        try {
            function();
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_FALSE(error.hint().empty());
        }
        EXPECT_FALSE(std::filesystem::exists(file));
    };
    for (const SecretAct act : {SecretAct::master_key_status, SecretAct::rotate_master_key})
        expect_error(ErrorCode::master_key_unavailable, [&] { answer_to(write_secret_act(7, act)); });
    store.holds = true;
    expect_error(ErrorCode::master_key_unavailable, [&] { seal(); });
    store.holds.reset();
    expect_error(ErrorCode::engine_unavailable, [&] { seal(); });
    store.holds = false;
    EXPECT_FALSE(seal().empty());
    EXPECT_TRUE(std::filesystem::exists(file));
    std::filesystem::remove_all(folder);
}

TEST_F(SecretServiceTest, RefusesFramesItDoesNotKnow) {
    const std::string unknown = FrameWriter(RequestKind::secret, 7).u8(99).take();
    FrameReader frame(unknown);
    EXPECT_THROW(service.reply_to(frame), Error);
    const std::string cut =
        write_seal(7, {{totp_purpose, holder, factor}, put_in_envelope(service.address(), totp_key_bytes)});
    FrameReader short_frame(std::string_view(cut).substr(0, cut.size() - 1));
    EXPECT_THROW(service.reply_to(short_frame), Error);
}

}  // namespace
}  // namespace pgchat
