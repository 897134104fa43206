// SPDX-License-Identifier: Apache-2.0
// kronos devices: the list of devices as a program sees it under the layer, and what is hidden from it, and why. Vulkan
// is asked in child processes only. One thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "environment.h"
#include "layout.h"

namespace kronos::command {

struct DevicesRequest {
    bool json = false;
    bool links = false;   ///< also measure how fast devices reach one another
    std::string program;  ///< for device_rules: whose list it is; empty: a program without rules
};

int Devices(const DevicesRequest& request);

/// What `kronos devices --json` prints, without links. Never fails: what could not be found out is said in it.
nlohmann::json ListDevices(const std::filesystem::path& kronos, const Layout& layout, const Environment& environment,
                           const std::string& program);
std::string FormatDevices(const nlohmann::json& list);

/// Answers of the child. All devices, chosen from as the layer chooses: {devices, problems, failure}.
nlohmann::json AnswerDevices(const std::string& program);
/// What this process sees, and what the layer, if it is there, says of each device when it is created.
nlohmann::json AnswerSeen();
/// Bandwidths between the devices that this process sees: {links: [...]}.
nlohmann::json AnswerLinks();

}  // namespace kronos::command
