// All signals held back for a while, so that threads started meanwhile never run a signal handler of this process.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

namespace pgchat {

// A thread inherits the mask of the one that starts it (pthread_create(3)). Signals that stand for a fault of the
// program itself are not held back. Two system calls in all.
class SignalBlock {
public:
    SignalBlock() noexcept {
        sigset_t all;
        sigfillset(&all);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fault);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalBlock(const SignalBlock&) = delete;
    SignalBlock& operator=(const SignalBlock&) = delete;

private:
    sigset_t before_;
};

}  // namespace pgchat
