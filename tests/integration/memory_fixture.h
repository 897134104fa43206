// SPDX-License-Identifier: Apache-2.0
// What the tests of memory recycling share: a device of a configured mock driver, and short forms of what they ask of
// it. Owned by one test; any of its threads may allocate and free.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "layered.h"

namespace layered {

// Nothing expires unless a test wants it to, however slow the machine.
inline const SettingMap kRecycleMemory = {{"recycle_memory", "on"},
                                          {"recycle_seconds", "86400"},
                                          {"recycle_fences", "off"},
                                          {"waits", "off"},
                                          {"slabs", "off"}};

inline SettingMap Recycling(const std::string& key, const std::string& value) {
    SettingMap settings = kRecycleMemory;
    settings[key] = value;
    return settings;
}

/// Types of the mock driver's default device.
inline constexpr uint32_t kLocalType = 0;
inline constexpr uint32_t kCoherentType = 1;
inline constexpr uint32_t kCachedType = 2;
inline constexpr uint32_t kLocalVisibleType = 3;

class MemoryTest : public LayerTest {
  protected:
    /// `config`: a device of the mock driver, in JSON.
    void Start(const SettingMap& settings = kRecycleMemory, const std::string& config = "{}",
               std::vector<const char*> extensions = {}, const void* next = nullptr) {
        EXPECT_THAT(mock.Use(R"({"devices": [)" + config + "]}"), ::testing::IsEmpty());
        instance.emplace(true, ToFile(settings), VK_API_VERSION_1_3,
                         std::vector<const char*>{VK_EXT_DEBUG_UTILS_EXTENSION_NAME});
        device.emplace(*instance, std::move(extensions), next);
        ASSERT_EQ(device->result, VK_SUCCESS);
    }
    VkResult TryAllocate(VkDeviceMemory& memory, VkDeviceSize bytes, uint32_t type = kLocalType,
                         const void* next = nullptr, const VkAllocationCallbacks* allocator = nullptr) const {
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, next, bytes, type};
        return vkAllocateMemory(device->handle, &info, allocator, &memory);
    }
    VkDeviceMemory Allocate(VkDeviceSize bytes, uint32_t type = kLocalType, const void* next = nullptr,
                            const VkAllocationCallbacks* allocator = nullptr) const {
        VkDeviceMemory memory = VK_NULL_HANDLE;
        EXPECT_EQ(TryAllocate(memory, bytes, type, next, allocator), VK_SUCCESS) << bytes;
        return memory;
    }
    void Free(VkDeviceMemory memory) const { vkFreeMemory(device->handle, memory, nullptr); }
    void* Map(VkDeviceMemory memory, VkDeviceSize offset = 0, VkDeviceSize size = VK_WHOLE_SIZE) const {
        void* data = nullptr;
        EXPECT_EQ(vkMapMemory(device->handle, memory, offset, size, 0, &data), VK_SUCCESS);
        return data;
    }
    /// What the driver holds there, of whatever type.
    std::span<uint8_t> Bytes(VkDeviceMemory memory, size_t size) const {
        return {static_cast<uint8_t*>(mock.MemoryData(memory)), size};
    }
    VkBuffer MakeBuffer(VkDeviceSize size, VkBufferCreateFlags flags = 0) const {
        VkBufferCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.flags = flags;
        info.size = size;
        info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        VkBuffer made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateBuffer(device->handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }
    uint64_t Made() { return mock.Calls("vkAllocateMemory"); }
    uint64_t Freed() { return mock.Calls("vkFreeMemory"); }
    /// The texts of all calls of a command, in mode full.
    std::vector<std::string> Texts(const std::string& command) {
        std::vector<std::string> texts;
        for (const auto& call : mock.Calls())
            if (call.command == command) texts.push_back(call.text);
        return texts;
    }
    /// What the driver has allocated and not freed.
    std::set<VkDeviceMemory> LiveMemories() const {
        std::set<VkDeviceMemory> live;
        mock.VisitLiveObjects(
            [](void* user, VkObjectType type, uint64_t handle, const char*) {
                if (type == VK_OBJECT_TYPE_DEVICE_MEMORY)
                    static_cast<std::set<VkDeviceMemory>*>(user)->insert(reinterpret_cast<VkDeviceMemory>(handle));
            },
            &live);
        return live;
    }
    /// Waits until the driver has been asked to free this many.
    void AwaitFreed(uint64_t count) {
        while (Freed() < count) std::this_thread::yield();
    }
    /// Ends the device and reads the log's summary.
    nlohmann::json End() {
        device->Destroy();
        return Summary();
    }

    std::optional<Instance> instance;
    std::optional<Device> device;
};

}  // namespace layered
