#include "pg/key_settings.hpp"

#include "pg/settings.hpp"

namespace pgchat::pg {

KeySource key_source() {
    KeySource source;
    source.command = settings.master_key_command;
    source.file = settings.master_key_file;
    source.may_make_file = source.file == default_master_key_file;
    return source;
}

}  // namespace pgchat::pg
