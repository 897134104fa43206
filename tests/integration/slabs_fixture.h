// SPDX-License-Identifier: Apache-2.0
// What the tests of slabs share: a device with slabs on the mock driver, and resources whose bytes can be found.
#pragma once

#include <string>
#include <vector>

#include "memory_fixture.h"

namespace layered {

inline const SettingMap kSlabs = {{"slabs", "on"},
                                  {"recycle_memory", "off"},
                                  {"recycle_seconds", "86400"},
                                  {"recycle_fences", "off"},
                                  {"waits", "off"}};

inline SettingMap SlabsWith(const std::string& key, const std::string& value) {
    SettingMap settings = kSlabs;
    settings[key] = value;
    return settings;
}

class SlabsTest : public MemoryTest {
  protected:
    void Start(const SettingMap& settings = kSlabs, const std::string& config = "{}",
               std::vector<const char*> extensions = {}, const void* next = nullptr) {
        mock.SetMode(kMockModeFull);
        SettingMap all = settings;
        all["log_file"] = log.path();
        all["log_level"] = "info";
        address.pNext = const_cast<void*>(next);
        MemoryTest::Start(all, config, std::move(extensions), &address);
        flags = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr, VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0};
    }
    VkBuffer MakeAddressed(VkDeviceSize size) const {
        VkBufferCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = size;
        info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
        VkBuffer made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateBuffer(device->handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }
    /// Where the driver has a buffer's first byte.
    uint8_t* AddressOf(VkBuffer buffer) const {
        const VkBufferDeviceAddressInfo info = {VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, nullptr, buffer};
        return reinterpret_cast<uint8_t*>(vkGetBufferDeviceAddress(device->handle, &info));
    }
    static VkImageCreateInfo ImageInfo(uint32_t width) {
        VkImageCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = VK_FORMAT_R8G8B8A8_UNORM;
        info.extent = {width, width, 1};
        info.mipLevels = info.arrayLayers = 1;
        info.samples = VK_SAMPLE_COUNT_1_BIT;
        info.usage = VK_IMAGE_USAGE_STORAGE_BIT;
        return info;
    }
    VkImage MakeImage(uint32_t width) const {
        const VkImageCreateInfo info = ImageInfo(width);
        VkImage made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateImage(device->handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }
    VkDeviceSize SizeOf(VkImage image) const {
        VkMemoryRequirements requirements = {};
        vkGetImageMemoryRequirements(device->handle, image, &requirements);
        return requirements.size;
    }
    void Destroy(VkBuffer buffer) const { vkDestroyBuffer(device->handle, buffer, nullptr); }
    void Destroy(VkImage image) const { vkDestroyImage(device->handle, image, nullptr); }
    static bool IsTagged(VkDeviceMemory memory) { return reinterpret_cast<uintptr_t>(memory) >> 48 == 0x4b52; }
    std::vector<std::string> LogLines(const std::string& with) const {
        std::vector<std::string> lines;
        std::ifstream in(log.path());
        for (std::string line; std::getline(in, line);)
            if (line.find(with) != std::string::npos) lines.push_back(line);
        return lines;
    }

    ScratchFile log;
    VkPhysicalDeviceBufferDeviceAddressFeatures address = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES, nullptr, VK_TRUE, VK_FALSE, VK_FALSE};
    VkMemoryAllocateFlagsInfo flags = {};
};

}  // namespace layered
