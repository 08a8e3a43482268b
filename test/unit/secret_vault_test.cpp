// The master key's life: made, read, refused, replaced, and fetched by a command.
#include "core/crypto/secret_vault.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "support/fake_clock.hpp"

namespace pgchat {
namespace {

const SealPlace vault_place{"totp", {}, {}};
const std::string key_digits(64, 'a');

class SecretVaultTest : public ::testing::Test {
protected:
    SecretVaultTest() {
        std::string name = std::filesystem::temp_directory_path() / "pgchat-key-XXXXXX";
        folder = ::mkdtemp(name.data());
        file = folder / "key";
        use_file();
    }
    ~SecretVaultTest() override { std::filesystem::remove_all(folder); }

    void use_file(bool may_make_file = false) { vault.set_source({"", file, may_make_file}); }
    void use_command(const std::string& command, Milliseconds timeout = Milliseconds{20'000}) {
        vault.set_source({command, file, true, timeout});
    }
    void write(const std::string& text, mode_t mode = 0600) {
        std::ofstream(file) << text;
        ::chmod(file.c_str(), mode);
    }
    std::string failure() {
        return failure_of([&] { vault.seal(vault_place, "secret"); });
    }
    template <class Function>
    std::string failure_of(Function&& function) {
        try {
            function();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::master_key_unavailable);
            EXPECT_FALSE(error.hint().empty());
            EXPECT_EQ(std::string(error.what()).find(key_digits), std::string::npos) << "the key is not repeated";
            return error.what();
        }
        return "none";
    }
    bool works() { return vault.open(vault_place, vault.seal(vault_place, "secret")).view() == "secret"; }

    FakeClock clock;
    bool is_stored = false;  // some secret
    SecretVault vault{clock, [this] { return is_stored; }};
    std::filesystem::path folder, file;
};

TEST_F(SecretVaultTest, MakesItsFileWhenItSeals) {
    use_file(true);
    EXPECT_EQ(failure_of([&] { vault.open(vault_place, "sealed by some other key"); }),
              "the master key file does not exist");
    EXPECT_FALSE(std::filesystem::exists(file)) << "opening makes no key";
    ::umask(0);
    const std::string sealed = vault.seal(vault_place, "secret");
    struct stat status;
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "nothing else is left";
    use_file();
    EXPECT_EQ(vault.open(vault_place, sealed).view(), "secret") << "the key is read from the file";
}

TEST_F(SecretVaultTest, MakesNoFileInPlaceOfALostOne) {
    const char* const lost = "the master key file does not exist, and secrets are stored that were sealed with it";
    use_file(true);
    is_stored = true;
    EXPECT_EQ(failure(), lost);
    is_stored = false;
    EXPECT_EQ(failure_of([&] { vault.current_key_id(); }), "the master key file does not exist");
    EXPECT_EQ(failure_of([&] { vault.rotate(); }), "the master key file does not exist");
    EXPECT_FALSE(std::filesystem::exists(file)) << "only sealing makes one";
    EXPECT_TRUE(works());
    std::filesystem::rename(file, folder / "copy");
    use_command("echo " + key_digits);
    EXPECT_TRUE(works());
    use_file(true);
    EXPECT_EQ(failure(), lost) << "what was sealed with it may not be stored yet";
    EXPECT_FALSE(std::filesystem::exists(file));
    std::filesystem::rename(folder / "copy", file);
    EXPECT_TRUE(works()) << "the copy put back";
}

TEST_F(SecretVaultTest, MakesNoFileThatSomebodyChose) {
    EXPECT_EQ(failure(), "the master key file does not exist");
    EXPECT_FALSE(std::filesystem::exists(file));
    write(key_digits);
    EXPECT_TRUE(works()) << "a file that appears is found";
}

// Each engine of a server is a process, and all share the data directory.
TEST_F(SecretVaultTest, AllProcessesThatMakeItAtOnceGetTheSameKey) {
    for (int round = 0; round < 20; ++round) {
        std::filesystem::remove(file);
        std::vector<pid_t> makers;
        for (int i = 0; i < 8; ++i) {
            makers.push_back(::fork());
            ASSERT_GE(makers.back(), 0);
            if (makers.back() != 0) continue;
            try {
                SecretVault maker{clock, [] { return false; }};
                maker.set_source({"", file, true});
                std::ofstream(folder / ("sealed" + std::to_string(i)), std::ios::binary)
                    << maker.seal(vault_place, "secret");
                ::_exit(0);
            } catch (...) {
                ::_exit(1);
            }
        }
        for (std::size_t i = 0; i < makers.size(); ++i) {
            int status = -1;
            ASSERT_EQ(::waitpid(makers[i], &status, 0), makers[i]);
            ASSERT_EQ(status, 0);
        }
        use_file();
        for (std::size_t i = 0; i < makers.size(); ++i) {
            std::ifstream sealed(folder / ("sealed" + std::to_string(i)), std::ios::binary);
            EXPECT_EQ(vault.open(vault_place, std::string(std::istreambuf_iterator<char>(sealed), {})).view(),
                      "secret");
        }
    }
}

TEST_F(SecretVaultTest, RefusesFilesThatOthersMayTouch) {
    for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0666}) {
        write(key_digits, mode);
        EXPECT_EQ(failure(), "the master key file can be read or written by others than its owner") << std::oct << mode;
    }
    for (const mode_t mode : {0600, 0400, 0700}) {
        write(key_digits, 0600);
        ::chmod(file.c_str(), mode);
        use_file();
        EXPECT_TRUE(works()) << std::oct << mode;
        ::chmod(file.c_str(), 0600);
    }
}

