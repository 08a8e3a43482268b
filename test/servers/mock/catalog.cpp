// Builds the model lists and the embeddings.
#include "catalog.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "json_scan.hpp"

namespace mock {
namespace {

void append_vector(std::string& out, std::string_view input, size_t dims) {
    uint64_t state = 0xcbf29ce484222325u;  // FNV-1a over the input seeds xorshift64
    for (const char c : input) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    std::vector<double> values(dims);
    double square = 0;
    for (double& value : values) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        value = static_cast<double>(static_cast<int64_t>(state)) / 9.3e18;
        square += value * value;
    }
    const double norm = square > 0 ? std::sqrt(square) : 1;
    out += '[';
    for (size_t i = 0; i < dims; ++i) {
        char text[32];
        out.append(text,
                   static_cast<size_t>(std::snprintf(text, sizeof text, i == 0 ? "%.7f" : ",%.7f", values[i] / norm)));
    }
    out += ']';
}

}  // namespace

std::string openai_models() {
    return R"({"object":"list","data":[{"id":"mock","object":"model","created":0,"owned_by":"mock"}]})";
}

std::string anthropic_models() {
    return R"({"data":[{"type":"model","id":"mock","display_name":"Mock","created_at":"2024-01-01T00:00:00Z"}],)"
           R"("has_more":false,"first_id":"mock","last_id":"mock"})";
}

std::string ollama_tags() {
    return R"({"models":[{"name":"mock:latest","model":"mock:latest","modified_at":"2024-01-01T00:00:00Z","size":1,)"
           R"("digest":"0","details":{"format":"gguf","family":"mock"}}]})";
}

std::string embeddings(const ChatBody& body, const Scenario& scenario) {
    const auto dims = static_cast<size_t>(body.dimensions > 0 ? body.dimensions : scenario.dims);
    std::string out = R"({"object":"list","data":[)";
    size_t index = 0;
    const auto add = [&](std::string_view input) {
        if (index > 0) out += ',';
        out += R"({"object":"embedding","index":)" + std::to_string(index++) + R"(,"embedding":)";
        append_vector(out, input, dims);
        out += '}';
    };
    // An array of strings holds many inputs, an array of token numbers is one.
    const std::string_view input = body.embedding_input;
    const bool many = json::is_array(input) && input.find('"') != std::string_view::npos;
    if (!many) add(input);
    if (many) json::elements(input, add);
    out.append(R"(],"model":")").append(body.model).append("\"");
    if (scenario.usage) {
        const std::string words = std::to_string(body.prompt_words);
        out += R"(,"usage":{"prompt_tokens":)" + words + R"(,"total_tokens":)" + words + "}";
    }
    return out + '}';
}

}  // namespace mock
