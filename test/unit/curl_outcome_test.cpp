// libcurl's codes in the transport's words.
#include "core/http/curl_outcome.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(CurlOutcome, DependsOnWhetherTheRequestMayHaveBeenSent) {
    EXPECT_EQ(outcome_of(CURLE_OK, true), HttpOutcome::ok);
    EXPECT_EQ(outcome_of(CURLE_OPERATION_TIMEDOUT, false), HttpOutcome::connect_timeout);
    EXPECT_EQ(outcome_of(CURLE_OPERATION_TIMEDOUT, true), HttpOutcome::total_timeout);
    EXPECT_EQ(outcome_of(CURLE_RECV_ERROR, true), HttpOutcome::broken);
    EXPECT_EQ(outcome_of(CURLE_RECV_ERROR, false), HttpOutcome::connect_failed);
    EXPECT_EQ(outcome_of(CURLE_UNSUPPORTED_PROTOCOL, false), HttpOutcome::invalid_request);
    EXPECT_EQ(outcome_of(CURLE_UNSUPPORTED_PROTOCOL, true), HttpOutcome::protocol_error);
    EXPECT_EQ(outcome_of(CURLE_HTTP2_STREAM, true), HttpOutcome::broken);
    EXPECT_EQ(outcome_of(CURLE_PEER_FAILED_VERIFICATION, false), HttpOutcome::tls_failed);
    EXPECT_EQ(outcome_of(CURLE_SSL_CONNECT_ERROR, false), HttpOutcome::tls_failed);
}

TEST(CurlOutcome, NoCodeButOkIsSuccess) {
    for (int code = 1; code < CURL_LAST; ++code)
        for (const bool sent : {false, true})
            EXPECT_NE(outcome_of(static_cast<CURLcode>(code), sent), HttpOutcome::ok) << code;
}

TEST(CurlOutcome, EveryFailureHasASentence) {
    for (int outcome = 1; outcome <= static_cast<int>(HttpOutcome::aborted); ++outcome)
        EXPECT_STRNE(describe(static_cast<HttpOutcome>(outcome)), "") << outcome;
    EXPECT_STREQ(describe(HttpOutcome::ok), "");
}

}  // namespace
}  // namespace pgchat
