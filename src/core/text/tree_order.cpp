#include "core/text/tree_order.hpp"

#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

constexpr std::size_t shown_bytes = 100;

[[noreturn]] void refuse(const std::string& what, std::string_view id) {
    throw Error(ErrorCode::invalid_argument, what + " \"" + std::string(truncate_text(id, shown_bytes)) + "\"",
                "Each message has an id of its own, and its parent is another message of the conversation, or none.");
}

using Places = std::unordered_map<std::string_view, std::size_t>;

Places places_of(const std::vector<TreeNode>& nodes) {
    Places places;
    places.reserve(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (!places.emplace(nodes[i].id, i).second) refuse("two messages have the id", nodes[i].id);
    return places;
}

// The index of each node's parent.
std::vector<std::optional<std::size_t>> parents_of(const std::vector<TreeNode>& nodes, bool is_lenient) {
    const Places places = places_of(nodes);
    std::vector<std::optional<std::size_t>> parents(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].parent) continue;
        const auto found = places.find(*nodes[i].parent);
        if (found != places.end())
            parents[i] = found->second;
        else if (!is_lenient)
            refuse("no message has the id of the parent", *nodes[i].parent);
    }
    return parents;
}

}  // namespace

std::vector<PlacedNode> order_tree(const std::vector<TreeNode>& nodes, bool is_lenient) {
    const auto parents = parents_of(nodes, is_lenient);
    std::vector<std::vector<std::size_t>> children(nodes.size());
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (parents[i])
            children[*parents[i]].push_back(i);
        else
            ready.push(i);
    }
    std::vector<std::optional<std::size_t>> kept_above(nodes.size());
    std::vector<bool> is_placed(nodes.size());
    std::vector<PlacedNode> order;
    order.reserve(nodes.size());
    while (!ready.empty()) {
        const std::size_t node = ready.top();
        ready.pop();
        is_placed[node] = true;
        if (parents[node])
            kept_above[node] = nodes[*parents[node]].is_kept ? *parents[node] : kept_above[*parents[node]];
        order.push_back({node, kept_above[node]});
        for (const std::size_t child : children[node]) ready.push(child);
    }
    for (std::size_t i = 0; i < nodes.size() && order.size() < nodes.size(); ++i)
        if (!is_placed[i]) refuse("a message is its own ancestor:", nodes[i].id);
    return order;
}

}  // namespace pgchat
