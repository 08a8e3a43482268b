// The sealed columns of this database, as the change of the master key reads and writes them.
#pragma once

#include "core/engine/key_rotation.hpp"
#include "pg/shared_state.hpp"

namespace pgchat::pg {

class EngineSealedRows final : public SealedStore {
public:
    explicit EngineSealedRows(EngineSlot& slot) : slot_(slot) {}

    bool is_quiet() override;
    void rewind() override;
    Page next_page(const Reseal& reseal) override;
    std::optional<Counts> count(const std::vector<std::string>& key_ids) override;
    std::optional<bool> holds_secrets() override;
    bool all_sealed_with(std::string_view key_id) override;
    void announce() override { wake_others(slot_, wake_keys); }

private:
    // The last row that was looked at.
    struct Place {
        std::size_t column = 0;  // index into columns_
        Uuid user_id;
        Uuid row_id;
    };

    Place page_after(const Place& place, const Reseal& reseal);

    EngineSlot& slot_;
    std::vector<std::string> columns_;  // by the name of their table
    Place place_;
};

}  // namespace pgchat::pg
