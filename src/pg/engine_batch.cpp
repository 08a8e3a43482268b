#include "pg/engine_batch.hpp"

namespace pgchat::pg {
namespace {

// A slow item lets others pass, but not so many that their answers fill the memory.
constexpr std::size_t most_ahead_per_slot = 4;

}  // namespace

std::string EngineBatch::next() {
    for (fill(); !answers_.contains(taken_); fill()) receive();
    return std::move(answers_.extract(taken_++).mapped());
}

void EngineBatch::fill() {
    while (sent_ < size_ && in_flight_ < concurrency_ && sent_ - taken_ < concurrency_ * most_ahead_per_slot)
        send(sent_++);
}

void EngineBatch::send(std::size_t index) {
    const auto item = static_cast<std::uint32_t>(index + 1);
    std::optional<Error> refusal;
    const auto write = [&](std::uint32_t number) {
        try {
            return write_(index, number, item);
        } catch (const Error& error) {
            refusal.emplace(error);
            throw;
        }
    };
    try {
        if (request_ == nullptr)
            request_ = std::make_unique<EngineRequest>(write);
        else
            request_->add(write);
        ++in_flight_;
    } catch (const Error&) {
        if (!refusal) throw;
        answers_.emplace(index, write_error(unanswered, *refusal));
    }
}

void EngineBatch::receive() {
    std::optional<FrameReader> frame = request_->next(std::chrono::milliseconds{-1});
    // The engine could not take some item at all.
    if (frame->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*frame);
    const ItemReply reply = read_item(*frame);
    answers_.emplace(reply.item - 1, reply.frame);
    if (--in_flight_ == 0) request_->done();
}

}  // namespace pgchat::pg
