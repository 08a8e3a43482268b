#include "core/crypto/key_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "core/error.hpp"
#include "core/process/command_output.hpp"

namespace pgchat {
namespace {

// Of a key with much white space around it.
constexpr std::size_t most_text_bytes = 1024;

[[noreturn]] void fail(const std::string& what, const char* hint) {
    throw Error(ErrorCode::master_key_unavailable, what, hint);
}

[[noreturn]] void fail_with_errno(const std::string& what) {
    fail(what + ": " + std::strerror(errno),
         "See that the server may read the file that pgchat.master_key_file names.");
}

class File {
public:
    File(const std::string& path, int flags, mode_t mode = 0) noexcept
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool is_open() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

SecretBytes read_text(const File& file) {
    SecretBytes buffer(most_text_bytes + 1);
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data() + size, buffer.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_with_errno("the master key file could not be read");
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    return SecretBytes(buffer.view().substr(0, size));
}

// nullopt when there is no such file.
std::optional<MasterKey> read_file(const std::string& path) {
    // A pipe in place of the file must not make the open wait.
    const File file(path, O_RDONLY | O_NONBLOCK);
    if (!file.is_open()) {
        if (errno == ENOENT) return std::nullopt;
        fail_with_errno("the master key file could not be opened");
    }
    struct stat status;
    if (::fstat(file.get(), &status) != 0) fail_with_errno("the master key file could not be looked at");
    if (!S_ISREG(status.st_mode)) fail("the master key file is no regular file", "See pgchat.master_key_file.");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        fail("the master key file can be read or written by others than its owner",
             "Give the file that pgchat.master_key_file names mode 0600, and consider the key as known to others.");
    return MasterKey::parse(read_text(file).view());
}

void write_all(const File& file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_with_errno("the new master key file could not be written");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) fail_with_errno("the new master key file could not be flushed");
}

void flush_folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const File folder(slash == std::string::npos ? "." : path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
    if (!folder.is_open() || ::fsync(folder.get()) != 0)
        fail_with_errno("the folder of the new master key file could not be flushed");
}

// Written under another name and then linked, which fails where another process was faster: its key counts.
void make_file(const std::string& path) {
    const std::string unfinished = path + "." + std::to_string(::getpid()) + ".new";
    struct Remover {
        const std::string& path;
        ~Remover() { ::unlink(path.c_str()); }
    };
    // Left by a process of the same number that was killed.
    ::unlink(unfinished.c_str());
    const File file(unfinished, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (!file.is_open()) fail_with_errno("the new master key file could not be made");
    const Remover remover{unfinished};
    write_all(file, MasterKey::generate_text().view());
    if (::link(unfinished.c_str(), path.c_str()) != 0 && errno != EEXIST)
        fail_with_errno("the new master key file could not be put in place");
    flush_folder_of(path);
}

MasterKey key_of_command(const KeySource& source) {
    try {
        return MasterKey::parse(command_output(source.command, most_text_bytes, source.command_timeout).view());
    } catch (const Error& error) {
        fail(std::string("no master key from pgchat.master_key_command: ") + error.what(),
             "The command must print 64 hexadecimal digits and end with status 0.");
    }
}

}  // namespace

MasterKey load_master_key(const KeySource& source, KeyNeed need) {
    if (!source.command.empty()) return key_of_command(source);
    std::optional<MasterKey> key = read_file(source.file);
    if (!key && source.may_make_file && need == KeyNeed::to_seal) {
        make_file(source.file);
        key = read_file(source.file);
    }
    if (!key)
        fail("the master key file does not exist",
             "Restore the file that pgchat.master_key_file names, or where no secrets are stored yet make one with "
             "\"openssl rand -hex 32\" and mode 0600.");
    return std::move(*key);
}

}  // namespace pgchat
