// SPDX-License-Identifier: Apache-2.0
// The spy's derived quantities, and the little it must remember for them: the dispatches in each command buffer and
// the size of each allocation.
#include "derived.h"

#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "allocations.h"
#include "redundant.h"
#include "shaders.h"

namespace spy {
namespace {

// Non-dispatchable handles are only unique within their device.
using PoolKey = std::pair<VkDevice, VkCommandPool>;
using MemoryKey = std::pair<VkDevice, VkDeviceMemory>;

struct Memory {
    std::mutex mutex;
    std::unordered_map<VkCommandBuffer, uint64_t> dispatches;  // in the commands recorded so far
    std::map<PoolKey, std::unordered_set<VkCommandBuffer>> pools;
    std::map<MemoryKey, uint64_t> sizes;
};

// Never destroyed: programs call Vulkan from their own exit handlers.
Memory& Remembered() {
    static Memory* const memory = new Memory;
    return *memory;
}

void CountDispatch(VkCommandBuffer commands) {
    Add(Counter::dispatches);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    ++memory.dispatches[commands];
}

void Empty(VkCommandBuffer commands) {
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    memory.dispatches[commands] = 0;
}

// With the mutex held.
uint64_t DispatchesIn(const Memory& memory, VkCommandBuffer commands) {
    const auto found = memory.dispatches.find(commands);
    return found == memory.dispatches.end() ? 0 : found->second;
}

}  // namespace

void Derived<Id::vkCmdDispatch>::Before(VkCommandBuffer commands, uint32_t, uint32_t, uint32_t) {
    CountDispatch(commands);
}

void Derived<Id::vkCmdDispatchBase>::Before(VkCommandBuffer commands, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                                            uint32_t) {
    CountDispatch(commands);
}

void Derived<Id::vkCmdDispatchIndirect>::Before(VkCommandBuffer commands, VkBuffer, VkDeviceSize) {
    CountDispatch(commands);
}

void Derived<Id::vkCmdPipelineBarrier>::Before(VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags,
                                               VkDependencyFlags, uint32_t memory_count, const VkMemoryBarrier*,
                                               uint32_t buffer_count, const VkBufferMemoryBarrier*,
                                               uint32_t image_count, const VkImageMemoryBarrier*) {
    Add(Counter::barrier_calls);
    Add(Counter::barriers, uint64_t{memory_count} + buffer_count + image_count);
}

void Derived<Id::vkCmdPipelineBarrier2>::Before(VkCommandBuffer, const VkDependencyInfo* info) {
    Add(Counter::barrier_calls);
    Add(Counter::barriers,
        uint64_t{info->memoryBarrierCount} + info->bufferMemoryBarrierCount + info->imageMemoryBarrierCount);
}

void Derived<Id::vkCmdExecuteCommands>::Before(VkCommandBuffer primary, uint32_t count,
                                               const VkCommandBuffer* secondaries) {
    Add(Counter::secondaries, count);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    uint64_t dispatches = 0;
    for (uint32_t i = 0; i < count; ++i) dispatches += DispatchesIn(memory, secondaries[i]);
    memory.dispatches[primary] += dispatches;
}

void Derived<Id::vkBeginCommandBuffer>::Before(VkCommandBuffer commands, const VkCommandBufferBeginInfo*) {
    Add(Counter::recordings);
    Empty(commands);
}

void Derived<Id::vkResetCommandBuffer>::Before(VkCommandBuffer commands, VkCommandBufferResetFlags) { Empty(commands); }

void Derived<Id::vkAllocateCommandBuffers>::After(VkResult result, VkDevice device,
                                                  const VkCommandBufferAllocateInfo* info, VkCommandBuffer* buffers) {
    if (result != VK_SUCCESS) return;
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    auto& pool = memory.pools[{device, info->commandPool}];
    for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
        pool.insert(buffers[i]);
        memory.dispatches[buffers[i]] = 0;
    }
}

