// SPDX-License-Identifier: Apache-2.0
// Devices for tests, by what they say of themselves.
#pragma once

#include "devices/facts.h"

namespace kronos::machines {

inline DeviceFacts Gpu(const std::string& name, VkPhysicalDeviceType type, uint64_t gib, uint32_t vendor = 0x10de) {
    DeviceFacts facts;
    facts.name = name;
    facts.type = type;
    facts.vendor = vendor;
    facts.device = 0x1234;
    facts.driver_id = VK_DRIVER_ID_NVIDIA_PROPRIETARY;
    facts.driver_name = "NVIDIA";
    facts.driver_info = "550.1";
    facts.heaps = {{gib << 30, true, {}}, {uint64_t{64} << 30, false, {}}};
    return facts;
}
inline DeviceFacts Discrete(const std::string& name, uint64_t gib = 16) {
    return Gpu(name, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, gib);
}
inline DeviceFacts Integrated(const std::string& name, uint64_t gib = 8) {
    DeviceFacts facts = Gpu(name, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, gib, 0x8086);
    facts.driver_id = VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA;
    facts.driver_name = "Intel open-source Mesa driver";
    facts.driver_info = "Mesa 25.0";
    return facts;
}
inline DeviceFacts Software(const std::string& name = "llvmpipe") {
    DeviceFacts facts = Gpu(name, VK_PHYSICAL_DEVICE_TYPE_CPU, 2, VK_VENDOR_ID_MESA);
    facts.driver_id = VK_DRIVER_ID_MESA_LLVMPIPE;
    facts.driver_name = "llvmpipe";
    facts.driver_info = "Mesa 22.3.6";
    facts.uuid = Uuid{'m', 'e', 's', 'a'};
    return facts;
}
inline DeviceFacts With(DeviceFacts facts, const Uuid& uuid) {
    facts.uuid = uuid;
    return facts;
}
inline DeviceFacts At(DeviceFacts facts, const PciAddress& pci) {
    facts.pci = pci;
    return facts;
}
inline DeviceFacts By(DeviceFacts facts, VkDriverId id, const std::string& name) {
    facts.driver_id = static_cast<uint32_t>(id);
    facts.driver_name = name;
    return facts;
}

}  // namespace kronos::machines
