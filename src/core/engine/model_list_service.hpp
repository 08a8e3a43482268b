// The engine's answers to administrators who take a provider's list of models over: it alone speaks to providers, and
// hands the pages on as they come. They are read by who asked, so that no list holds up anybody's stream.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/engine/frames.hpp"
#include "core/http/transport.hpp"
#include "core/llm/provider.hpp"

namespace pgchat {

// One page of a provider's list; `cursor` is empty for the first.
struct ModelPageRequest {
    Uuid provider_id;
    std::string cursor;
};

// Answered by the page's body, or an error.
std::string write_model_page_request(std::uint32_t request_number, const ModelPageRequest& request);
ModelPageRequest read_model_page_request(FrameReader& frame);

// The longest that a page takes.
inline constexpr Milliseconds model_page_timeout{30'000};

class ModelListService {
public:
    // Called once with the frame that answers, from the transport's run().
    using Answer = std::function<void(std::string frame)>;

    explicit ModelListService(Transport& transport);
    ~ModelListService();
    ModelListService(const ModelListService&) = delete;
    ModelListService& operator=(const ModelListService&) = delete;

    // Fetches the page from the provider. Throws Error where the request cannot be sent.
    void fetch(std::uint32_t request_number, std::shared_ptr<const ProviderConfig> provider, std::string_view cursor,
               Answer answer);

private:
    class Fetch;

    Transport& transport_;
    std::uint64_t last_number_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Fetch>> fetches_;
};

}  // namespace pgchat
