// SPDX-License-Identifier: Apache-2.0
// One instance, one device and its compute queues, and errors with a clear line. Owned by main, outlives every writing.
// Not thread-safe: one thread uses it.
#pragma once

#include <vulkan/vulkan.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace kronos::workloads {

/// What ends the program with one line: bad request, no device, a failed Vulkan call.
class WorkloadError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws "<what> failed: <name of the result>" unless the result is VK_SUCCESS.
void Require(VkResult result, const std::string& what);

/// What a writing asks of the device beyond Vulkan 1.1 and one queue; where the device has it not, there is none.
struct Extras {
    bool timeline = false;
    bool second_queue = false;
};

struct Queue {
    VkQueue handle = VK_NULL_HANDLE;
    uint32_t family = 0;
};

class Context {
  public:
    /// `wanted`: empty for the best device by type, else an index into the list or a part of a name. `layer`: enabled
    /// by the program itself; empty for none but those that the environment enables.
    Context(const std::string& wanted, const Extras& extras, const std::string& layer = {});
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    VkDevice device() const { return device_; }
    VkPhysicalDevice physical() const { return physical_; }
    VkQueue queue() const { return queues_[0].handle; }
    uint32_t queue_family() const { return queues_[0].family; }
    /// One, or two when a second was asked for: of another compute family if there is one, else of the same.
    const std::vector<Queue>& queues() const { return queues_; }
    /// vkGetSemaphoreCounterValue; null when timeline semaphores were not asked for or the device has none.
    PFN_vkGetSemaphoreCounterValue counter_value() const { return counter_value_; }
    /// "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)"; the driver's version as a number where it has no name.
    std::string DriverText() const;
    const VkPhysicalDeviceProperties& properties() const { return properties_; }
    /// Index of the first memory type among `type_bits` that has all the flags.
    uint32_t MemoryType(uint32_t type_bits, VkMemoryPropertyFlags flags) const;

  private:
    void CreateInstance(const std::string& layer);
    void ChooseDevice(const std::string& wanted);
    void CreateDevice(const Extras& extras);
    void AddSecondQueue();
    bool HasExtension(std::string_view name) const;
    bool HasTimeline() const;

    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties_{};
    VkPhysicalDeviceMemoryProperties memory_{};
    VkDevice device_ = VK_NULL_HANDLE;
    std::vector<Queue> queues_;
    PFN_vkGetSemaphoreCounterValue counter_value_ = nullptr;
};

/// "discrete GPU" and so on.
const char* DeviceTypeName(VkPhysicalDeviceType type);

}  // namespace kronos::workloads
