// SPDX-License-Identifier: Apache-2.0
// What flushes submissions that are held, where nothing is.
#include "call_batch.h"

namespace kronos::bench::call {

double SignalSemaphore(Subject& s) {
    auto info = Info<VkSemaphoreSignalInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO);
    info.semaphore = s.timeline;
    s.down.GetSemaphoreCounterValue(s.device, s.timeline, &info.value);
    return Batch([&](size_t) {
        ++info.value;
        s.down.SignalSemaphore(s.device, &info);
    });
}

namespace {

double Semaphores(Subject& s, Half told) {
    const auto info = Info<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
    VkSemaphore made[kCalls] = {};
    return Lives(
        told, [&](size_t i) { s.down.CreateSemaphore(s.device, &info, nullptr, &made[i]); },
        [&](size_t i) { s.down.DestroySemaphore(s.device, made[i], nullptr); });
}

}  // namespace

double CreateSemaphore(Subject& s) { return Semaphores(s, Half::kMaking); }
double DestroySemaphore(Subject& s) { return Semaphores(s, Half::kDestroying); }
double ImportSemaphoreFdKHR(Subject& s) {
    auto info = Info<VkImportSemaphoreFdInfoKHR>(VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR);
    info.semaphore = s.timeline;
    info.fd = -1;
    return Batch([&](size_t) { s.down.ImportSemaphoreFdKHR(s.device, &info); });
}
double GetSemaphoreFdKHR(Subject& s) {
    int fd = -1;
    auto info = Info<VkSemaphoreGetFdInfoKHR>(VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR);
    info.semaphore = s.timeline;
    return Batch([&](size_t) { s.down.GetSemaphoreFdKHR(s.device, &info, &fd); });
}
double CreateEvent(Subject& s) {
    const auto info = Info<VkEventCreateInfo>(VK_STRUCTURE_TYPE_EVENT_CREATE_INFO);
    VkEvent made[kCalls] = {};
    return Lives(
        Half::kMaking, [&](size_t i) { s.down.CreateEvent(s.device, &info, nullptr, &made[i]); },
        [&](size_t i) { s.down.DestroyEvent(s.device, made[i], nullptr); });
}
namespace {

// Of an event, which is made and destroyed around them.
template <class Command>
double Event(Subject& s, Command command) {
    const auto info = Info<VkEventCreateInfo>(VK_STRUCTURE_TYPE_EVENT_CREATE_INFO);
    VkEvent event = VK_NULL_HANDLE;
    s.down.CreateEvent(s.device, &info, nullptr, &event);
    const double ns = Batch([&](size_t) { static_cast<void>(command(s.device, event)); });
    s.down.DestroyEvent(s.device, event, nullptr);
    return ns;
}

}  // namespace

double GetEventStatus(Subject& s) { return Event(s, s.down.GetEventStatus); }
double SetEvent(Subject& s) { return Event(s, s.down.SetEvent); }
double ResetEvent(Subject& s) { return Event(s, s.down.ResetEvent); }
double GetQueryPoolResults(Subject& s) {
    uint64_t value = 0;
    return Batch([&](size_t) {
        static_cast<void>(s.down.GetQueryPoolResults(s.device, s.queries, 0, 1, sizeof value, &value, sizeof value,
                                                     VK_QUERY_RESULT_64_BIT));
    });
}
double ResetQueryPool(Subject& s) {
    return Batch([&](size_t) { s.down.ResetQueryPool(s.device, s.queries, 0, 1); });
}
double QueueBeginDebugUtilsLabelEXT(Subject& s) { return Zeros(s.down.QueueBeginDebugUtilsLabelEXT, s.queue); }
double QueueEndDebugUtilsLabelEXT(Subject& s) { return Zeros(s.down.QueueEndDebugUtilsLabelEXT, s.queue); }
double QueueInsertDebugUtilsLabelEXT(Subject& s) { return Zeros(s.down.QueueInsertDebugUtilsLabelEXT, s.queue); }
double QueueNotifyOutOfBandNV(Subject& s) { return Zeros(s.down.QueueNotifyOutOfBandNV, s.queue); }
double QueueSetPerformanceConfigurationINTEL(Subject& s) {
    return Zeros(s.down.QueueSetPerformanceConfigurationINTEL, s.queue);
}
double GetQueueCheckpointDataNV(Subject& s) { return Zeros(s.down.GetQueueCheckpointDataNV, s.queue); }
double GetQueueCheckpointData2NV(Subject& s) { return Zeros(s.down.GetQueueCheckpointData2NV, s.queue); }

}  // namespace kronos::bench::call
