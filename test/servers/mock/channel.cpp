// Plain and TLS reads and writes with one set of results.
#include "channel.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace mock {
namespace {

ssize_t plain_result(ssize_t result) {
    if (result >= 0) return result;
    return errno == EAGAIN || errno == EINTR ? Channel::kAgain : Channel::kFailed;
}

int clamp(size_t size) {
    return static_cast<int>(std::min<size_t>(size, INT_MAX));
}

}  // namespace

Channel::Channel(int fd, SSL_CTX* tls) : fd_(fd) {
    if (tls == nullptr) return;
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, fd);
    SSL_set_accept_state(ssl_);
}

Channel::~Channel() {
    if (ssl_ != nullptr) {
        if (!reset_ && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
        SSL_free(ssl_);
        ERR_clear_error();
    }
    close(fd_);
}

ssize_t Channel::tls_result(int result) const {
    if (result > 0) return result;
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? kAgain : kFailed;
}

ssize_t Channel::read(char* buffer, size_t size) {
    if (ssl_ == nullptr) return plain_result(recv(fd_, buffer, size, 0));
    ERR_clear_error();
    return tls_result(SSL_read(ssl_, buffer, clamp(size)));
}

ssize_t Channel::write(const char* bytes, size_t size) {
    if (ssl_ == nullptr) return plain_result(send(fd_, bytes, size, MSG_NOSIGNAL));
    ERR_clear_error();
    const ssize_t result = tls_result(SSL_write(ssl_, bytes, clamp(size)));
    return result == 0 ? kFailed : result;
}

void Channel::reset_on_close() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    reset_ = true;
}

}  // namespace mock
