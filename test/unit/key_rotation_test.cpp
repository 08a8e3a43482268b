// Changing the master key: what is sealed anew, when the older key is dropped, and what becomes of it when broken off.
#include "core/engine/key_rotation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/crypto/key_file.hpp"
#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

// Secrets in pages of two.
class FakeStore final : public SealedStore {
public:
    bool is_quiet() override { return quiet; }
    void rewind() override { next = 0; }
    Page next_page(const Reseal& reseal) override {
        if (fail_next_page) return fail_next_page = false, Page::failed;
        const std::size_t end = std::min(next + 2, rows.size());
        for (; next < end; ++next) {
            if (static_cast<int>(next) == locked) continue;
            if (const auto anew = reseal(place_of(next), rows[next])) rows[next] = *anew;
        }
        return next == rows.size() ? Page::last : Page::more;
    }
    std::optional<Counts> count(const std::vector<std::string>& key_ids) override {
        if (fail_count) return std::nullopt;
        Counts counts;
        for (const std::string& sealed : rows) {
            const auto key = std::find(key_ids.begin(), key_ids.end(), sealing_key_id(sealed));
            if (key == key_ids.end())
                ++counts.with_other_keys;
            else if (key != key_ids.begin())
                ++counts.with_old_keys;
        }
        return counts;
    }
    std::optional<bool> holds_secrets() override { return !rows.empty(); }
    bool all_sealed_with(std::string_view key_id) override {
        done_with = key_id;
        return others_done;
    }
    void announce() override { ++announced; }

    static SealPlace place_of(std::size_t row) { return {"test", {}, Uuid{{static_cast<std::uint8_t>(row)}}}; }

    std::vector<std::string> rows;
    std::size_t next = 0;
    int locked = -1;
    bool quiet = true, fail_next_page = false, fail_count = false, others_done = true;
    std::string done_with;
    int announced = 0;
};

class KeyRotationTest : public ::testing::Test {
protected:
    KeyRotationTest() {
        std::string name = std::filesystem::temp_directory_path() / "pgchat-rotation-XXXXXX";
        folder = ::mkdtemp(name.data());
        vault.set_source({"", folder / "key", true});
        for (std::size_t i = 0; i < 5; ++i) store.rows.push_back(vault.seal(FakeStore::place_of(i), secret_of(i)));
        first_id = vault.current_key_id();
    }
    ~KeyRotationTest() override { std::filesystem::remove_all(folder); }

    static std::string secret_of(std::size_t row) { return "secret " + std::to_string(row); }
    KeyRing file() { return KeyRing::parse(read_key_file(folder / "key")->view()); }
    void run(KeyRotation& rotation, int turns = 50) {
        for (; turns > 0; --turns) {
            rotation.run();
            clock.advance(Milliseconds{300});
        }
    }
    void expect_all_open(SecretVault& opener) {
        for (std::size_t i = 0; i < store.rows.size(); ++i)
            EXPECT_EQ(opener.open(FakeStore::place_of(i), store.rows[i]).view(), secret_of(i));
    }

    FakeClock clock;
    std::filesystem::path folder;
    FakeStore store;
    SecretVault vault{clock, [] { return false; }};
    KeyRotation rotation{clock, vault, store};
    std::string first_id;
};

TEST_F(KeyRotationTest, SealsEverythingAnewAndDropsTheOldKey) {
    EXPECT_EQ(rotation.next_run(), std::nullopt) << "there is nothing to do";
    rotation.begin();
    EXPECT_EQ(store.announced, 1);
    RotationProgress progress = rotation.progress();
    EXPECT_EQ(progress.left, 5);
    EXPECT_EQ(progress.old_keys, 1u);
    EXPECT_FALSE(progress.is_finished);
    EXPECT_TRUE(rotation.next_run().has_value());
    expect_all_open(vault);
    run(rotation);
    progress = rotation.progress();
    EXPECT_EQ(progress.resealed, 5);
    EXPECT_EQ(progress.left, 0);
    EXPECT_EQ(progress.old_keys, 0u);
    EXPECT_TRUE(progress.is_finished);
    EXPECT_NE(progress.key_id, first_id);
    EXPECT_EQ(store.done_with, progress.key_id);
    EXPECT_FALSE(file().has_old_keys());
    EXPECT_EQ(store.announced, 2) << "the others are told that there is one key again";
    EXPECT_EQ(rotation.next_run(), std::nullopt);
    expect_all_open(vault);
}

TEST_F(KeyRotationTest, KeepsTheOldKeyWhileAnythingMayNeedIt) {
    store.quiet = false;
    rotation.begin();
    run(rotation);
    EXPECT_EQ(rotation.progress().left, 5) << "somebody may be about to store what was sealed before";
    store.quiet = true;
    store.locked = 3;
    run(rotation);
    EXPECT_EQ(rotation.progress().left, 1);
    store.locked = -1;
    store.fail_next_page = true;
    store.others_done = false;
    run(rotation);
    EXPECT_EQ(rotation.progress().left, 0);
    EXPECT_EQ(rotation.progress().old_keys, 1u) << "another database needs it";
    EXPECT_TRUE(file().has_old_keys());
    store.others_done = true;
    run(rotation, 100);
    EXPECT_FALSE(file().has_old_keys());
    expect_all_open(vault);
}

