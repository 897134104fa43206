// SPDX-License-Identifier: Apache-2.0
// Fences as objects: created, reset, destroyed, shared. Any thread; creating and destroying take the cache's lock.
#include <span>

#include "devices/judgement.h"
#include "entry/hooks.h"
#include "entry/state.h"
#include "submission/fence_status.h"
#include "support/clock.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

void Judged(const Device& device) {
    Guarded(device.log.get(), "recycle_fences", false,
            [&] { return RememberVerdict(*device.log, device.driver_key, kFenceCost, device.fences->probe), true; });
}

// Where nobody knows fences.
SparedTime* Spared(const Device& device) {
    return device.foresight && !device.fences ? &device.foresight->spared : nullptr;
}

// A fence of an earlier life, in the state that the program asks for; VK_NULL_HANDLE when there is none.
VkFence Recycled(const Device& device, bool signaled) {
    if (const FenceState* state = device.fences->Take(signaled)) return state->handle;
    if (signaled) return VK_NULL_HANDLE;
    FenceState* state = device.fences->Take(true);
    if (!state) return VK_NULL_HANDLE;
    device.Count(Side::kDriver, Counter::kFenceResets);
    if (device.down.ResetFences(device.handle, 1, &state->handle) == VK_SUCCESS) {
        state->Reset();
        return state->handle;
    }
    const VkFence fence = state->handle;
    device.fences->Forget(fence);
    device.Count(Side::kDriver, Counter::kFencesDestroyed);
    device.down.DestroyFence(device.handle, fence, nullptr);
    return VK_NULL_HANDLE;
}

// Why a fence that the program destroys cannot have another life, or kFencesKept.
Counter WhyNotKept(const Device& device, FenceState* state) {
    if (device.fences->ended.load(std::memory_order_relaxed)) return Counter::kFencesWatchdog;
    if (device.fences->Cheap()) return Counter::kFencesCheap;
    if (!state) return Counter::kFencesUnknown;
    if (state->shared.load(std::memory_order_relaxed)) return Counter::kFencesShared;
    if (state->marked.load(std::memory_order_relaxed)) return Counter::kFencesMarked;
    if (device.fences->probe.verdict() != CostProbe::Verdict::kDear) return Counter::kFencesCheap;
    // Destroying a fence that work will still signal is the program's fault; the driver may deal with it.
    const FenceState::Phase phase = state->phase();
    if (phase != FenceState::kSubmitted && phase != FenceState::kVirtual) return Counter::kFencesKept;
    uint64_t polls = 0;
    const VkResult status = StatusOf(device, state->handle, state, polls);
    device.Count(Side::kDriver, Counter::kPolls, polls);
    return status == VK_SUCCESS ? Counter::kFencesKept : Counter::kFencesPending;
}

