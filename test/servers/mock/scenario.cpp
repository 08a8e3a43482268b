// The table of scenario parameters and the query string reader.
#include "scenario.hpp"

#include <charconv>
#include <functional>
#include <string>
#include <unordered_map>

namespace mock {
namespace {

// Sets one parameter from its decoded value; false where the value makes no sense.
using Setter = std::function<bool(Scenario&, const std::string&)>;

template <typename Number>
bool read_number(const std::string& value, Number& number) {
    Number parsed{};
    const char* end = value.data() + value.size();
    const auto result = std::from_chars(value.data(), end, parsed);
    if (result.ec != std::errc() || result.ptr != end || parsed < 0) return false;
    number = parsed;
    return true;
}

template <typename Number>
Setter number(Number Scenario::*member) {
    return [member](Scenario& s, const std::string& value) { return read_number(value, s.*member); };
}

Setter flag(bool Scenario::*member) {
    return [member](Scenario& s, const std::string& value) {
        s.*member = value == "1";
        return value == "0" || value == "1";
    };
}

Setter text(std::string Scenario::*member) {
    return [member](Scenario& s, const std::string& value) {
        s.*member = value;
        return true;
    };
}

bool set_tokens(Scenario& s, const std::string& value) {
    s.tokens_given = true;
    return read_number(value, s.tokens);
}

bool set_hang(Scenario& s, const std::string& value) {
    static const std::unordered_map<std::string, Hang> kKinds = {
        {"no", Hang::kNo}, {"accept", Hang::kAccept}, {"head", Hang::kHead}, {"body", Hang::kBody}};
    const auto found = kKinds.find(value);
    if (found == kKinds.end()) return false;
    s.hang = found->second;
    return true;
}

const std::unordered_map<std::string, Setter>& setters() {
    static const std::unordered_map<std::string, Setter> kSetters = {
        {"latency_ms", number(&Scenario::latency_ms)},
        {"first_token_ms", number(&Scenario::first_token_ms)},
        {"rate", number(&Scenario::rate)},
        {"slow_bytes_ms", number(&Scenario::slow_bytes_ms)},
        {"tokens", set_tokens},
        {"text", text(&Scenario::text)},
        {"json", text(&Scenario::json)},
        {"echo", flag(&Scenario::echo)},
        {"stamp", flag(&Scenario::stamp)},
        {"endless", flag(&Scenario::endless)},
        {"thinking", number(&Scenario::thinking)},
        {"tool", number(&Scenario::tool)},
        {"tool_name", text(&Scenario::tool_name)},
        {"tool_args", text(&Scenario::tool_args)},
        {"finish", text(&Scenario::finish)},
        {"dims", number(&Scenario::dims)},
        {"usage", flag(&Scenario::usage)},
        {"done", flag(&Scenario::done)},
        {"crlf", flag(&Scenario::crlf)},
        {"content_length", flag(&Scenario::chunked)},
        {"badutf8", flag(&Scenario::badutf8)},
        {"nul", flag(&Scenario::nul)},
        {"surrogate", flag(&Scenario::surrogate)},
        {"status", number(&Scenario::status)},
        {"retry_after", text(&Scenario::retry_after)},
        {"retry_after_date", number(&Scenario::retry_after_date)},
        {"redirect", text(&Scenario::redirect)},
        {"hang", set_hang},
        {"truncate", number(&Scenario::truncate)},
        {"reset", flag(&Scenario::reset)},
        {"garbage", flag(&Scenario::garbage)},
        {"html", flag(&Scenario::html)},
        {"error_mid", flag(&Scenario::error_mid)},
        {"fail_times", number(&Scenario::fail_times)},
        {"key", text(&Scenario::key)},
    };
    return kSetters;
}

}  // namespace

void Scenario::clear_faults() {
    status = 0;
    redirect.clear();
    hang = Hang::kNo;
    truncate = -1;
    reset = garbage = html = error_mid = false;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string apply_query(std::string_view query, Scenario& scenario) {
    while (!query.empty()) {
        const size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty()) continue;
        const size_t equals = pair.find('=');
        const std::string name = percent_decode(pair.substr(0, equals));
        const std::string value = equals == std::string_view::npos ? "1" : percent_decode(pair.substr(equals + 1));
        const auto setter = setters().find(name);
        if (setter == setters().end()) return "unknown scenario parameter: " + name;
        if (!setter->second(scenario, value)) return "bad value of scenario parameter " + name + ": " + value;
    }
    return {};
}

}  // namespace mock
