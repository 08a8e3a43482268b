// chat.llm_complete_batch: many prompts at once from one statement, answered row by row in their order.
#include "core/crypto/uuid_v7.hpp"
#include "core/engine/completion_json.hpp"
#include "core/llm/chat_options.hpp"
#include "pg/engine_batch.hpp"
#include "pg/llm_arguments.hpp"
#include "pg/value_per_call.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

constexpr int default_concurrency = 256;

// The settings of every call of one batch, as texts of their own: arguments do not outlive the first row.
class BatchSettings {
public:
    explicit BatchSettings(const Args& args) : user_id_(calling_user()) {
        require_room_in_plan(user_id_);
        CompleteRequest request;
        read_settings(args, request);
        // What is wrong for every row is no row's error.
        parse_chat_options(request.text.options);
        parse_response_format(request.text.response_format);
        timeout_ms_ = request.timeout_ms;
        model_ = request.model;
        system_prompt_ = request.text.system_prompt;
        response_format_ = request.text.response_format;
        options_ = request.text.options;
    }

    // The request for one prompt, which must outlive it.
    CompleteRequest request(std::string_view prompt, std::uint32_t item) const {
        CompleteRequest request;
        request.user_id = user_id_;
        request.request_id = uuid_v7();
        request.item = item;
        request.timeout_ms = timeout_ms_;
        request.model = model_;
        request.text.prompt = prompt;
        request.text.system_prompt = system_prompt_;
        request.text.response_format = response_format_;
        request.text.options = options_;
        return request;
    }

private:
    Uuid user_id_;
    std::int64_t timeout_ms_ = 0;
    std::string model_, system_prompt_, response_format_, options_;
};

class BatchRows {
public:
    BatchRows(const Args& args, std::vector<std::optional<std::string>> prompts, std::size_t concurrency)
        : settings_(args),
          prompts_(std::move(prompts)),
          batch_(prompts_.size(), concurrency, [this](std::size_t index, std::uint32_t number, std::uint32_t item) {
              return write(index, number, item);
          }) {}

    bool next(Datum* values, bool* nulls) {
        if (batch_.at_end()) return false;
        const std::string bytes = batch_.next();
        values[0] = Int32GetDatum(++row_);
        FrameReader frame(bytes);
        if (frame.kind() == static_cast<std::uint8_t>(ReplyKind::error)) {
            set(values, nulls, {}, read_error(frame));
        } else {
            const CompleteReply reply = read_result(frame);
            set(values, nulls, reply.content, reply.error);
        }
        return true;
    }

private:
    std::string write(std::size_t index, std::uint32_t number, std::uint32_t item) {
        const std::optional<std::string> prompt = std::exchange(prompts_[index], std::nullopt);
        if (!prompt) throw Error(ErrorCode::null_argument, "the prompt is null", "A prompt needs some text.");
        require_prompt(*prompt);
        return write_complete(number, settings_.request(*prompt, item));
    }

    // The text that came before a failure is shown beside the error.
    static void set(Datum* values, bool* nulls, std::string_view text, const std::optional<Error>& error) {
        nulls[1] = error && text.empty();
        if (!nulls[1]) values[1] = text_datum(text);
        nulls[2] = !error;
        if (error) values[2] = jsonb_datum(error_json(*error).c_str());
    }

    BatchSettings settings_;
    std::vector<std::optional<std::string>> prompts_;  // each until it is sent
    EngineBatch batch_;
    std::int32_t row_ = 0;
};

// As each is held in the engine, beside those of all others.
constexpr int most_concurrent = 1000;

std::size_t concurrency_argument(const Args& args, int index) {
    const int concurrency = args.int32_at(index, default_concurrency);
    if (concurrency <= 0 || concurrency > most_concurrent)
        throw Error(
            ErrorCode::invalid_argument, "concurrency must be from 1 to " + std::to_string(most_concurrent),
            "It is how many calls are in flight at once; NULL stands for " + std::to_string(default_concurrency) + ".");
    return static_cast<std::size_t>(concurrency);
}

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_llm_complete_batch);

Datum pgchat_llm_complete_batch(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<BatchRows>(fcinfo, [&] {
            const Args args(fcinfo);
            args.require(0, "prompts");
            return std::make_unique<BatchRows>(args, args.texts_at(0), concurrency_argument(args, 6));
        });
    });
}

}  // extern "C"
