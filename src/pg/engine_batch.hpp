// Many calls to the engine at once from one statement: a bounded number in flight, answered in order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "pg/engine_client.hpp"

namespace pgchat::pg {

// Destroying it aborts what is in flight.
class EngineBatch {
public:
    // Makes the request for item `index`, from 0, to be answered as CompleteRequest::item `item`. An Error that it
    // throws is that item's answer.
    using Write = std::function<std::string(std::size_t index, std::uint32_t request_number, std::uint32_t item)>;

    EngineBatch(std::size_t size, std::size_t concurrency, Write write)
        : size_(size), concurrency_(concurrency), write_(std::move(write)) {}

    bool at_end() const noexcept { return taken_ == size_; }

    // The answer to the next item, a result or an error frame; waits for it. Throws what EngineRequest throws.
    std::string next();

private:
    void fill();
    void send(std::size_t index);
    void receive();

    std::size_t size_;
    std::size_t concurrency_;
    Write write_;
    std::unique_ptr<EngineRequest> request_;
    std::unordered_map<std::size_t, std::string> answers_;  // by index, of those that came before their turn
    std::size_t sent_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t taken_ = 0;
};

}  // namespace pgchat::pg
