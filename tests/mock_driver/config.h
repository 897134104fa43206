// SPDX-License-Identifier: Apache-2.0
// What the driver looks like: its instance and its devices. Read from JSON (README.md has the schema).
// The current configuration is owned by control.cpp and copied at instance creation.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "vk_headers.h"

namespace mock {

// A number, a list of numbers or text; `numbers` and `reals` hold the same values.
struct PropertyValue {
    std::vector<uint64_t> numbers;
    std::vector<double> reals;
    std::string text;
};

struct DeviceConfig {
    std::string name = "Kronos Mock GPU";
    VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    uint32_t vendor_id = 0x4B52;
    uint32_t device_id = 1;
    uint32_t driver_version = 1;
    uint32_t api_version = VK_API_VERSION_1_4;
    std::map<std::string, PropertyValue> properties;  // by member name, limits included
    std::map<std::string, bool> features;             // by member name
    std::vector<VkMemoryHeap> heaps;
    std::vector<VkMemoryType> types;
    std::vector<VkQueueFamilyProperties> families;
    std::vector<std::string> extensions;
    uint64_t buffer_alignment = 64;
    uint64_t image_alignment = 1024;
    uint64_t large_buffer_alignment = 1;  // of buffers of 128 KiB and more, if it is more
    uint64_t small_image_alignment = 1;   // of images of less than 16 KiB, if it is more; their sizes stay
    uint32_t buffer_type_mask = ~0U;
    uint32_t image_type_mask = ~0U;
    bool prefers_dedicated = false;
};

struct FailureConfig {
    std::string command;
    uint64_t call;  // 0: every one
    VkResult result;
};

struct Config {
    uint32_t api_version = VK_API_VERSION_1_4;
    std::vector<std::string> extensions;
    std::vector<std::vector<uint32_t>> groups;
    std::vector<DeviceConfig> devices;
    std::vector<FailureConfig> failures;
    int record_mode = -1;  // -1: not said
    bool handle_reuse = false;
};

// One device with everything at its default.
Config DefaultConfig();
DeviceConfig DefaultDevice(uint32_t index);
// Reads JSON text. Each thing that is not understood adds one line to `messages` and keeps its default.
Config ParseConfig(const std::string& json, const std::string& origin, std::vector<std::string>* messages);
// The value of a property or limit; null when neither configured nor known by default.
const PropertyValue* FindProperty(const DeviceConfig& device, const std::string& name);
uint64_t PropertyNumber(const DeviceConfig& device, const std::string& name);
const std::map<std::string, PropertyValue>& DefaultProperties();

}  // namespace mock
