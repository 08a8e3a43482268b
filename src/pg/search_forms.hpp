// The dictionaries of a text search configuration, asked for each word at most once by a process.
#pragma once

#include <string>
#include <unordered_map>

#include "core/search/search_terms.hpp"
#include "pg/boundary.hpp"

namespace pgchat::pg {

class SearchForms final : public WordForms {
public:
    explicit SearchForms(std::string language);

    std::string_view form_of(std::string_view word) override;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };

    std::string ask(std::string_view word) const;

    std::string language_;
    std::unordered_map<std::string, std::string, Hash, std::equal_to<>> known_;
};

// The forms of a configuration of pg_catalog, by its name; where there is none, of simple. Lives as long as the
// process.
SearchForms& search_forms(std::string_view language);

}  // namespace pgchat::pg
