// Percent-encoding of what is put into a URI: a name or key may hold characters that would divide it.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

// `text` with each byte that is not unreserved as '%' and two upper case digits (RFC 3986, section 2.1).
std::string percent_encoded(std::string_view text);

}  // namespace pgchat
