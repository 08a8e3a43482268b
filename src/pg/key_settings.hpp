// Where the parameters of the server say that the master key is.
#pragma once

#include "core/crypto/key_source.hpp"

namespace pgchat::pg {

// As the parameters are now. Only a file that nobody chose may be made.
KeySource key_source();

}  // namespace pgchat::pg
