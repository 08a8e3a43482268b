// What the mock provider saw, by request key (the last user message, where it begins with `key:`).
#pragma once

#include <curl/curl.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace bench {

// Times in ns of CLOCK_REALTIME; of a request that does not stream, only `requested` is known.
struct Seen {
    int64_t requested = 0;
    int64_t first_token = 0;
    int64_t last_token = 0;
};

inline std::string fetch(const std::string& url) {
    std::string body;
    CURL* const curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(
        curl, CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* to) {
            static_cast<std::string*>(to)->append(data, size * count);
            return size * count;
        });
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) throw std::runtime_error(url + ": " + curl_easy_strerror(code));
    return body;
}

inline void add_seen(std::unordered_map<std::string, Seen>& seen, const std::string& key, const Seen& times) {
    if (!seen.emplace(key, times).second) throw std::runtime_error("the provider was asked twice for " + key);
}

// The last `count` streams.
inline std::unordered_map<std::string, Seen> seen_streams(const std::string& port, size_t count) {
    std::unordered_map<std::string, Seen> seen;
    for (const auto& t :
         nlohmann::json::parse(fetch("http://127.0.0.1:" + port + "/timing?last=" + std::to_string(count))))
        add_seen(seen, t["key"], {t["requested_ns"], t["first_token_ns"], t["last_token_ns"]});
    return seen;
}

// The last `count` requests, streaming or not.
inline std::unordered_map<std::string, Seen> seen_requests(const std::string& port, size_t count) {
    std::unordered_map<std::string, Seen> seen;
    for (const auto& r :
         nlohmann::json::parse(fetch("http://127.0.0.1:" + port + "/requests?last=" + std::to_string(count)))) {
        const auto body = nlohmann::json::parse(r["body"].get<std::string>());
        add_seen(seen, body["messages"].back()["content"], {r["time_ns"], 0, 0});
    }
    return seen;
}

}  // namespace bench
