// Public keys as JSON: the thumbprints of the RFCs, and which keys of somebody else's set are used.
#include "core/jose/jwk.hpp"

#include "jose_support.hpp"

namespace pgchat {
namespace {

// RFC 7638 section 3.1.
constexpr const char* rsa_modulus =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64t"
    "Z_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"
    "pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

Json rsa_jwk() {
    return {{"kty", "RSA"}, {"n", rsa_modulus}, {"e", "AQAB"}, {"alg", "RS256"}, {"kid", "2011-04-29"}};
}

TEST(Jwk, HasTheThumbprintsOfTheRfcs) {
    EXPECT_EQ(jwk_thumbprint(read_jwk(rsa_jwk())), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    const Json ed25519{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};
    EXPECT_EQ(jwk_thumbprint(read_jwk(ed25519)), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // RFC 8037 A.3
}

TEST(Jwk, WritesPublicMembersOnly) {
    for (const JoseAlgorithm algorithm : {JoseAlgorithm::eddsa, JoseAlgorithm::es256, JoseAlgorithm::rs256}) {
        const JoseKey key = JoseKey::generate(algorithm);
        const Json jwk = public_jwk(key);
        for (const auto& [name, value] : jwk.items())
            EXPECT_TRUE(std::string_view("crv kty x y n e alg use kid").find(name) != std::string_view::npos) << name;
        EXPECT_EQ(jwk["alg"], jose_algorithm_name(algorithm));
        EXPECT_EQ(jwk["use"], "sig");
        EXPECT_EQ(jwk["kid"], jwk_thumbprint(key));
        EXPECT_EQ(public_jwk(read_jwk(jwk)), jwk);
        EXPECT_TRUE(read_jwk(jwk).verify("text", key.sign("text")));
    }
    EXPECT_THROW(public_jwk(JoseKey::generate(JoseAlgorithm::hs256)), Error);
}

// A coordinate that begins with a zero keeps its 32 bytes.
TEST(Jwk, WritesCoordinatesInFullLength) {
    for (int i = 0; i < 600; ++i) {
        const Json jwk = public_jwk(JoseKey::generate(JoseAlgorithm::es256));
        ASSERT_EQ(jwk["x"].get<std::string>().size(), 43u);
        ASSERT_EQ(jwk["y"].get<std::string>().size(), 43u);
    }
}

TEST(Jwk, ReadsOnlyWhatItCanUse) {
    const auto with = [](const char* name, const Json& value) {
        Json jwk = rsa_jwk();
        jwk[name] = value;
        return jwk;
    };
    EXPECT_NO_THROW(read_jwk(with("use", "sig")));
    EXPECT_NO_THROW(read_jwk(with("key_ops", {"verify"})));
    for (const Json& jwk :
         {with("use", "enc"), with("key_ops", Json::array({"encrypt"})), with("alg", "RS384"), with("alg", "HS256"),
          with("alg", "PS256"), with("kty", "oct"), with("kty", "EC"), with("d", "AQAB"), with("k", "AQAB"),
          with("n", "AQAB"), with("n", "="), with("n", 1), with("e", "AQAA"), with("e", Json()), Json::array(), Json()})
        EXPECT_THROW(read_jwk(jwk), Error) << jwk.dump();
}

TEST(Jwk, ReadsASetAndLeavesOutTheRest) {
    Json set{{"keys", Json::array()}};
    set["keys"].push_back({{"kty", "oct"}, {"k", "AAAA"}});
    set["keys"].push_back({{"kty", "EC"}, {"crv", "P-521"}});
    set["keys"].push_back(17);
    set["keys"].push_back(rsa_jwk());
    Json nameless = public_jwk(JoseKey::generate(JoseAlgorithm::eddsa));
    nameless.erase("kid");
    set["keys"].push_back(nameless);
    const std::vector<NamedKey> keys = read_jwk_set(set.dump());
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(keys[0].kid, "2011-04-29");
    EXPECT_EQ(keys[0].key.algorithm(), JoseAlgorithm::rs256);
    EXPECT_EQ(keys[1].kid, "");
    for (const char* const text : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[],"keys":[]})", "<html>"})
        EXPECT_THROW(read_jwk_set(text), Error) << text;
}

TEST(Jwk, TakesAtMost64Keys) {
    Json set{{"keys", Json::array()}};
    for (int i = 0; i < 100; ++i) set["keys"].push_back(rsa_jwk());
    EXPECT_EQ(read_jwk_set(set.dump()).size(), 64u);
}

}  // namespace
}  // namespace pgchat
