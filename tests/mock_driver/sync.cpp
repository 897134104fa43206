// SPDX-License-Identifier: Apache-2.0
// Fences, semaphores and events as the host sees them. Waits end by notification or at their exact timeout.
#include <chrono>

#include "commands.h"
#include "state.h"

namespace mock {
namespace {

// Waits under Sync::mutex until `done`, the device is lost or `timeout` nanoseconds have passed.
template <typename F>
VkResult Wait(Sync& sync, uint64_t timeout, F done) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    std::unique_lock lock(sync.mutex);
    const auto over = [&] { return sync.lost || done(); };
    // Beyond what the clock can hold is for ever.
    if (timeout > static_cast<uint64_t>((Clock::time_point::max() - start).count())) {
        sync.changed.wait(lock, over);
    } else if (!over() && timeout > 0) {
        sync.changed.wait_until(lock, start + std::chrono::nanoseconds(timeout), over);
    }
    if (sync.lost) return VK_ERROR_DEVICE_LOST;
    return done() ? VK_SUCCESS : VK_TIMEOUT;
}

}  // namespace

namespace impl {

VkResult vkCreateFence(VkDevice device, const VkFenceCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                       VkFence* pFence) {
    auto fence = std::make_shared<Fence>();
    fence->signaled = (pCreateInfo->flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0;
    *pFence = ToHandle<VkFence>(AddObject(Fence::kType, Of(device), std::move(fence)));
    return VK_SUCCESS;
}

void vkDestroyFence(VkDevice device, VkFence fence, const VkAllocationCallbacks*) {
    const std::string name = HandleName(Fence::kType, FromHandle(fence));
    std::shared_ptr<Object> object;
    if (!RemoveObject(FromHandle(fence), Fence::kType, "vkDestroyFence", &object)) return;
    std::lock_guard lock(Of(device)->sync->mutex);
    const bool lost = Of(device)->sync->lost;
    if (static_cast<Fence*>(object.get())->pending && !lost) Violation("vkDestroyFence: " + name + " is in use");
}

VkResult vkResetFences(VkDevice device, uint32_t fenceCount, const VkFence* pFences) {
    std::lock_guard lock(Of(device)->sync->mutex);
    for (uint32_t i = 0; i < fenceCount; ++i) {
        Fence* fence = Require<Fence>(pFences[i], "vkResetFences");
        if (fence == nullptr) continue;
        if (fence->pending) {
            Violation("vkResetFences: " + HandleName(Fence::kType, FromHandle(pFences[i])) + " is in use");
        }
        fence->signaled = false;
    }
    return VK_SUCCESS;
}

VkResult vkGetFenceStatus(VkDevice device, VkFence fence) {
    const Fence* f = Require<Fence>(fence, "vkGetFenceStatus");
    if (Of(device)->sync->lost) return VK_ERROR_DEVICE_LOST;
    return f != nullptr && f->signaled.load(std::memory_order_acquire) ? VK_SUCCESS : VK_NOT_READY;
}

VkResult vkWaitForFences(VkDevice device, uint32_t fenceCount, const VkFence* pFences, VkBool32 waitAll,
                         uint64_t timeout) {
    std::vector<std::shared_ptr<Fence>> fences;
    for (uint32_t i = 0; i < fenceCount; ++i) {
        if (auto fence = Shared<Fence>(pFences[i])) {
            fences.push_back(std::move(fence));
        } else {
            Require<Fence>(pFences[i], "vkWaitForFences");
        }
    }
    return Wait(*Of(device)->sync, timeout, [&] {
        size_t signaled = 0;
        for (const auto& fence : fences) signaled += fence->signaled ? 1 : 0;
        return waitAll ? signaled == fences.size() : signaled > 0;
    });
}

VkResult vkCreateSemaphore(VkDevice device, const VkSemaphoreCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                           VkSemaphore* pSemaphore) {
    auto semaphore = std::make_shared<Semaphore>();
    const auto* type =
        FindInChain<VkSemaphoreTypeCreateInfo>(pCreateInfo->pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    if (type != nullptr && type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE) {
        semaphore->timeline = true;
        semaphore->value = type->initialValue;
    }
    *pSemaphore = ToHandle<VkSemaphore>(AddObject(Semaphore::kType, Of(device), std::move(semaphore)));
    return VK_SUCCESS;
}

void vkDestroySemaphore(VkDevice device, VkSemaphore semaphore, const VkAllocationCallbacks*) {
    const std::string name = HandleName(Semaphore::kType, FromHandle(semaphore));
    std::shared_ptr<Object> object;
    if (!RemoveObject(FromHandle(semaphore), Semaphore::kType, "vkDestroySemaphore", &object)) return;
    std::lock_guard lock(Of(device)->sync->mutex);
    const bool lost = Of(device)->sync->lost;
    if (static_cast<Semaphore*>(object.get())->uses > 0 && !lost)
        Violation("vkDestroySemaphore: " + name + " is in use");
}

VkResult vkGetSemaphoreCounterValue(VkDevice device, VkSemaphore semaphore, uint64_t* pValue) {
    *pValue = 0;
    const Semaphore* s = Require<Semaphore>(semaphore, "vkGetSemaphoreCounterValue");
    Sync& sync = *Of(device)->sync;
    if (sync.lost) return VK_ERROR_DEVICE_LOST;
    if (s == nullptr) return VK_SUCCESS;
    std::lock_guard lock(sync.mutex);
    if (!s->timeline) Violation("vkGetSemaphoreCounterValue: the semaphore is binary");
    *pValue = s->value;
    return VK_SUCCESS;
}

VkResult vkWaitSemaphores(VkDevice device, const VkSemaphoreWaitInfo* pWaitInfo, uint64_t timeout) {
    std::vector<SemaphoreUse> uses;
    for (uint32_t i = 0; i < pWaitInfo->semaphoreCount; ++i) {
        auto semaphore = Shared<Semaphore>(pWaitInfo->pSemaphores[i]);
        if (semaphore == nullptr) {
            Require<Semaphore>(pWaitInfo->pSemaphores[i], "vkWaitSemaphores");
        } else if (!semaphore->timeline) {
            Violation("vkWaitSemaphores: the semaphore is binary");
        } else {
            uses.push_back({std::move(semaphore), pWaitInfo->pValues[i]});
        }
    }
    const bool any = (pWaitInfo->flags & VK_SEMAPHORE_WAIT_ANY_BIT) != 0;
    return Wait(*Of(device)->sync, timeout, [&] {
        size_t reached = 0;
        for (const SemaphoreUse& use : uses) reached += use.semaphore->value >= use.value ? 1 : 0;
        return any ? reached > 0 : reached == uses.size();
    });
}

VkResult vkSignalSemaphore(VkDevice device, const VkSemaphoreSignalInfo* pSignalInfo) {
    Semaphore* semaphore = Require<Semaphore>(pSignalInfo->semaphore, "vkSignalSemaphore");
    if (semaphore == nullptr) return VK_SUCCESS;
    Sync& sync = *Of(device)->sync;
    std::lock_guard lock(sync.mutex);
    if (!semaphore->timeline || pSignalInfo->value <= semaphore->value) {
        Violation("vkSignalSemaphore: " + HandleName(Semaphore::kType, FromHandle(pSignalInfo->semaphore)) + " at " +
                  std::to_string(semaphore->value) + " cannot be signalled to " + std::to_string(pSignalInfo->value));
        return VK_SUCCESS;
    }
    semaphore->value = pSignalInfo->value;
    sync.changed.notify_all();
    return VK_SUCCESS;
}

VkResult vkCreateEvent(VkDevice device, const VkEventCreateInfo*, const VkAllocationCallbacks*, VkEvent* pEvent) {
    *pEvent = ToHandle<VkEvent>(AddObject(Event::kType, Of(device), std::make_shared<Event>()));
    return VK_SUCCESS;
}

VkResult vkGetEventStatus(VkDevice device, VkEvent event) {
    const Event* e = Require<Event>(event, "vkGetEventStatus");
    if (Of(device)->sync->lost) return VK_ERROR_DEVICE_LOST;
    return e != nullptr && e->set ? VK_EVENT_SET : VK_EVENT_RESET;
}

VkResult vkSetEvent(VkDevice device, VkEvent event) {
    Event* e = Require<Event>(event, "vkSetEvent");
    std::lock_guard lock(Of(device)->sync->mutex);
    if (e != nullptr) e->set = true;
    Of(device)->sync->changed.notify_all();
    return VK_SUCCESS;
}

VkResult vkResetEvent(VkDevice device, VkEvent event) {
    Event* e = Require<Event>(event, "vkResetEvent");
    std::lock_guard lock(Of(device)->sync->mutex);
    if (e != nullptr) e->set = false;
    return VK_SUCCESS;
}

}  // namespace impl
}  // namespace mock
