// SPDX-License-Identifier: Apache-2.0
// Questions to Vulkan that could crash or hang, asked in a child process: kronos starts itself with the hidden
// sub-command internal-probe and reads one JSON object from a pipe. One thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "environment.h"

namespace kronos::command {

struct ProbeAnswer {
    nlohmann::json answer = nlohmann::json::object();  ///< an object; empty when the child did not answer
    std::string failure;  ///< "" or "crashed: signal 11 (Segmentation fault)", "did not answer within 20 s", ...
};

/// Runs `kronos internal-probe ARGUMENTS` in that environment. Standard output and error of the child are dropped.
ProbeAnswer Probe(const std::filesystem::path& kronos, const std::vector<std::string>& arguments,
                  const Environment& environment, std::chrono::milliseconds limit = std::chrono::seconds(20));

/// The child's side: answers on file descriptor 3 and ends the process without running anybody's exit handlers.
/// what: "vulkan" (loader, devices, tools), "library" (can the file be loaded, is it a layer), or what devices.h asks:
/// "devices" (of the program `file`), "seen", "links".
[[noreturn]] void AnswerProbe(const std::string& what, const std::string& file);

}  // namespace kronos::command
