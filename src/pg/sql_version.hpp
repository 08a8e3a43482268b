// The SQL of a database and the library that serves it must be of one version, because neither knows what another
// version of the other expects: this finds out which there is, once a session, and refuses to go on with another.
#pragma once

#include <optional>
#include <string>

namespace pgchat::pg {

// Of this library, as META.json has it.
extern const char* const library_version;

// The version of the extension in this database, where it is another than the library's; nullopt where it is the
// same or the extension is not there. Must be called in a transaction.
std::optional<std::string> other_sql_version();

// What to do about such a version.
std::string advice_on(const std::string& sql_version);

// Throws Error(version_mismatch) where there is another version. Looks only when the extension may have changed since
// it last looked, and never while a script of an extension runs.
void require_own_sql();

// Has the next call look again: this session has altered an extension, or undone that.
void forget_sql_version() noexcept;

}  // namespace pgchat::pg
