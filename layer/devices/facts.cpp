// SPDX-License-Identifier: Apache-2.0
#include "devices/facts.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "support/formatted.h"

namespace kronos {
namespace {

constexpr std::pair<uint32_t, std::string_view> kVendors[] = {
    {0x1002, "amd"},      {0x1010, "imgtec"}, {0x106b, "apple"},    {0x10de, "nvidia"}, {0x13b5, "arm"},
    {0x14e4, "broadcom"}, {0x1ae0, "google"}, {0x5143, "qualcomm"}, {0x8086, "intel"},  {VK_VENDOR_ID_MESA, "mesa"},
};

std::vector<VkExtensionProperties> Extensions(const VkuInstanceDispatchTable& instance, VkPhysicalDevice physical) {
    uint32_t count = 0;
    if (instance.EnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr) < VK_SUCCESS) return {};
    std::vector<VkExtensionProperties> all(count);
    if (instance.EnumerateDeviceExtensionProperties(physical, nullptr, &count, all.data()) < VK_SUCCESS) return {};
    all.resize(std::min<size_t>(count, all.size()));
    return all;
}

bool Has(const std::vector<VkExtensionProperties>& extensions, const char* name) {
    return std::any_of(extensions.begin(), extensions.end(), [&](const VkExtensionProperties& extension) {
        return std::strcmp(extension.extensionName, name) == 0;
    });
}

Uuid Copy(const uint8_t (&bytes)[VK_UUID_SIZE]) {
    Uuid uuid;
    std::copy(std::begin(bytes), std::end(bytes), uuid.begin());
    return uuid;
}

void ReadProperties(const VkuInstanceDispatchTable& instance, VkPhysicalDevice physical, bool second, bool drivers,
                    bool pci, DeviceFacts& facts) {
    VkPhysicalDeviceIDProperties id = {};
    id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    VkPhysicalDeviceDriverProperties driver = {};
    driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    VkPhysicalDevicePCIBusInfoPropertiesEXT bus = {};
    bus.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
    VkPhysicalDeviceProperties2 all = {};
    all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    if (second) {
        all.pNext = &id;
        if (drivers) driver.pNext = std::exchange(all.pNext, &driver);
        if (pci) bus.pNext = std::exchange(all.pNext, &bus);
        instance.GetPhysicalDeviceProperties2(physical, &all);
        facts.uuid = Copy(id.deviceUUID);
        facts.driver_uuid = Copy(id.driverUUID);
        if (pci) facts.pci = PciAddress{bus.pciDomain, bus.pciBus, bus.pciDevice, bus.pciFunction};
        if (drivers) {
            facts.driver_id = static_cast<uint32_t>(driver.driverID);
            facts.driver_name = driver.driverName;
            facts.driver_info = driver.driverInfo;
            facts.conformant = driver.conformanceVersion.major != 0;
        }
    } else {
        instance.GetPhysicalDeviceProperties(physical, &all.properties);
    }
    const VkPhysicalDeviceProperties& properties = all.properties;
    facts.name = properties.deviceName;
    facts.type = properties.deviceType;
    facts.vendor = properties.vendorID;
    facts.device = properties.deviceID;
    facts.api_version = properties.apiVersion;
    facts.driver_version = properties.driverVersion;
    facts.max_push_constants = properties.limits.maxPushConstantsSize;
    facts.max_storage_range = properties.limits.maxStorageBufferRange;
    facts.max_allocations = properties.limits.maxMemoryAllocationCount;
}

}  // namespace

VkDeviceSize DeviceFacts::DeviceBytes() const {
    VkDeviceSize sum = 0;
    for (const DeviceHeap& heap : heaps) sum += heap.device_local ? heap.bytes : 0;
    return sum;
}

bool DeviceFacts::SameDriver(const DeviceFacts& other) const {
    return vendor == other.vendor && driver_version == other.driver_version && driver_id == other.driver_id &&
           driver_name == other.driver_name && driver_info == other.driver_info && driver_uuid == other.driver_uuid;
}

DeviceFacts ReadDeviceFacts(const VkuInstanceDispatchTable& instance, uint32_t version, VkPhysicalDevice physical) {
    DeviceFacts facts;
    VkPhysicalDeviceProperties properties = {};
    instance.GetPhysicalDeviceProperties(physical, &properties);
    const uint32_t both = std::min(version, properties.apiVersion);
    const bool second = both >= VK_API_VERSION_1_1 && instance.GetPhysicalDeviceProperties2;
    const std::vector<VkExtensionProperties> extensions = Extensions(instance, physical);
    ReadProperties(instance, physical, second,
                   both >= VK_API_VERSION_1_2 || Has(extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME),
                   Has(extensions, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME), facts);
    VkPhysicalDeviceMemoryProperties memory = {};
    instance.GetPhysicalDeviceMemoryProperties(physical, &memory);
    for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
        facts.heaps.push_back(
            {memory.memoryHeaps[i].size, (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0, {}});
    return facts;
}

void ReadDeviceDetails(const VkuInstanceDispatchTable& instance, uint32_t version, VkPhysicalDevice physical,
                       DeviceFacts& facts) {
    if (std::min(version, facts.api_version) >= VK_API_VERSION_1_1 && instance.GetPhysicalDeviceMemoryProperties2 &&
        Has(Extensions(instance, physical), VK_EXT_MEMORY_BUDGET_EXTENSION_NAME)) {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {};
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
        VkPhysicalDeviceMemoryProperties2 memory = {};
        memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
        memory.pNext = &budget;
        instance.GetPhysicalDeviceMemoryProperties2(physical, &memory);
        for (size_t i = 0; i < facts.heaps.size(); ++i)
            facts.heaps[i].free = budget.heapBudget[i] - std::min(budget.heapUsage[i], budget.heapBudget[i]);
    }
    uint32_t count = 0;
    instance.GetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    instance.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
    for (const VkQueueFamilyProperties& family : families)
        facts.families.push_back({family.queueFlags, family.queueCount});
}

std::string VersionText(uint32_t version) {
    return Format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                  VK_API_VERSION_PATCH(version));
}

std::string_view TypeName(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return "discrete";
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return "integrated";
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return "virtual";
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return "cpu";
        default:
            return "other";
    }
}

std::string PciText(const PciAddress& pci) {
    return Format("{:04x}:{:02x}:{:02x}.{:x}", pci.domain, pci.bus, pci.device, pci.function);
}

std::string UuidText(const Uuid& uuid) {
    std::string text;
    for (size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += Format("{:02x}", static_cast<unsigned>(uuid[i]));
    }
    return text;
}

std::string VendorName(uint32_t vendor) {
    for (const auto& [id, name] : kVendors)
        if (id == vendor) return std::string(name);
    return Format("{:#06x}", vendor);
}

std::string DriverText(const DeviceFacts& device) {
    if (device.driver_name.empty()) return Format("driver version {:#x}", device.driver_version);
    return device.driver_info.empty() ? device.driver_name : device.driver_name + ' ' + device.driver_info;
}

}  // namespace kronos
