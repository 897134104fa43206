// SPDX-License-Identifier: Apache-2.0
// A child process of kronos bench. It leads a process group of its own, so that it can be ended with all it started.
#include "bench_child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace kronos::command {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kErrorsKept = 65536;
constexpr size_t kErrorsShown = 400;

class Pipe {
  public:
    Pipe() {
        if (pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
        // Only our end: the child may rely on writes that wait.
        fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    }
    ~Pipe() {
        CloseWriting();
        close(ends_[0]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    int reading() const { return ends_[0]; }
    int writing() const { return ends_[1]; }
    void CloseWriting() {
        if (ends_[1] >= 0) close(ends_[1]);
        ends_[1] = -1;
    }
    /// Adds what is there. False when no more can come.
    bool Read(std::string& text) const {
        char buffer[16384];
        for (;;) {
            const ssize_t got = read(ends_[0], buffer, sizeof buffer);
            if (got > 0)
                text.append(buffer, static_cast<size_t>(got));
            else if (got == 0 || (errno != EAGAIN && errno != EINTR))
                return false;
            else if (errno == EAGAIN)
                return true;
        }
    }

  private:
    int ends_[2] = {-1, -1};
};

int Start(std::vector<std::string>& program, const Environment& environment, const Pipe& output, const Pipe& errors,
          pid_t& child) {
    std::vector<std::string> variables = environment.Strings();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.writing(), 1);
    posix_spawn_file_actions_adddup2(&actions, errors.writing(), 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&defaults, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int error = posix_spawnp(&child, program.front().c_str(), &actions, &attributes, Pointers(program).data(),
                                   Pointers(variables).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

void KeepTheEnd(std::string& text) {
    if (text.size() > kErrorsKept) text.erase(0, text.size() - kErrorsKept);
}

// The last lines as one, without control characters.
std::string Tail(std::string text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    if (text.size() > kErrorsShown) text = "..." + text.substr(text.size() - kErrorsShown);
    std::string line;
    for (char c : text) {
        if (c == '\n')
            line += " | ";
        else
            line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return line;
}

}  // namespace

Interrupts::Interrupts() {
    // Ignored by whoever started us, children would be gone before they are waited for.
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &by_default, &child_before_);
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd_ < 0) {
        const int error = errno;
        sigprocmask(SIG_SETMASK, &before_, nullptr);
        throw std::runtime_error(std::string("signalfd: ") + std::strerror(error));
    }
}

Interrupts::~Interrupts() {
    Asked();
    close(fd_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    sigaction(SIGCHLD, &child_before_, nullptr);
}

bool Interrupts::Asked() {
    signalfd_siginfo info{};
    while (read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo != SIGCHLD) asked_ = true;
    }
    return asked_;
}

ChildEnd RunChild(std::vector<std::string> program, const Environment& environment, std::chrono::seconds limit,
                  Interrupts& interrupts) {
    ChildEnd end;
    Pipe output;
    Pipe errors;
    pid_t child = 0;
    if (const int error = Start(program, environment, output, errors, child); error != 0) {
        end.status = error;
        return end;
    }
    output.CloseWriting();
    errors.CloseWriting();
    const Clock::time_point last = Clock::now() + limit;
    pollfd sources[] = {{interrupts.fd(), POLLIN, 0}, {output.reading(), POLLIN, 0}, {errors.reading(), POLLIN, 0}};
    bool stopped = false;
    int status = 0;
    for (;;) {
        const bool asked = interrupts.Asked();
        // After the signals are taken, so that an end between the two wakes the next poll.
        const bool gone = waitpid(child, &status, WNOHANG) == child;
        if (!output.Read(end.output)) sources[1].fd = -1;
        if (!errors.Read(end.errors)) sources[2].fd = -1;
        KeepTheEnd(end.errors);
        if (gone) break;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last - Clock::now()).count();
        if (!stopped && (asked || left <= 0)) {
            end.how = asked ? ChildEnd::How::kInterrupted : ChildEnd::How::kTooLong;
            stopped = true;
            kill(-child, SIGKILL);
        }
        poll(sources, std::size(sources), stopped ? -1 : static_cast<int>(std::min<long>(left, 3'600'000)));
    }
    if (stopped) return end;
    const bool exited = WIFEXITED(status);
    end.how = exited ? ChildEnd::How::kExited : ChildEnd::How::kSignalled;
    end.status = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    return end;
}

std::string DescribeEnd(const ChildEnd& end, std::chrono::seconds limit) {
    std::string text;
    switch (end.how) {
        case ChildEnd::How::kExited:
            text = "ended with status " + std::to_string(end.status);
            break;
        case ChildEnd::How::kSignalled:
            text = "crashed: signal " + std::to_string(end.status) + " (" + strsignal(end.status) + ")";
            break;
        case ChildEnd::How::kNotStarted:
            return std::string("cannot be started: ") + std::strerror(end.status);
        case ChildEnd::How::kTooLong:
            text = "did not end within " + std::to_string(limit.count()) + " s and was ended";
            break;
        case ChildEnd::How::kInterrupted:
            return "was interrupted";
    }
    const std::string said = Tail(end.errors);
    return said.empty() ? text + ", and wrote nothing on standard error" : text + ": " + said;
}

}  // namespace kronos::command
