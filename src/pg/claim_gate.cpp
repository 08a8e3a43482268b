#include "pg/claim_gate.hpp"

#include <iterator>

#include "pg/boundary.hpp"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
}

namespace pgchat::pg {
namespace {

// How long the commits of others have to bring a claim to disk.
constexpr Milliseconds patience{1};

void flush_up_to(XLogRecPtr end) {
    call([&] { XLogFlush(end); });
}

XLogRecPtr flushed_up_to() {
    return call([] { return GetFlushRecPtr(nullptr); });
}

}  // namespace

void ClaimGate::add(std::vector<CallSpec> claimed, TimePoint now) {
    if (claimed.empty()) return;
    size_ += claimed.size();
    claims_.push_back({std::move(claimed), XactLastCommitEnd, now});
}

std::vector<CallSpec> ClaimGate::take(TimePoint now, bool at_once) {
    std::vector<CallSpec> requests;
    if (claims_.empty()) return requests;
    if (at_once || claims_.front().made + patience <= now) flush_up_to(claims_.back().end);
    for (const XLogRecPtr flushed = flushed_up_to(); !claims_.empty() && claims_.front().end <= flushed;
         claims_.pop_front())
        std::move(claims_.front().requests.begin(), claims_.front().requests.end(), std::back_inserter(requests));
    size_ -= requests.size();
    return requests;
}

TimePoint ClaimGate::next_look() const noexcept {
    return claims_.front().made + patience;
}

}  // namespace pgchat::pg
