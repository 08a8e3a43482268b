#include "pg/sealing.hpp"

#include "core/engine/secret_frames.hpp"
#include "pg/engine_client.hpp"

namespace pgchat::pg {
namespace {

// Longer than the engine lets pgchat.master_key_command take.
constexpr std::chrono::milliseconds longest_wait{20'000};

[[noreturn]] void throw_unavailable() {
    throw Error(ErrorCode::engine_unavailable, "the pgchat engine gave no answer",
                "It is started again by itself where it has ended; try again shortly.");
}

std::string ask(const EngineRequest::Write& write) {
    try {
        EngineRequest request(write);
        std::optional<FrameReader> reply = request.next(longest_wait);
        if (!reply) throw_unavailable();
        request.done();
        if (reply->kind() == static_cast<std::uint8_t>(ReplyKind::error)) throw read_error(*reply);
        return std::string(read_answer(*reply));
    } catch (const Error& error) {
        if (error.code() == ErrorCode::outcome_unknown) throw_unavailable();
        throw;
    }
}

}  // namespace

std::string seal(const SealPlace& place, std::string_view secret) {
    return ask([&](std::uint32_t number) { return write_seal(number, {place, secret}); });
}

std::optional<std::int64_t> check_totp_code(const Uuid& user_id, const Uuid& factor_id, const TotpScheme& scheme,
                                            std::string_view sealed_key, std::string_view code) {
    const std::string step = ask([&](std::uint32_t number) {
        return write_totp_check(number, {user_id, factor_id, scheme, sealed_key, code});
    });
    return step.empty() ? std::nullopt : std::optional<std::int64_t>(std::stoll(step));
}

}  // namespace pgchat::pg
