#include "pg/engine_wait.hpp"

#include <algorithm>

#include "pg/boundary.hpp"
#include "pg/compat.hpp"

extern "C" {
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
}

namespace pgchat::pg {
namespace {

// However far the next deadline is, the loop looks around once in this time.
constexpr Milliseconds longest_sleep{5000};

WaitEventSet* create_set(int events) noexcept {
#if PG_VERSION_NUM >= 170000
    return CreateWaitEventSet(nullptr, events);
#else
    return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

}  // namespace

EngineWait::EngineWait(int descriptor) : event_(wait_event("PgchatEngineMain")) {
    set_ = call([&] {
        WaitEventSet* const set = create_set(3);
        AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
        AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
        AddWaitEventToSet(set, WL_SOCKET_READABLE, descriptor, nullptr, nullptr);
        return set;
    });
}

void EngineWait::sleep(TimePoint now, TimePoint until) {
    const Milliseconds left = std::chrono::ceil<Milliseconds>(until - now);
    const long timeout = std::clamp(left, Milliseconds{0}, longest_sleep).count();
    call([&] {
        WaitEvent events[3];
        WaitEventSetWait(set_, timeout, events, 3, event_);
        ResetLatch(MyLatch);
        // A cancellation ends a statement of the engine, never the engine.
        QueryCancelPending = false;
        CHECK_FOR_INTERRUPTS();
    });
}

}  // namespace pgchat::pg
