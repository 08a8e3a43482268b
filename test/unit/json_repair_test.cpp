#include "core/llm/json_repair.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgchat {
namespace {

std::string repaired(std::string_view json, bool expect_change = true) {
    std::string out = ">";
    EXPECT_EQ(append_repaired_json(out, json), expect_change) << json;
    return out.substr(1);
}

TEST(JsonRepair, ReplacesWhatNoDatabaseAccepts) {
    EXPECT_EQ(repaired(R"("a\u0000b")"), R"("a�b")");
    EXPECT_EQ(repaired(R"("\ud800x\uDFFF")"), R"("�x�")");
    EXPECT_EQ(repaired(R"("\ud800\ud83d\ude00")"), R"("�\ud83d\ude00")");
    EXPECT_EQ(repaired("\"\xFF\\ud800\""), R"("��")");
    EXPECT_EQ(repaired(R"("\ud8)"
                       "\xFF"),
              "\"\\ud8\xEF\xBF\xBD");
}

TEST(JsonRepair, LeavesTheRestAsItIs) {
    for (const char* json : {R"("\ud83d\ude00")", R"("\\u0000")", R"("\u0001\n\"")", R"(\u12)", R"(\)", R"("ü")", ""})
        EXPECT_EQ(repaired(json, false), json);
}

}  // namespace
}  // namespace pgchat
