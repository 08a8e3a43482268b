// What the mock is asked to play: the parameters of a reply, read from a query string.
#pragma once

#include <string>
#include <string_view>

namespace mock {

enum class Hang { kNo, kAccept, kHead, kBody };

struct Scenario {
    // Time. All from the moment the request was complete.
    double latency_ms = 0;      // until the response head
    double first_token_ms = 0;  // from the head to the first token
    double rate = 0;            // tokens a second; 0 = all at once
    double slow_bytes_ms = 0;   // one byte of the response each so many ms; 0 = off

    // Content. `text`, `json` and `echo` replace the generated words "w0 w1 …".
    long tokens = 8;
    bool tokens_given = false;
    std::string text;
    std::string json;
    bool echo = false;     // the last user message
    bool stamp = false;    // token i is "<i>:<CLOCK_REALTIME ns> "
    bool endless = false;  // tokens without end
    long thinking = 0;     // thinking tokens before the text
    long tool = 0;         // tool calls after the text; without `tokens` or a text there is no text then
    std::string tool_name = "get_weather";
    std::string tool_args = R"({"city":"Paris","unit":"celsius"})";
    std::string finish;      // the finish reason, in the words of the form; empty = the usual one
    long dims = 8;           // of an embedding
    bool usage = true;       // false: no usage numbers
    bool done = true;        // false: no [DONE] / message_stop / done:true
    bool crlf = false;       // SSE lines end in CRLF
    bool chunked = true;     // false (content_length=0): a streamed body ends with the connection
    bool badutf8 = false;    // invalid bytes; characters split across events and across TCP segments
    bool nul = false;        // \u0000 in token 1
    bool surrogate = false;  // a lone \ud800 in token 1

    // Faults.
    int status = 0;  // an error reply with this status
    std::string retry_after;
    long retry_after_date = -1;  // Retry-After as an HTTP date so many seconds ahead
    std::string redirect;        // Location, with status 302 unless another is given
    Hang hang = Hang::kNo;
    long truncate = -1;  // the connection is closed after so many tokens
    bool reset = false;  // … by RST (at once, or after `truncate` tokens)
    bool garbage = false;
    bool html = false;
    bool error_mid = false;  // an error event after half of the tokens
    long fail_times = -1;    // the faults above apply to the first N requests with `key` only (503 where none is named)
    std::string key;

    bool has_text() const { return echo || !text.empty() || !json.empty(); }
    bool has_fault() const {
        return status != 0 || !redirect.empty() || hang != Hang::kNo || truncate >= 0 || reset || garbage || html ||
               error_mid;
    }
    void clear_faults();
};

// Applies `query` ("a=1&b=2", percent-encoded) on top of `scenario`. Returns an empty string, or what is wrong with it.
std::string apply_query(std::string_view query, Scenario& scenario);

// Decodes %XX and '+'.
std::string percent_decode(std::string_view text);

}  // namespace mock
