// SPDX-License-Identifier: Apache-2.0
// The manual page and the completion for bash, from what the command line parser knows: what --help says, in other
// forms. For the build, which installs them. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace kronos::command {

/// kronos(1), as roff for man(7).
std::string ManPage(const CLI::App& app, const std::string& version);
/// A script for bash that needs nothing else; bash-completion loads it when it is first needed.
std::string BashCompletion(const CLI::App& app);

/// The hidden sub-command: one of them on standard output. 2 with a line for another form.
int DescribeCommand(const CLI::App& app, const std::string& form, const std::string& version);

}  // namespace kronos::command
