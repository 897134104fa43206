// SPDX-License-Identifier: Apache-2.0
// Vulkan's way to give a list: section "Retrieving data: arrays". Pure.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace kronos {

/// How many of `have` the program gets, which is told in *count. `room`: the program gave an array.
inline VkResult GiveCount(size_t have, bool room, uint32_t* count) {
    const auto all = static_cast<uint32_t>(have);
    *count = room ? std::min(*count, all) : all;
    return *count < all ? VK_INCOMPLETE : VK_SUCCESS;
}

/// Copies up to *count of `all`; without `out` only tells how many there are.
template <class Range, class T>
VkResult Enumerate(const Range& all, uint32_t* count, T* out) {
    const VkResult result = GiveCount(all.size(), out != nullptr, count);
    if (out) std::copy_n(all.begin(), *count, out);
    return result;
}

}  // namespace kronos
