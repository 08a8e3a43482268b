// The command line of the mock provider.
#pragma once

#include <string>

#include "scenario.hpp"

namespace mock {

struct Options {
    std::string host = "127.0.0.1";
    int port = 0;  // 0: chosen by the kernel
    std::string port_file;
    std::string tls_certificate;
    std::string tls_key;
    std::string require_key;
    int threads = 1;
    Scenario defaults;
};

// Reads the arguments. On an error prints it with the usage to stderr and exits with 2; --help prints it and exits with
// 0.
Options read_options(int argc, char** argv);

}  // namespace mock
