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

/// A command buffer that keeps the device busy for about `ns`: doubled until it is long enough, then made as long as is
/// wanted. `fence` is used meanwhile.
inline VkCommandBuffer BusyFor(Device& device, VkFence fence, double ns) {
    const VkCommandBuffer commands = device.Commands(device.family());
    const auto busy_for = [&](double iterations) {
        Device::Record(commands, [&](VkCommandBuffer c) {
            device.BindKernel(c);
            device.Dispatch(c, 0, static_cast<uint32_t>(iterations));
        });
        const double start = Now();
        device.SubmitAndSpin(device.queue(), {commands}, fence);
        return Now() - start;
    };
    double iterations = 100;
    busy_for(iterations);  // the first of all is slow
    double took = busy_for(iterations);
    for (; took < ns; took = busy_for(iterations)) iterations *= 2;
    busy_for(iterations * ns / took);
    return commands;
}

}  // namespace kronos::bench
