// Test support: reads the recorded-style replies in test/unit/fixtures.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace pgchat {

inline std::string read_fixture(const std::string& name) {
    std::ifstream file(std::string(PGCHAT_FIXTURES "/") + name, std::ios::binary);
    if (!file) throw std::runtime_error("no fixture " + name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace pgchat
