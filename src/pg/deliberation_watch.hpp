// Watching a deliberation from one session: what is new of it, as others commit it, and waiting for more.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pg/convert.hpp"
#include "pg/engine_client.hpp"

namespace pgchat::pg {

class DeliberationWatch {
public:
    // A checkpoint, with what came with it.
    struct News {
        std::int32_t seq;
        std::int32_t round_number;
        std::int64_t created_at;  // as TimestampTz
        std::optional<std::string> event, kind, phase, persona_code, name, content;
    };

    // Watches from the checkpoint after `after_seq` on.
    DeliberationWatch(const Uuid& deliberation_id, std::int32_t after_seq)
        : deliberation_id_(deliberation_id), after_seq_(after_seq) {}

    // Looks at it as it is now, and returns the next checkpoints, a limited number.
    // Throws Error not_authenticated; raises P0002 where the current user has no such deliberation.
    std::vector<News> look();

    // Of the last look: there is no more to come, now or later, unless somebody resumes it.
    bool has_ended() const noexcept { return status_ != "active" && !is_behind(); }
    // Of the last look: more is there already.
    bool is_behind() const noexcept { return after_seq_ < last_seq_; }

    // Returns when there may be something new: when the engine has stored the result of one of the calls that were open
    // at the last look, at the latest after half a second. Needs no engine: without one it is the half second.
    void wait(bool flush_client);

private:
    bool join_open_steps();
    void wait_until_taken(bool flush_client);
    void take_replies();
    std::vector<EngineRequest*> waits() const;
    void read_state();
    std::vector<News> read_news();

    Uuid deliberation_id_;
    std::int32_t after_seq_;
    std::string status_;
    std::int32_t last_seq_ = 0;
    std::vector<Uuid> open_steps_;
    // By step; null where the engine has said that it ended, which is not asked again.
    std::map<Uuid, std::unique_ptr<EngineRequest>> waits_;
};

}  // namespace pgchat::pg
