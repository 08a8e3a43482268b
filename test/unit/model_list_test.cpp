// Providers' lists of models: how each family is asked, what is taken from its answer, and what hostile ones come to.
#include "core/llm/model_list.hpp"

#include <gtest/gtest.h>

namespace pgchat {
namespace {

ProviderConfig config_of(ProviderKind kind, std::string base_url = {}) {
    ProviderConfig config;
    config.name = "p";
    config.kind = kind;
    config.base_url = std::move(base_url);
    return config;
}

std::string url_of(ProviderKind kind, std::string base_url, std::string_view cursor = {}) {
    return model_list_request(config_of(kind, std::move(base_url)), cursor).url;
}

ErrorCode error_of(ModelList& list, std::string_view page) {
    try {
        list.add_page(page);
    } catch (const Error& error) {
        EXPECT_FALSE(error.hint().empty());
        return error.code();
    }
    return ErrorCode::internal;
}

Json entries(ProviderKind kind, const Json& page) {
    ModelList list(kind);
    EXPECT_EQ(list.add_page(page.dump()), "");
    return list.json();
}

const char* refusal_of(const std::string& name) {
    ModelList list(ProviderKind::openai);
    list.add_page(Json{{"data", {{{"id", name}}}}}.dump(-1, ' ', false, Json::error_handler_t::replace));
    return list.models().at(0).refusal;
}

TEST(ModelListRequest, AsksEachFamilyWhereItsListIs) {
    EXPECT_EQ(url_of(ProviderKind::openai, ""), "https://api.openai.com/v1/models");
    EXPECT_EQ(url_of(ProviderKind::openai, "https://h/v1/?a=b"), "https://h/v1/models?a=b");
    EXPECT_EQ(url_of(ProviderKind::openai, "https://h/v1/chat/completions"), "https://h/v1/models");
    EXPECT_EQ(url_of(ProviderKind::anthropic, "https://h/v1"), "https://h/v1/models?limit=1000");
    EXPECT_EQ(url_of(ProviderKind::anthropic, "https://h?a=b", "x&y"),
              "https://h/v1/models?a=b&limit=1000&after_id=x%26y");
    EXPECT_EQ(url_of(ProviderKind::ollama, ""), "http://127.0.0.1:11434/api/tags");
    EXPECT_EQ(url_of(ProviderKind::ollama, "http://h/api"), "http://h/api/tags");
    EXPECT_THROW(url_of(ProviderKind::echo, ""), Error);
}

TEST(ModelListRequest, IsAGetWithTheKeyAndTheHeaders) {
    ProviderConfig config = config_of(ProviderKind::anthropic);
    config.auth = AuthType::x_api_key;
    config.api_key = SecretText("k");
    config.headers = {{"X-Team", "t"}};
    config.options = {{"version", "2030-01-01"}};
    config.trusted_host = true;
    const HttpRequest request = model_list_request(config, "");
    EXPECT_TRUE(request.body.empty());
    EXPECT_TRUE(request.trusted_host);
    EXPECT_EQ(request.headers, (std::vector<std::string>{"Accept: application/json", "anthropic-version: 2030-01-01",
                                                         "x-api-key: k", "X-Team: t"}));
    config.api_key = SecretText("k\r\nX: y");
    EXPECT_THROW(model_list_request(config, ""), Error);
}

TEST(ModelList, ReadsWhatTheFamiliesTell) {
    EXPECT_EQ(entries(ProviderKind::openai,
                      Json::parse(R"({"object":"list","data":[{"id":"a","object":"model","owned_by":"x"},
                        {"id":"b","name":"B","description":"two\nlines","context_length":5,
                         "architecture":{"input_modalities":["text","image"]},"supported_parameters":["tools","reasoning","response_format","tools"]},
                        {"id":"c","max_model_len":7,"capabilities":{"function_calling":true,"vision":false}}]})")),
              Json::parse(R"([{"name":"a","capabilities":[]},
                {"name":"b","capabilities":["tools","thinking","json","vision"],"display_name":"B","description":"two lines","context_window":5},
                {"name":"c","capabilities":["tools"],"context_window":7}])"));
    EXPECT_EQ(entries(ProviderKind::anthropic,
                      Json::parse(R"({"data":[{"type":"model","id":"a","display_name":"A","max_input_tokens":9,
                        "capabilities":{"image_input":{"supported":true},"structured_outputs":{"supported":true},"thinking":{"supported":false}}}],
                        "has_more":false,"last_id":"a"})")),
              Json::parse(R"([{"name":"a","capabilities":["vision","json"],"display_name":"A","context_window":9}])"));
    EXPECT_EQ(
        entries(ProviderKind::ollama,
                Json::parse(
                    R"({"models":[{"name":"a:1","model":"x","size":3,"capabilities":["completion","embedding"]}]})")),
        Json::parse(R"([{"name":"a:1","capabilities":["embeddings"]}])"));
    EXPECT_EQ(entries(ProviderKind::openai, Json::parse(R"(["a","b"])")),
              Json::parse(R"([{"name":"a","capabilities":[]},{"name":"b","capabilities":[]}])"));
}

