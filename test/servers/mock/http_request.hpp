// Parses HTTP/1.1 requests out of a connection's bytes (RFC 9112): head, Content-Length and chunked bodies, pipelining.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mock {

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

// The views point into the bytes given to `parse_request` (`body` into `decoded_body` when it came in chunks).
struct HttpRequest {
    std::string_view method;
    std::string_view target;
    std::string_view head;  // request line and headers, without the empty line
    std::string_view body;
    Headers headers;
    std::string decoded_body;
    bool keep_alive = true;
    bool wants_continue = false;  // Expect: 100-continue was sent

    // The value of the header, whose name is given in lower case; empty where it is missing.
    std::string_view header(std::string_view lower_name) const;
};

enum class ParseResult { kComplete, kIncomplete, kInvalid };

// Parses one request from the start of `bytes`. On kComplete, `used` is its length. On kIncomplete, `request.head` is
// set once the head is whole. Heads over 64 KiB and bodies over 256 MiB are invalid.
ParseResult parse_request(std::string_view bytes, HttpRequest& request, size_t& used);

// Splits a head (as in HttpRequest::head) into its headers, verbatim.
void parse_headers(std::string_view head, Headers& headers);

}  // namespace mock
