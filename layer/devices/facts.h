// SPDX-License-Identifier: Apache-2.0
// What a physical device says of itself, as far as choosing between devices needs it. Plain data; any thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kronos {

using Uuid = std::array<uint8_t, VK_UUID_SIZE>;

/// Section VkPhysicalDevicePCIBusInfoPropertiesEXT.
struct PciAddress {
    uint32_t domain = 0;
    uint32_t bus = 0;
    uint32_t device = 0;
    uint32_t function = 0;
    auto operator<=>(const PciAddress&) const = default;
};

struct DeviceHeap {
    VkDeviceSize bytes = 0;
    bool device_local = false;
    /// Bytes left of this process's budget; none: not asked for, or VK_EXT_memory_budget is not there.
    std::optional<VkDeviceSize> free;
};

struct QueueFamilyFacts {
    VkQueueFlags flags = 0;
    uint32_t count = 0;
};

struct DeviceFacts {
    std::string name;
    VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
    uint32_t vendor = 0;  ///< PCI vendor id, or a Khronos one
    uint32_t device = 0;
    uint32_t api_version = 0;
    uint32_t driver_version = 0;  ///< as the driver encodes it
    // What only newer instances are told; see ReadDeviceFacts.
    uint32_t driver_id = 0;   ///< VkDriverId; 0: not told
    std::string driver_name;  ///< empty: not told
    std::string driver_info;
    bool conformant = true;  ///< false: the driver says it passed no conformance test
    std::optional<Uuid> uuid;
    std::optional<Uuid> driver_uuid;
    std::optional<PciAddress> pci;
    std::vector<DeviceHeap> heaps;
    // What nothing is chosen by; see ReadDeviceDetails.
    std::vector<QueueFamilyFacts> families;
    uint32_t max_push_constants = 0;  ///< bytes
    VkDeviceSize max_storage_range = 0;
    uint32_t max_allocations = 0;

    VkDeviceSize DeviceBytes() const;  ///< of all device-local heaps
    bool Software() const { return type == VK_PHYSICAL_DEVICE_TYPE_CPU; }
    /// Of one driver: what the driver says of itself is alike.
    bool SameDriver(const DeviceFacts& other) const;
};

/// What `instance` lets be asked of `physical`. `version`: what the program asked for. UUIDs and PCI address need
/// Vulkan 1.1 on both sides, the driver's name 1.2 or its extension.
DeviceFacts ReadDeviceFacts(const VkuInstanceDispatchTable& instance, uint32_t version, VkPhysicalDevice physical);
/// Adds what is only for people: queue families and free memory. Not for a program's start-up.
void ReadDeviceDetails(const VkuInstanceDispatchTable& instance, uint32_t version, VkPhysicalDevice physical,
                       DeviceFacts& facts);

/// "1.3.250".
std::string VersionText(uint32_t version);
/// "discrete", "integrated", "virtual", "cpu", "other".
std::string_view TypeName(VkPhysicalDeviceType type);
/// "0000:65:00.0".
std::string PciText(const PciAddress& pci);
/// With dashes, as tools print it: "4c1b2d3e-...".
std::string UuidText(const Uuid& uuid);
/// "nvidia", "amd", "intel", ... or "0x1234".
std::string VendorName(uint32_t vendor);
/// Driver's name and version for people.
std::string DriverText(const DeviceFacts& device);

}  // namespace kronos
