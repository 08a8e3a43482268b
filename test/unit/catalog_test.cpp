// The models an engine can call, and those it cannot.
#include "core/engine/catalog.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

ModelEntry model(const std::string& name) {
    ModelEntry entry;
    entry.name = name;
    return entry;
}

ErrorCode failure(const Catalog& catalog, std::string_view name) {
    try {
        catalog.find(name);
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::internal;
}

TEST(Catalog, FindsByNameAndTheDefault) {
    Catalog catalog;
    catalog.add(model("one"), false);
    catalog.add(model("two"), true);
    EXPECT_EQ(catalog.find("one")->name, "one");
    EXPECT_EQ(catalog.find("")->name, "two");
    EXPECT_EQ(failure(catalog, "three"), ErrorCode::unknown_model);
}

TEST(Catalog, HasNoDefaultUnlessOneIsSet) {
    Catalog catalog;
    catalog.add(model("one"), false);
    EXPECT_EQ(failure(catalog, ""), ErrorCode::no_default_model);
}

TEST(Catalog, SaysWhyAModelIsUnusable) {
    Catalog catalog;
    catalog.add(model("one"), false);
    catalog.add_unusable("inside", Error(ErrorCode::provider_address_refused, "not public"), true);
    EXPECT_EQ(failure(catalog, "inside"), ErrorCode::provider_address_refused);
    EXPECT_EQ(failure(catalog, ""), ErrorCode::provider_address_refused);
    EXPECT_EQ(catalog.find("one")->name, "one");
}

TEST(Catalog, PricesTokensServedFromTheCacheApart) {
    ModelEntry entry = model("one");
    entry.input_price = 10;
    entry.cached_price = 1;
    entry.output_price = 100;
    Usage usage;
    usage.input_tokens = 7;
    usage.cached_tokens = 5;
    usage.output_tokens = 2;
    EXPECT_EQ(cost_of(entry, usage), 2 * 10 + 5 * 1 + 2 * 100);
}

}  // namespace
}  // namespace pgchat
