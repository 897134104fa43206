// SPDX-License-Identifier: Apache-2.0
// A child process of kronos bench: started, read, waited for with a limit, ended with all it started. One thread.
#pragma once

#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

#include "environment.h"

namespace kronos::command {

/// While it lives, Ctrl-C and its like do not end this process but are noted, and children are noticed when they end.
class Interrupts {
  public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    int fd() const { return fd_; }
    /// Takes what has come in; whether one of it ever asked to stop.
    bool Asked();

  private:
    int fd_ = -1;
    bool asked_ = false;
    sigset_t before_{};
    struct sigaction child_before_ {};
};

struct ChildEnd {
    enum class How { kExited, kSignalled, kNotStarted, kTooLong, kInterrupted } how = How::kNotStarted;
    int status = 0;      ///< the exit status, the signal, or the error number
    std::string output;  ///< standard output
    std::string errors;  ///< the last of standard error

    bool ok() const { return how == How::kExited && status == 0; }
};

/// Runs program[0], looked up like a shell does, with nothing on its standard input.
ChildEnd RunChild(std::vector<std::string> program, const Environment& environment, std::chrono::seconds limit,
                  Interrupts& interrupts);

/// "ended with status 3: <the last lines it wrote>", one line.
std::string DescribeEnd(const ChildEnd& end, std::chrono::seconds limit);

}  // namespace kronos::command
