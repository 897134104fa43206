// SPDX-License-Identifier: Apache-2.0
// Timeline semaphores on a device whose program may not have asked for them. Used once, while the device is created.
#pragma once

#include <vulkan/vulkan.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kronos {

/// What the driver and its device can do, as far as timelines need it.
struct TimelineSupport {
    uint32_t version = VK_API_VERSION_1_0;  ///< of the device, and no more than the program asked for
    bool feature = false;                   ///< VkPhysicalDeviceTimelineSemaphoreFeatures
    bool extension = false;                 ///< VK_KHR_timeline_semaphore
};

/// A create info that enables the feature timelineSemaphore: the program's, or a copy with as little changed as that
/// takes. Section "Semaphores", and VkDeviceCreateInfo's valid usage: the feature stands in one structure alone.
class WithTimelines {
  public:
    /// Throws std::bad_alloc.
    WithTimelines(const VkDeviceCreateInfo& program, const TimelineSupport& support);
    WithTimelines(const WithTimelines&) = delete;
    WithTimelines& operator=(const WithTimelines&) = delete;

    /// Why the device cannot have them; empty: it has.
    const std::string& why_not() const { return why_not_; }
    /// Of the program when nothing had to be changed. Valid as long as both are.
    const VkDeviceCreateInfo& info() const { return changed_ ? copy_ : program_; }
    bool changed() const { return changed_; }

  private:
    VkBaseOutStructure* CopyChain(const void* until);

    const VkDeviceCreateInfo& program_;
    VkDeviceCreateInfo copy_{};
    VkPhysicalDeviceTimelineSemaphoreFeatures feature_{};
    std::vector<const char*> extensions_;
    std::vector<std::unique_ptr<std::byte[]>> nodes_;
    std::string why_not_;
    bool changed_ = false;
};

}  // namespace kronos
