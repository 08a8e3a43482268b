// The openssl program as certificate maker and server.
#include "support/tls_test_server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace pgchat {
namespace {

// Starts openssl with its input and output on pipes, or from and to nowhere (-1).
pid_t spawn_openssl(std::vector<std::string> arguments, int input, int output) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    if (input >= 0) posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 1);
    pid_t child = 0;
    const int error = posix_spawnp(&child, "openssl", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("the openssl program does not run");
    return child;
}

}  // namespace

TlsTestServer::TlsTestServer(Answers answers) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tls_test_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
    key_ = directory_ + "/key.pem";
    certificate_ = directory_ + "/certificate.pem";
    make_certificate();
    start(answers);
}

TlsTestServer::~TlsTestServer() {
    if (child_ > 0) {
        kill(child_, SIGTERM);
        waitpid(child_, nullptr, 0);
    }
    close(input_);
    close(output_);
    std::filesystem::remove_all(directory_);
}

void TlsTestServer::make_certificate() {
    const pid_t maker = spawn_openssl(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key_, "-out", certificate_},
        -1, -1);
    int status = 0;
    waitpid(maker, &status, 0);
    if (status != 0) throw std::runtime_error("openssl req failed");
}

void TlsTestServer::start(Answers answers) {
    int inputs[2], outputs[2];
    if (pipe2(inputs, O_CLOEXEC) != 0 || pipe2(outputs, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<std::string> arguments = {"openssl", "s_server", "-accept", "127.0.0.1:0",
                                          "-key",    key_,       "-cert",   certificate_};
    if (answers == Answers::page) arguments.push_back("-www");
    child_ = spawn_openssl(arguments, inputs[0], outputs[1]);
    close(inputs[0]);
    close(outputs[1]);
    input_ = inputs[1];
    output_ = outputs[0];
    // "ACCEPT 127.0.0.1:40123"
    std::string text;
    char byte = 0;
    while (read(output_, &byte, 1) == 1) {
        text += byte;
        const std::size_t colon = text.find("ACCEPT 127.0.0.1:");
        if (byte == '\n' && colon != std::string::npos) {
            port_ = std::atoi(text.c_str() + colon + 17);
            return;
        }
    }
    throw std::runtime_error("openssl s_server did not start");
}

void TlsTestServer::send(std::string_view bytes) const {
    if (write(input_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("openssl s_server takes nothing");
}

bool TlsTestServer::has_received(std::string_view text) {
    pollfd readable{output_, POLLIN, 0};
    char bytes[4096];
    while (poll(&readable, 1, 0) > 0) {
        const ssize_t count = read(output_, bytes, sizeof bytes);
        if (count <= 0) break;
        received_.append(bytes, static_cast<std::size_t>(count));
    }
    return received_.find(text) != std::string::npos;
}

}  // namespace pgchat
