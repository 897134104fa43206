// SPDX-License-Identifier: Apache-2.0
// What the mock driver's own tests share: a device made through the real loader, and small helpers.
// Owned by one test, used by its thread.
#pragma once
#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <string>
#include <vector>

#include "mock_control.h"

// Vulkan through the loader's exported functions, device commands through vkGetDeviceProcAddr (as a program would).
class MockTest : public ::testing::Test {
  protected:
    void MakeInstance(uint32_t api_version = VK_API_VERSION_1_3, std::vector<const char*> extensions = {});
    void MakeDevice(std::vector<const char*> extensions = {}, const void* next = nullptr, uint32_t queues = 2);
    void TearDown() override;

    VkBuffer MakeBuffer(VkDeviceSize size, uint32_t memory_type, VkDeviceMemory* memory, void** data = nullptr);
    VkSemaphore MakeTimeline(uint64_t value = 0);
    VkFence MakeFence(VkFenceCreateFlags flags = 0);
    VkCommandBuffer MakeCommandBuffer(VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY);
    void Begin(VkCommandBuffer buffer, VkCommandBufferUsageFlags flags = 0);
    VkResult Submit(VkQueue queue, std::vector<VkCommandBuffer> buffers, VkFence fence = VK_NULL_HANDLE,
                    VkSemaphore wait = VK_NULL_HANDLE, uint64_t wait_value = 0, VkSemaphore signal = VK_NULL_HANDLE,
                    uint64_t signal_value = 0);
    VkResult Wait(VkSemaphore semaphore, uint64_t value, uint64_t timeout = UINT64_MAX);
    template <typename F>
    F DeviceProc(const char* name) {
        return reinterpret_cast<F>(vkGetDeviceProcAddr(device, name));
    }

    mock::Driver mock;
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkQueue queue2 = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;
    PFN_vkWaitSemaphores WaitSemaphores = nullptr;
    PFN_vkSignalSemaphore SignalSemaphore = nullptr;
    PFN_vkGetSemaphoreCounterValue CounterValue = nullptr;
    PFN_vkQueueSubmit2 QueueSubmit2 = nullptr;
    // Handles to destroy at the end.
    std::vector<VkBuffer> buffers;
    std::vector<VkDeviceMemory> memories;
    std::vector<VkSemaphore> semaphores;
    std::vector<VkFence> fences;
    bool expect_clean = true;  // no violation and nothing live at the end
};
