// SQL functions that imports use: a document's items one by one, and the order of a tree's messages.
#include "core/llm/json_repair.hpp"
#include "core/text/json_items.hpp"
#include "core/text/tree_order.hpp"
#include "pg/convert.hpp"
#include "pg/value_per_call.hpp"

using namespace pgchat;
using namespace pgchat::pg;

namespace {

// The document is copied: arguments do not outlive the first row.
class ItemRows {
public:
    explicit ItemRows(std::string_view document) : document_(document), items_(document_) {}

    bool next(Datum* values, bool*) {
        const auto item = items_.next();
        if (!item) return false;
        repaired_.clear();
        values[1] = BoolGetDatum(append_repaired_json(repaired_, *item));
        values[0] = text_datum(repaired_);
        return true;
    }

private:
    std::string document_;
    JsonItems items_;
    std::string repaired_;
};

class TreeRows {
public:
    explicit TreeRows(const Args& args) {
        const auto ids = args.texts_at(0);
        const auto parents = args.texts_at(1);
        const auto kept = args.texts_at(2);
        if (parents.size() != ids.size() || kept.size() != ids.size())
            throw Error(ErrorCode::invalid_argument, "the arrays differ in length");
        nodes_.reserve(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (!ids[i]) throw Error(ErrorCode::invalid_argument, "a message has no id");
            nodes_.push_back({*ids[i], parents[i], kept[i] == "true"});
        }
        order_ = order_tree(nodes_, args.boolean_at(3, false));
    }

    // Numbers count from 1, as array subscripts do.
    bool next(Datum* values, bool* nulls) {
        if (at_ == order_.size()) return false;
        const PlacedNode& placed = order_[at_++];
        values[0] = Int32GetDatum(static_cast<std::int32_t>(placed.node + 1));
        nulls[1] = !placed.parent;
        if (placed.parent) values[1] = Int32GetDatum(static_cast<std::int32_t>(*placed.parent + 1));
        values[2] = text_datum(nodes_[placed.node].id);
        values[3] = BoolGetDatum(nodes_[placed.node].is_kept);
        return true;
    }

private:
    std::vector<TreeNode> nodes_;
    std::vector<PlacedNode> order_;
    std::size_t at_ = 0;
};

}  // namespace

extern "C" {

PG_FUNCTION_INFO_V1(pgchat_json_items);
PG_FUNCTION_INFO_V1(pgchat_order_tree);

Datum pgchat_json_items(PG_FUNCTION_ARGS) {
    return entry([&] {
        return value_per_call<ItemRows>(fcinfo, [&] { return std::make_unique<ItemRows>(Args(fcinfo).text_at(0)); });
    });
}

Datum pgchat_order_tree(PG_FUNCTION_ARGS) {
    return entry(
        [&] { return value_per_call<TreeRows>(fcinfo, [&] { return std::make_unique<TreeRows>(Args(fcinfo)); }); });
}

}  // extern "C"
