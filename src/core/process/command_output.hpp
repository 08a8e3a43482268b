// Runs a shell command for what it prints, as the server runs ssl_passphrase_command, but never for longer than
// allowed.
#pragma once

#include <string>

#include "core/clock.hpp"
#include "core/crypto/secret_memory.hpp"

namespace pgchat {

// What "/bin/sh -c command" prints to standard output. It gets no input, and its standard error goes where this
// process's goes. Throws Error: configuration_error when it cannot be run, ends with another status than 0, prints more
// than `limit` bytes, or does not end within `timeout`: then it is killed, with every process of its group.
SecretBytes command_output(const std::string& command, std::size_t limit, Milliseconds timeout);

}  // namespace pgchat
