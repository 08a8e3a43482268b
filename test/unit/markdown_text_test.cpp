// Texts that try to leave their place in a report; test/tap/deliberation_reports.sql has more of them.
#include "core/report/markdown_text.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

TEST(MarkdownText, KeepsOrdinaryText) {
    EXPECT_EQ(markdown_prose("One *two*\n\n- three\n- [four](http://x)"), "One *two*\n\n- three\n- [four](http://x)");
    EXPECT_EQ(markdown_quote("One\n\ntwo"), "> One\n> \n> two");
    EXPECT_EQ(markdown_quote(""), "> ");
    EXPECT_EQ(markdown_prose(" \n"), "");
}

TEST(MarkdownText, TurnsHeadingsIntoText) {
    EXPECT_EQ(markdown_prose("# One ##\n####### seven\n#tag\n#"), "**One**\n####### seven\n#tag\n\\#");
    EXPECT_EQ(markdown_prose("- # a\n12. ## b\n> > # *c*"), "- **a**\n12. **b**\n> > \\# *c*");
    EXPECT_EQ(markdown_prose("a\n===\nb\n---"), "a\n\\===\nb\n\n---");
}

TEST(MarkdownText, ShowsHtmlAndPicturesAsText) {
    EXPECT_EQ(markdown_quote("</div> \\<b> 1 < 2 <3 ![x](y) <!-- <?p"),
              "> &lt;/div> \\&lt;b> 1 < 2 <3 !\\[x](y) &lt;!-- &lt;?p");
    EXPECT_EQ(markdown_quote("```\n<b>\n```"), "> ```\n> &lt;b>\n> ```");
    EXPECT_EQ(markdown_quote("<"), "> <");
}

TEST(MarkdownText, ClosesCode) {
    EXPECT_EQ(markdown_quote("```sql\n# c\n``"), "> ```sql\n> # c\n> ``\n> ```");
    EXPECT_EQ(markdown_quote("~~~~\n~~~\n```\n~~~~~\n# h"), "> ~~~~\n> ~~~\n> ```\n> ~~~~~\n> **h**");
    EXPECT_EQ(markdown_quote("``` a`b\n# h"), "> ``` a`b\n> **h**");
    EXPECT_EQ(markdown_prose("```\nx"), "\\`\\`\\`\nx");
}

TEST(MarkdownText, EveryEndOfALineIsOne) {
    EXPECT_EQ(markdown_quote("a\r\nb\rc\fd\ve"), "> a\n> b\n> c\n> d\n> e");
    EXPECT_EQ(markdown_quote("a\r# h"), "> a\n> **h**");
}

TEST(MarkdownText, LinksLeadToPagesOnly) {
    EXPECT_EQ(markdown_prose("[a](JavaScript:x) [b](data:text/html,x) [c](java&#115;cript:x) [d]( <vbscript:x>)"),
              "[a]\\(JavaScript:x) [b]\\(data:text/html,x) [c]\\(java&#115;cript:x) [d]\\( &lt;vbscript:x>)");
    EXPECT_EQ(markdown_quote("[a](\njavascript:x)\n> [b](\n> javascript\\:x)"),
              "> [a]\\(\n> javascript:x)\n> > [b]\\(\n> > javascript\\:x)");
    EXPECT_EQ(markdown_prose("[a](HTTPS://x/?a=1&b=2 \"t\") [b](mailto:x) [c](d/e#f) [g]() (javascript:x)"),
              "[a](HTTPS://x/?a=1&b=2 \"t\") [b](mailto:x) [c](d/e#f) [g]() (javascript:x)");
}

TEST(MarkdownText, DefinesNoLinks) {
    EXPECT_EQ(markdown_prose("- [a]: javascript:x\n\n> [b]: javascript:x\n[c\nd]: javascript:x\n\n[a]"),
              "- [a]\\: javascript:x\n\n> [b]\\: javascript:x\n[c\nd]\\: javascript:x\n\n[a]");
    EXPECT_EQ(markdown_prose("[The vote]: http://x\n[a](b)"), "\\[The vote]: http://x\n[a](b)");
}

}  // namespace
}  // namespace pgchat
