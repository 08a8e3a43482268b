#include "pg/sealing.hpp"

#include "core/engine/secret_frames.hpp"
#include "pg/engine_client.hpp"
#include "pg/shared_state.hpp"

extern "C" {
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
}

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

// The lock of everybody who seals, on the extension; dropping that waits for them as well.
LOCKTAG sealing_lock() {
    LOCKTAG tag;
    const Oid extension = call([] { return get_extension_oid("pgchat", false); });
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension, 0);
    return tag;
}

}  // namespace

std::string seal(const SealPlace& place, std::string_view secret) {
    const LOCKTAG tag = sealing_lock();
    call([&] { LockAcquire(&tag, RowExclusiveLock, false, false); });
    return ask([&](std::uint32_t number) {
        EngineSlot* const slot = find_engine(MyDatabaseId);
        if (slot == nullptr) throw_unavailable();
        const std::string envelope = put_in_envelope(slot->envelope_address, secret);
        return write_seal(number, {place, envelope});
    });
}

std::optional<std::int64_t> check_totp_code(const Uuid& user_id, const Uuid& factor_id, const TotpScheme& scheme,
                                            std::string_view sealed_key, std::string_view code) {
    const std::string step = ask([&](std::uint32_t number) {
        return write_totp_check(number, {user_id, factor_id, scheme, sealed_key, code});
    });
    return step.empty() ? std::nullopt : std::optional<std::int64_t>(std::stoll(step));
}

std::string check_webhook(const Uuid& row_id, std::string_view sealed_secret, std::string_view header,
                          std::string_view body, std::int64_t tolerance) {
    return ask([&](std::uint32_t number) {
        return write_webhook_check(number, {row_id, sealed_secret, header, body, tolerance});
    });
}

bool nobody_seals() {
    const LOCKTAG tag = sealing_lock();
    return call([&] { return LockAcquire(&tag, ShareLock, false, true); }) != LOCKACQUIRE_NOT_AVAIL;
}

std::string master_key_state(bool rotate) {
    const SecretAct act = rotate ? SecretAct::rotate_master_key : SecretAct::master_key_status;
    return ask([&](std::uint32_t number) { return write_secret_act(number, act); });
}

}  // namespace pgchat::pg