void Derived<Id::vkFreeCommandBuffers>::Before(VkDevice device, VkCommandPool pool, uint32_t count,
                                               const VkCommandBuffer* buffers) {
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    const auto found = memory.pools.find({device, pool});
    for (uint32_t i = 0; i < count; ++i) {
        if (buffers[i] == VK_NULL_HANDLE) continue;
        if (found != memory.pools.end()) found->second.erase(buffers[i]);
        memory.dispatches.erase(buffers[i]);
        DropState(buffers[i]);
    }
}

void Derived<Id::vkResetCommandPool>::Before(VkDevice device, VkCommandPool pool, VkCommandPoolResetFlags) {
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    const auto found = memory.pools.find({device, pool});
    if (found == memory.pools.end()) return;
    for (VkCommandBuffer commands : found->second) memory.dispatches[commands] = 0;
}

void Derived<Id::vkDestroyCommandPool>::Before(VkDevice device, VkCommandPool pool, const VkAllocationCallbacks*) {
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    const auto found = memory.pools.find({device, pool});
    if (found == memory.pools.end()) return;
    for (VkCommandBuffer commands : found->second) {
        memory.dispatches.erase(commands);
        DropState(commands);
    }
    memory.pools.erase(found);
}

void Derived<Id::vkUpdateDescriptorSets>::Before(VkDevice, uint32_t write_count, const VkWriteDescriptorSet*,
                                                 uint32_t copy_count, const VkCopyDescriptorSet*) {
    Add(Counter::descriptor_updates);
    Add(Counter::descriptor_writes, uint64_t{write_count} + copy_count);
}

void Derived<Id::vkUpdateDescriptorSetWithTemplate>::Before(VkDevice, VkDescriptorSet, VkDescriptorUpdateTemplate,
                                                            const void*) {
    Add(Counter::descriptor_updates);
    Add(Counter::descriptor_writes);
}

void Derived<Id::vkAllocateDescriptorSets>::After(VkResult result, VkDevice, const VkDescriptorSetAllocateInfo* info,
                                                  VkDescriptorSet*) {
    if (result == VK_SUCCESS) Add(Counter::sets_allocated, info->descriptorSetCount);
}

void Derived<Id::vkQueueSubmit>::Before(VkQueue, uint32_t count, const VkSubmitInfo* infos, VkFence) {
    Add(Counter::submits);
    Add(Counter::submit_infos, count);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    for (uint32_t i = 0; i < count; ++i) {
        const VkSubmitInfo& info = infos[i];
        Add(Counter::command_buffers, info.commandBufferCount);
        Add(Counter::semaphore_waits, info.waitSemaphoreCount);
        Add(Counter::semaphore_signals, info.signalSemaphoreCount);
        for (uint32_t j = 0; j < info.commandBufferCount; ++j) {
            Add(Counter::dispatches_submitted, DispatchesIn(memory, info.pCommandBuffers[j]));
        }
    }
}

void Derived<Id::vkQueueSubmit2>::Before(VkQueue, uint32_t count, const VkSubmitInfo2* infos, VkFence) {
    Add(Counter::submits);
    Add(Counter::submit_infos, count);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    for (uint32_t i = 0; i < count; ++i) {
        const VkSubmitInfo2& info = infos[i];
        Add(Counter::command_buffers, info.commandBufferInfoCount);
        Add(Counter::semaphore_waits, info.waitSemaphoreInfoCount);
        Add(Counter::semaphore_signals, info.signalSemaphoreInfoCount);
        for (uint32_t j = 0; j < info.commandBufferInfoCount; ++j) {
            Add(Counter::dispatches_submitted, DispatchesIn(memory, info.pCommandBufferInfos[j].commandBuffer));
        }
    }
}

void Derived<Id::vkCreateFence>::After(VkResult result, VkDevice, const VkFenceCreateInfo*,
                                       const VkAllocationCallbacks*, VkFence*) {
    if (result == VK_SUCCESS) Add(Counter::fences_created);
}

void Derived<Id::vkDestroyFence>::Before(VkDevice, VkFence fence, const VkAllocationCallbacks*) {
    if (fence != VK_NULL_HANDLE) Add(Counter::fences_destroyed);
}

void Derived<Id::vkResetFences>::Before(VkDevice, uint32_t count, const VkFence*) { Add(Counter::fence_resets, count); }

