// SPDX-License-Identifier: Apache-2.0
// A buffer with a memory allocation of its own.
#include "buffers.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <cstring>

namespace kronos::workloads {

DedicatedBuffer::DedicatedBuffer(const Context& context, std::string_view name, VkDeviceSize bytes,
                                 VkBufferUsageFlags usage, VkMemoryPropertyFlags flags)
    : device_(context.device()), bytes_(bytes) {
    std::string what = std::to_string(bytes) + " bytes for buffer " + std::string(name);
    auto info = vku::InitStruct<VkBufferCreateInfo>();
    info.size = bytes;
    info.usage = usage;
    info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
    buffer_ = OwnedBuffer(device_, vkCreateBuffer, info, "vkCreateBuffer of " + what);

    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device_, buffer_.get(), &needs);
    auto allocate = vku::InitStruct<VkMemoryAllocateInfo>();
    allocate.allocationSize = needs.size;
    allocate.memoryTypeIndex = context.MemoryType(needs.memoryTypeBits, flags);
    memory_ = OwnedMemory(device_, vkAllocateMemory, allocate, "vkAllocateMemory of " + what);
    Require(vkBindBufferMemory(device_, buffer_.get(), memory_.get(), 0), "vkBindBufferMemory");
}

void DedicatedBuffer::Write(const Words& words) {
    void* mapped = nullptr;
    Require(vkMapMemory(device_, memory_.get(), 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
    std::memcpy(mapped, words.data(), bytes_);
    vkUnmapMemory(device_, memory_.get());
}

Words DedicatedBuffer::Read() const {
    Words words(bytes_ / sizeof(uint32_t));
    void* mapped = nullptr;
    Require(vkMapMemory(device_, memory_.get(), 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
    std::memcpy(words.data(), mapped, bytes_);
    vkUnmapMemory(device_, memory_.get());
    return words;
}

}  // namespace kronos::workloads
