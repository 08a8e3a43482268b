// Commands run for their output: what they print, how they fail, and that none outstays its time.
#include "core/process/command_output.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "core/error.hpp"

namespace pgchat {
namespace {

constexpr Milliseconds long_enough{20'000};

std::string failure(const std::string& command, std::size_t limit = 100, Milliseconds timeout = long_enough) {
    try {
        command_output(command, limit, timeout);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::configuration_error);
        return error.what();
    }
    return "none";
}

TEST(CommandOutput, IsWhatTheCommandPrints) {
    EXPECT_EQ(command_output("printf abc; printf def", 100, long_enough).view(), "abcdef");
    EXPECT_EQ(command_output("printf abc; sleep 0.1; printf def", 100, long_enough).view(), "abcdef");
    EXPECT_EQ(command_output("true", 100, long_enough).view(), "");
    EXPECT_EQ(command_output("printf '%0100d' 0", 100, long_enough).size(), 100u);
    EXPECT_EQ(command_output("cat", 100, long_enough).view(), "") << "there is no input";
}

TEST(CommandOutput, SaysHowTheCommandFailed) {
    EXPECT_EQ(failure("printf secret; exit 3"), "the command ended with status 3");
    EXPECT_EQ(failure("no-such-program 2>/dev/null"), "the command ended with status 127");
    EXPECT_EQ(failure("kill -9 $$"), "the command was ended by signal 9");
    EXPECT_EQ(failure("printf '%0101d' 0"), "the command printed too much");
}

TEST(CommandOutput, EndsWhatTakesTooLong) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(failure("sleep 20 & sleep 20", 100, Milliseconds{100}), "the command did not end in time");
    EXPECT_EQ(failure("exec >&-; sleep 20", 100, Milliseconds{100}), "the command did not end in time");
    EXPECT_EQ(failure("while true; do :; done", 100, Milliseconds{100}), "the command did not end in time");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

// As the server's processes have it.
TEST(CommandOutput, GivesTheCommandTheUsualSignals) {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(command_output("sh -c 'kill -PIPE $$'; echo $?", 100, long_enough).view(), "141\n");
    std::signal(SIGPIPE, SIG_DFL);
}

}  // namespace
}  // namespace pgchat
