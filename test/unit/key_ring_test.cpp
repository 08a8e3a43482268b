// Several master keys: which seals, and which opens.
#include "core/crypto/key_ring.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');

std::string id_of(const std::string& digits) {
    return std::string(MasterKey::parse(digits).id());
}

TEST(KeyRing, TheFirstKeySealsAndTheOthersAreOlder) {
    const KeyRing ring = KeyRing::parse(a + "\n\n  " + b + "\r\n" + c + "\n" + b);
    EXPECT_EQ(ring.current().id(), id_of(a));
    EXPECT_EQ(ring.old_ids(), (std::vector<std::string>{id_of(b), id_of(c)})) << "each once, in the order of the lines";
    EXPECT_TRUE(ring.has_old_keys());
    EXPECT_EQ(ring.find(id_of(c))->sealing_key(), MasterKey::parse(c).sealing_key());
    EXPECT_EQ(ring.find(id_of(std::string(64, 'd'))), nullptr);
    EXPECT_EQ(ring.find({}), nullptr);
}

TEST(KeyRing, OneKeyIsEnough) {
    for (const std::string& text : {a, a + "\n", "\n\t" + a + " \n\n", a + "\n" + a}) {
        const KeyRing ring = KeyRing::parse(text);
        EXPECT_EQ(ring.current().id(), id_of(a));
        EXPECT_FALSE(ring.has_old_keys());
        EXPECT_TRUE(ring.old_ids().empty());
    }
}

TEST(KeyRing, RefusesWhatIsNotAllKeys) {
    std::string many;
    for (char digit : std::string("0123456789abcdef")) many += std::string(64, digit) + "\n";
    EXPECT_EQ(KeyRing::parse(many).old_ids().size(), most_master_keys - 1);
    for (const std::string& text :
         {std::string(), std::string(" \n\n"), a + "\nkey", "key\n" + a, a + b, many + std::string(63, '0') + "1"}) {
        try {
            KeyRing::parse(text);
            ADD_FAILURE() << "took " << text.size() << " bytes";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::master_key_unavailable);
            EXPECT_FALSE(error.hint().empty());
            EXPECT_EQ(std::string(error.what()).find("aaaa"), std::string::npos) << "no key is repeated";
        }
    }
}

}  // namespace
}  // namespace pgchat
