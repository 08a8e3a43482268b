#include "core/crypto/key_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/crypto/key_ring.hpp"
#include "core/error.hpp"

namespace pgchat {
namespace {

[[noreturn]] void fail(const std::string& what, const char* hint) {
    throw Error(ErrorCode::master_key_unavailable, what, hint);
}

[[noreturn]] void fail_with_errno(const std::string& what) {
    fail(what + ": " + std::strerror(errno),
         "See that the server may read the file that pgchat.master_key_file names.");
}

[[noreturn]] void fail_to_replace(const std::string& what) {
    fail(what + ": " + std::strerror(errno),
         "See that the server may write to the folder of the file that pgchat.master_key_file names.");
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
    SecretBytes buffer(most_key_text_bytes + 1);
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

void write_all(const File& file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_to_replace("the new master key file could not be written");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) fail_to_replace("the new master key file could not be flushed");
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

void flush_folder_of(const std::string& path) {
    const File folder(folder_of(path), O_RDONLY | O_DIRECTORY);
    if (!folder.is_open() || ::fsync(folder.get()) != 0)
        fail_to_replace("the folder of the new master key file could not be flushed");
}

// Written under the name `unfinished`, and then given to `put_in_place`.
template <class Function>
void write_beside(const std::string& path, const std::string& unfinished, std::string_view text,
                  Function&& put_in_place) {
    struct Remover {
        const std::string& path;
        ~Remover() { ::unlink(path.c_str()); }
    };
    // Left by a process that was killed.
    ::unlink(unfinished.c_str());
    const File file(unfinished, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (!file.is_open()) fail_to_replace("the new master key file could not be made");
    const Remover remover{unfinished};
    write_all(file, text);
    put_in_place();
    flush_folder_of(path);
}

// Under the lock of who changes the file.
void replace(const std::string& path, std::string_view text) {
    const std::string finished = path + ".new";
    write_beside(path, finished, text, [&] {
        if (::rename(finished.c_str(), path.c_str()) != 0)
            fail_to_replace("the new master key file could not be put in place");
    });
}

// Held by whoever changes the file. On its folder, since the file itself is replaced.
class ChangeLock {
public:
    explicit ChangeLock(const std::string& path) : folder_(folder_of(path), O_RDONLY | O_DIRECTORY) {
        struct stat status;
        if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode))
            fail("the master key file is a symbolic link, which cannot be replaced",
                 "Name the file itself in pgchat.master_key_file, or change its keys with pgchat.master_key_command.");
        while (!folder_.is_open() || ::flock(folder_.get(), LOCK_EX) != 0)
            if (!folder_.is_open() || errno != EINTR)
                fail_to_replace("the folder of the master key file could not be locked");
    }

private:
    File folder_;
};

SecretBytes read_present(const std::string& path) {
    std::optional<SecretBytes> text = read_key_file(path);
    if (!text) fail("the master key file does not exist", "Restore the file that pgchat.master_key_file names.");
    return std::move(*text);
}

SecretBytes joined(std::string_view first, std::string_view second) {
    SecretBytes both(first.size() + second.size());
    std::memcpy(both.data(), first.data(), first.size());
    std::memcpy(both.data() + first.size(), second.data(), second.size());
    return both;
}

// The first line that holds a key.
std::string_view first_key(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return text.substr(0, text.find_first_of(" \t\r\n"));
}

}  // namespace

std::optional<SecretBytes> read_key_file(const std::string& path) {
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
    return read_text(file);
}

void make_key_file(const std::string& path) {
    const std::string finished = path + "." + std::to_string(::getpid()) + ".new";
    write_beside(path, finished, MasterKey::generate_text().view(), [&] {
        // Fails where another process was faster: its key counts.
        if (::link(finished.c_str(), path.c_str()) != 0 && errno != EEXIST)
            fail_to_replace("the new master key file could not be put in place");
    });
}

bool add_key_to_file(const std::string& path) {
    const ChangeLock lock(path);
    const SecretBytes text = read_present(path);
    if (KeyRing::parse(text.view()).has_old_keys()) return false;
    const SecretBytes old_key = joined(first_key(text.view()), "\n");
    replace(path, joined(MasterKey::generate_text().view(), old_key.view()).view());
    return true;
}

bool drop_old_keys_of_file(const std::string& path, std::string_view current_id) {
    const ChangeLock lock(path);
    const SecretBytes text = read_present(path);
    const KeyRing ring = KeyRing::parse(text.view());
    if (!ring.has_old_keys() || ring.current().id() != current_id) return false;
    replace(path, joined(first_key(text.view()), "\n").view());
    return true;
}

}  // namespace pgchat
