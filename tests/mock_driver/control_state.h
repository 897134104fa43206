// SPDX-License-Identifier: Apache-2.0
// What tests control, as the driver's own files see it: configuration, callbacks, gate of new queues.
// Owned by the process (control.cpp), never destroyed; any thread may call.
#pragma once
#include <atomic>

#include "config.h"
#include "state.h"

namespace mock {

// Reads MOCK_ICD_CONFIG and MOCK_ICD_RECORD, once.
void LoadEnvironment();
Config CurrentConfig();
bool NewQueuesGated();

// True while a dispatch callback is registered: only then is the state that dispatches see kept.
extern std::atomic<bool> g_track_dispatches;
void CallDispatchCallback(Queue* queue, CommandBuffer* buffer, const DispatchState& state, const uint32_t base[3],
                          const uint32_t groups[3]);
// True while a free callback is registered.
extern std::atomic<bool> g_watch_frees;
void CallFreeCallback(VkDeviceMemory memory);
// True while a begin callback is registered.
extern std::atomic<bool> g_watch_begins;
void CallBeginCallback(VkCommandBuffer buffer);
// True while a submit callback is registered.
extern std::atomic<bool> g_watch_submits;
void CallSubmitCallback(VkQueue queue);

// Every extension that some device of the instance advertises counts as enabled for vkGetInstanceProcAddr.
PFN_vkVoidFunction InstanceProc(Instance* instance, const char* name);
PFN_vkVoidFunction PhysicalDeviceProc(Instance* instance, const char* name);
PFN_vkVoidFunction DeviceProc(Device* device, const char* name);

// vk.xml's `depends` language: names, `+` and, `,` or, parentheses. Conditions on features count as met.
bool DependsMet(const char* expression, const std::function<bool(const std::string&)>& has);
// physical_device.cpp: whether the device has the extension; whether all features asked for in a chain are there.
bool Advertises(const PhysicalDevice& device, const std::string& extension);
bool FeaturesPresent(const PhysicalDevice& device, const VkDeviceCreateInfo& info, std::string* missing);

// The two-call idiom: `fill(i)` gives the i-th element.
template <typename T, typename F>
VkResult Enumerate(uint32_t available, uint32_t* count, T* out, F fill) {
    if (out == nullptr) {
        *count = available;
        return VK_SUCCESS;
    }
    const uint32_t n = *count < available ? *count : available;
    for (uint32_t i = 0; i < n; ++i) fill(i, out[i]);
    *count = n;
    return n < available ? VK_INCOMPLETE : VK_SUCCESS;
}

}  // namespace mock
