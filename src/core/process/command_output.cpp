#include "core/process/command_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

#include "core/error.hpp"

namespace pgchat {
namespace {

// A command that has closed its output ends within moments.
constexpr Milliseconds end_poll_interval{2};

[[noreturn]] void fail(const std::string& reason) {
    throw Error(ErrorCode::configuration_error, "the command " + reason);
}

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

using Deadline = std::chrono::steady_clock::time_point;

// A process group, killed when its leader has not ended by itself.
class Child {
public:
    explicit Child(pid_t pid) noexcept : pid_(pid) {}
    ~Child() {
        if (pid_ == 0) return;
        ::kill(-pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // The status as of waitpid(2), once it ends.
    int status_by(Deadline deadline) {
        for (;;) {
            int status = 0;
            const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
            if (ended == pid_) {
                pid_ = 0;
                return status;
            }
            if (std::chrono::steady_clock::now() >= deadline) fail("did not end in time");
            std::this_thread::sleep_for(end_poll_interval);
        }
    }

private:
    pid_t pid_;
};

// In a group of its own, with the signals as a program expects them: this process may have blocked or ignored some.
pid_t spawn_shell(const std::string& command, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const char* const arguments[] = {"sh", "-c", command.c_str(), nullptr};
    pid_t pid = 0;
    const int error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char**>(arguments), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) fail(std::string("could not be run: ") + std::strerror(error));
    return pid;
}

// Reads until the other end is closed; returns how much it was.
std::size_t read_all(int input, SecretBytes& buffer, Deadline deadline) {
    std::size_t size = 0;
    for (;;) {
        const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        pollfd waiting{input, POLLIN, 0};
        const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) fail("did not end in time");
        const ssize_t got = ::read(input, buffer.data() + size, buffer.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(std::string("could not be read from: ") + std::strerror(errno));
        if (got == 0) return size;
        size += static_cast<std::size_t>(got);
        if (size == buffer.size()) fail("printed too much");
    }
}

}  // namespace

SecretBytes command_output(const std::string& command, std::size_t limit, Milliseconds timeout) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(std::string("could not be given a pipe: ") + std::strerror(errno));
    const Descriptor input(ends[0]);
    std::optional<Child> child;
    {
        const Descriptor output(ends[1]);
        child.emplace(spawn_shell(command, output.get()));
    }
    SecretBytes buffer(limit + 1);
    const Deadline deadline = std::chrono::steady_clock::now() + timeout;
    const std::size_t size = read_all(input.get(), buffer, deadline);
    const int status = child->status_by(deadline);
    if (WIFSIGNALED(status)) fail("was ended by signal " + std::to_string(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0) fail("ended with status " + std::to_string(WEXITSTATUS(status)));
    return SecretBytes(buffer.view().substr(0, size));
}

}  // namespace pgchat
