// SPDX-License-Identifier: Apache-2.0
// kronos run: the environment in which the loader finds and loads the layer, and the program started in it. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "environment.h"
#include "layout.h"

namespace kronos::command {

inline constexpr int kUsageError = 2;
inline constexpr int kCannotRun = 125;  // kronos itself is at fault, as with env(1) and timeout(1)
inline constexpr int kNotExecutable = 126;
inline constexpr int kProgramNotFound = 127;

struct RunRequest {
    std::vector<std::string> settings;  ///< "key=value"
    std::string preset;                 ///< or ""
    bool implicit = false;
};

struct ComposedEnvironment {
    Environment environment;
    std::vector<std::string> notes;    ///< one line each, for standard error
    std::optional<std::string> error;  ///< one line: the request itself is wrong
};

/// Adds to an environment what makes the loader load the layer, keeping what the user set.
ComposedEnvironment ComposeRunEnvironment(Environment environment, const Layout& layout, const RunRequest& request);

/// The arguments after "run" taken apart: options of kronos, and the program with its arguments. The program starts
/// after the first "--", or at the first word that is neither an option nor an option's value.
struct RunArguments {
    std::vector<std::string> options;
    std::vector<std::string> program;
};
RunArguments SplitRunArguments(const std::vector<std::string>& arguments);

/// Replaces this process by the program. Returns only when that fails, with the status to end with; a line is printed.
int Execute(const std::vector<std::string>& program, const Environment& environment);

/// The sub-command. Returns only when the program cannot be started.
int Run(const RunRequest& request, const std::vector<std::string>& program);

}  // namespace kronos::command
