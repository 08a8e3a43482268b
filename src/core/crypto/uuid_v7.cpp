// UUID version 7: time that never goes back, and random bits drawn some kilobytes at a time.
#include "core/crypto/uuid_v7.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>

#include "core/crypto/random_bytes.hpp"

namespace pgchat {
namespace {

// How many forks lie between this process and the one that loaded the code. A counter kept by pthread_atfork, because
// asking for the process id is a system call.
std::atomic<std::uint64_t> forks{0};

void count_fork() {
    forks.fetch_add(1, std::memory_order_relaxed);
}

[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, count_fork);

std::int64_t system_nanoseconds() noexcept {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
}

}  // namespace

UuidV7Generator::UuidV7Generator(UnixNanoseconds now) : now_(now) {}

std::uint64_t UuidV7Generator::next_time() {
    const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(now_(), 0));
    const std::uint64_t milliseconds = nanoseconds / 1'000'000;
    const std::uint64_t fraction = nanoseconds % 1'000'000 * 4096 / 1'000'000;
    last_time_ = std::max(milliseconds << 12 | fraction, last_time_ + 1);
    return last_time_;
}

std::uint64_t UuidV7Generator::next_random() {
    const std::uint64_t fork_count = forks.load(std::memory_order_relaxed);
    if (random_used_ == random_.size() || fork_count_ != fork_count) {
        random_bytes({reinterpret_cast<std::uint8_t*>(random_.data()), sizeof random_});
        random_used_ = 0;
        fork_count_ = fork_count;
    }
    return random_[random_used_++];
}

Uuid UuidV7Generator::next() {
    const std::uint64_t random = next_random();
    const std::uint64_t time = next_time();
    const std::uint64_t high = (time >> 12) << 16 | 0x7000 | (time & 0xfff);
    const std::uint64_t low = std::uint64_t{1} << 63 | (random >> 2);
    Uuid uuid;
    for (int i = 0; i < 8; ++i) {
        uuid.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        uuid.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return uuid;
}

Uuid uuid_v7() {
    thread_local UuidV7Generator generator(system_nanoseconds);
    return generator.next();
}

}  // namespace pgchat
