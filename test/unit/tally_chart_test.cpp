// Charts of tallies: well-formed, accessible, and safe whatever the labels are.
#include "core/report/tally_chart.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace pgchat {
namespace {

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(TallyChart, HasARowForEachBarAndATitleAndADescription) {
    const std::string svg =
        tally_chart("Votes", "A has 3, B has 1", {{"A", 3, "3 votes", true}, {"B", 1, "1 vote", false}});
    EXPECT_TRUE(has(svg, "<title>Votes</title>"));
    EXPECT_TRUE(has(svg, "<desc>A has 3, B has 1</desc>"));
    EXPECT_TRUE(has(svg, "role=\"img\""));
    EXPECT_EQ(count_of(svg, "<g>"), 2U);
    EXPECT_EQ(count_of(svg, "class=\"pgct-track\""), 2U);
    EXPECT_TRUE(has(svg, "class=\"pgct-first\" x=\"20\" y=\"76\" width=\"600\""));
    EXPECT_TRUE(has(svg, "class=\"pgct-bar\" x=\"20\" y=\"124\" width=\"200\""));
    EXPECT_TRUE(has(svg, ">3 votes</text>"));
    EXPECT_TRUE(has(svg, "prefers-color-scheme:dark"));
}

TEST(TallyChart, IsOneBlockOfMarkdown) {
    const std::string svg = tally_chart("a\n\nb", "c\r\n\r\nd", {{"e\n\n# f", 1, "g\n\nh", false}});
    EXPECT_FALSE(has(svg, "\n\n"));
    EXPECT_TRUE(svg.substr(0, svg.find('\n')).ends_with('>'));
    EXPECT_EQ(count_of(svg.substr(0, svg.find('\n')), "<"), 1U);
    EXPECT_TRUE(has(svg, "<title>a b</title>"));
}

TEST(TallyChart, EscapesWhatItIsGiven) {
    const std::string svg = tally_chart("<script>", "\"&'", {{"</svg><b onload=\"x\">&amp;", 1, "<i>", true}});
    EXPECT_FALSE(has(svg, "<script"));
    EXPECT_FALSE(has(svg, "<b "));
    EXPECT_FALSE(has(svg, "<i>"));
    EXPECT_EQ(count_of(svg, "</svg>"), 1U);
    EXPECT_TRUE(has(svg, "&lt;/svg&gt;&lt;b onload=&quot;x&quot;&gt;&amp;amp;"));
}

TEST(TallyChart, LeavesOutWhatXmlDoesNotAllow) {
    const std::string svg = tally_chart(
        "a\x01\x1F"
        "b",
        "\xFF\xEF\xBF\xBF", {});
    EXPECT_TRUE(has(svg, "<title>a b</title>"));
    EXPECT_TRUE(has(svg, "<desc>\xEF\xBF\xBD\xEF\xBF\xBD</desc>"));
}

TEST(TallyChart, CutsLongLabelsButKeepsThemInTheTitle) {
    const std::string label(200, 'x');
    const std::string svg = tally_chart("t", "d", {{label, 1, "1 vote", false}});
    EXPECT_TRUE(has(svg, "<title>" + label + ": 1 vote</title>"));
    EXPECT_TRUE(has(svg, "x\xE2\x80\xA6</text>"));
    EXPECT_EQ(count_of(svg, label), 1U);
    std::string wide;
    for (int i = 0; i < 60; ++i) wide += "\xE6\xB0\xB4";
    const std::string cut = tally_chart("t", "d", {{wide, 1, "1 vote", false}});
    EXPECT_TRUE(has(cut, "\xE6\xB0\xB4\xE2\x80\xA6</text>"));
}

TEST(TallyChart, DrawsNothingForNothing) {
    const std::string svg = tally_chart("t", "d",
                                        {{"a", 0, "0", false},
                                         {"b", -1, "-1", false},
                                         {"c", std::numeric_limits<double>::quiet_NaN(), "?", false},
                                         {"d", std::numeric_limits<double>::infinity(), "?", true}});
    EXPECT_FALSE(has(svg, "class=\"pgct-bar\""));
    EXPECT_FALSE(has(svg, "class=\"pgct-first\""));
    EXPECT_EQ(count_of(svg, "class=\"pgct-track\""), 4U);
    EXPECT_TRUE(has(tally_chart("t", "d", {}), "</svg>"));
}

}  // namespace
}  // namespace pgchat