TEST_F(SecretVaultTest, RefusesWhatHoldsNoKey) {
    for (const std::string& text :
         {std::string(), key_digits.substr(1), key_digits + "a", key_digits + "\nx", std::string(100'000, 'a')}) {
        write(text);
        EXPECT_EQ(failure(), "the master key is malformed");
    }
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_EQ(failure(), "the master key file is no regular file");
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(failure(), "the master key file is no regular file") << "and does not wait for a writer";
}

TEST_F(SecretVaultTest, KeepsTheKeyUntilItIsToldToReadItAgain) {
    write(key_digits);
    const std::string sealed = vault.seal(vault_place, "secret");
    write(std::string(64, 'b'));
    EXPECT_EQ(vault.open(vault_place, sealed).view(), "secret");
    use_file();
    try {
        vault.open(vault_place, sealed);
        ADD_FAILURE() << "opened with another key";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unsealing_failed);
    }
    write(key_digits);
    use_file();
    EXPECT_EQ(vault.open(vault_place, sealed).view(), "secret") << "the old key put back";
}

TEST_F(SecretVaultTest, TakesTheKeyFromACommandInPlaceOfTheFile) {
    use_command("echo " + key_digits);
    const std::string sealed = vault.seal(vault_place, "secret");
    EXPECT_FALSE(std::filesystem::exists(file)) << "no file is made beside a command";
    write(key_digits);
    use_file();
    EXPECT_EQ(vault.open(vault_place, sealed).view(), "secret") << "the same key is the same key";
}

TEST_F(SecretVaultTest, SaysHowTheCommandFailedAndDoesNotRunItAgainAtOnce) {
    use_command("echo x >>" + file.string() + "; exit 3");
    EXPECT_EQ(failure(), "no master key from pgchat.master_key_command: the command ended with status 3");
    EXPECT_EQ(failure(), "no master key from pgchat.master_key_command: the command ended with status 3");
    EXPECT_EQ(std::filesystem::file_size(file), 2u) << "it ran once";
    clock.advance(Milliseconds{10'000});
    failure();
    EXPECT_EQ(std::filesystem::file_size(file), 4u) << "and later again";
    use_command("echo " + key_digits + key_digits);
    EXPECT_EQ(failure(), "no master key from pgchat.master_key_command: the master key is malformed");
    use_command("sleep 20", Milliseconds{50});
    EXPECT_EQ(failure(), "no master key from pgchat.master_key_command: the command did not end in time");
    use_command("echo " + key_digits);
    EXPECT_TRUE(works()) << "another setting is tried at once";
}

}  // namespace
}  // namespace pgchat
