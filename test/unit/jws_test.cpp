// Compact tokens: the examples of the RFCs, and everything that RFC 8725 says not to accept.
#include "core/jose/jws.hpp"

#include <chrono>

#include "jose_support.hpp"

namespace pgchat {
namespace {

// RFC 7515 appendix A: the payload of all its examples, and the keys.
constexpr const char* payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr const char* hs256_secret =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr const char* rs256_jwk =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL)"
    R"(-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa)"
    R"(2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4F)"
    R"(RWyuXpoQ","e":"AQAB"})";
constexpr const char* rs256_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ"
    "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
    "eOkHWEsqt"
    "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr const char* es256_jwk = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                  R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* es256_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

std::string example(const char* header, const char* signature) {
    return std::string(header) + '.' + payload + '.' + signature;
}

void verify(std::string_view token, const JoseKey& key) {
    verify_jws(read_compact_jws(token), key);
}

TEST(Jws, VerifiesTheExamplesOfRfc7515) {
    const std::string hs256 =
        example("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    const JoseKey secret = JoseKey::from_private(JoseAlgorithm::hs256, unbase64url(hs256_secret));
    EXPECT_NO_THROW(verify(hs256, secret));
    EXPECT_EQ(base64url_encode(secret.sign(read_compact_jws(hs256).signing_input)),
              "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    EXPECT_NO_THROW(verify(example("eyJhbGciOiJSUzI1NiJ9", rs256_signature), read_jwk(Json::parse(rs256_jwk))));
    EXPECT_NO_THROW(verify(example("eyJhbGciOiJFUzI1NiJ9", es256_signature), read_jwk(Json::parse(es256_jwk))));
    EXPECT_EQ(read_compact_jws(hs256).payload,
              "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
}

TEST(Jws, SignsAndVerifiesTheExampleOfRfc8037) {
    const std::string token =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    // Appendix A.1; the PKCS #8 form is a fixed prefix (RFC 8410 section 7) and the seed.
    const std::string prefix("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
    const JoseKey key = JoseKey::from_private(JoseAlgorithm::eddsa,
                                              prefix + unbase64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
    EXPECT_EQ(public_jwk(key)["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    EXPECT_NO_THROW(verify(token, key));
    EXPECT_NO_THROW(verify(token, public_half(key)));
    EXPECT_EQ(token_of(R"({"alg":"EdDSA"})", "Example of Ed25519 signing", key), token);
}

TEST(Jws, SignsWhatItReads) {
    for (const JoseAlgorithm algorithm : jose_algorithms) {
        const JoseKey key = JoseKey::generate(algorithm);
        const std::string token = sign_jws(R"({"a":1})", key, "the-key");
        const CompactJws read = read_compact_jws(token);
        EXPECT_EQ(read.algorithm, algorithm);
        EXPECT_EQ(read.kid, "the-key");
        EXPECT_EQ(read.payload, R"({"a":1})");
        EXPECT_NO_THROW(verify_jws(read, key));
        EXPECT_TRUE(is_refused([&] { verify_jws(read, JoseKey::generate(algorithm)); }));
        EXPECT_EQ(read_compact_jws(sign_jws("{}", key, "")).kid, "");
    }
}

TEST(Jws, LetsNoTokenChooseItsAlgorithm) {
    const JoseKey ed25519 = JoseKey::generate(JoseAlgorithm::eddsa), p256 = JoseKey::generate(JoseAlgorithm::es256);
    const JoseKey rsa = JoseKey::generate(JoseAlgorithm::rs256);
    // The classic: the public key, as everybody has it, taken for the secret of a MAC.
    for (const JoseKey* const key : {&ed25519, &p256, &rsa}) {
        std::string text = public_jwk(*key).dump();
        text.resize(std::max<std::size_t>(text.size(), 32), ' ');
        const JoseKey secret = JoseKey::from_private(JoseAlgorithm::hs256, text);
        EXPECT_TRUE(is_refused([&] { verify(sign_jws("{}", secret, ""), *key); }));
    }
    EXPECT_TRUE(is_refused([&] { verify(token_of(R"({"alg":"RS256"})", "{}", p256), p256); }));
    EXPECT_TRUE(is_refused([&] { verify(token_of(R"({"alg":"HS256"})", "{}", ed25519), ed25519); }));
    for (const char* const name : {"none", "None", "NONE", "nOnE", "", "hs256", "HS384", "RS512", "PS256", "ES384",
                                   "ES256K", "EdDSA ", "Ed25519", "dir", "RSA1_5"}) {
        const std::string header = Json{{"alg", name}}.dump();
        EXPECT_TRUE(is_refused([&] { verify(token_of(header, "{}", ed25519), ed25519); })) << name;
        EXPECT_TRUE(is_refused([&] { verify(base64url_encode(header) + ".e30.", ed25519); })) << name;
    }
}

TEST(Jws, RefusesHostileHeaders) {
    const JoseKey key = JoseKey::generate(JoseAlgorithm::eddsa);
    const JoseKey other = JoseKey::generate(JoseAlgorithm::eddsa);
    const std::string jwk = public_jwk(key).dump();
    for (const std::string& header : {
             std::string(R"({"alg":"EdDSA","jwk":)") + jwk + "}",
             std::string(R"({"alg":"EdDSA","jku":"http://127.0.0.1/keys"})"),
             std::string(R"({"alg":"EdDSA","x5u":"http://127.0.0.1/chain"})"),
             std::string(R"({"alg":"EdDSA","x5c":[]})"),
             std::string(R"({"alg":"EdDSA","crit":["exp"],"exp":1})"),
             std::string(R"({"alg":"EdDSA","crit":[]})"),
             std::string(R"({"alg":"EdDSA","b64":false})"),
             std::string(R"({"alg":"EdDSA","zip":"DEF"})"),
             std::string(R"({"alg":"EdDSA","enc":"A256GCM"})"),
             std::string(R"({"alg":"EdDSA","alg":"EdDSA"})"),
             std::string(R"({"alg":"EdDSA","\u0061lg":"EdDSA"})"),
             std::string(R"({"alg":"EdDSA","more":{"a":1,"a":2}})"),
             std::string(R"({"alg":"EdDSA","kid":7})"),
             std::string(R"({"alg":"EdDSA","kid":""})"),
             std::string(R"({"alg":"EdDSA","kid":null})"),
             std::string(R"({"alg":"EdDSA","kid":"a\u0000b"})"),
             R"({"alg":"EdDSA","kid":")" + std::string(257, 'k') + "\"}",
             std::string(R"({"alg":"EdDSA","typ":"logout+jwt"})"),
             std::string(R"({"alg":"EdDSA","typ":1})"),
             std::string(R"({"alg":["EdDSA"]})"),
             std::string(R"({"alg":null})"),
             std::string("{}"),
             std::string("[]"),
             std::string("\"EdDSA\""),
             std::string(""),
             std::string("{\"alg\":\"EdDSA\"} x"),
             R"({"alg":"EdDSA","a":)" + std::string(30, '[') + std::string(30, ']') + "}",
             R"({"alg":"EdDSA","a":")" + std::string(2000, 'a') + "\"}",
         })
        EXPECT_TRUE(is_refused([&] { verify(token_of(header, "{}", key), key); })) << header;
    // Names that would mean something elsewhere are only names here.
    for (const char* const kid : {"../../etc/passwd", "' OR 1=1 --", "key|/bin/true"})
        EXPECT_EQ(read_compact_jws(sign_jws("{}", key, kid)).kid, kid);
    EXPECT_NO_THROW(verify(token_of(R"({"alg":"EdDSA","typ":"at+JWT","x5t":"abc"})", "{}", key), key));
    EXPECT_TRUE(is_refused([&] { verify(token_of(R"({"alg":"EdDSA"})", "{}", other), key); }));
}

TEST(Jws, TakesOneSpellingOnly) {
    const JoseKey key = JoseKey::generate(JoseAlgorithm::eddsa);
    const std::string token = sign_jws(R"({"sub":"x"})", key, "k");
    EXPECT_NO_THROW(verify(token, key));
    // The signature has 64 bytes, so that its last character has four unused bits.
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string loose = token;
    loose.back() = alphabet[alphabet.find(loose.back()) | 1];
    ASSERT_NE(loose, token);
    const std::size_t dot = token.find('.'), second_dot = token.find('.', dot + 1);
    for (const std::string& changed : {loose,
                                       token + "=",
                                       token + "==",
                                       token + " ",
                                       token + "\n",
                                       " " + token,
                                       token + ".",
                                       token + ".e30",
                                       "." + token,
                                       std::string(),
                                       std::string("."),
                                       std::string(".."),
                                       std::string("..."),
                                       token.substr(0, second_dot),
                                       token.substr(0, second_dot + 1),
                                       token.substr(dot),
                                       token.substr(dot + 1),
                                       std::string(token).insert(dot, "="),
                                       std::string(token).replace(second_dot + 3, 1, "+"),
                                       std::string(token).insert(second_dot + 5, "\n"),
                                       std::string(token).insert(5, std::string(1, '\0'))})
        EXPECT_TRUE(is_refused([&] { verify(changed, key); })) << changed;
}

TEST(Jws, RefusesLongTokensAtOnce) {
    const JoseKey key = JoseKey::generate(JoseAlgorithm::eddsa);
    const std::string fits = sign_jws(std::string(12000, ' '), key, "");
    ASSERT_LT(fits.size(), max_token_bytes);
    EXPECT_NO_THROW(verify(fits, key));
    EXPECT_TRUE(is_refused([&] { verify(sign_jws(std::string(12300, ' '), key, ""), key); }));
    const std::string megabyte = sign_jws(std::string(1'000'000, ' '), key, "");
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(is_refused([&] { verify(megabyte, key); }));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace pgchat
