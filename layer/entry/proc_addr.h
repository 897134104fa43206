// SPDX-License-Identifier: Apache-2.0
// From a command's name to its hook. Pure tables made at compile time from commands.def. Any thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <cstdint>
#include <string_view>

#include "entry/state.h"

namespace kronos {

enum class Scope { kGlobal, kInstance, kPhysicalDevice, kDevice, kQueue, kCommandBuffer };

struct Hook {
    std::string_view name;     ///< "vkQueueSubmit2": the core name where there is one
    std::string_view aliases;  ///< "QueueSubmit2KHR, ..." as written in commands.def
    Scope scope;
    uint32_t core_version;  ///< 0: in no core version
    uint32_t gate;
    PFN_vkVoidFunction function;
    size_t slot;  ///< offset in VkuDeviceDispatchTable or VkuInstanceDispatchTable, by scope
};

/// The hook for a command's name or alias, or nullptr.
const Hook* FindHook(std::string_view name);

inline bool IsDeviceScope(Scope scope) { return scope >= Scope::kDevice; }

/// Lets each command with aliases share one slot: the core pointer where `version` has the command, else the first
/// alias that exists below. Called once, after the table has been filled.
void ShareSlots(VkuDeviceDispatchTable& table, VkDevice device, PFN_vkGetDeviceProcAddr next, uint32_t version);
void ShareSlots(VkuInstanceDispatchTable& table, VkInstance instance, PFN_vkGetInstanceProcAddr next, uint32_t version);

}  // namespace kronos
