// The table of libcurl's result codes.
#include "core/http/curl_outcome.hpp"

namespace pgchat {

HttpOutcome outcome_of(CURLcode code, bool sent) noexcept {
    switch (code) {
        case CURLE_OK:
            return HttpOutcome::ok;
        case CURLE_URL_MALFORMAT:
            return HttpOutcome::invalid_request;
        case CURLE_COULDNT_RESOLVE_HOST:
            return HttpOutcome::resolve_failed;
        case CURLE_COULDNT_CONNECT:
            return HttpOutcome::connect_failed;
        case CURLE_OPERATION_TIMEDOUT:
            return sent ? HttpOutcome::total_timeout : HttpOutcome::connect_timeout;
        // Also an answer without a status line, which libcurl takes for HTTP/0.9.
        case CURLE_UNSUPPORTED_PROTOCOL:
            return sent ? HttpOutcome::protocol_error : HttpOutcome::invalid_request;
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_WRITE_ERROR:
        case CURLE_HTTP2:
            return HttpOutcome::protocol_error;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CRL_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_ENGINE_NOTFOUND:
        case CURLE_SSL_ENGINE_SETFAILED:
        case CURLE_SSL_ENGINE_INITFAILED:
            return HttpOutcome::tls_failed;
        default:
            return sent ? HttpOutcome::broken : HttpOutcome::connect_failed;
    }
}

const char* describe(HttpOutcome outcome) noexcept {
    switch (outcome) {
        case HttpOutcome::ok:
            return "";
        case HttpOutcome::invalid_request:
            return "the request is not valid";
        case HttpOutcome::address_refused:
            return "the host's address is neither public nor trusted";
        case HttpOutcome::resolve_failed:
            return "the host's name could not be resolved";
        case HttpOutcome::connect_failed:
            return "could not connect";
        case HttpOutcome::tls_failed:
            return "TLS could not be set up";
        case HttpOutcome::connect_timeout:
            return "no connection within the time allowed";
        case HttpOutcome::idle_timeout:
            return "the response stopped for longer than allowed";
        case HttpOutcome::total_timeout:
            return "no complete response within the time allowed";
        case HttpOutcome::broken:
            return "the connection ended before the response did";
        case HttpOutcome::protocol_error:
            return "the answer is not valid HTTP";
        case HttpOutcome::too_large:
            return "the response is larger than allowed";
        case HttpOutcome::aborted:
            return "the reader of the response stopped it";
    }
    return "";
}

}  // namespace pgchat
