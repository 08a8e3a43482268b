// Which models a user may use: open ones, given ones, and all for a trusted backend; and that the engine looks at it.
#include "core/engine/account_access.hpp"

#include "support/fake_engine.hpp"

namespace pgchat {
namespace {

ModelEntry model(std::uint8_t number, bool is_open) {
    ModelEntry entry;
    entry.id.bytes[15] = number;
    entry.name = "m" + std::to_string(number);
    entry.is_open = is_open;
    return entry;
}

TEST(AccountAccess, OpenModelsAreForAllAndOthersForThoseTheyWereGivenTo) {
    Uuid user;
    user.bytes[0] = 1;
    AccountAccess access;
    EXPECT_NO_THROW(check_access(user, access, model(1, true)));
    access.given.insert(model(2, false).id);
    EXPECT_NO_THROW(check_access(user, access, model(2, false)));
    try {
        check_access(user, access, model(3, false));
        FAIL() << "let in";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::permission_denied);
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_NO_THROW(check_access(Uuid{}, {}, model(3, false)));
}

class AccountAccessTest : public FakeEngineTest {
protected:
    Call& submit_closed(std::uint64_t number, const Uuid& user_id) {
        CallSpec spec = fake_spec(number);
        spec.user_id = user_id;
        auto closed = std::make_shared<ModelEntry>(*spec.model);
        closed->is_open = false;
        closed->id = numbered_uuid(77);
        spec.model = std::move(closed);
        return engine.submit(std::move(spec));
    }
};

TEST_F(AccountAccessTest, TheEngineSendsNothingThatIsNotAllowed) {
    const Uuid user = fake_spec(1).user_id;
    const Call& refused = submit_closed(1, user);
    engine.run();
    ASSERT_TRUE(refused.is_finished());
    EXPECT_EQ(refused.result().error->code(), ErrorCode::permission_denied);
    EXPECT_EQ(refused.attempts(), 0);
    EXPECT_TRUE(network.requests.empty());

    Account given;
    given.access.given.insert(numbered_uuid(77));
    engine.accounts().put(user, std::move(given), 0);
    submit_closed(2, user);
    submit_closed(3, Uuid{});
    engine.run();
    EXPECT_EQ(network.requests.size(), 2u);
}

}  // namespace
}  // namespace pgchat
