// SPDX-License-Identifier: Apache-2.0
// Counting memory and descriptor calls. Any thread; allocating and freeing take the lock of the device's size table.
#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice handle, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator, VkDeviceMemory* memory) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.AllocateMemory(handle, info, allocator, memory);
    if (result != VK_SUCCESS) return result;
    Counters& counters = device.stats->counters();
    counters.Add(Counter::kAllocations);
    counters.Add(Counter::kAllocatedBytes, info->allocationSize);
    // Should the table find no memory, the bytes of this allocation will be missing in freed_bytes, and the log says
    // why.
    Guarded(device.log.get(), "vkAllocateMemory", false,
            [&] { return device.memory_bytes.Insert(*memory, info->allocationSize); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL FreeMemory(VkDevice handle, VkDeviceMemory memory, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    if (memory) {
        device.stats->counters().Add(Counter::kFrees);
        device.stats->counters().Add(Counter::kFreedBytes, device.memory_bytes.Erase(memory));
    }
    device.down.FreeMemory(handle, memory, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL MapMemory(VkDevice handle, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,
                                         VkMemoryMapFlags flags, void** data) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kMaps);
    return device.down.MapMemory(handle, memory, offset, size, flags, data);
}

VKAPI_ATTR VkResult VKAPI_CALL MapMemory2(VkDevice handle, const VkMemoryMapInfo* info, void** data) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kMaps);
    return device.down.MapMemory2(handle, info, data);
}

VKAPI_ATTR void VKAPI_CALL UnmapMemory(VkDevice handle, VkDeviceMemory memory) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kUnmaps);
    device.down.UnmapMemory(handle, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL UnmapMemory2(VkDevice handle, const VkMemoryUnmapInfo* info) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kUnmaps);
    return device.down.UnmapMemory2(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL FlushMappedMemoryRanges(VkDevice handle, uint32_t count,
                                                       const VkMappedMemoryRange* ranges) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kFlushes);
    return device.down.FlushMappedMemoryRanges(handle, count, ranges);
}

VKAPI_ATTR VkResult VKAPI_CALL InvalidateMappedMemoryRanges(VkDevice handle, uint32_t count,
                                                            const VkMappedMemoryRange* ranges) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kInvalidates);
    return device.down.InvalidateMappedMemoryRanges(handle, count, ranges);
}

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSets(VkDevice handle, uint32_t write_count,
                                                const VkWriteDescriptorSet* writes, uint32_t copy_count,
                                                const VkCopyDescriptorSet* copies) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kDescriptorUpdates);
    device.stats->counters().Add(Counter::kDescriptorWrites, uint64_t{write_count} + copy_count);
    device.down.UpdateDescriptorSets(handle, write_count, writes, copy_count, copies);
}

VKAPI_ATTR void VKAPI_CALL UpdateDescriptorSetWithTemplate(VkDevice handle, VkDescriptorSet set,
                                                           VkDescriptorUpdateTemplate update_template,
                                                           const void* data) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kDescriptorUpdates);
    device.stats->counters().Add(Counter::kDescriptorWrites);
    device.down.UpdateDescriptorSetWithTemplate(handle, set, update_template, data);
}

VKAPI_ATTR VkResult VKAPI_CALL AllocateDescriptorSets(VkDevice handle, const VkDescriptorSetAllocateInfo* info,
                                                      VkDescriptorSet* sets) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.AllocateDescriptorSets(handle, info, sets);
    if (result == VK_SUCCESS) device.stats->counters().Add(Counter::kSetsAllocated, info->descriptorSetCount);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL ResetDescriptorPool(VkDevice handle, VkDescriptorPool pool,
                                                   VkDescriptorPoolResetFlags flags) {
    Device& device = DeviceOf(handle);
    device.stats->counters().Add(Counter::kPoolResets);
    return device.down.ResetDescriptorPool(handle, pool, flags);
}

}  // namespace kronos::hook
