// Where the master keys come from: a command, or a file, which is made when it is needed and there is none.
#pragma once

#include <functional>
#include <string>

#include "core/clock.hpp"
#include "core/crypto/key_ring.hpp"

namespace pgchat {

struct KeySource {
    std::string command;         // run by the shell; its output is the keys. Empty: the file is read
    std::string file;            // relative to the working directory, which a server's is its data directory
    bool may_make_file = false;  // where nobody has chosen a file of their own
    Milliseconds command_timeout{5000};

    bool operator==(const KeySource&) const = default;
};

// Whether a missing file may be made now: only to seal, never to open what some other key has sealed.
enum class KeyNeed { to_seal, to_open };

// Reads the keys, the current one and older ones. `was_used` is asked before a missing file is made, and says whether
// secrets may be stored that were sealed with the one that is missing: then none is made in its place. Throws Error:
// master_key_unavailable, and what `was_used` throws.
KeyRing load_master_keys(const KeySource& source, KeyNeed need, const std::function<bool()>& was_used);

}  // namespace pgchat
