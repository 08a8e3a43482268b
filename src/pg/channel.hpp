// The shared-memory connection between one backend and the engine of its database: two message queues and a place for
// the numbers of abandoned requests.
#pragma once

#include "pg/shared_state.hpp"

extern "C" {
#include "storage/shm_mq.h"
}

namespace pgchat::pg {

struct ChannelHeader {
    // Requests whose reader is gone, by number; 0 marks a free place. Written by the backend, cleared by the engine.
    pg_atomic_uint32 abandoned[32];
    // How many frames each side has begun to send. A receiver looks into its queue only while it has taken fewer: a
    // look that finds nothing would wake the sender to tell it so.
    pg_atomic_uint32 requests_sent;
    pg_atomic_uint32 replies_sent;
    // How many requests the engine has taken out of the queue: those happen, whoever goes away.
    pg_atomic_uint32 requests_taken;
    // The backend could not say which requests it abandons: all of them.
    pg_atomic_uint32 closed;
};

inline constexpr Size request_queue_size = 16 * 1024;
inline constexpr Size reply_queue_size = 64 * 1024;
// A gateway reads all streams: it must be able to fall a tick behind without making them wait.
inline constexpr Size gateway_reply_queue_size = 1024 * 1024;

// Where the parts lie in the segment.
struct ChannelLayout {
    static constexpr Size requests = MAXALIGN(sizeof(ChannelHeader));
    static constexpr Size replies = requests + request_queue_size;
};

inline ChannelHeader* header_of(dsm_segment* segment) noexcept {
    return static_cast<ChannelHeader*>(dsm_segment_address(segment));
}

inline shm_mq* request_queue_of(dsm_segment* segment) noexcept {
    return reinterpret_cast<shm_mq*>(static_cast<char*>(dsm_segment_address(segment)) + ChannelLayout::requests);
}

inline shm_mq* reply_queue_of(dsm_segment* segment) noexcept {
    return reinterpret_cast<shm_mq*>(static_cast<char*>(dsm_segment_address(segment)) + ChannelLayout::replies);
}

}  // namespace pgchat::pg