TEST_F(KeyRotationTest, GoesOnWhereAKilledProcessStopped) {
    for (int turns = 0; turns < 8; ++turns) {
        rotation.begin();
        run(rotation, turns);
        SecretVault next_vault{clock, [] { return true; }};
        next_vault.set_source({"", folder / "key", true});
        KeyRotation next(clock, next_vault, store);
        next.keys_changed();
        expect_all_open(next_vault);
        run(next);
        EXPECT_EQ(next.progress().left, 0) << turns;
        EXPECT_FALSE(file().has_old_keys()) << turns;
        expect_all_open(next_vault);
        vault.forget_keys();
    }
}

TEST_F(KeyRotationTest, MakesNoSecondKeyBeforeItHasFinished) {
    rotation.begin();
    const std::string id = rotation.progress().key_id;
    rotation.run();
    rotation.run();
    rotation.begin();
    EXPECT_EQ(rotation.progress().key_id, id);
    EXPECT_EQ(rotation.progress().resealed, 2) << "and does not begin again";
    run(rotation);
    rotation.begin();
    EXPECT_NE(rotation.progress().key_id, id);
}

TEST_F(KeyRotationTest, WhatNobodyCanReadHoldsNothingUp) {
    store.rows[1].back() ^= 1;
    std::swap(store.rows[2], store.rows[3]);
    store.rows.push_back("no sealed secret");
    EXPECT_EQ(rotation.progress().unreadable, 1) << "no key has sealed it";
    store.others_done = false;
    rotation.begin();
    run(rotation);
    EXPECT_EQ(rotation.progress().unreadable, 4) << "while the old key is kept";
    store.others_done = true;
    run(rotation);
    const RotationProgress progress = rotation.progress();
    EXPECT_EQ(progress.resealed, 2);
    EXPECT_EQ(progress.old_keys, 0u);
    EXPECT_EQ(progress.unreadable, 4) << "each counted once when it is dropped";
    EXPECT_EQ(progress.left, 0);
    EXPECT_FALSE(file().has_old_keys());
    EXPECT_EQ(vault.open(FakeStore::place_of(0), store.rows[0]).view(), secret_of(0));
}

TEST_F(KeyRotationTest, CountsWhatWasSealedWithAKeyThatIsNotHere) {
    std::filesystem::remove(folder / "key");
    make_key_file(folder / "key");
    rotation.keys_changed();
    RotationProgress progress = rotation.progress();
    EXPECT_EQ(progress.unreadable, 5);
    EXPECT_EQ(progress.left, 0);
    rotation.begin();
    run(rotation);
    progress = rotation.progress();
    EXPECT_EQ(progress.unreadable, 5);
    EXPECT_EQ(progress.resealed, 0);
    EXPECT_FALSE(file().has_old_keys()) << "they hold nothing up";
}

TEST_F(KeyRotationTest, AnEngineThatIsToldOfANewKeySealsAnewToo) {
    add_key_to_file(folder / "key");
    EXPECT_EQ(vault.current_key_id(), first_id) << "nobody has told it";
    rotation.keys_changed();
    EXPECT_NE(vault.current_key_id(), first_id);
    run(rotation);
    EXPECT_EQ(rotation.progress().resealed, 5);
}

TEST_F(KeyRotationTest, ACommandGivesTheNewKeyAndKeepsTheOldOne) {
    std::filesystem::copy(folder / "key", folder / "old");
    vault.set_source({"cat " + (folder / "old").string(), "", false});
    try {
        rotation.begin();
        ADD_FAILURE() << "there is no new key";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::configuration_error);
        EXPECT_FALSE(error.hint().empty());
    }
    vault.set_source({"printf '%064d\\n' 7; cat " + (folder / "old").string(), "", false});
    rotation.begin();
    run(rotation);
    const RotationProgress progress = rotation.progress();
    EXPECT_EQ(progress.resealed, 5);
    EXPECT_EQ(progress.old_keys, 1u) << "only the command's owner can take it away";
    EXPECT_TRUE(progress.is_finished);
    EXPECT_EQ(progress.key_id, MasterKey::parse(std::string(63, '0') + "7").id());
    expect_all_open(vault);
}

TEST_F(KeyRotationTest, SaysWhenItCannotCount) {
    rotation.begin();
    store.fail_count = true;
    EXPECT_THROW(rotation.progress(), Error);
    run(rotation);
    EXPECT_TRUE(file().has_old_keys()) << "nothing is dropped on a guess";
    store.fail_count = false;
    run(rotation);
    EXPECT_FALSE(file().has_old_keys());
}

TEST(RotationProgress, IsWrittenAsJson) {
    EXPECT_EQ(
        (RotationProgress{std::string("\x00\xff\x10", 3), 1, 2, 3, 4, true}.to_json()),
        R"({"key_id":"00ff10","old_keys":1,"rows_resealed":2,"rows_left":3,"rows_unreadable":4,"is_finished":true})");
}

}  // namespace
}  // namespace pgchat
