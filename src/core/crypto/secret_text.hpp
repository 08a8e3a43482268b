// A secret that many may hold: its copies share one piece of memory, which is wiped when the last is gone.
#pragma once

#include <memory>
#include <string_view>

#include "core/crypto/secret_memory.hpp"

namespace pgchat {

class SecretText {
public:
    SecretText() = default;
    explicit SecretText(std::string_view text)
        : bytes_(text.empty() ? nullptr : std::make_shared<const SecretBytes>(text)) {}
    explicit SecretText(SecretBytes bytes)
        : bytes_(bytes.size() == 0 ? nullptr : std::make_shared<const SecretBytes>(std::move(bytes))) {}

    bool empty() const noexcept { return bytes_ == nullptr; }
    // Valid as long as any copy of this.
    std::string_view view() const noexcept { return bytes_ ? bytes_->view() : std::string_view(); }

private:
    std::shared_ptr<const SecretBytes> bytes_;
};

}  // namespace pgchat
