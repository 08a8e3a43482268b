// Reads the command line with getopt.
#include "options.hpp"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>

namespace mock {
namespace {

constexpr char kUsage[] =
    "usage: mock_provider [--host ADDRESS] [--port N] [--port-file FILE] [--threads N]\n"
    "                     [--tls CERT KEY] [--require-key KEY] [--default QUERY]\n"
    "Plays an LLM provider; README.md beside its sources lists the scenario parameters.\n";

[[noreturn]] void fail(const std::string& problem) {
    std::fprintf(stderr, "mock_provider: %s\n%s", problem.c_str(), kUsage);
    std::exit(2);
}

int read_int(const char* name, const char* text, int low, int high) {
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < low || value > high)
        fail(std::string("bad value of ") + name + ": " + text);
    return static_cast<int>(value);
}

}  // namespace

Options read_options(int argc, char** argv) {
    static const option kLong[] = {
        {"host", required_argument, nullptr, 'h'},
        {"port", required_argument, nullptr, 'p'},
        {"port-file", required_argument, nullptr, 'f'},
        {"tls", required_argument, nullptr, 't'},
        {"require-key", required_argument, nullptr, 'k'},
        {"threads", required_argument, nullptr, 'n'},
        {"default", required_argument, nullptr, 'd'},
        {"help", no_argument, nullptr, '?'},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    // '+' stops at the first other argument; the key file after --tls CERT is taken by hand.
    for (int c; (c = getopt_long(argc, argv, "+", kLong, nullptr)) != -1;) {
        if (c == 'h') options.host = optarg;
        if (c == 'p') options.port = read_int("--port", optarg, 0, 65535);
        if (c == 'f') options.port_file = optarg;
        if (c == 'k') options.require_key = optarg;
        if (c == 'n') options.threads = read_int("--threads", optarg, 1, 256);
        if (c == 't') {
            if (optind >= argc) fail("--tls needs a certificate and a key file");
            options.tls_certificate = optarg;
            options.tls_key = argv[optind++];
        }
        if (c == 'd') {
            const std::string problem = apply_query(optarg, options.defaults);
            if (!problem.empty()) fail(problem);
        }
        if (c == '?') {
            const bool asked = optopt == 0 && std::string(argv[optind - 1]) == "--help";
            if (!asked) fail("bad arguments");
            std::fputs(kUsage, stdout);
            std::exit(0);
        }
    }
    if (optind < argc) fail(std::string("unexpected argument: ") + argv[optind]);
    return options;
}

}  // namespace mock
