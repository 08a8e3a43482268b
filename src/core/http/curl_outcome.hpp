// libcurl's result codes in the words of the transport.
#pragma once

#include <curl/curl.h>

#include "core/http/transport.hpp"

namespace pgchat {

// What `code` means for a call that was (`sent`) or was not yet given a connection to send its request on.
// Source: libcurl-errors(3).
HttpOutcome outcome_of(CURLcode code, bool sent) noexcept;

// A sentence for outcomes that the transport itself decides; never null.
const char* describe(HttpOutcome outcome) noexcept;

}  // namespace pgchat
