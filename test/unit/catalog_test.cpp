#include "core/engine/catalog.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/text/utf8.hpp"

namespace pgchat {
namespace {

ModelEntry named(const char* name) {
    ModelEntry entry;
    entry.name = name;
    return entry;
}

Error error_of_find(const Catalog& catalog, std::string_view name) {
    try {
        catalog.find(name);
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorCode::internal, "found");
}

TEST(Catalog, FindsModelsByNameAndTheDefaultByNone) {
    Catalog catalog;
    catalog.add(named("a"), false);
    catalog.add(named("b"), true);
    EXPECT_EQ(catalog.find("a")->name, "a");
    EXPECT_EQ(catalog.find("")->name, "b");
    EXPECT_EQ(catalog.size(), 2u);
}

TEST(Catalog, TheLastOfANameAndTheLastDefaultCount) {
    Catalog catalog;
    catalog.add(named("a"), true);
    ModelEntry again = named("a");
    again.provider_model = "newer";
    catalog.add(again, true);
    EXPECT_EQ(catalog.find("a")->provider_model, "newer");
    EXPECT_EQ(catalog.find("")->provider_model, "newer");
    EXPECT_EQ(catalog.size(), 1u);
}

TEST(Catalog, AModelOutlivesItsCatalog) {
    std::shared_ptr<const ModelEntry> model;
    {
        Catalog catalog;
        catalog.add(named("a"), false);
        model = catalog.find("a");
    }
    EXPECT_EQ(model->name, "a");
}

TEST(Catalog, SaysWhatIsMissing) {
    Catalog catalog;
    EXPECT_EQ(error_of_find(catalog, "").code(), ErrorCode::no_default_model);
    catalog.add(named("a"), true);
    EXPECT_EQ(error_of_find(catalog, "A").code(), ErrorCode::unknown_model);
    EXPECT_NE(std::string(error_of_find(catalog, "gpt").what()).find("\"gpt\""), std::string::npos);
}

TEST(Catalog, SaysWhyAModelIsUnusable) {
    Catalog catalog;
    catalog.add(named("a"), false);
    catalog.add_unusable("inside", Error(ErrorCode::provider_address_refused, "not public"), true);
    EXPECT_EQ(error_of_find(catalog, "inside").code(), ErrorCode::provider_address_refused);
    EXPECT_EQ(error_of_find(catalog, "").code(), ErrorCode::provider_address_refused);
    EXPECT_EQ(catalog.find("a")->name, "a");
}

TEST(Catalog, FindsProvidersOrSaysWhyNot) {
    Catalog catalog;
    auto provider = std::make_shared<ProviderConfig>();
    provider->id.bytes[0] = 1;
    catalog.add_provider(provider);
    EXPECT_EQ(catalog.find_provider(provider->id), provider);
    const auto code_of = [&](std::uint8_t number) {
        Uuid id;
        id.bytes[0] = number;
        try {
            catalog.find_provider(id);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::internal;
    };
    Uuid inside;
    inside.bytes[0] = 2;
    catalog.add_unusable_provider(inside, Error(ErrorCode::provider_address_refused, "not public"));
    EXPECT_EQ(code_of(2), ErrorCode::provider_address_refused);
    EXPECT_EQ(code_of(3), ErrorCode::not_found);
}

TEST(Catalog, CutsALongNameBetweenCharacters) {
    std::string name = "x";
    for (int i = 0; i < 200; ++i) name += "é";
    const Error error = error_of_find(Catalog(), name);
    EXPECT_TRUE(is_clean_text(error.what()));
    EXPECT_LT(std::string(error.what()).size(), 200u);
}

ModelEntry priced(std::int64_t input, std::int64_t output, std::int64_t cached) {
    ModelEntry model;
    model.input_price = input;
    model.output_price = output;
    model.cached_price = cached;
    return model;
}

TEST(Catalog, ModelsOfProvidersAndTheUsableOnes) {
    Catalog catalog;
    const auto add = [&](const char* provider, const char* name) {
        ModelEntry model;
        model.name = name;
        auto config = std::make_shared<ProviderConfig>();
        config->name = provider;
        model.provider = config;
        catalog.add(model, false);
    };
    add("acme", "small");
    add("acme", "large");
    add("zeta", "other");
    catalog.add_unusable("inside", Error(ErrorCode::provider_address_refused, "not public"), false);
    EXPECT_EQ(catalog.models_of({"acme", "none"}), (std::vector<std::string>{"large", "small"}));
    EXPECT_TRUE(catalog.models_of({}).empty());
    EXPECT_EQ(catalog.find_usable("small")->name, "small");
    EXPECT_EQ(catalog.find_usable("inside"), nullptr);
    EXPECT_THROW(catalog.find_usable("nothing"), Error);
}

TEST(CostOf, AddsInputCachedAndOutput) {
    const ModelEntry model = priced(10, 1'000, 1);
    EXPECT_EQ(cost_of(model, {100, 7, std::nullopt}), 1'000 + 7'000);
    EXPECT_EQ(cost_of(model, {100, 7, 40}), 600 + 40 + 7'000);
    EXPECT_EQ(cost_of(model, {100, 7, 100}), 100 + 7'000);
}

TEST(CostOf, UnknownCountsCostNothing) {
    const ModelEntry model = priced(10, 1'000, 1);
    EXPECT_EQ(cost_of(model, {}), 0);
    EXPECT_EQ(cost_of(model, {std::nullopt, 2, std::nullopt}), 2'000);
    EXPECT_EQ(cost_of(model, {5, std::nullopt, std::nullopt}), 50);
}

TEST(CostOf, MoreCachedTokensThanInputAreNotBelieved) {
    const ModelEntry model = priced(10, 0, 1);
    EXPECT_EQ(cost_of(model, {5, 0, 900}), 5);
    EXPECT_EQ(cost_of(model, {std::nullopt, 0, 900}), 0);
    EXPECT_EQ(cost_of(model, {5, 0, -900}), 50);
}

TEST(CostOf, SaturatesInsteadOfOverflowing) {
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(cost_of(priced(largest, largest, largest), {largest, largest, 0}), largest);
    EXPECT_EQ(cost_of(priced(10, 0, 0), {-5, 0, 0}), 0);
}

}  // namespace
}  // namespace pgchat
