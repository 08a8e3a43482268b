#include "pg/search_forms.hpp"

#include <map>

#include "core/error.hpp"
#include "core/search/folding.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_public.h"
}

namespace pgchat::pg {
namespace {

// As many words as a large vocabulary has; then it begins anew.
constexpr std::size_t most_known = 100'000;
// Longer ones are data, and no words of a language.
constexpr std::size_t longest_word = 64;
// Token types of the default parser: words of ASCII letters, and of any.
constexpr int ascii_word_type = 1, word_type = 2;

Oid configuration_of(const char* language) noexcept {
    for (const char* name : {language, "simple"}) {
        const Oid found =
            get_ts_config_oid(list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup(name))), true);
        if (OidIsValid(found)) return found;
    }
    return InvalidOid;
}

// The first lexeme of the first dictionary that knows the word; null for a stop word.
const char* lexeme_of(const char* language, int type, const char* word, int length) noexcept {
    TSConfigCacheEntry* const configuration = lookup_ts_config_cache(configuration_of(language));
    if (type >= configuration->lenmap) return word;
    const ListDictionary& dictionaries = configuration->map[type];
    for (int i = 0; i < dictionaries.len; ++i) {
        TSDictionaryCacheEntry* const dictionary = lookup_ts_dictionary_cache(dictionaries.dictIds[i]);
        DictSubState state{false, false, nullptr};
        auto* const lexemes = reinterpret_cast<TSLexeme*>(
            DatumGetPointer(FunctionCall4(&dictionary->lexize, PointerGetDatum(dictionary->dictData),
                                          PointerGetDatum(word), Int32GetDatum(length), PointerGetDatum(&state))));
        if (lexemes == nullptr || (lexemes->flags & TSL_FILTER) != 0) continue;
        return lexemes->lexeme;
    }
    return word;
}

bool is_inflected(std::string_view word) noexcept {
    if (word.size() > longest_word) return false;
    for (const char c : word)
        if (c >= '0' && c <= '9') return false;
    std::size_t at = 0;
    return kind_of(next_character(word, at)) != CharacterKind::alone;
}

}  // namespace

SearchForms::SearchForms(std::string language) : language_(std::move(language)) {}

std::string_view SearchForms::form_of(std::string_view word) {
    if (!is_inflected(word)) return word;
    if (const auto found = known_.find(word); found != known_.end()) return found->second;
    if (known_.size() >= most_known) known_.clear();
    return known_.emplace(std::string(word), ask(word)).first->second;
}

std::string SearchForms::ask(std::string_view word) const {
    bool is_ascii = true;
    for (const char c : word) is_ascii &= (c & 0x80) == 0;
    const std::string copy(word);
    std::string form;
    const char* const lexeme = call([&] {
        return lexeme_of(language_.c_str(), is_ascii ? ascii_word_type : word_type, copy.c_str(),
                         static_cast<int>(copy.size()));
    });
    if (lexeme != nullptr) form = lexeme;
    return form;
}

SearchForms& search_forms(std::string_view language) {
    static std::map<std::string, SearchForms, std::less<>> forms;
    const auto found = forms.find(language);
    if (found != forms.end()) return found->second;
    return forms.try_emplace(std::string(language), std::string(language)).first->second;
}

}  // namespace pgchat::pg
