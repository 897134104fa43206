// SPDX-License-Identifier: Apache-2.0
// Collects the settings of an instance from environment, the program's profile, settings file and application, in that
// order of priority (but for profiles Vulkan-Utility-Libraries' LayerSettings). Called once per instance, in
// vkCreateInstance, on the program's thread; and by the kronos command.
#pragma once

#include <vulkan/vulkan.h>

#include <filesystem>

#include "settings/parse.h"
#include "support/process.h"

namespace kronos {

/// `secure`: the process has more rights than its user; then all settings are those of a secure process: defaults, and
/// no file is written. `program`: whose profile counts.
ResolvedSettings ReadSettings(const VkInstanceCreateInfo* create_info, bool secure,
                              const std::string& program = ProgramName());

/// Where the user's profiles lie: $XDG_CONFIG_HOME/kronos/programs, or ~/.config/kronos/programs; empty where neither
/// variable is set. The profile of a program is the file <its file name>.txt, with lines as in vk_layer_settings.txt.
std::filesystem::path ProfileFolder();
/// All places of profiles, the first of which counts: the user's, then those of all users, under $XDG_CONFIG_DIRS
/// (/etc/xdg). A folder that does not begin with / is none.
std::vector<std::filesystem::path> ProfileFolders();
/// The file that settings are read from beside profiles: the first vk_layer_settings.txt of those that the loader's
/// tools know; empty where there is none.
std::filesystem::path FindSettingsFile();

}  // namespace kronos
