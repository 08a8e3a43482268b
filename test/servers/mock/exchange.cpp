// The course of a reply: head, tokens at their absolute times, end; and every way a scenario makes it go wrong.
#include "exchange.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <utility>

#include "json_scan.hpp"

namespace mock {
namespace {

constexpr size_t kOutputLimit = 256 * 1024;
constexpr std::string_view kGarbage = "\x16\x03\x01 this is not HTTP\r\n\r\n\x01\x02";
constexpr std::string_view kHtml = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>\n";

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 302:
            return "Found";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 404:
            return "Not Found";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "Mock";
    }
}

std::string http_date(time_t when) {
    char text[40];
    tm parts{};
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &parts));
    return text;
}

std::string next_id() {
    static std::atomic<uint64_t> last{0};
    return "mock" + std::to_string(++last);
}

}  // namespace

Exchange::Exchange(Order order, Ledger& ledger, Nanos now)
    : order_(std::move(order)),
      ledger_(ledger),
      script_(*order_.scenario, order_.body.last_user()),
      head_due_(now + from_ms(order_.scenario->latency_ms)) {
    timing_.requested = real_now();
    facts_.scenario = order_.scenario.get();
    facts_.script = &script_;
    facts_.model = order_.body.model;
    facts_.id = next_id();
    facts_.created = timing_.requested / kSecond;
    facts_.prompt_tokens = order_.body.prompt_words;
    facts_.include_usage = order_.body.include_usage;
}

bool Exchange::is_whole_chat() const {
    const Scenario& s = scenario();
    const bool fault = s.garbage || s.reset || s.html || s.status != 0 || !s.redirect.empty() || s.endless;
    return order_.fixed_status == 0 && !order_.stream && !fault;
}

Nanos Exchange::token_due(long index) const {
    const Nanos first = head_due_ + from_ms(scenario().first_token_ms);
    if (scenario().rate <= 0) return first;
    return first + static_cast<Nanos>(static_cast<double>(index) * 1e9 / scenario().rate);
}

EventWriter Exchange::writer(std::string& out) const {
    return {out, scenario().chunked || whole_endless_, scenario().crlf};
}

Nanos Exchange::advance(Nanos now, std::string& out) {
    if (stage_ == Stage::kHead) {
        // A reply that does not stream takes as long as the stream would have taken.
        const Nanos due = is_whole_chat() ? token_due(std::max(script_.total() - 1, 0L)) : head_due_;
        if (now < due) return due;
        send_head(out);
    }
    return stage_ == Stage::kTokens ? advance_tokens(now, out) : kNever;
}

void Exchange::send_head(std::string& out) {
    const Scenario& s = scenario();
    if (s.hang == Hang::kHead || s.hang == Hang::kAccept) {
        stage_ = Stage::kHung;
    } else if (s.garbage) {
        out += kGarbage;
        cut_ = true;
        finish(End::kClose);
    } else if (s.reset && s.truncate < 0) {
        cut_ = true;
        finish(End::kReset);
    } else if (!s.redirect.empty()) {
        send_plain(out, s.status == 0 ? 302 : s.status, "text/plain", "", "Location: " + s.redirect + "\r\n");
    } else if (s.status != 0) {
        send_error(out);
    } else if (s.html) {
        send_plain(out, 200, "text/html", kHtml);
    } else if (order_.fixed_status != 0) {
        send_plain(out, order_.fixed_status, "application/json", order_.fixed_body);
    } else if (order_.stream) {
        start_stream(out);
    } else {
        send_whole(out);
    }
    if (stage_ != Stage::kHung) timing_.head = real_now();
}

void Exchange::begin_head(std::string& out, int status, std::string_view type) const {
    out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status));
    out.append("\r\nContent-Type: ").append(type).append("\r\nx-request-id: ").append(facts_.id).append("\r\n");
    if (!order_.keep_alive) out += "Connection: close\r\n";
}

void Exchange::send_plain(std::string& out, int status, std::string_view type, std::string_view body,
                          const std::string& extra) {
    begin_head(out, status, type);
    out.append(extra).append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    finish(order_.keep_alive ? End::kKeepAlive : End::kClose);
}

void Exchange::send_error(std::string& out) {
    const Scenario& s = scenario();
    std::string extra;
    if (!s.retry_after.empty()) extra = "Retry-After: " + s.retry_after + "\r\n";
    if (s.retry_after_date >= 0) extra = "Retry-After: " + http_date(time(nullptr) + s.retry_after_date) + "\r\n";
    std::string body;
    order_.form->error_body(body, s.status, "the mock was asked to fail with status " + std::to_string(s.status));
    send_plain(out, s.status, "application/json", body, extra);
}

