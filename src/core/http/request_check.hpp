// What a request must not contain, because it would let its author write into the protocol itself.
#pragma once

#include "core/http/transport.hpp"

namespace pgchat {

// Why the request cannot be sent: a URL that is not http or https, plain http to a host that is not trusted, a
// character in the URL that is not printable ASCII, a header that is not "Name: value", holds CR, LF or NUL, or
// belongs to the transport (content-length, transfer-encoding, connection, upgrade, expect, te).
// Null when it can; static text otherwise, which quotes nothing of the request.
const char* reason_to_refuse(const HttpRequest& request) noexcept;

}  // namespace pgchat
