#include "core/llm/echo_embedding.hpp"

#include <cmath>
#include <cstdint>
#include <sstream>
#include <vector>

namespace pgchat {
namespace {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
std::uint64_t next_random(std::uint64_t& state) noexcept {
    std::uint64_t mixed = state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

// FNV-1a, which is the same on every machine.
std::uint64_t hash_of(const std::string& word) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return hash;
}

Json vector_of(const std::string& text, std::size_t dimensions) {
    std::vector<double> sum(dimensions, 0.0);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        std::uint64_t state = hash_of(word);
        for (double& component : sum)
            component += static_cast<double>(next_random(state) >> 11) / static_cast<double>(1ull << 52) - 1.0;
    }
    double square = 0;
    for (const double component : sum) square += component * component;
    const double length = square > 0 ? std::sqrt(square) : 1.0;
    Json vector = Json::array();
    for (const double component : sum) vector.push_back(static_cast<double>(static_cast<float>(component / length)));
    return vector;
}

}  // namespace

std::string echo_embeddings(const Json& inputs, std::size_t dimensions, const std::string& model) {
    Json data = Json::array();
    std::int64_t words = 0;
    for (const Json& input : inputs) {
        const std::string text = input.get<std::string>();
        std::istringstream stream(text);
        for (std::string word; stream >> word;) ++words;
        data.push_back({{"object", "embedding"}, {"index", data.size()}, {"embedding", vector_of(text, dimensions)}});
    }
    Json usage{{"prompt_tokens", words}, {"total_tokens", words}};
    return Json{{"object", "list"}, {"model", model}, {"data", std::move(data)}, {"usage", std::move(usage)}}.dump();
}

}  // namespace pgchat
