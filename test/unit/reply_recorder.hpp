// Test support: collects what a decoder reports, and writes it down for comparison.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/llm/provider.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {

class ReplyRecorder final : public ReplySink {
public:
    void on_content(std::string_view text) override { add(content, text); }
    void on_thinking(std::string_view text) override { add(thinking, text); }

    std::string content;
    std::string thinking;

private:
    static void add(std::string& to, std::string_view text) {
        EXPECT_FALSE(text.empty());
        EXPECT_TRUE(is_clean_text(text)) << text;
        to.append(text);
    }
};

inline std::string describe(const ReplyRecorder& recorder, const ReplyInfo& info) {
    const auto count = [](const std::optional<std::int64_t>& n) { return n ? std::to_string(*n) : std::string("-"); };
    std::string text = "content=" + recorder.content + "\nthinking=" + recorder.thinking;
    text += "\nended=" + std::to_string(info.ended) + " finish=" + info.finish_reason + " model=" + info.model;
    text += "\nusage=" + count(info.usage.input_tokens) + '/' + count(info.usage.output_tokens) + '/' +
            count(info.usage.cached_tokens);
    text += "\ntool_calls=" + info.tool_calls.dump() + "\nsanitized=" + std::to_string(info.sanitized);
    if (info.error) text += std::string("\nerror=") + error_name(info.error->code()) + ": " + info.error->what();
    return text;
}

}  // namespace pgchat
