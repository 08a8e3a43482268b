// A connected socket, plain or under TLS, that never blocks.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>

namespace mock {

class Channel {
public:
    static constexpr ssize_t kAgain = -1;
    static constexpr ssize_t kFailed = -2;

    // Owns `fd`. `tls` may be null; it must outlive the channel.
    Channel(int fd, SSL_CTX* tls);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    // Bytes read; 0 at the end, kAgain where there are none yet, kFailed where the connection is broken.
    ssize_t read(char* buffer, size_t size);
    // Bytes written, kAgain or kFailed.
    ssize_t write(const char* bytes, size_t size);
    // Makes the destructor send RST instead of FIN.
    void reset_on_close();
    bool is_tls() const { return ssl_ != nullptr; }
    int fd() const { return fd_; }

private:
    ssize_t tls_result(int result) const;

    int fd_;
    SSL* ssl_ = nullptr;
    bool reset_ = false;
};

}  // namespace mock
