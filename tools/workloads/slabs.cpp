// SPDX-License-Identifier: Apache-2.0
// Buffers that are parts of few large allocations.
#include "slabs.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <cstring>

namespace kronos::workloads {

SlabLayout LayOut(const std::vector<uint64_t>& blocks, uint64_t alignment, uint64_t slab_bytes) {
    SlabLayout layout;
    uint64_t end = 0;  // of what the last slab holds
    for (uint64_t bytes : blocks) {
        uint64_t offset = (end + alignment - 1) / alignment * alignment;
        if (layout.slabs.empty() || offset + bytes > slab_bytes) {
            layout.slabs.push_back(0);
            offset = 0;
        }
        layout.places.push_back({layout.slabs.size() - 1, offset});
        end = offset + bytes;
        layout.slabs.back() = end;
    }
    return layout;
}

SlabBuffers::SlabBuffers(const Context& context, const std::vector<uint64_t>& sizes, const Kind& kind) : sizes_(sizes) {
    VkDevice device = context.device();
    std::vector<uint64_t> blocks;
    uint64_t alignment = 1;
    uint32_t types = UINT32_MAX;
    std::vector<uint32_t> families;
    for (const Queue& queue : context.queues()) families.push_back(queue.family);
    bool concurrent = families.size() == 2 && families[0] != families[1];
    for (uint64_t bytes : sizes) {
        auto info = vku::InitStruct<VkBufferCreateInfo>();
        info.size = bytes;
        info.usage = kind.usage;
        info.sharingMode = concurrent ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE;
        info.queueFamilyIndexCount = concurrent ? 2 : 0;
        info.pQueueFamilyIndices = families.data();
        buffers_.emplace_back(device, vkCreateBuffer, info, "vkCreateBuffer of " + std::to_string(bytes) + " bytes");
        VkMemoryRequirements needs;
        vkGetBufferMemoryRequirements(device, buffers_.back().get(), &needs);
        blocks.push_back(needs.size);
        alignment = std::max(alignment, needs.alignment);
        types &= needs.memoryTypeBits;
    }
    layout_ = LayOut(blocks, alignment, kind.slab_bytes);
    uint32_t type = context.MemoryType(types, kind.flags);
    for (uint64_t bytes : layout_.slabs) {
        auto allocate = vku::InitStruct<VkMemoryAllocateInfo>();
        allocate.allocationSize = bytes;
        allocate.memoryTypeIndex = type;
        memory_.emplace_back(device, vkAllocateMemory, allocate,
                             "vkAllocateMemory of " + std::to_string(bytes) + " bytes");
        if (!(kind.flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) continue;
        void* mapped = nullptr;
        Require(vkMapMemory(device, memory_.back().get(), 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
        mapped_.push_back(static_cast<std::byte*>(mapped));
    }
    for (size_t i = 0; i < buffers_.size(); ++i) {
        const SlabLayout::Place& place = layout_.places[i];
        Require(vkBindBufferMemory(device, buffers_[i].get(), memory_[place.slab].get(), place.offset),
                "vkBindBufferMemory");
    }
}

std::byte* SlabBuffers::mapped(size_t index) const {
    return mapped_[layout_.places[index].slab] + layout_.places[index].offset;
}

void SlabBuffers::Write(size_t index, const Words& words) const {
    std::memcpy(mapped(index), words.data(), words.size() * sizeof(uint32_t));
}

Words SlabBuffers::Read(size_t index) const {
    Words words(sizes_[index] / sizeof(uint32_t));
    std::memcpy(words.data(), mapped(index), sizes_[index]);
    return words;
}

Counts SlabBuffers::Counted() const {
    // Freeing mapped memory unmaps it: no vkUnmapMemory.
    return {.allocations = layout_.slabs.size(), .frees = layout_.slabs.size(), .maps = mapped_.size()};
}

}  // namespace kronos::workloads
