// The file of master keys while its keys are changed: whole at every moment, whoever else changes it.
#include "core/crypto/key_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

#include "core/crypto/key_ring.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

const std::string digits(64, 'a');

class KeyFileTest : public ::testing::Test {
protected:
    KeyFileTest() {
        std::string name = std::filesystem::temp_directory_path() / "pgchat-keys-XXXXXX";
        folder = ::mkdtemp(name.data());
        file = folder / "key";
        write(digits);
    }
    ~KeyFileTest() override { std::filesystem::remove_all(folder); }

    void write(const std::string& text) {
        std::ofstream(file) << text;
        ::chmod(file.c_str(), 0600);
    }
    KeyRing ring() { return KeyRing::parse(read_key_file(file)->view()); }
    std::string failure(const std::function<void()>& function) {
        try {
            function();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::master_key_unavailable);
            EXPECT_FALSE(error.hint().empty());
            return error.what();
        }
        return "none";
    }

    std::filesystem::path folder, file;
};

TEST_F(KeyFileTest, PutsANewKeyFirstAndLeavesTheOldOneUntilItIsDropped) {
    const std::string old_id(ring().current().id());
    EXPECT_TRUE(add_key_to_file(file));
    const std::string new_id(ring().current().id());
    EXPECT_NE(new_id, old_id);
    EXPECT_EQ(ring().old_ids(), std::vector<std::string>{old_id});
    struct stat status;
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);

    EXPECT_FALSE(add_key_to_file(file)) << "the change is not finished";
    EXPECT_EQ(ring().current().id(), new_id);
    EXPECT_FALSE(drop_old_keys_of_file(file, old_id)) << "another key seals by now";
    EXPECT_TRUE(ring().has_old_keys());
    EXPECT_TRUE(drop_old_keys_of_file(file, new_id));
    EXPECT_EQ(ring().current().id(), new_id);
    EXPECT_FALSE(ring().has_old_keys());
    EXPECT_FALSE(drop_old_keys_of_file(file, new_id));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "nothing else is left";
}

TEST_F(KeyFileTest, OfManyWhoAddAKeyOneDoes) {
    for (int round = 0; round < 20; ++round) {
        write(digits);
        int added = 0;
        std::vector<pid_t> adders;
        for (int i = 0; i < 6; ++i) {
            adders.push_back(::fork());
            ASSERT_GE(adders.back(), 0);
            if (adders.back() == 0) ::_exit(add_key_to_file(file) ? 1 : 0);
        }
        for (const pid_t adder : adders) {
            int status = -1;
            ASSERT_EQ(::waitpid(adder, &status, 0), adder);
            ASSERT_TRUE(WIFEXITED(status));
            added += WEXITSTATUS(status);
        }
        EXPECT_EQ(added, 1);
        EXPECT_EQ(ring().old_ids(), std::vector<std::string>{std::string(MasterKey::parse(digits).id())});
    }
}

TEST_F(KeyFileTest, IsWholeWheneverItsWriterIsKilled) {
    int with_two = 0;
    for (int round = 0; round < 100; ++round) {
        const pid_t writer = ::fork();
        ASSERT_GE(writer, 0);
        if (writer == 0)
            for (;;) {
                add_key_to_file(file);
                drop_old_keys_of_file(file, ring().current().id());
            }
        ::usleep(static_cast<useconds_t>(1000 + round * 37));
        ::kill(writer, SIGKILL);
        ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
        const KeyRing keys = ring();
        EXPECT_LE(keys.old_ids().size(), 1u);
        with_two += keys.has_old_keys();
    }
    EXPECT_NE(ring().current().id(), MasterKey::parse(digits).id()) << "it was changed";
    EXPECT_GT(with_two, 0) << "some were killed before the old key was dropped";
    EXPECT_LT(with_two, 100) << "and some after";
}

TEST_F(KeyFileTest, RefusesWhatItCannotReplace) {
    const std::filesystem::path link = folder / "link";
    std::filesystem::create_symlink(file, link);
    EXPECT_EQ(failure([&] { add_key_to_file(link); }),
              "the master key file is a symbolic link, which cannot be replaced");
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_FALSE(ring().has_old_keys());
    EXPECT_EQ(failure([&] { add_key_to_file(folder / "missing"); }), "the master key file does not exist");
    EXPECT_NE(failure([&] { add_key_to_file(folder / "no" / "key"); }).find("could not be locked"), std::string::npos);
    write("no key");
    EXPECT_EQ(failure([&] { add_key_to_file(file); }), "the master key is malformed");
    write(digits);
    ::chmod(file.c_str(), 0644);
    EXPECT_EQ(failure([&] { add_key_to_file(file); }),
              "the master key file can be read or written by others than its owner");
}

}  // namespace
}  // namespace pgchat
