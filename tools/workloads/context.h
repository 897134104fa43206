// SPDX-License-Identifier: Apache-2.0
// One instance, one device and one compute queue, and errors with a clear line. Owned by main, outlives every writing.
// Not thread-safe: one thread uses it.
#pragma once

#include <vulkan/vulkan.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace kronos::workloads {

/// What ends the program with one line: bad request, no device, a failed Vulkan call.
class WorkloadError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws "<what> failed: <name of the result>" unless the result is VK_SUCCESS.
void Require(VkResult result, const std::string& what);

class Context {
  public:
    /// `wanted`: empty for the best device by type, else an index into the list or a part of a name.
    explicit Context(const std::string& wanted);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    VkDevice device() const { return device_; }
    VkQueue queue() const { return queue_; }
    uint32_t queue_family() const { return queue_family_; }
    const VkPhysicalDeviceProperties& properties() const { return properties_; }
    /// Index of the first memory type among `type_bits` that has all the flags.
    uint32_t MemoryType(uint32_t type_bits, VkMemoryPropertyFlags flags) const;

  private:
    void CreateInstance();
    void ChooseDevice(const std::string& wanted);
    void CreateDevice();

    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties_{};
    VkPhysicalDeviceMemoryProperties memory_{};
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    uint32_t queue_family_ = 0;
};

/// "discrete GPU" and so on.
const char* DeviceTypeName(VkPhysicalDeviceType type);

}  // namespace kronos::workloads