void Exchange::start_stream(std::string& out) {
    const bool chunked = scenario().chunked;
    begin_head(out, 200, order_.form->stream_content_type());
    out += "Cache-Control: no-cache\r\n";
    out += chunked ? "Transfer-Encoding: chunked\r\n\r\n" : order_.keep_alive ? "Connection: close\r\n\r\n" : "\r\n";
    if (!chunked) order_.keep_alive = false;
    EventWriter events = writer(out);
    order_.form->open(events, facts_);
    stage_ = Stage::kTokens;
}

void Exchange::send_whole(std::string& out) {
    const Scenario& s = scenario();
    WholeText text;
    const long count = s.endless ? 0 : script_.total();
    for (long i = 0; i < count; ++i) {
        const TokenKind kind = script_.token(i).kind;
        if (kind == TokenKind::kThinking) script_.append(i, text.thinking);
        if (kind == TokenKind::kText) script_.append(i, text.text);
    }
    if (script_.tool_calls() > 0) json::escape(text.tool_args, s.tool_args);
    facts_.sent = count;
    std::string body;
    body.reserve(text.text.size() + 512);
    const size_t text_end = order_.form->whole(body, facts_, text);
    const bool partial = s.hang == Hang::kBody || s.truncate >= 0;
    if (s.endless) {
        begin_head(out, 200, "application/json");
        out += "Transfer-Encoding: chunked\r\n\r\n";
        whole_endless_ = true;
        writer(out).raw(std::string_view(body).substr(0, text_end));
        stage_ = Stage::kTokens;
        return;
    }
    const size_t body_at = out.size();
    send_plain(out, 200, "application/json", body);
    ledger_.count_tokens(count);
    if (s.badutf8) split_ = out.rfind(Script::split_character()) + 2;
    if (!partial) return;
    out.resize(std::max(body_at, out.size() - body.size() / 2));
    cut_ = true;
    finish(s.reset ? End::kReset : End::kClose);
    if (s.hang == Hang::kBody) stage_ = Stage::kHung, end_ = End::kOpen;
}

void Exchange::send_token(std::string& out, EventWriter& writer) {
    const long index = facts_.sent++;
    fragment_.clear();
    script_.append(index, fragment_);
    if (whole_endless_) return writer.raw(fragment_);
    order_.form->token(writer, facts_, script_.token(index), fragment_);
    if (scenario().badutf8 && fragment_.ends_with(Script::split_character())) {
        split_ = out.rfind(Script::split_character()) + 2;
    }
}

// The scenario's faults inside a stream; true where no further token is to be sent.
bool Exchange::stops_here(EventWriter& writer) {
    const Scenario& s = scenario();
    if (s.truncate >= 0 && facts_.sent >= s.truncate) {
        cut_ = true;
        finish(s.reset ? End::kReset : End::kClose);
    } else if (s.hang == Hang::kBody && facts_.sent >= 1) {
        stage_ = Stage::kHung;
    } else if (s.error_mid && facts_.sent >= script_.total() / 2) {
        order_.form->error_event(writer);
        writer.finish();
        finish(order_.keep_alive ? End::kKeepAlive : End::kClose);
    } else if (facts_.sent == script_.total()) {
        order_.form->close(writer, facts_);
        writer.finish();
        finish(order_.keep_alive ? End::kKeepAlive : End::kClose);
    }
    return stage_ != Stage::kTokens;
}

Nanos Exchange::advance_tokens(Nanos now, std::string& out) {
    EventWriter events = writer(out);
    const long sent_before = facts_.sent;
    Nanos next = kNever;
    while (!stops_here(events)) {
        const Nanos due = token_due(facts_.sent);
        if (due > now || out.size() >= kOutputLimit) {
            next = std::max(due, now);
            break;
        }
        send_token(out, events);
    }
    if (facts_.sent != sent_before) {
        ledger_.count_tokens(facts_.sent - sent_before);
        timing_.last_token = real_now();
        if (sent_before == 0) timing_.first_token = timing_.last_token;
    }
    return next;
}

void Exchange::settle(bool aborted) {
    if (!order_.counted) return;
    const Outcome outcome = aborted ? Outcome::kAborted : cut_ ? Outcome::kCut : Outcome::kCompleted;
    ledger_.finish_request(outcome);
    if (!order_.stream || timing_.head == 0) return;
    timing_.key = std::move(order_.key);
    timing_.tokens = facts_.sent;
    timing_.outcome = outcome;
    ledger_.add_timing(std::move(timing_));
}

}  // namespace mock
