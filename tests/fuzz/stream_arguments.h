// SPDX-License-Identifier: Apache-2.0
// Arguments of commands, made of a fuzzer's bytes. Each is an allocation of just its size. One thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "input.h"
#include "stream_world.h"

namespace kronos::fuzz {

constexpr VkFlags64 kStages[] = {VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,
                                 VK_PIPELINE_STAGE_2_TRANSFER_BIT,       VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                 VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT,  VK_PIPELINE_STAGE_2_HOST_BIT,
                                 VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT,    0};
constexpr VkFlags64 kAccesses[] = {VK_ACCESS_2_SHADER_WRITE_BIT,
                                   VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_SHADER_WRITE_BIT,
                                   VK_ACCESS_2_TRANSFER_WRITE_BIT,
                                   VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT,
                                   VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT,
                                   VK_ACCESS_2_HOST_READ_BIT,
                                   0};
constexpr uint32_t kFamilies[] = {VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, 0, 1};
constexpr VkImageLayout kLayouts[] = {VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_UNDEFINED};
const VkBaseInStructure kUnknown = {static_cast<VkStructureType>(0x7FFFFFF0), nullptr};

class Arguments {
  public:
    explicit Arguments(Input& input) : in_(input) {}

    /// What was given out is gone.
    void Clear() { memory_.clear(); }

    template <class T>
    T* New(uint32_t count) {
        memory_.push_back(std::make_unique<std::byte[]>(count * sizeof(T)));
        return reinterpret_cast<T*>(memory_.back().get());
    }
    template <class T, class Make>
    T* Array(uint32_t count, Make make) {
        T* values = New<T>(count);
        for (uint32_t i = 0; i < count; ++i) values[i] = make();
        return values;
    }
    const void* Next() { return in_.Rarely() && in_.Rarely() ? &kUnknown : nullptr; }
    uint32_t Few() { return in_.Rarely() ? in_.Below(40) : in_.Below(3); }
    uint32_t Word() { return static_cast<uint32_t>(in_.Number()); }
    uint64_t BufferNumber() { return in_.Below(kBuffers + 2); }
    VkImage Image() { return H<VkImage>(in_.Below(kImages + 2)); }
    static VkBuffer Buffer(uint64_t number) { return H<VkBuffer>(number); }

    void Masks(auto& barrier) {
        using Flags = decltype(barrier.srcAccessMask);
        barrier.srcAccessMask = static_cast<Flags>(in_.Rarely() ? in_.Bits() : in_.Of(kAccesses));
        barrier.dstAccessMask = static_cast<Flags>(in_.Rarely() ? in_.Bits() : in_.Of(kAccesses));
        if constexpr (requires { barrier.srcStageMask; }) {
            barrier.srcStageMask = in_.Rarely() ? in_.Bits() : in_.Of(kStages);
            barrier.dstStageMask = in_.Of(kStages);
        }
    }
    template <class Barrier>
    Barrier Entry() {
        Barrier barrier = {};
        Masks(barrier);
        barrier.pNext = Next();
        if constexpr (requires { barrier.srcQueueFamilyIndex; }) {
            barrier.srcQueueFamilyIndex = in_.Of(kFamilies);
            barrier.dstQueueFamilyIndex =
                barrier.srcQueueFamilyIndex == VK_QUEUE_FAMILY_IGNORED ? VK_QUEUE_FAMILY_IGNORED : in_.Of(kFamilies);
        }
        if constexpr (requires { barrier.buffer; }) {
            barrier.buffer = Buffer(BufferNumber());
            barrier.offset = in_.Number();
            barrier.size = in_.Byte() & 1 ? VK_WHOLE_SIZE : in_.Number();
        }
        if constexpr (requires { barrier.image; }) {
            barrier.image = Image();
            barrier.oldLayout = in_.Of(kLayouts);
            barrier.newLayout = in_.Of(kLayouts);
        }
        return barrier;
    }
    template <class Barrier>
    Barrier* Entries(uint32_t& count) {
        count = in_.Byte() & 1 ? 0 : Few();
        return Array<Barrier>(count, [&] { return Entry<Barrier>(); });
    }
    VkDependencyInfo Dependency() {
        VkDependencyInfo info = {};
        info.pNext = Next();
        info.dependencyFlags = in_.Rarely() ? Word() : 0;
        info.memoryBarrierCount = in_.Byte() & 1;
        info.pMemoryBarriers =
            Array<VkMemoryBarrier2>(info.memoryBarrierCount, [&] { return Entry<VkMemoryBarrier2>(); });
        info.pBufferMemoryBarriers = Entries<VkBufferMemoryBarrier2>(info.bufferMemoryBarrierCount);
        info.pImageMemoryBarriers = Entries<VkImageMemoryBarrier2>(info.imageMemoryBarrierCount);
        return info;
    }
    const VkDependencyInfo* Dependencies(uint32_t count) {
        return Array<VkDependencyInfo>(count, [&] { return Dependency(); });
    }
    // Copies with images; what their regions hold is not looked at, but for offsets in buffers.
    template <class Region>
    Region* Regions(uint32_t count) {
        auto* regions = New<Region>(count);
        if constexpr (requires { regions->bufferOffset; })
            for (uint32_t i = 0; i < count; ++i) regions[i].bufferOffset = in_.Number();
        return regions;
    }

  private:
    Input& in_;
    std::vector<std::unique_ptr<std::byte[]>> memory_;
};

}  // namespace kronos::fuzz
