// SPDX-License-Identifier: Apache-2.0
// A vkCmd* with all that its arguments point to, as bytes: equal for the program's call and for the driver's if nothing
// was lost or changed between them. One thread.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace kronos::fuzz {

/// Appends arguments in their order. A pointer is to as many as the last uint32_t before it says, or to one.
class Writer {
  public:
    explicit Writer(std::string& bytes) : bytes_(bytes) {}

    template <class... Args>
    void Arguments(const Args&... args) {
        (Argument(args), ...);
    }

  private:
    template <class T>
    void Argument(const T& value) {
        if constexpr (std::is_same_v<T, const void*>) {
            Bytes(value, static_cast<size_t>(last_));
        } else if constexpr (Points<T>()) {
            for (uint64_t i = 0; i < (counted_ ? last_ : 1); ++i) Structure(value[i]);
        } else {
            Plain(value);
            if constexpr (std::is_same_v<T, uint32_t>) counted_ = true;
            if constexpr (std::is_integral_v<T>) last_ = value;
        }
    }
    // To data: handles are pointers to what is never defined.
    template <class T>
    static constexpr bool Points() {
        if constexpr (std::is_pointer_v<T>) return requires {
                sizeof(std::remove_pointer_t<T>);
            };
        else
            return false;
    }
    void Bytes(const void* data, size_t count) {
        if (count) bytes_.append(static_cast<const char*>(data), count);
    }
    template <class T>
    void Plain(const T& value) {
        Bytes(&value, sizeof value);
    }
    template <class T>
    void Array(const T* values, uint32_t count) {
        Plain(count);
        for (uint32_t i = 0; i < count; ++i) Structure(values[i]);
    }
    void Text(const char* text) { bytes_.append(text ? text : "(none)").push_back('\0'); }

    // Those with pointers to more; of all others the bytes.
    template <class T>
    void Structure(const T& value) {
        if constexpr (requires { value.pRegions; }) {
            T flat = value;
            flat.pRegions = nullptr;
            Plain(flat);
            Array(value.pRegions, value.regionCount);
        } else {
            Plain(value);
        }
    }
    void Structure(const VkDependencyInfo& info) {
        Plain(info.dependencyFlags);
        Array(info.pMemoryBarriers, info.memoryBarrierCount);
        Array(info.pBufferMemoryBarriers, info.bufferMemoryBarrierCount);
        Array(info.pImageMemoryBarriers, info.imageMemoryBarrierCount);
    }
    void Structure(const VkWriteDescriptorSet& write) {
        Plain(write.dstBinding);
        Plain(write.dstArrayElement);
        Plain(write.descriptorType);
        switch (write.descriptorType) {
            case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
            case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
                return Array(write.pBufferInfo, write.descriptorCount);
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                return Array(write.pTexelBufferView, write.descriptorCount);
            case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
                return Array(write.pImageInfo, write.descriptorCount);
            default:
                return Plain(write.descriptorCount);
        }
    }
    void Structure(const VkBindDescriptorSetsInfo& info) {
        Plain(info.stageFlags);
        Plain(info.layout);
        Plain(info.firstSet);
        Array(info.pDescriptorSets, info.descriptorSetCount);
        Array(info.pDynamicOffsets, info.dynamicOffsetCount);
    }
    void Structure(const VkPushConstantsInfo& info) {
        Plain(info.layout);
        Plain(info.stageFlags);
        Plain(info.offset);
        Plain(info.size);
        Bytes(info.pValues, info.size);
    }
    void Structure(const VkPushDescriptorSetInfo& info) {
        Plain(info.stageFlags);
        Plain(info.layout);
        Plain(info.set);
        Array(info.pDescriptorWrites, info.descriptorWriteCount);
    }
    void Structure(const VkDebugUtilsLabelEXT& label) {
        Plain(label.color);
        Text(label.pLabelName);
    }
    void Structure(const VkDebugMarkerMarkerInfoEXT& marker) {
        Plain(marker.color);
        Text(marker.pMarkerName);
    }

    std::string& bytes_;
    uint64_t last_ = 0;     ///< integer
    bool counted_ = false;  ///< there was a uint32_t
};

/// One call, to compare and to count.
struct Call {
    const char* name = nullptr;
    std::string bytes;
    bool barrier = false;
    bool state = false;  ///< a bind or push, which may change nothing
    bool operator==(const Call& other) const { return name == other.name && bytes == other.bytes; }
};

}  // namespace kronos::fuzz
