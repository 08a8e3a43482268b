// A provider family: how a chat request is written for it, and how its reply is read as the bytes arrive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/crypto/secret_text.hpp"
#include "core/error.hpp"
#include "core/http/transport.hpp"
#include "core/llm/chat_request.hpp"
#include "core/uuid.hpp"

namespace pgchat {

enum class ProviderKind { openai, anthropic, ollama, echo };
enum class AuthType { none, bearer, x_api_key, api_key, query };

std::optional<ProviderKind> provider_kind_from_name(std::string_view name) noexcept;
std::optional<AuthType> auth_type_from_name(std::string_view name) noexcept;

struct ProviderConfig {
    Uuid id;
    std::string name;
    ProviderKind kind = ProviderKind::openai;
    std::string base_url;
    AuthType auth = AuthType::none;
    std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
    Json options;                                              // null or object: kind-specific settings
    SecretText api_key;                                        // empty: none
    std::optional<Error> key_error;                            // why a key that is there cannot be used
    Uuid own_key_id;                                           // of a key that is the user's own; else nil
    bool trusted_host = false;
    std::size_t max_concurrent_calls = 0;  // 0: no cap
};

// Tokens as the provider counted them; absent where it did not say.
struct Usage {
    std::optional<std::int64_t> input_tokens;  // all of the prompt, cached part included
    std::optional<std::int64_t> output_tokens;
    std::optional<std::int64_t> cached_tokens;  // the part of input_tokens read from the provider's cache
};

// Where decoded text goes, piece by piece, always whole UTF-8 characters, never empty.
class ReplySink {
public:
    virtual ~ReplySink() = default;
    virtual void on_content(std::string_view text) = 0;
    virtual void on_thinking(std::string_view text) = 0;
};

// What is known of a reply besides its text.
struct ReplyInfo {
    bool ended = false;         // the provider's own end event arrived: the reply is whole
    std::string finish_reason;  // stop, length, tool_calls, content_filter, or the provider's word
    std::string model;          // as the provider names it
    Usage usage;
    Json tool_calls;             // null or OpenAI's form, arguments assembled
    bool sanitized = false;      // some bytes were not valid text and were replaced with U+FFFD
    std::optional<Error> error;  // the provider reported an error inside a 2xx reply, or sent something unreadable
};

// Reads the body of one 2xx response. Any split of the same bytes over feed() calls gives the same text and info.
class ReplyDecoder {
public:
    virtual ~ReplyDecoder() = default;
    // The next bytes. Returns false when nothing after them matters (an error was found).
    virtual bool feed(std::string_view bytes, ReplySink& sink) = 0;
    // The body has ended; flushes what is held back and completes info().
    virtual void finish(ReplySink& sink) = 0;
    virtual const ReplyInfo& info() const noexcept = 0;
};

class Provider {
public:
    virtual ~Provider() = default;
    // Where the family's own service is; empty where there is none.
    virtual std::string_view default_base_url() const noexcept { return {}; }
    // Where the provider is: its own address, else the family's.
    std::string_view base_url(const ProviderConfig& config) const noexcept {
        return config.base_url.empty() ? default_base_url() : std::string_view(config.base_url);
    }
    // The HTTP request for one chat request; `model` is the provider's own model name. Throws Error.
    // Only url, headers, body and trusted_host are filled in; time-outs and caps are the caller's.
    virtual HttpRequest encode(const ProviderConfig& config, std::string_view model, const ChatRequest& request,
                               bool stream) const = 0;
    virtual std::unique_ptr<ReplyDecoder> decoder(bool stream) const = 0;
    // What a response with a status other than 2xx means: code by status, message from the body, cut and scrubbed.
    virtual Error error_from_response(const ProviderConfig& config, int status, std::string_view body) const = 0;
};

// The provider family's singleton.
const Provider& provider_for(ProviderKind kind) noexcept;

}  // namespace pgchat
