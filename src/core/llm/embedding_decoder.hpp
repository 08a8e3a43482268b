// Reads a reply with embeddings: OpenAI's form or Ollama's, whichever it turns out to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/llm/json_reader.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

class EmbeddingDecoder final : public ReplyDecoder {
public:
    // `count` vectors are expected, all of one length.
    explicit EmbeddingDecoder(std::size_t count) : count_(count) {}

    bool feed(std::string_view bytes, ReplySink& sink) override;
    void finish(ReplySink& sink) override;
    const ReplyInfo& info() const noexcept override { return info_; }

private:
    void extract(ondemand::object document);
    void extract_data(ondemand::array data);
    void add(std::size_t index, ondemand::array vector);
    bool is_whole() const noexcept;

    std::size_t count_;
    std::string document_;
    std::vector<std::string> vectors_;  // packed, by index
    bool is_sound_ = true;
    bool has_error_ = false;
    ReplyInfo info_;
};

}  // namespace pgchat
