// SPDX-License-Identifier: Apache-2.0
// The parent's side of a probe: start, wait with a limit, collect.
#include "probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace kronos::command {
namespace {

using Clock = std::chrono::steady_clock;

class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    ~FileDescriptor() { Close(); }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    void Close() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

// False when the limit passed before the other side closed.
bool ReadAll(int fd, Clock::time_point end, std::string& text) {
    for (;;) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) return false;
        pollfd wait{fd, POLLIN, 0};
        int ready = poll(&wait, 1, static_cast<int>(left));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        char buffer[4096];
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return true;
        text.append(buffer, static_cast<size_t>(got));
    }
}

// Starts the child with the pipe's end as descriptor 3; an errno on failure.
int Start(const std::filesystem::path& program, std::vector<std::string> arguments, const Environment& environment,
          int answer_fd, pid_t& child) {
    std::vector<std::string> variables = environment.Strings();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, answer_fd, 3);
    int error =
        posix_spawn(&child, program.c_str(), &actions, nullptr, Pointers(arguments).data(), Pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

std::string StatusText(int status) {
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        return "crashed: signal " + std::to_string(number) + " (" + strsignal(number) + ")";
    }
    if (WEXITSTATUS(status) != 0) return "ended the process with status " + std::to_string(WEXITSTATUS(status));
    return {};
}

}  // namespace

ProbeAnswer Probe(const std::filesystem::path& kronos, const std::vector<std::string>& arguments,
                  const Environment& environment, std::chrono::milliseconds limit) {
    ProbeAnswer probe;
    int ends[2];
    // Close-on-exec, so that only the copy made for the child stays open there and its end is seen here.
    if (pipe2(ends, O_CLOEXEC) != 0) {
        probe.failure = std::string("could not be asked: pipe: ") + std::strerror(errno);
        return probe;
    }
    FileDescriptor reading(ends[0]);
    // dup2 of a descriptor onto itself would keep close-on-exec, so it must not be 3.
    FileDescriptor writing(fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
    close(ends[1]);
    std::vector<std::string> words = {kronos.string(), "internal-probe"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    pid_t child = 0;
    if (int error = Start(kronos, words, environment, writing.get(), child); error != 0) {
        probe.failure = "could not be asked: " + kronos.string() + ": " + std::strerror(error);
        return probe;
    }
    writing.Close();
    std::string text;
    bool in_time = ReadAll(reading.get(), Clock::now() + limit, text);
    if (!in_time) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) {
        probe.failure = "did not answer within " + std::to_string(limit.count() / 1000) + " s";
        return probe;
    }
    probe.failure = StatusText(status);
    nlohmann::json answer = nlohmann::json::parse(text, nullptr, false);
    if (answer.is_object())
        probe.answer = std::move(answer);
    else if (probe.failure.empty())
        probe.failure = "ended without an answer";
    return probe;
}

}  // namespace kronos::command
