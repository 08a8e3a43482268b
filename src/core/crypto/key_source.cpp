#include "core/crypto/key_source.hpp"

#include <optional>

#include "core/crypto/key_file.hpp"
#include "core/error.hpp"
#include "core/process/command_output.hpp"

namespace pgchat {
namespace {

KeyRing keys_of_command(const KeySource& source) {
    try {
        return KeyRing::parse(command_output(source.command, most_key_text_bytes, source.command_timeout).view());
    } catch (const Error& error) {
        throw Error(ErrorCode::master_key_unavailable,
                    std::string("no master key from pgchat.master_key_command: ") + error.what(),
                    "The command must print 64 hexadecimal digits, one line for each key with the current one first, "
                    "and end with status 0.");
    }
}

[[noreturn]] void fail_as_lost() {
    throw Error(
        ErrorCode::master_key_unavailable,
        "the master key file does not exist, and secrets are stored that were sealed with it",
        "Put the copy of the file back that pgchat.master_key_file names, then SELECT pg_reload_conf(). Where it "
        "is lost for good, remove the secrets that were sealed with it, and restart the server.");
}

}  // namespace

KeyRing load_master_keys(const KeySource& source, KeyNeed need, const std::function<bool()>& was_used) {
    if (!source.command.empty()) return keys_of_command(source);
    std::optional<SecretBytes> text = read_key_file(source.file);
    if (!text && source.may_make_file && need == KeyNeed::to_seal) {
        if (was_used()) fail_as_lost();
        make_key_file(source.file);
        text = read_key_file(source.file);
    }
    if (!text)
        throw Error(ErrorCode::master_key_unavailable, "the master key file does not exist",
                    "Restore the file that pgchat.master_key_file names, or where no secrets are stored yet make one "
                    "with \"openssl rand -hex 32\" and mode 0600.");
    return KeyRing::parse(text->view());
}

}  // namespace pgchat