void Derived<Id::vkAllocateMemory>::After(VkResult result, VkDevice device, const VkMemoryAllocateInfo* info,
                                          const VkAllocationCallbacks*, VkDeviceMemory* handle) {
    if (result != VK_SUCCESS) return;
    FolderOfAllocations().Allocated(device, *handle, *info);
    Add(Counter::allocations);
    Add(Counter::allocated_bytes, info->allocationSize);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    memory.sizes[{device, *handle}] = info->allocationSize;
}

void Derived<Id::vkFreeMemory>::Before(VkDevice device, VkDeviceMemory handle, const VkAllocationCallbacks*) {
    if (handle == VK_NULL_HANDLE) return;
    FolderOfAllocations().Freed(device, handle);
    Add(Counter::frees);
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    const auto found = memory.sizes.find({device, handle});
    if (found == memory.sizes.end()) return;
    Add(Counter::freed_bytes, found->second);
    memory.sizes.erase(found);
}

namespace {

uint64_t Bits(const void* handle) { return reinterpret_cast<uintptr_t>(handle); }

}  // namespace

// Buffers and images alike: what a trace of allocations needs to know of them.
#define SPY_RESOURCE(Kind, member)                                                                              \
    void Derived<Id::vkGet##Kind##MemoryRequirements>::After(VkDevice device, Vk##Kind member,                  \
                                                             VkMemoryRequirements* needs) {                     \
        FolderOfAllocations().Needs(device, Bits(member), *needs);                                              \
    }                                                                                                           \
    void Derived<Id::vkGet##Kind##MemoryRequirements2>::After(                                                  \
        VkDevice device, const Vk##Kind##MemoryRequirementsInfo2* info, VkMemoryRequirements2* needs) {         \
        FolderOfAllocations().Needs(device, Bits(info->member), needs->memoryRequirements);                     \
    }                                                                                                           \
    void Derived<Id::vkBind##Kind##Memory>::Before(VkDevice device, Vk##Kind member, VkDeviceMemory memory,     \
                                                   VkDeviceSize) {                                              \
        FolderOfAllocations().Bound(device, Bits(member), memory);                                              \
    }                                                                                                           \
    void Derived<Id::vkBind##Kind##Memory2>::Before(VkDevice device, uint32_t count,                            \
                                                    const VkBind##Kind##MemoryInfo* infos) {                    \
        for (uint32_t i = 0; i < count; ++i)                                                                    \
            FolderOfAllocations().Bound(device, Bits(infos[i].member), infos[i].memory);                        \
    }                                                                                                           \
    void Derived<Id::vkDestroy##Kind>::Before(VkDevice device, Vk##Kind member, const VkAllocationCallbacks*) { \
        FolderOfAllocations().Destroyed(device, Bits(member));                                                  \
    }

SPY_RESOURCE(Buffer, buffer)
SPY_RESOURCE(Image, image)
#undef SPY_RESOURCE

void Derived<Id::vkCreateShaderModule>::Before(VkDevice, const VkShaderModuleCreateInfo* info,
                                               const VkAllocationCallbacks*, VkShaderModule*) {
    FolderOfShaders().Keep(*info);
}

void Derived<Id::vkCreateComputePipelines>::Before(VkDevice, VkPipelineCache, uint32_t count,
                                                   const VkComputePipelineCreateInfo* infos,
                                                   const VkAllocationCallbacks*, VkPipeline*) {
    FolderOfShaders().Keep(count, infos);
}

void Derived<Id::vkCreateShadersEXT>::Before(VkDevice, uint32_t count, const VkShaderCreateInfoEXT* infos,
                                             const VkAllocationCallbacks*, VkShaderEXT*) {
    FolderOfShaders().Keep(count, infos);
}

void ForgetDevice(VkDevice device) {
    Memory& memory = Remembered();
    const std::lock_guard lock(memory.mutex);
    std::erase_if(memory.sizes, [device](const auto& entry) { return entry.first.first == device; });
    std::erase_if(memory.pools, [device, &memory](const auto& entry) {
        if (entry.first.first != device) return false;
        for (VkCommandBuffer commands : entry.second) {
            memory.dispatches.erase(commands);
            DropState(commands);
        }
        return true;
    });
}

}  // namespace spy
