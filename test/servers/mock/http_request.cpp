// The request parser; it runs over bytes that may be incomplete, and starts again when more have come.
#include "http_request.hpp"

#include <strings.h>

#include <charconv>

namespace mock {
namespace {

constexpr size_t kMaxHead = 64 * 1024;
constexpr size_t kMaxBody = 256 * 1024 * 1024;

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool parse_request_line(HttpRequest& request) {
    const std::string_view line = request.head.substr(0, request.head.find("\r\n"));
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return false;
    const std::string_view version = line.substr(last + 1);
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    request.keep_alive = version == "HTTP/1.1";
    return version.substr(0, 7) == "HTTP/1." && !request.target.empty();
}

// Decodes the chunked coding at the start of `bytes`; `used` is the length of the coded form.
ParseResult decode_chunks(std::string_view bytes, std::string& body, size_t& used) {
    body.clear();
    for (size_t pos = 0;;) {
        const size_t line_end = bytes.find("\r\n", pos);
        if (line_end == std::string_view::npos) return ParseResult::kIncomplete;
        size_t size = 0;
        const auto parsed = std::from_chars(bytes.data() + pos, bytes.data() + line_end, size, 16);
        if (parsed.ec != std::errc() || body.size() + size > kMaxBody) return ParseResult::kInvalid;
        pos = line_end + 2;
        if (size == 0) {
            if (bytes.size() < pos + 2) return ParseResult::kIncomplete;
            used = pos + 2;
            return bytes.substr(pos, 2) == "\r\n" ? ParseResult::kComplete : ParseResult::kInvalid;
        }
        if (bytes.size() < pos + size + 2) return ParseResult::kIncomplete;
        body.append(bytes, pos, size);
        pos += size + 2;
    }
}

struct Framing {
    size_t length = 0;
    bool chunked = false;
};

bool read_framing(HttpRequest& request, Framing& framing) {
    for (const auto& [name, value] : request.headers) {
        if (same_name(name, "content-length")) {
            const auto parsed = std::from_chars(value.data(), value.data() + value.size(), framing.length);
            if (parsed.ec != std::errc() || framing.length > kMaxBody) return false;
        } else if (same_name(name, "transfer-encoding")) {
            framing.chunked = same_name(value, "chunked");
            if (!framing.chunked) return false;
        } else if (same_name(name, "connection")) {
            if (same_name(value, "close")) request.keep_alive = false;
            if (same_name(value, "keep-alive")) request.keep_alive = true;
        } else if (same_name(name, "expect")) {
            request.wants_continue = same_name(value, "100-continue");
        }
    }
    return true;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_name) const {
    for (const auto& [name, value] : headers) {
        if (same_name(name, lower_name)) return value;
    }
    return {};
}

void parse_headers(std::string_view head, Headers& headers) {
    headers.clear();
    size_t pos = head.find("\r\n");
    while (pos != std::string_view::npos) {
        pos += 2;
        const size_t end = head.find("\r\n", pos);
        const std::string_view line = head.substr(pos, end == std::string_view::npos ? end : end - pos);
        const size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            std::string_view value = line.substr(colon + 1);
            while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
            while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
            headers.emplace_back(line.substr(0, colon), value);
        }
        pos = end;
    }
}

ParseResult parse_request(std::string_view bytes, HttpRequest& request, size_t& used) {
    request.wants_continue = false;
    request.head = {};
    const size_t head_size = bytes.find("\r\n\r\n");
    if (head_size == std::string_view::npos) {
        return bytes.size() > kMaxHead ? ParseResult::kInvalid : ParseResult::kIncomplete;
    }
    request.head = bytes.substr(0, head_size);
    Framing framing;
    parse_headers(request.head, request.headers);
    if (!parse_request_line(request) || !read_framing(request, framing)) return ParseResult::kInvalid;
    const std::string_view rest = bytes.substr(head_size + 4);
    if (framing.chunked) {
        const ParseResult result = decode_chunks(rest, request.decoded_body, used);
        request.body = request.decoded_body;
        used += head_size + 4;
        return result;
    }
    if (rest.size() < framing.length) return ParseResult::kIncomplete;
    request.body = rest.substr(0, framing.length);
    used = head_size + 4 + framing.length;
    return ParseResult::kComplete;
}

}  // namespace mock
