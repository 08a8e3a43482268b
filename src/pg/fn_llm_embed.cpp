// SQL functions that have a model turn texts into vectors.
#include "core/crypto/uuid_v7.hpp"
#include "core/llm/embedding_request.hpp"
#include "core/text/blank.hpp"
#include "pg/engine_batch.hpp"
#include "pg/llm_arguments.hpp"
#include "pg/query_as.hpp"
#include "pg/value_per_call.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// Providers take many texts in one request, but not any number; several requests are in flight at once.
constexpr std::size_t most_texts_per_call = 128;
constexpr std::size_t most_bytes_per_call = 256 * 1024;
constexpr std::size_t concurrency = 8;

// The settings of (input, model, options, timeout_ms), as texts of their own: arguments do not outlive the first row.
class EmbeddingSettings {
public:
    explicit EmbeddingSettings(const Args& args)
        : user_id_(calling_user()),
          model_(args.text_at(1)),
          options_(args.json_at(2)),
          timeout_ms_(timeout_argument(args, 3)) {
        require_room_in_plan(user_id_);
        check_embedding_options(options_, ChatRequestLimits{}.max_nesting);
        if (args.is_null(1)) model_ = default_model();
        if (model_.empty())
            throw Error(ErrorCode::unknown_model, "model must not be the empty text",
                        "NULL stands for the default embedding model.");
    }

    // The request for texts, given as a JSON array that must outlive it.
    CompleteRequest request(std::string_view inputs, std::uint32_t item) const {
        CompleteRequest request;
        request.user_id = user_id_;
        request.request_id = uuid_v7();
        request.item = item;
        request.timeout_ms = timeout_ms_;
        request.model = model_;
        request.text.embeds = true;
        request.text.messages = inputs;
        request.text.options = options_;
        return request;
    }

private:
    static std::string default_model() {
        const char* const name =
            query_text_as("pgchat_owner", "SELECT chat_private.setting_text('default_embedding_model')");
        if (name == nullptr)
            throw Error(
                ErrorCode::no_default_model, "no model was named and there is no default embedding model",
                "An administrator sets one with chat.admin_set_setting('default_embedding_model', '\"name\"').");
        return name;
    }

    Uuid user_id_;
    std::string model_, options_;
    std::int64_t timeout_ms_;
};

Datum real_array(std::string_view components) {
    const auto count = components.size() / sizeof(float);
    return call([&] {
        auto* const elements = static_cast<Datum*>(palloc(count * sizeof(Datum)));
        for (std::size_t i = 0; i < count; ++i) {
            float component;
            std::memcpy(&component, components.data() + i * sizeof component, sizeof component);
            elements[i] = Float4GetDatum(component);
        }
        return PointerGetDatum(
            construct_array(elements, static_cast<int>(count), FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
    });
}

// The rows of chat.llm_embed for an array.
class EmbeddingRows {
public:
    EmbeddingRows(const Args& args, std::vector<std::optional<std::string>> inputs)
        : settings_(args),
          inputs_(std::move(inputs)),
          ends_(ends_of_calls(inputs_)),
          batch_(ends_.size(), concurrency, [this](std::size_t index, std::uint32_t number, std::uint32_t item) {
              return write(index, number, item);
          }) {}

    bool next(Datum* values, bool* nulls) {
        if (row_ == is_null_.size()) return false;
        nulls[1] = is_null_[row_];
        if (!nulls[1]) values[1] = next_vector();
        values[0] = Int32GetDatum(static_cast<std::int32_t>(++row_));
        return true;
    }

private:
    // Where the texts of each call end; what has no text is refused, or is nobody's.
    std::vector<std::size_t> ends_of_calls(const std::vector<std::optional<std::string>>& inputs) {
        std::vector<std::size_t> ends;
        std::size_t texts = 0, bytes = 0;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            is_null_.push_back(!inputs[i]);
            if (!inputs[i]) continue;
            if (is_blank_text(*inputs[i]))
                throw Error(ErrorCode::empty_content, "text " + std::to_string(i + 1) + " of inputs is empty",
                            "A text needs some characters; NULL has no embedding.");
            if (texts > 0 && (texts == most_texts_per_call || bytes + inputs[i]->size() > most_bytes_per_call)) {
                ends.push_back(i);
                texts = bytes = 0;
            }
            ++texts;
            bytes += inputs[i]->size();
        }
        if (texts > 0) ends.push_back(inputs.size());
        return ends;
    }

    std::string write(std::size_t index, std::uint32_t number, std::uint32_t item) {
        Json texts = Json::array();
        for (std::size_t i = index == 0 ? 0 : ends_[index - 1]; i < ends_[index]; ++i)
            if (const auto text = std::exchange(inputs_[i], std::nullopt)) texts.push_back(*text);
        counts_.push_back(texts.size());
        const std::string inputs = texts.dump(-1, ' ', false, Json::error_handler_t::replace);
        return write_complete(number, settings_.request(inputs, item));
    }

    Datum next_vector() {
        if (left_ == 0) {
            frame_ = batch_.next();
            FrameReader frame(frame_);
            if (frame.kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(frame);
            const CompleteReply reply = read_result(frame);
            if (reply.status != CallStatus::complete) throw *reply.error;
            vectors_ = reply.embeddings;
            left_ = counts_[calls_read_++];
        }
        const std::string_view vector = vectors_.substr(0, vectors_.size() / left_--);
        vectors_.remove_prefix(vector.size());
        return real_array(vector);
    }

    EmbeddingSettings settings_;
    std::vector<std::optional<std::string>> inputs_;  // each until it is sent
    std::vector<bool> is_null_;                       // of each input
    std::vector<std::size_t> ends_;
    std::vector<std::size_t> counts_;  // texts of each call that was sent
    EngineBatch batch_;
    std::string frame_;
    std::string_view vectors_;  // into the frame, of texts not yet handed out
    std::size_t left_ = 0;      // how many there are
    std::size_t calls_read_ = 0;
    std::size_t row_ = 0;
};

Datum embed_one(const Args& args) {
    args.require(0, "input");
    const std::string_view input = args.text_at(0);
    if (is_blank_text(input)) throw Error(ErrorCode::empty_content, "the input is empty", "It needs some text.");
    const EmbeddingSettings settings(args);
    const std::string inputs = Json::array({input}).dump(-1, ' ', false, Json::error_handler_t::replace);
    return complete(settings.request(inputs, 0),
                    [](const CompleteReply& reply) { return real_array(reply.embeddings); });
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_llm_embed_text);
PG_FUNCTION_INFO_V1(pgchat_llm_embed_texts);

Datum pgchat_llm_embed_text(PG_FUNCTION_ARGS) {
    return entry([&] { return embed_one(Args(fcinfo)); });
}

Datum pgchat_llm_embed_texts(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<EmbeddingRows>(fcinfo, [&] {
            const Args args(fcinfo);
            args.require(0, "inputs");
            return std::make_unique<EmbeddingRows>(args, args.texts_at(0));
        });
    });
}

}  // extern "C"
