// direct_client: asks a provider directly, to have a figure that other ways of asking can be compared with.
#include <getopt.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "load.hpp"

namespace direct {
namespace {

constexpr char kUsage[] =
    "usage: direct_client --port N [--host ADDRESS] [--path PATH] [--model NAME] [--key KEY] [--stream] [--curl]\n"
    "                     [--clients N] [--seconds S | --calls N]\n"
    "Keeps N calls in flight over keep-alive connections and prints the figures as one JSON object.\n";

Load read_load(int argc, char** argv) {
    static const option kLong[] = {
        {"host", required_argument, nullptr, 'h'},
        {"port", required_argument, nullptr, 'p'},
        {"path", required_argument, nullptr, 'a'},
        {"model", required_argument, nullptr, 'm'},
        {"key", required_argument, nullptr, 'k'},
        {"clients", required_argument, nullptr, 'c'},
        {"seconds", required_argument, nullptr, 's'},
        {"calls", required_argument, nullptr, 'n'},
        {"stream", no_argument, nullptr, 'S'},
        {"curl", no_argument, nullptr, 'C'},
        {nullptr, 0, nullptr, 0},
    };
    Load load;
    bool ok = true;
    for (int c; (c = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
        if (c == 'h') load.host = optarg;
        if (c == 'p') load.port = std::atoi(optarg);
        if (c == 'a') load.path = optarg;
        if (c == 'm') load.model = optarg;
        if (c == 'k') load.key = optarg;
        if (c == 'c') load.clients = std::atoi(optarg);
        if (c == 's') load.seconds = std::atof(optarg);
        if (c == 'n') load.calls = std::atol(optarg);
        if (c == 'S') load.stream = true;
        if (c == 'C') load.curl = true;
        ok &= c != '?';
    }
    if (!ok || optind < argc || load.port <= 0 || load.clients <= 0 || load.calls < 0 || load.seconds <= 0) {
        std::fputs(kUsage, stderr);
        std::exit(2);
    }
    return load;
}

int run(int argc, char** argv) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const Load load = read_load(argc, argv);
    Measure measure(load);
    load.curl ? run_curl(load, measure) : run_raw(load, measure);
    std::printf("%s\n", measure.report().c_str());
    return 0;
}

}  // namespace
}  // namespace direct

int main(int argc, char** argv) {
    try {
        return direct::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "direct_client: %s\n", error.what());
        return 1;
    }
}
