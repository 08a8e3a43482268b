// mock_provider: plays an LLM provider for tests and benchmarks.
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "ledger.hpp"
#include "options.hpp"
#include "server.hpp"

namespace mock {
namespace {

void raise_descriptor_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

SSL_CTX* make_tls(const Options& options) {
    if (options.tls_certificate.empty()) return nullptr;
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(context, options.tls_certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options.tls_key.c_str(), SSL_FILETYPE_PEM) != 1) {
        throw std::runtime_error("cannot load the TLS certificate or key");
    }
    return context;
}

// Writes the port under another name first, so that who polls for the file never reads half of it.
void write_port_file(const std::string& file, int port) {
    if (file.empty()) return;
    const std::string draft = file + ".new";
    std::ofstream stream(draft);
    stream << port << '\n';
    stream.close();
    if (!stream || std::rename(draft.c_str(), file.c_str()) != 0) throw std::runtime_error("cannot write " + file);
}

void serve(int listener, SSL_CTX* tls, const Options& options, Ledger& ledger) {
    prctl(PR_SET_TIMERSLACK, 1UL);
    Server(listener, tls, options, ledger).run();
}

int run(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    const Options options = read_options(argc, argv);
    SSL_CTX* tls = make_tls(options);
    Ledger ledger;
    std::vector<int> listeners{open_listener(options.host, options.port)};
    const int port = bound_port(listeners.front());
    while (static_cast<int>(listeners.size()) < options.threads) listeners.push_back(open_listener(options.host, port));
    write_port_file(options.port_file, port);
    std::printf("listening on %s:%d\n", options.host.c_str(), port);
    std::fflush(stdout);
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < listeners.size(); ++i) {
        threads.emplace_back(serve, listeners[i], tls, std::cref(options), std::ref(ledger));
    }
    serve(listeners.front(), tls, options, ledger);
    return 0;
}

}  // namespace
}  // namespace mock

int main(int argc, char** argv) {
    try {
        return mock::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "mock_provider: %s\n", error.what());
        return 1;
    }
}
