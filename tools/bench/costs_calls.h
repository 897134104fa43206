// SPDX-License-Identifier: Apache-2.0
// What several groups time.
#pragma once

#include <vulkan/utility/vk_struct_helper.hpp>

#include "costs_device.h"

namespace kronos::bench {

/// ns each of `count` calls.
template <class Call>
double Each(int count, const Call& call) {
    const double start = Now();
    for (int i = 0; i < count; ++i) call();
    return (Now() - start) / count;
}

inline void Submit(VkQueue queue, VkCommandBuffer commands, VkFence fence, void* next = nullptr,
                   const VkSemaphore* signal = nullptr) {
    auto submit = vku::InitStruct<VkSubmitInfo>(next);
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands;
    submit.signalSemaphoreCount = signal ? 1 : 0;
    submit.pSignalSemaphores = signal;
    Must(vkQueueSubmit(queue, 1, &submit, fence), "vkQueueSubmit");
}

}  // namespace kronos::bench
