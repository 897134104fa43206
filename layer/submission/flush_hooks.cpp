// SPDX-License-Identifier: Apache-2.0
// Commands that ask about submitted work, let it go on, or may be seen by others: what is held is given to the driver
// before them. Any thread; the lock of a queue that holds something.
#include <vulkan/utility/vk_struct_helper.hpp>

#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos {
namespace {

// A queue's command that is no submission: in order behind those that are held.
template <auto Slot, class... Args>
auto InOrder(VkQueue queue, Args... args) {
    const Queue* known = FindQueue(queue);
    const Device& device = known ? *known->device : DeviceOf(queue);
    FlushHeld(device, Counter::kFlushesUnknown);
    return (device.down.*Slot)(queue, args...);
}

using Table = VkuDeviceDispatchTable;

}  // namespace
}  // namespace kronos

namespace kronos::hook {

// A host signal may be what the program makes after it saw something that is held still.
VKAPI_ATTR VkResult VKAPI_CALL SignalSemaphore(VkDevice handle, const VkSemaphoreSignalInfo* info) {
    const Device& device = DeviceOf(handle);
    if (FlushHeld(device, Counter::kFlushesSignal) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    return device.down.SignalSemaphore(handle, info);
}

// Sections "Exporting Semaphore Payloads", "Importing Semaphore Payloads": others may wait for such a semaphore, and
// nothing that they do is seen here.
VKAPI_ATTR VkResult VKAPI_CALL CreateSemaphore(VkDevice handle, const VkSemaphoreCreateInfo* info,
                                               const VkAllocationCallbacks* allocator, VkSemaphore* semaphore) {
    const Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateSemaphore(handle, info, allocator, semaphore);
    if (result != VK_SUCCESS || !device.submissions) return result;
    for (auto* next = static_cast<const VkBaseInStructure*>(info->pNext); next; next = next->pNext) {
        if (next->sType == VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO) continue;
        // To be exported, or something that is not known.
        device.submissions->Share(*semaphore);
        break;
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroySemaphore(VkDevice handle, VkSemaphore semaphore,
                                            const VkAllocationCallbacks* allocator) {
    const Device& device = DeviceOf(handle);
    if (semaphore && device.submissions) device.submissions->Forget(semaphore);
    device.down.DestroySemaphore(handle, semaphore, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL ImportSemaphoreFdKHR(VkDevice handle, const VkImportSemaphoreFdInfoKHR* info) {
    const Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesShared);
    if (device.submissions) device.submissions->Share(info->semaphore);
    return device.down.ImportSemaphoreFdKHR(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL GetSemaphoreFdKHR(VkDevice handle, const VkSemaphoreGetFdInfoKHR* info, int* fd) {
    const Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesShared);
    if (device.submissions) device.submissions->Share(info->semaphore);
    return device.down.GetSemaphoreFdKHR(handle, info, fd);
}

// Section "Events": work may wait for an event that the host sets, once it has seen what was submitted before that
// work.
VKAPI_ATTR VkResult VKAPI_CALL CreateEvent(VkDevice handle, const VkEventCreateInfo* info,
                                           const VkAllocationCallbacks* allocator, VkEvent* event) {
    const Device& device = DeviceOf(handle);
    if (device.submissions && !(info->flags & VK_EVENT_CREATE_DEVICE_ONLY_BIT)) device.submissions->HasHostEvents();
    return device.down.CreateEvent(handle, info, allocator, event);
}

VKAPI_ATTR VkResult VKAPI_CALL GetEventStatus(VkDevice handle, VkEvent event) {
    const Device& device = DeviceOf(handle);
    if (FlushHeld(device, Counter::kFlushesEvent) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    return device.down.GetEventStatus(handle, event);
}

VKAPI_ATTR VkResult VKAPI_CALL SetEvent(VkDevice handle, VkEvent event) {
    const Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesEvent);
    return device.down.SetEvent(handle, event);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetEvent(VkDevice handle, VkEvent event) {
    const Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesEvent);
    return device.down.ResetEvent(handle, event);
}

VKAPI_ATTR VkResult VKAPI_CALL GetQueryPoolResults(VkDevice handle, VkQueryPool pool, uint32_t first, uint32_t count,
                                                   size_t size, void* data, VkDeviceSize stride,
                                                   VkQueryResultFlags flags) {
    const Device& device = DeviceOf(handle);
    if (FlushHeld(device, Counter::kFlushesQuery) != VK_SUCCESS) return VK_ERROR_DEVICE_LOST;
    return device.down.GetQueryPoolResults(handle, pool, first, count, size, data, stride, flags);
}

VKAPI_ATTR void VKAPI_CALL ResetQueryPool(VkDevice handle, VkQueryPool pool, uint32_t first, uint32_t count) {
    const Device& device = DeviceOf(handle);
    FlushHeld(device, Counter::kFlushesQuery);
    device.down.ResetQueryPool(handle, pool, first, count);
}

VKAPI_ATTR void VKAPI_CALL QueueBeginDebugUtilsLabelEXT(VkQueue queue, const VkDebugUtilsLabelEXT* label) {
    InOrder<&Table::QueueBeginDebugUtilsLabelEXT>(queue, label);
}

VKAPI_ATTR void VKAPI_CALL QueueEndDebugUtilsLabelEXT(VkQueue queue) {
    InOrder<&Table::QueueEndDebugUtilsLabelEXT>(queue);
}

VKAPI_ATTR void VKAPI_CALL QueueInsertDebugUtilsLabelEXT(VkQueue queue, const VkDebugUtilsLabelEXT* label) {
    InOrder<&Table::QueueInsertDebugUtilsLabelEXT>(queue, label);
}

VKAPI_ATTR void VKAPI_CALL QueueNotifyOutOfBandNV(VkQueue queue, const VkOutOfBandQueueTypeInfoNV* info) {
    InOrder<&Table::QueueNotifyOutOfBandNV>(queue, info);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSetPerformanceConfigurationINTEL(VkQueue queue,
                                                                     VkPerformanceConfigurationINTEL configuration) {
    return InOrder<&Table::QueueSetPerformanceConfigurationINTEL>(queue, configuration);
}

VKAPI_ATTR void VKAPI_CALL GetQueueCheckpointDataNV(VkQueue queue, uint32_t* count, VkCheckpointDataNV* data) {
    InOrder<&Table::GetQueueCheckpointDataNV>(queue, count, data);
}

VKAPI_ATTR void VKAPI_CALL GetQueueCheckpointData2NV(VkQueue queue, uint32_t* count, VkCheckpointData2NV* data) {
    InOrder<&Table::GetQueueCheckpointData2NV>(queue, count, data);
}

}  // namespace kronos::hook
