// Checking a password in a time that tells nothing of the account: neither whether there is a hash, nor how old it is.
#pragma once

#include <string_view>

namespace pgchat {

// Whether the password belongs to the bcrypt hash, with the work of exactly one hash of `cost`, also for a cheaper
// hash, and for none (empty), which no password fits. Only a costlier hash takes longer. Throws Error invalid_argument
// for a hash that is neither empty nor bcrypt, or a cost outside 4..31.
bool check_password_evenly(std::string_view password, std::string_view hash, int cost);

}  // namespace pgchat
