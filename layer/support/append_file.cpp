// SPDX-License-Identifier: Apache-2.0
#include "support/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

namespace kronos {
namespace {

constexpr off_t kTornEndMost = 64 << 10;  // longer than any line that is written
constexpr int kLockTries = 10;            // of a millisecond

// A write can raise SIGPIPE (nobody reads) or SIGXFSZ (ulimit -f), which would end a program that wrote nothing itself.
// They are held back on this thread, and one that the write has raised is taken away; one that was pending before
// stays.
class QuietWrites {
  public:
    QuietWrites() {
        sigemptyset(&quiet_);
        sigaddset(&quiet_, SIGPIPE);
        sigaddset(&quiet_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &quiet_, &before_);
        sigpending(&pending_);
    }
    ~QuietWrites() {
        for (const int signal : {SIGPIPE, SIGXFSZ}) {
            sigset_t now, one;
            sigpending(&now);
            if (!sigismember(&now, signal) || sigismember(&pending_, signal)) continue;
            sigemptyset(&one);
            sigaddset(&one, signal);
            const timespec none = {0, 0};
            while (sigtimedwait(&one, nullptr, &none) < 0 && errno == EINTR) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t quiet_, before_, pending_;
};

// errno, or 0.
int WriteAll(int fd, std::string_view text) {
    const QuietWrites quiet;
    while (!text.empty()) {
        const ssize_t n = write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        text.remove_prefix(static_cast<size_t>(n));
    }
    return 0;
}

}  // namespace

void AppendFile::WriteToStandardError(std::string_view text) {
    const int saved = errno;
    static_cast<void>(WriteAll(STDERR_FILENO, text));  // a closed or full standard error has no one to tell
    errno = saved;
}

std::string AppendFile::Open(const std::string& path) {
    Close();
    int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd < 0) return strerror(errno);
    if (fd <= STDERR_FILENO) {
        // The program has closed a standard stream; what it prints there must not land in our file.
        const int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        const int error = errno;
        close(fd);
        if (higher < 0) return strerror(error);
        fd = higher;
    }
    struct stat status = {};
    if (fstat(fd, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))) {
        close(fd);
        return "not a regular file";
    }
    fd_ = fd;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    empty_ = status.st_size == 0;
    return "";
}

bool AppendFile::IsDeleted() const {
    struct stat status = {};
    return fd_ >= 0 && fstat(fd_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_ &&
           S_ISREG(status.st_mode) && status.st_nlink == 0;
}

bool AppendFile::IsAt(const std::string& path) const {
    struct stat status = {};
    return fd_ >= 0 && stat(path.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

bool AppendFile::StillOurs() const {
    struct stat status = {};
    return fstat(fd_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

AppendFile::End AppendFile::ReadEnd() const {
    std::string text(kTornEndMost, '\0');
    // The descriptor cannot read, and its number is all that is known to lead to this file for sure.
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd_);
    const int reader = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (reader < 0) return {};
    struct stat status = {};
    ssize_t read = -1;
    if (fstat(reader, &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == inode_ && status.st_dev == device_) {
        text.resize(static_cast<size_t>(std::min<off_t>(status.st_size, kTornEndMost)));
        read = pread(reader, text.data(), text.size(), status.st_size - static_cast<off_t>(text.size()));
    }
    close(reader);
    if (read != static_cast<ssize_t>(text.size())) return {};
    if (const size_t newline = text.rfind('\n'); newline != std::string::npos) text.erase(0, newline + 1);
    return {std::move(text), status.st_size};
}

std::string AppendFile::TornEnd() const {
    if (fd_ < 0 || empty_) return "";
    End end = ReadEnd();
    // A write of another process is seen page by page.
    return !end.torn.empty() && ReadEnd().size == end.size ? std::move(end.torn) : "";
}

void AppendFile::CutTornEnd(std::string_view begin) {
    // Who writes holds a shared lock: where there are none, nobody can be known to write.
    if (fd_ < 0 || empty_ || flock(fd_, LOCK_SH | LOCK_NB) != 0) return;
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) {
        const End end = ReadEnd();
        const bool ours = end.torn.starts_with(begin) || begin.starts_with(end.torn);
        struct stat status = {};
        if (!end.torn.empty() && ours && fstat(fd_, &status) == 0 && status.st_size == end.size)
            // Where it fails the file stays as it was.
            static_cast<void>(!ftruncate(fd_, end.size - static_cast<off_t>(end.torn.size())));
    }
    flock(fd_, LOCK_UN);
}

// False: somebody has the lock who looks whether anybody writes.
bool AppendFile::Share() {
    if (!sharing_) return true;
    if (flock(fd_, LOCK_SH | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        flock(fd_, LOCK_UN);  // there are exclusive locks only: others must not take one for what it is not
    }
    sharing_ = false;
    return true;
}

std::string AppendFile::WriteFirst(std::string_view text) {
    sharing_ = true;
    // Who does not get the lock lets the one who has it write. A file without locks has no other writers.
    const bool locked = flock(fd_, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK) {
        Share();
        return "";
    }
    struct stat status = {};
    const bool first = fstat(fd_, &status) == 0 && status.st_size == 0;
    std::string error = first ? Write(text) : "";
    if (IsOpen()) Share();
    return error;
}

std::string AppendFile::Write(std::string_view text) {
    if (fd_ < 0 || text.empty()) return "";
    if (!StillOurs()) {
        fd_ = -1;
        return "the program has closed its descriptor";
    }
    // Whoever it is needs no longer than a cut takes, but may have been stopped in it: then it is written all the same.
    for (int tries = 0; !Share() && tries < kLockTries; ++tries) poll(nullptr, 0, 1);
    const int error = WriteAll(fd_, text);
    if (!error) return "";
    Close();
    return strerror(error);
}

void AppendFile::Close() {
    sharing_ = false;
    if (fd_ >= 0 && StillOurs()) close(fd_);
    fd_ = -1;
}

}  // namespace kronos
