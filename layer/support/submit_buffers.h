// SPDX-License-Identifier: Apache-2.0
// The command buffers of a submission's batch, of both kinds. Any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <span>

namespace kronos {

inline std::span<const VkCommandBuffer> BuffersOf(const VkSubmitInfo& info) {
    return {info.pCommandBuffers, info.commandBufferCount};
}
inline std::span<const VkCommandBufferSubmitInfo> BuffersOf(const VkSubmitInfo2& info) {
    return {info.pCommandBufferInfos, info.commandBufferInfoCount};
}

/// They must live as long as the batch is used.
inline void SetBuffers(VkSubmitInfo& info, std::span<const VkCommandBuffer> buffers) {
    info.pCommandBuffers = buffers.data();
    info.commandBufferCount = static_cast<uint32_t>(buffers.size());
}
inline void SetBuffers(VkSubmitInfo2& info, std::span<const VkCommandBufferSubmitInfo> buffers) {
    info.pCommandBufferInfos = buffers.data();
    info.commandBufferInfoCount = static_cast<uint32_t>(buffers.size());
}

}  // namespace kronos
