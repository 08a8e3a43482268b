#include "core/engine/token_estimate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/llm/json.hpp"

namespace pgchat {
namespace {

// More than any of the large providers counts for one image.
constexpr std::int64_t image_tokens = 2'000;
// Reserved where the request does not limit its reply.
constexpr std::int64_t usual_output_tokens = 4'096;
constexpr std::int64_t most_output_tokens = 10'000'000;
constexpr std::int64_t most_replies = 1'000;

std::int64_t json_tokens(const Json& json) {
    if (json.is_null()) return 0;
    return estimated_tokens(json.dump(-1, ' ', false, Json::error_handler_t::replace).size());
}

// A count as providers may take it: also written as a fraction or as text.
std::optional<std::int64_t> count_of(const Json& value) {
    double number = 0;
    if (value.is_number()) {
        number = value.get<double>();
    } else if (value.is_string()) {
        const std::string& text = value.get_ref<const std::string&>();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (read.ec == std::errc::result_out_of_range) number = most_output_tokens;
        if (read.ec == std::errc::invalid_argument) return std::nullopt;
    } else {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(std::clamp(std::ceil(number), 0.0, static_cast<double>(most_output_tokens)));
}

// What a request body says of the length and number of replies, wherever in it.
struct BodyLimits {
    std::int64_t tokens = 0;
    std::int64_t replies = 1;

    void read(const Json& json) {
        constexpr std::array<std::string_view, 6> lengths{
            "max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict", "n_predict", "budget_tokens"};
        if (!json.is_structured()) return;
        for (const auto& [name, value] : json.items()) {
            if (const std::optional<std::int64_t> number = json.is_object() ? count_of(value) : std::nullopt) {
                if (std::find(lengths.begin(), lengths.end(), name) != lengths.end())
                    tokens = std::max(tokens, *number);
                if (name == "n" || name == "best_of")
                    replies = std::clamp<std::int64_t>(*number, replies, most_replies);
            }
            read(value);
        }
    }
};

}  // namespace

std::int64_t estimated_input_tokens(const ChatRequest& request) {
    std::size_t bytes = request.system_prompt.size();
    std::size_t images = request.options.images.size();
    std::int64_t tokens = json_tokens(request.options.tools) + json_tokens(request.response_format);
    for (const ChatMessage& message : request.messages) {
        bytes += message.content.size();
        images += message.images.size();
        tokens += json_tokens(message.tool_calls);
    }
    return tokens + estimated_tokens(bytes) + static_cast<std::int64_t>(images) * image_tokens;
}

OutputEstimate estimated_output_tokens(const ChatOptions& options, std::int64_t standard) {
    OutputEstimate estimate;
    estimate.is_limit = options.max_tokens.has_value();
    estimate.tokens = std::clamp<std::int64_t>(options.max_tokens.value_or(std::max(usual_output_tokens, standard)), 0,
                                               most_output_tokens);
    // Thought is written, too: where nothing else limits the reply, the encoders allow it on top.
    BodyLimits thinking;
    thinking.read(options.thinking);
    if (!options.max_tokens && thinking.tokens > 0) {
        estimate.tokens += thinking.tokens;
        estimate.is_limit = true;
    }
    if (!options.extra.is_object()) return estimate;
    BodyLimits body;
    body.read(options.extra);
    if (body.tokens > estimate.tokens || body.replies > 1) {
        estimate.tokens = std::max(body.tokens, estimate.tokens) * body.replies;
        estimate.is_limit = true;
    }
    return estimate;
}

}  // namespace pgchat
