// SPDX-License-Identifier: Apache-2.0
// A Vulkan handle that is destroyed with its owner. Moves, does not copy; one thread.
#pragma once

#include <utility>

#include "context.h"

namespace kronos::workloads {

template <typename Handle, void (*Destroy)(VkDevice, Handle, const VkAllocationCallbacks*)>
class Owned {
  public:
    Owned() = default;
    /// Calls create(device, &info, nullptr, &handle) and throws with `what` when that fails.
    template <typename Info, typename Create>
    Owned(VkDevice device, Create create, const Info& info, const std::string& what) : device_(device) {
        Require(create(device, &info, nullptr, &handle_), what);
    }
    Owned(Owned&& other) noexcept : device_(other.device_), handle_(std::exchange(other.handle_, VK_NULL_HANDLE)) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
        if (handle_ != VK_NULL_HANDLE) Destroy(device_, handle_, nullptr);
    }
    Handle get() const { return handle_; }
    const Handle* address() const { return &handle_; }

  private:
    VkDevice device_ = VK_NULL_HANDLE;
    Handle handle_ = VK_NULL_HANDLE;
};

using OwnedBuffer = Owned<VkBuffer, vkDestroyBuffer>;
using OwnedMemory = Owned<VkDeviceMemory, vkFreeMemory>;
using OwnedFence = Owned<VkFence, vkDestroyFence>;
using OwnedSemaphore = Owned<VkSemaphore, vkDestroySemaphore>;
using OwnedCommandPool = Owned<VkCommandPool, vkDestroyCommandPool>;
using OwnedDescriptorPool = Owned<VkDescriptorPool, vkDestroyDescriptorPool>;
using OwnedSetLayout = Owned<VkDescriptorSetLayout, vkDestroyDescriptorSetLayout>;
using OwnedPipelineLayout = Owned<VkPipelineLayout, vkDestroyPipelineLayout>;
using OwnedShaderModule = Owned<VkShaderModule, vkDestroyShaderModule>;

}  // namespace kronos::workloads
