// The operator's list: what each kind of entry matches, and what it must not.
#include "core/http/trusted_hosts.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

TEST(TrustedHosts, TheDefaultIsLoopback) {
    const TrustedHosts hosts(default_trusted_hosts);
    for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"})
        EXPECT_TRUE(hosts.contains(host)) << host;
    for (const char* host :
         {"localhost.example.com", "notlocalhost", "128.0.0.1", "::2", "10.0.0.1", "example.com", ""})
        EXPECT_FALSE(hosts.contains(host)) << host;
}

TEST(TrustedHosts, MatchesNamesSuffixesAddressesAndBlocks) {
    const TrustedHosts hosts(" LLM.internal ,, *.Svc.Cluster.Local,10.1.2.3,192.168.0.0/16,fd02::/16,[fd01::7]\n");
    for (const char* host : {"llm.internal", "a.svc.cluster.local", "b.a.svc.cluster.local", "10.1.2.3", "192.168.7.7",
                             "fd01::7", "fd02:1::1"})
        EXPECT_TRUE(hosts.contains(host)) << host;
    for (const char* host : {"x.llm.internal", "svc.cluster.local", "evilsvc.cluster.local", ".svc.cluster.local",
                             "10.1.2.4", "192.169.0.1", "fd01::8"})
        EXPECT_FALSE(hosts.contains(host)) << host;
}

TEST(TrustedHosts, AnEmptyListTrustsNobody) {
    const TrustedHosts hosts(" , ");
    EXPECT_FALSE(hosts.contains("localhost"));
    EXPECT_FALSE(hosts.contains("127.0.0.1"));
    EXPECT_FALSE(hosts.contains(""));
}

TEST(TrustedHosts, RefusesWhatItDoesNotUnderstand) {
    for (const char* list :
         {"*", "*.", "a b", "http://localhost", "localhost:8080", "10.0.0.0/33", "127.1", "a..b", ".a", "a.", "a*.b",
          "*.*.b", "localhost;example", "0x7f.1/8", "\xc3\xa9.example", "1.2.3.4.5"}) {
        try {
            TrustedHosts hosts(list);
            ADD_FAILURE() << list;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
            EXPECT_FALSE(error.hint().empty());
        }
    }
}

}  // namespace
}  // namespace pgchat
