// The file that holds the master keys: read with distrust, and replaced so that a crash at any moment leaves it whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/crypto/secret_memory.hpp"

namespace pgchat {

// Of 16 keys with some white space around them.
inline constexpr std::size_t most_key_text_bytes = 4096;

// What the file holds; nullopt when there is none. It must be a regular one that nobody but its owner may read.
// `path` may be relative to the working directory. Throws Error: master_key_unavailable, as do the others.
std::optional<SecretBytes> read_key_file(const std::string& path);

// Makes the file, with one new key and mode 0600, unless there is one. It is complete from the moment it is there, so
// that several processes can make it at the same time and agree on one.
void make_key_file(const std::string& path);

// Puts a new key first, unless an older one is there beside the first: then an earlier change is not finished. Returns
// whether it did. Of several processes that change the file each sees what the others did.
bool add_key_to_file(const std::string& path);

// Leaves only the first key, where its id is `current_id`. Returns whether the file was changed.
bool drop_old_keys_of_file(const std::string& path, std::string_view current_id);

}  // namespace pgchat
