// The event loop of one thread: listener, connections, timers.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "connection.hpp"
#include "ledger.hpp"
#include "options.hpp"
#include "router.hpp"
#include "timers.hpp"

namespace mock {

class Server {
public:
    // Takes a listening socket, which it owns. `tls` may be null.
    Server(int listener, SSL_CTX* tls, const Options& options, Ledger& ledger);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Serves for ever.
    [[noreturn]] void run();

private:
    void accept_all();
    void fire_timers(Nanos now);
    Nanos wake_time(Nanos now) const;
    void bury(Connection& connection);

    int listener_;
    int epoll_;
    SSL_CTX* tls_;
    Ledger& ledger_;
    Router router_;
    TimerHeap timers_;
    bool deaf_;
    Nanos last_fired_ = 0;
    std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
    std::vector<std::unique_ptr<Connection>> buried_;
};

// Opens a listening socket that may share its port. Port 0 is chosen by the kernel. Throws std::system_error.
int open_listener(const std::string& host, int port);
// The port a socket is bound to.
int bound_port(int socket);

}  // namespace mock
