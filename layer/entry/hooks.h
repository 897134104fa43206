// SPDX-License-Identifier: Apache-2.0
// The prototypes of all hooks, from commands.def and the headers' own types.
#pragma once

#include <vulkan/vulkan.h>

#include <type_traits>

namespace kronos::hook {

#define COMMAND(scope, name, version, gate, ...) std::remove_pointer_t<PFN_vk##name> name;
#define COUNTED(name, counter, version, gate, ...)
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED

}  // namespace kronos::hook
