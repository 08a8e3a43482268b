// A TLS server of known certificate: `openssl s_server` as a child process, which answers any GET with a page.
#pragma once

#include <string>

namespace pgchat {

class TlsTestServer {
public:
    // Makes a key and a self-signed certificate for the address 127.0.0.1, in a new directory, and listens there.
    // Throws std::runtime_error when the openssl program does not run.
    TlsTestServer();
    ~TlsTestServer();
    TlsTestServer(const TlsTestServer&) = delete;
    TlsTestServer& operator=(const TlsTestServer&) = delete;

    const std::string& certificate_file() const { return certificate_; }
    std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_) + "/"; }

private:
    void make_certificate();
    void start();

    std::string directory_;
    std::string key_;
    std::string certificate_;
    int child_ = 0;
    int output_ = -1;
    int port_ = 0;
};

}  // namespace pgchat
