// A TLS server of known certificate: `openssl s_server` as a child process.
#pragma once

#include <string>
#include <string_view>

namespace pgchat {

class TlsTestServer {
public:
    // Makes a key and a self-signed certificate for the address 127.0.0.1, in a new directory, and listens there.
    // Answers any GET with a page, or sends what it is told to. Throws std::runtime_error when the openssl program does
    // not run.
    enum class Answers { page, what_is_told };
    explicit TlsTestServer(Answers answers = Answers::page);
    ~TlsTestServer();
    TlsTestServer(const TlsTestServer&) = delete;
    TlsTestServer& operator=(const TlsTestServer&) = delete;

    const std::string& certificate_file() const { return certificate_; }
    std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_) + "/"; }

    // Sends it to the client that is connected, in one record. Not to begin with one of s_server's commands: B, C, P,
    // Q, R, S, q, r.
    void send(std::string_view bytes) const;
    // Whether the client has sent this; does not wait.
    bool has_received(std::string_view text);

private:
    void make_certificate();
    void start(Answers answers);

    std::string directory_;
    std::string key_;
    std::string certificate_;
    int child_ = 0;
    int input_ = -1;
    int output_ = -1;
    std::string received_;
    int port_ = 0;
};

}  // namespace pgchat
