// SPDX-License-Identifier: Apache-2.0
// Counting descriptor calls. Any thread; no locks.
#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos::hook {

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSets(VkDevice handle, uint32_t write_count,
                                                const VkWriteDescriptorSet* writes, uint32_t copy_count,
                                                const VkCopyDescriptorSet* copies) {
    Device& device = DeviceOf(handle);
    if (device.stats) {
        const Counters::Own counters = device.stats->counters().OfThisThread();
        counters.Add(Counter::kDescriptorUpdates);
        counters.Add(Counter::kDescriptorWrites, uint64_t{write_count} + copy_count);
    }
    device.down.UpdateDescriptorSets(handle, write_count, writes, copy_count, copies);
}

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSetWithTemplate(VkDevice handle, VkDescriptorSet set,
                                                           VkDescriptorUpdateTemplate update_template,
                                                           const void* data) {
    Device& device = DeviceOf(handle);
    device.Count(Counter::kDescriptorUpdates);
    device.Count(Counter::kDescriptorWrites);
    device.down.UpdateDescriptorSetWithTemplate(handle, set, update_template, data);
}

VKAPI_ATTR VkResult VKAPI_CALL AllocateDescriptorSets(VkDevice handle, const VkDescriptorSetAllocateInfo* info,
                                                      VkDescriptorSet* sets) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.AllocateDescriptorSets(handle, info, sets);
    if (result == VK_SUCCESS) device.Count(Counter::kSetsAllocated, info->descriptorSetCount);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL ResetDescriptorPool(VkDevice handle, VkDescriptorPool pool,
                                                   VkDescriptorPoolResetFlags flags) {
    Device& device = DeviceOf(handle);
    device.Count(Counter::kPoolResets);
    return device.down.ResetDescriptorPool(handle, pool, flags);
}

}  // namespace kronos::hook
