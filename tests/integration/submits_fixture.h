// SPDX-License-Identifier: Apache-2.0
// What the tests of held submissions share: a device whose queue does not begin what it is given, and one submission
// that is held for it. Owned by one test.
#pragma once

#include <optional>

#include "layered.h"

namespace layered {

// Held for longer than any test takes, unless something flushes it.
inline const SettingMap kHeld = {{"submits", "busy"},        {"virtual_fences", "on"}, {"submit_hold", "10000000"},
                                 {"submit_gap", "10000000"}, {"recycle_fences", "on"}, {"waits", "on"}};

inline SettingMap With(SettingMap settings, const SettingMap& more) {
    for (const auto& [key, value] : more) settings[key] = value;
    return settings;
}

class SubmitsTest : public LayerTest {
  protected:
    ~SubmitsTest() override {
        if (device) End();
    }
    // Its queue does not begin what it is given until the gate opens.
    void Start(const SettingMap& settings = kHeld, const std::vector<const char*>& extensions = {},
               const void* next = nullptr) {
        instance.emplace(true, ToFile(settings));
        device.emplace(*instance, extensions, next);
        ASSERT_EQ(device->result, VK_SUCCESS);
        mock.CloseGate(device->queue);
    }
    VkCommandBuffer Recorded(uint32_t dispatches = 1) {
        const VkCommandBuffer buffer = device->MakeBuffer();
        Device::Record(buffer, dispatches);
        return buffer;
    }
    VkFence Fence(bool signaled = false) {
        fences.push_back(device->MakeFence(signaled));
        return fences.back();
    }
    VkSemaphore MakeSemaphore(bool timeline, const void* next = nullptr) {
        VkSemaphoreTypeCreateInfo type = {};
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
        type.semaphoreType = timeline ? VK_SEMAPHORE_TYPE_TIMELINE : VK_SEMAPHORE_TYPE_BINARY;
        type.pNext = next;
        const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
        VkSemaphore made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateSemaphore(device->handle, &info, nullptr, &made), VK_SUCCESS);
        semaphores.push_back(made);
        return made;
    }
    // Two calls of the driver that do not end, and one submission that is held for it.
    void Hold(VkFence fence = VK_NULL_HANDLE) {
        for (int i = 0; i < 2; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
        calls = mock.Calls("vkQueueSubmit");
        EXPECT_EQ(device->Submit(Recorded(), fence), VK_SUCCESS);
        EXPECT_EQ(Given(), 0u) << "it is held";
    }
    // Calls since Hold.
    uint64_t Given() { return mock.Calls("vkQueueSubmit") - calls; }
    void End() {
        mock.OpenGate(VK_NULL_HANDLE);
        vkDeviceWaitIdle(device->handle);
        for (const VkFence fence : fences) vkDestroyFence(device->handle, fence, nullptr);
        for (const VkSemaphore semaphore : semaphores) vkDestroySemaphore(device->handle, semaphore, nullptr);
        fences.clear();
        semaphores.clear();
        device->Destroy();
        device.reset();
        instance.reset();
    }
    nlohmann::json Ended() {
        End();
        return Summary();
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
    std::vector<VkFence> fences;
    std::vector<VkSemaphore> semaphores;
    uint64_t calls = 0;
};

}  // namespace layered
