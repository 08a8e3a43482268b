// Test support: an engine's listener that writes down what it is told, reads every call's events as a reader would, and
// fails the test where it is told of a call that has been released.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/engine/engine.hpp"

namespace pgchat {

// One event as text: its kind, a colon, its text.
inline std::string event_text(const StreamEvent& event) {
    return std::string(event_kind_name(event.kind)) + ":" + std::string(event.text);
}

inline std::vector<std::string> events_of(const StreamLog& log) {
    std::vector<std::string> events;
    for (std::uint32_t i = 0; i < log.size(); ++i) events.push_back(event_text(log.event(i)));
    return events;
}

class FakeListener final : public EngineListener {
public:
    void events_ready(Call& call) noexcept override {
        const Uuid id = check(call);
        ++notices;
        std::vector<std::string>& seen = events[id];
        EXPECT_LT(seen.size(), call.log().size()) << "told of events that are not new";
        for (auto i = static_cast<std::uint32_t>(seen.size()); i < call.log().size(); ++i)
            seen.push_back(event_text(call.log().event(i)));
    }
    void call_finished(Call& call) noexcept override {
        const Uuid id = check(call);
        EXPECT_TRUE(call.is_finished());
        EXPECT_TRUE(ended.insert(id).second) << "finished twice";
        finished.push_back(id);
    }
    bool may_release(Call& call) noexcept override {
        const Uuid id = check(call);
        EXPECT_TRUE(call.log().closed());
        ++asked;
        if (kept.contains(id)) return false;
        released.insert(id);
        return true;
    }
    // Publishes the ends of what has finished since the last time.
    void settle(Engine& engine) {
        for (const Uuid& id : std::exchange(finished, {})) engine.publish_end(*engine.find(id));
    }

    std::map<Uuid, std::vector<std::string>> events;
    std::vector<Uuid> finished;  // and not settled
    std::set<Uuid> ended;
    std::set<Uuid> kept;  // not to be released yet
    std::set<Uuid> released;
    int notices = 0;
    int asked = 0;

private:
    Uuid check(const Call& call) {
        const Uuid id = call.spec().request_id;
        EXPECT_FALSE(released.contains(id)) << "told of a call after its release";
        return id;
    }
};

}  // namespace pgchat
