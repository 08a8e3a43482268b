#include "core/llm/embedding_decoder.hpp"

#include <cmath>

#include "core/llm/provider_error.hpp"

namespace pgchat {
namespace {

using Type = ondemand::json_type;

}  // namespace

bool EmbeddingDecoder::feed(std::string_view bytes, ReplySink&) {
    document_.append(bytes);
    return true;
}

void EmbeddingDecoder::finish(ReplySink&) {
    const auto outcome =
        JsonReader::for_this_thread().read(document_, [this](ondemand::object document) { extract(document); });
    if (outcome == JsonReader::Outcome::unreadable) {
        info_.error.emplace(unreadable_reply_error(document_));
    } else if (has_error_) {
        info_.error.emplace(provider_reply_error(document_));
    } else if (!is_whole()) {
        info_.error.emplace(ErrorCode::provider_bad_response,
                            "the reply does not have one embedding for each text, all of one length");
    } else {
        for (const std::string& vector : vectors_) info_.embeddings += vector;
        info_.finish_reason = "stop";
        info_.ended = true;
    }
    document_ = {};
    vectors_ = {};
}

bool EmbeddingDecoder::is_whole() const noexcept {
    for (const std::string& vector : vectors_)
        if (vector.empty() || vector.size() != vectors_.front().size()) return false;
    return is_sound_ && vectors_.size() == count_;
}

void EmbeddingDecoder::extract(ondemand::object document) {
    vectors_.assign(count_, {});
    is_sound_ = true;
    has_error_ = false;
    info_.usage = {};
    for (auto field : document) {
        const ondemand::raw_json_string key = field.key();
        ondemand::value value = field.value();
        const Type type = value.type();
        if (key == "data" && type == Type::array) {
            extract_data(value.get_array());
        } else if (key == "embeddings" && type == Type::array) {
            std::size_t index = 0;
            for (auto vector : value.get_array()) add(index++, vector.get_array());
        } else if (key == "usage" && type == Type::object) {
            for (auto detail : value.get_object())
                if (detail.key() == "prompt_tokens") info_.usage.input_tokens = json_count(detail.value());
        } else if (key == "prompt_eval_count") {
            info_.usage.input_tokens = json_count(value);
        } else if (key == "model") {
            info_.model = json_text_or_empty(value);
        } else if (key == "error") {
            has_error_ = type != Type::null;
        }
    }
}

// {"index": n, "embedding": […]}, in any order; without an index, in the order they come.
void EmbeddingDecoder::extract_data(ondemand::array data) {
    std::size_t position = 0;
    for (auto element : data) {
        ondemand::object object = element.get_object();
        std::size_t index = position++;
        // Found in whichever order they are written: an object is searched in a circle.
        ondemand::value named;
        if (!object["index"].get(named)) {
            const std::optional<std::int64_t> given = json_count(named);
            is_sound_ = is_sound_ && given;
            index = static_cast<std::size_t>(given.value_or(0));
        }
        add(index, object["embedding"].get_array());
    }
}

void EmbeddingDecoder::add(std::size_t index, ondemand::array vector) {
    if (index >= count_ || !vectors_[index].empty()) {
        is_sound_ = false;
        return;
    }
    for (auto component : vector) {
        const auto number = static_cast<float>(double(component.get_double()));
        is_sound_ = is_sound_ && std::isfinite(number);
        vectors_[index].append(reinterpret_cast<const char*>(&number), sizeof number);
    }
}

}  // namespace pgchat
