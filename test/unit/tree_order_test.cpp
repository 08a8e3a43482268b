#include "core/text/tree_order.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace pgchat {
namespace {

// "node<parent" for each, in their order.
std::vector<std::string> ordered(const std::vector<TreeNode>& nodes, bool is_lenient = false) {
    std::vector<std::string> found;
    for (const PlacedNode& placed : order_tree(nodes, is_lenient))
        found.push_back(nodes[placed.node].id + "<" + (placed.parent ? nodes[*placed.parent].id : ""));
    return found;
}

using Order = std::vector<std::string>;

TEST(TreeOrder, PutsParentsFirstAndKeepsTheRest) {
    EXPECT_EQ(ordered({{"a", {}}, {"b", "a"}, {"c", "a"}, {"d", "b"}}), (Order{"a<", "b<a", "c<a", "d<b"}));
    EXPECT_EQ(ordered({{"d", "b"}, {"c", "a"}, {"b", "a"}, {"a", {}}, {"e", {}}}),
              (Order{"a<", "c<a", "b<a", "d<b", "e<"}));
    EXPECT_EQ(ordered({}), Order{});
}

TEST(TreeOrder, LeadsPastNodesThatAreNotKept) {
    EXPECT_EQ(ordered({{"a", {}}, {"x", "a", false}, {"y", "x", false}, {"b", "y"}}),
              (Order{"a<", "x<a", "y<a", "b<a"}));
    EXPECT_EQ(ordered({{"x", {}, false}, {"a", "x"}}), (Order{"x<", "a<"}));
}

TEST(TreeOrder, RefusesWhatIsNoTree) {
    EXPECT_THROW(ordered({{"a", {}}, {"a", {}}}), Error);
    EXPECT_THROW(ordered({{"a", "a"}}), Error);
    EXPECT_THROW(ordered({{"r", {}}, {"a", "b"}, {"b", "a"}}, true), Error);
    EXPECT_THROW(ordered({{"a", "gone"}}), Error);
    EXPECT_EQ(ordered({{"a", "gone"}}, true), Order{"a<"});
}

TEST(TreeOrder, TakesAnyDepth) {
    std::vector<TreeNode> chain;
    for (int i = 300000; i > 0; --i) chain.push_back({std::to_string(i), std::to_string(i - 1)});
    const auto order = order_tree(chain, true);
    ASSERT_EQ(order.size(), chain.size());
    EXPECT_EQ(chain[order.front().node].id, "1");
    EXPECT_EQ(chain[order.back().node].id, "300000");
}

}  // namespace
}  // namespace pgchat
