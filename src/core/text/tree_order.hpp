// Puts the nodes of a tree that somebody else wrote into an order in which it can be stored: parents before children.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgchat {

struct TreeNode {
    std::string id;
    std::optional<std::string> parent;  // nullopt for a root
    bool is_kept = true;
};

struct PlacedNode {
    std::size_t node;                   // its index in the input
    std::optional<std::size_t> parent;  // the index of the nearest node above it that is kept; nullopt: there is none
};

// All nodes, each behind its parent and otherwise in the order of the input, so siblings keep theirs. Takes
// O(n log n), however deep the tree is. is_lenient: a node whose parent is missing is a root.
// Errors: invalid_argument two nodes have one id, a parent is missing, or a node is its own ancestor.
std::vector<PlacedNode> order_tree(const std::vector<TreeNode>& nodes, bool is_lenient);

}  // namespace pgchat
