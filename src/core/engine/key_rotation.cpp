#include "core/engine/key_rotation.hpp"

#include <algorithm>

#include "core/llm/json.hpp"
#include "core/text/hex.hpp"

namespace pgchat {
namespace {

// After a lock that was met, or a failure.
constexpr Milliseconds look_again_delay{250};
// How often is looked whether other databases have finished.
constexpr Milliseconds others_delay{10'000};

}  // namespace

std::string RotationProgress::to_json() const {
    return Json{{"key_id", hex_of(key_id)}, {"old_keys", old_keys},          {"rows_resealed", resealed},
                {"rows_left", left},        {"rows_unreadable", unreadable}, {"is_finished", is_finished}}
        .dump();
}

void KeyRotation::begin() {
    const std::vector<std::string> before = key_ids_;
    vault_.rotate();
    adopt_keys();
    if (key_ids_ != before) store_.announce();
}

void KeyRotation::keys_changed() {
    vault_.forget_keys();
    vault_.look();
    adopt_keys();
}

// Begins anew unless there are the same keys as before, or fewer.
void KeyRotation::adopt_keys() {
    std::vector<std::string> ids = vault_.key_ids();
    if (ids.empty() || ids == key_ids_) return;
    const auto was_there = [&](const std::string& id) {
        return std::find(key_ids_.begin(), key_ids_.end(), id) != key_ids_.end();
    };
    const bool are_fewer =
        was_there(ids.front()) && ids.front() == key_ids_.front() && std::all_of(ids.begin(), ids.end(), was_there);
    key_ids_ = std::move(ids);
    if (are_fewer) return;
    phase_ = Phase::waiting;
    not_before_ = {};
    resealed_ = unreadable_ = 0;
}

RotationProgress KeyRotation::progress() {
    RotationProgress progress;
    progress.key_id = vault_.current_key_id();
    adopt_keys();
    const std::vector<std::string> old_ids = vault_.old_key_ids();
    progress.old_keys = old_ids.size();
    const std::optional<SealedStore::Counts> counts = store_.count(vault_.key_ids());
    if (!counts)
        throw Error(ErrorCode::engine_unavailable, "the sealed secrets cannot be counted now",
                    "Try again; if it goes on, see the server log for locks.");
    progress.resealed = resealed_;
    // Those of a key that was dropped since are counted with the other keys.
    const std::int64_t unreadable = std::min(unreadable_, counts->with_old_keys);
    progress.unreadable = unreadable + counts->with_other_keys;
    progress.left = counts->with_old_keys - unreadable;
    progress.is_finished = old_ids.empty() || phase_ == Phase::done;
    return progress;
}

std::optional<TimePoint> KeyRotation::next_run() const {
    return vault_.has_old_keys() ? std::optional(not_before_) : std::nullopt;
}

void KeyRotation::run() {
    if (!vault_.has_old_keys()) return;
    adopt_keys();
    if (clock_.now() < not_before_) return;
    switch (phase_) {
        case Phase::waiting:
            if (!store_.is_quiet()) return pause(look_again_delay);
            store_.rewind();
            unreadable_ = 0;
            phase_ = Phase::sealing;
            return;
        case Phase::sealing:
            return seal_page();
        case Phase::counting:
            return count();
        case Phase::done:
            return finish();
    }
}

void KeyRotation::seal_page() {
    std::int64_t resealed = 0;
    std::int64_t unreadable = 0;
    const SealedStore::Page page = store_.next_page([&](const SealPlace& place, std::string_view sealed) {
        try {
            std::optional<std::string> anew = vault_.reseal(place, sealed);
            resealed += anew.has_value();
            return anew;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::unsealing_failed) throw;
            ++unreadable;
            return std::optional<std::string>();
        }
    });
    if (page == SealedStore::Page::failed) return pause(look_again_delay);
    resealed_ += resealed;
    unreadable_ += unreadable;
    if (page == SealedStore::Page::last) phase_ = Phase::counting;
}

// A row that was locked was passed over, and is found in a further pass.
void KeyRotation::count() {
    const std::optional<SealedStore::Counts> counts = store_.count(vault_.key_ids());
    if (!counts) return pause(look_again_delay);
    const bool all_done = counts->with_old_keys <= unreadable_;
    phase_ = all_done ? Phase::done : Phase::waiting;
    all_done ? finish() : pause(look_again_delay);
}

void KeyRotation::finish() {
    if (store_.all_sealed_with(vault_.current_key_id()) && vault_.drop_old_keys()) {
        store_.announce();
        return;
    }
    pause(others_delay);
}

}  // namespace pgchat