// A name of the old life must not show in the new one. True when there is none any more.
bool Unnamed(const Device& device, FenceState& state) {
    if (!state.named.load(std::memory_order_relaxed)) return true;
    const VkDebugUtilsObjectNameInfoEXT none = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, nullptr,
                                                VK_OBJECT_TYPE_FENCE, HandleBits(state.handle), nullptr};
    if (device.down.SetDebugUtilsObjectNameEXT(device.handle, &none) != VK_SUCCESS) return false;
    state.named.store(false, std::memory_order_relaxed);
    return true;
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL CreateFence(VkDevice handle, const VkFenceCreateInfo* info,
                                           const VkAllocationCallbacks* allocator, VkFence* fence) {
    Device& device = DeviceOf(handle);
    const bool signaled = info->flags & VK_FENCE_CREATE_SIGNALED_BIT;
    const bool understood = device.fences && !device.fences->Ignores() && !info->pNext && !allocator &&
                            !(info->flags & ~VkFenceCreateFlags{VK_FENCE_CREATE_SIGNALED_BIT});
    if (understood) {
        if (const VkFence recycled = Recycled(device, signaled)) {
            *fence = recycled;
            device.Count(Side::kAsked, Counter::kFencesCreated);
            device.Decided(Counter::kFencesRecycled);
            return VK_SUCCESS;
        }
    }
    const bool timed = understood && device.fences->probe.Undecided();
    const uint64_t before = timed ? NowNs() : 0;
    const VkResult result = [&] {
        const SparedTime::Scope spared(Spared(device));
        return device.down.CreateFence(handle, info, allocator, fence);
    }();
    if (result != VK_SUCCESS) return result;
    if (timed && device.fences->probe.Made(NowNs() - before)) Judged(device);
    device.Count(Counter::kFencesCreated);
    if (understood) {
        Guarded(device.log.get(), "vkCreateFence", false, [&] { return device.fences->Add(*fence, signaled), true; });
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice handle, VkFence fence, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    if (!fence || !device.fences) {
        if (fence) device.Count(Counter::kFencesDestroyed);
        const SparedTime::Scope spared(Spared(device));
        return device.down.DestroyFence(handle, fence, allocator);
    }
    FenceState* state = device.fences->Find(fence);
    Counter decision = WhyNotKept(device, state);
    if (decision == Counter::kFencesKept && !Unnamed(device, *state)) decision = Counter::kFencesMarked;
    if (decision == Counter::kFencesKept && !device.fences->Keep(state)) decision = Counter::kFencesFull;
    device.Decided(decision);
    if (decision == Counter::kFencesKept) return device.Count(Side::kAsked, Counter::kFencesDestroyed);
    device.Count(Counter::kFencesDestroyed);
    // Before the driver's: once destroyed there, the handle may be another thread's new fence.
    if (state) device.fences->Forget(fence);
    const bool timed = state && device.fences->probe.Undecided();
    const uint64_t before = timed ? NowNs() : 0;
    device.down.DestroyFence(handle, fence, allocator);
    if (timed && device.fences->probe.Dropped(NowNs() - before)) Judged(device);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetFences(VkDevice handle, uint32_t count, const VkFence* fences) {
    Device& device = DeviceOf(handle);
    device.Count(Side::kAsked, Counter::kFenceResets, count);
    const auto reset = [&](std::span<const VkFence> some) {
        device.Count(Side::kDriver, Counter::kFenceResets, some.size());
        return device.down.ResetFences(handle, static_cast<uint32_t>(some.size()), some.data());
    };
    if (!device.fences) return reset({fences, count});
    // The driver's fence was never signaled for one that is virtual. Of the others, runs go to the driver.
    VkResult result = VK_SUCCESS;
    for (uint32_t begin = 0; begin < count && result == VK_SUCCESS;) {
        uint32_t end = begin;
        FenceState* state = nullptr;
        for (; end < count; ++end) {
            state = device.fences->Find(fences[end]);
            if (state && FenceState::IsVirtual(state->phase())) break;
        }
        const std::span<const VkFence> run(fences + begin, end - begin);
        if (!run.empty()) result = reset(run);
        for (const VkFence fence : run) {
            FenceState* known = device.fences->Find(fence);
            if (!known) continue;
            // A driver that fails may have reset some.
            if (result == VK_SUCCESS)
                known->Reset();
            else if (known->phase() == FenceState::kSignaled)
                known->Doubt();
        }
        if (end < count && result == VK_SUCCESS) state->Reset();
        begin = end + 1;
    }
    return result;
}

// Sections "Importing Fence Payloads", "Exporting Fence Payloads" and "WSI Swapchain": a payload that is shared, or
// comes from somewhere else, is not the layer's to hand on.
VKAPI_ATTR VkResult VKAPI_CALL ImportFenceFdKHR(VkDevice handle, const VkImportFenceFdInfoKHR* info) {
    Device& device = DeviceOf(handle);
    ShareFence(device, info->fence);
    FlushHeld(device, Counter::kFlushesShared);
    const VkResult result = device.down.ImportFenceFdKHR(handle, info);
    FenceState* state = device.fences ? device.fences->Find(info->fence) : nullptr;
    if (result == VK_SUCCESS && state) state->Doubt();  // its payload is another now
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL GetFenceFdKHR(VkDevice handle, const VkFenceGetFdInfoKHR* info, int* fd) {
    Device& device = DeviceOf(handle);
    ShareFence(device, info->fence);
    FlushHeld(device, Counter::kFlushesShared);
    return device.down.GetFenceFdKHR(handle, info, fd);
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImageKHR(VkDevice handle, VkSwapchainKHR swapchain, uint64_t timeout_ns,
                                                   VkSemaphore semaphore, VkFence fence, uint32_t* index) {
    Device& device = DeviceOf(handle);
    ShareFence(device, fence);
    FlushHeld(device, Counter::kFlushesPresent);
    return device.down.AcquireNextImageKHR(handle, swapchain, timeout_ns, semaphore, fence, index);
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImage2KHR(VkDevice handle, const VkAcquireNextImageInfoKHR* info,
                                                    uint32_t* index) {
    Device& device = DeviceOf(handle);
    ShareFence(device, info->fence);
    FlushHeld(device, Counter::kFlushesPresent);
    return device.down.AcquireNextImage2KHR(handle, info, index);
}

}  // namespace kronos::hook
