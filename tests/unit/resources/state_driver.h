// SPDX-License-Identifier: Apache-2.0
// A driver that writes down which binds, pushes and dispatches it gets. What it got is the calling thread's.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <cstdint>
#include <vector>

namespace kronos::model {

/// A command as a driver gets it: its name's letter, and all its arguments as numbers, with what they point to.
struct Raw {
    char letter = 0;
    std::vector<uint64_t> words;
    bool operator==(const Raw&) const = default;
};
std::vector<Raw>& DriverGot();
const VkuDeviceDispatchTable& DriverTable();

/// vkCmdResetQueryPool, with its first query.
constexpr char kDriverMark = '#';

}  // namespace kronos::model