TEST(ModelList, BelievesNoOddContextWindow) {
    for (const char* value : {"0", "-1", "1.5", "\"8192\"", "99999999999", "1e400", "null", "[]"}) {
        ModelList list(ProviderKind::openai);
        try {
            list.add_page(std::string(R"({"data":[{"id":"a","context_length":)") + value + "}]}");
            EXPECT_EQ(list.models().at(0).context_window, std::nullopt) << value;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::provider_bad_response) << value;
        }
    }
}

TEST(ModelList, RefusesNamesThatCannotBeAModels) {
    for (const char* name : {"gpt-4.1", "meta/llama 3:8b", "modèle", "模型", "a\xC2\xA0z"})
        EXPECT_EQ(refusal_of(name), nullptr) << name;
    for (const std::string& name :
         {std::string(), std::string("  "), std::string("a\r\nX: y"), std::string("a\0b", 3), std::string("a\x1b[31m"),
          std::string("a\x7f"), std::string("a\xC2\x85"), std::string("a\xE2\x80\x8B"), std::string("\xE2\x80\xAEgpt"),
          std::string("\xEF\xBB\xBFgpt"), std::string("a\xE2\x81\xA0"), std::string("a\xff"), std::string(201, 'x')})
        EXPECT_NE(refusal_of(name), nullptr) << name;
    EXPECT_EQ(refusal_of(std::string(200, 'x')), nullptr);
    std::string wide;
    for (int i = 0; i < 200; ++i) wide += "é";
    EXPECT_EQ(refusal_of(wide), nullptr);
    EXPECT_NE(refusal_of(wide + "é"), nullptr);
}

TEST(ModelList, ShowsOfARefusedNameOnlyWhatCanBeShown) {
    ModelList list(ProviderKind::openai);
    list.add_page(Json{{"data", {{{"id", "a\r\n\x1b[2J" + std::string(5000, 'x')}}}}}.dump());
    EXPECT_LE(list.models().at(0).name.size(), 100u);
    EXPECT_EQ(list.models().at(0).name.find_first_of("\r\n\x1b"), std::string::npos);
}

TEST(ModelList, HasEachModelOnceOverAllPages) {
    ModelList list(ProviderKind::anthropic);
    EXPECT_EQ(list.add_page(R"({"data":[{"id":"a"},{"id":"a"}],"has_more":true,"last_id":"a"})"), "a");
    EXPECT_EQ(list.add_page(R"({"data":[{"id":"a"},{"id":"b"}],"has_more":false,"last_id":"b"})"), "");
    ASSERT_EQ(list.models().size(), 2u);
    EXPECT_EQ(list.models()[1].name, "b");
}

TEST(ModelList, RefusesPagesThatLeadNowhere) {
    ModelList again(ProviderKind::anthropic);
    EXPECT_EQ(again.add_page(R"({"data":[],"has_more":true,"last_id":"a"})"), "a");
    EXPECT_EQ(error_of(again, R"({"data":[],"has_more":true,"last_id":"a"})"), ErrorCode::provider_bad_response);
    for (const char* last : {"null", "\"\"", "7"}) {
        ModelList list(ProviderKind::anthropic);
        EXPECT_EQ(error_of(list, std::string(R"({"data":[],"has_more":true,"last_id":)") + last + "}"),
                  ErrorCode::provider_bad_response);
    }
    ModelList endless(ProviderKind::anthropic);
    int pages = 1;
    const auto page = [&] { return R"({"data":[],"has_more":true,"last_id":")" + std::to_string(pages) + "\"}"; };
    for (; pages < 100; ++pages) EXPECT_EQ(endless.add_page(page()), std::to_string(pages));
    EXPECT_EQ(error_of(endless, page()), ErrorCode::provider_bad_response);
}

TEST(ModelList, RefusesWhatIsNoListOrTooLong) {
    for (const std::string& page : {std::string(), std::string("{"), std::string("null"), std::string(R"({"data":{}})"),
                                    std::string(R"({"models":[]})"), std::string(100'000, '[')}) {
        ModelList list(ProviderKind::openai);
        EXPECT_EQ(error_of(list, page), ErrorCode::provider_bad_response) << page.substr(0, 20);
    }
    Json names = Json::array();
    for (std::size_t i = 0; i < most_listed_models; ++i) names.push_back(std::to_string(i));
    ModelList list(ProviderKind::openai);
    list.add_page(names.dump());
    EXPECT_EQ(list.models().size(), most_listed_models);
    EXPECT_EQ(error_of(list, R"(["one more"])"), ErrorCode::response_too_large);
}

}  // namespace
}  // namespace pgchat
