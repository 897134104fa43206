// SPDX-License-Identifier: Apache-2.0
// Hazards of a recording, and barriers in all their forms.
#include <algorithm>

#include "recorder.h"

namespace random_program {
namespace {

constexpr uint32_t kWrites = kShaderWrite | kTransferWrite;
constexpr uint32_t kShaderKinds = kShaderRead | kShaderWrite | kUniformRead;
constexpr uint32_t kTransferKinds = kTransferRead | kTransferWrite;

// The flags of Vulkan 1.0 that are used here have the same values in synchronization2.
VkPipelineStageFlags StagesOf(uint32_t kinds) {
    VkPipelineStageFlags stages = 0;
    if (kinds & kShaderKinds) stages |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    if (kinds & kTransferKinds) stages |= VK_PIPELINE_STAGE_TRANSFER_BIT;
    if (kinds & kIndirectRead) stages |= VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT;
    if (kinds & kEverything) stages |= VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    if (kinds & kHostRead) stages |= VK_PIPELINE_STAGE_HOST_BIT;
    return stages;
}

VkAccessFlags AccessOf(uint32_t kinds) {
    VkAccessFlags access = 0;
    if (kinds & (kShaderRead | kShaderWrite)) access |= VK_ACCESS_SHADER_READ_BIT;
    if (kinds & kShaderWrite) access |= VK_ACCESS_SHADER_WRITE_BIT;
    if (kinds & kUniformRead) access |= VK_ACCESS_UNIFORM_READ_BIT;
    if (kinds & kTransferRead) access |= VK_ACCESS_TRANSFER_READ_BIT;
    if (kinds & kTransferWrite) access |= VK_ACCESS_TRANSFER_WRITE_BIT;
    if (kinds & kIndirectRead) access |= VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
    if (kinds & kEverything) access |= VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    if (kinds & kHostRead) access |= VK_ACCESS_HOST_READ_BIT;
    return access;
}

VkImageSubresourceRange WholeImage() { return {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}; }

}  // namespace

void Recorder::Resolve(const std::vector<Access>& accesses) {
    Barrier barrier;
    for (const Access& access : accesses) {
        for (uint32_t slice = access.slice; slice < access.slice + access.slices; ++slice) {
            const SliceState& state = StateOf(access.object, slice);
            const uint32_t before = (access.kind & kWrites) != 0                   ? state.written | state.read
                                    : (state.seen_by & access.kind) == access.kind ? 0
                                                                                   : state.written;
            if (before == 0) continue;
            barrier.source |= before;
            barrier.target |= access.kind;
            if (!barrier.slices.empty()) {
                Access& last = barrier.slices.back();
                if (last.object == access.object && last.slice + last.slices == slice) {
                    ++last.slices;
                    continue;
                }
            }
            barrier.slices.push_back({access.object, slice, 1, access.kind});
        }
    }
    if (!barrier.slices.empty() && !gpu_.avoid.needed_barriers) {
        const uint32_t form = rng_.Below(4);
        const bool by_event = form == 3 && events_used_ < recording_.events.size() &&
                              !(recording_.secondary && gpu_.avoid.secondary_events);
        const VkEvent event = by_event ? recording_.events[events_used_++] : VK_NULL_HANDLE;
        if (form == 0) {
            FullBarrier();
        } else {
            const std::vector<Access> slices = barrier.slices;
            if (form == 1) barrier.slices.clear();
            Emit(barrier, event);
            for (const Access& access : slices) {
                for (uint32_t slice = access.slice; slice < access.slice + access.slices; ++slice) {
                    StateOf(access.object, slice).seen_by |= barrier.target;
                }
            }
        }
    }
    for (const Access& access : accesses) {
        for (uint32_t slice = access.slice; slice < access.slice + access.slices; ++slice) {
            SliceState& state = StateOf(access.object, slice);
            if ((access.kind & kWrites) != 0) {
                state = {access.kind, 0, 0};
            } else {
                state.read |= access.kind;
            }
        }
    }
}

void Recorder::FullBarrier() {
    Barrier barrier{kEverything, kEverything, {}};
    // More entries than are needed, now and then.
    if (rng_.OneIn(4) && resources_.images_ready && away_ == 0)
        barrier.slices = {{DataBuffer(), 0, 1, kShaderRead}, {kFirstImage, 0, 1, kShaderRead}};
    if (!barrier.slices.empty()) Emit(barrier, VK_NULL_HANDLE);
    barrier.slices.clear();
    Emit(barrier, VK_NULL_HANDLE);
    ForgetHazards();
}

void Recorder::MakeVisibleToHost() { Emit({kEverything, kHostRead, {}}, VK_NULL_HANDLE); }

void Recorder::Emit(const Barrier& barrier, VkEvent event) {
    if (gpu_.features.sync2 && Flip()) {
        Emit2(barrier, event);
    } else {
        Emit1(barrier, event);
    }
}

void Recorder::Emit1(const Barrier& barrier, VkEvent event) {
    const VkPipelineStageFlags source = StagesOf(barrier.source);
    const VkPipelineStageFlags target = StagesOf(barrier.target);
    const VkAccessFlags source_access = AccessOf(barrier.source);
    const VkAccessFlags target_access = AccessOf(barrier.target);
    std::vector<VkMemoryBarrier> memory;
    std::vector<VkBufferMemoryBarrier> buffers;
    std::vector<VkImageMemoryBarrier> images;
    if (barrier.slices.empty()) {
        memory.push_back({VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, source_access, target_access});
    }
    for (const Access& on : barrier.slices) {
        if (on.object >= kFirstImage) {
            images.push_back({VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER, nullptr, source_access, target_access,
                              VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_GENERAL, VK_QUEUE_FAMILY_IGNORED,
                              VK_QUEUE_FAMILY_IGNORED, resources_.images[on.object - kFirstImage].handle,
                              WholeImage()});
        } else {
            buffers.push_back({VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER, nullptr, source_access, target_access,
                               VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, resources_.buffers[on.object].handle,
                               VkDeviceSize{on.slice} * kSliceBytes, VkDeviceSize{on.slices} * kSliceBytes});
        }
    }
    const auto memory_count = static_cast<uint32_t>(memory.size());
    const auto buffer_count = static_cast<uint32_t>(buffers.size());
    const auto image_count = static_cast<uint32_t>(images.size());
    if (event != VK_NULL_HANDLE) {
        counts_.event_commands += 2;
        api_.CmdSetEvent(commands_, event, source);
        api_.CmdWaitEvents(commands_, 1, &event, source, target, memory_count, memory.data(), buffer_count,
                           buffers.data(), image_count, images.data());
        return;
    }
    ++counts_.barrier_calls;
    counts_.barriers += memory_count + buffer_count + image_count;
    api_.CmdPipelineBarrier(commands_, source, target, 0, memory_count, memory.data(), buffer_count, buffers.data(),
                            image_count, images.data());
}

void Recorder::Emit2(const Barrier& barrier, VkEvent event) {
    const VkPipelineStageFlags2 source = StagesOf(barrier.source);
    const VkPipelineStageFlags2 target = StagesOf(barrier.target);
    const VkAccessFlags2 source_access = AccessOf(barrier.source);
    const VkAccessFlags2 target_access = AccessOf(barrier.target);
    std::vector<VkMemoryBarrier2> memory;
    std::vector<VkBufferMemoryBarrier2> buffers;
    std::vector<VkImageMemoryBarrier2> images;
    if (barrier.slices.empty()) {
        memory.push_back({VK_STRUCTURE_TYPE_MEMORY_BARRIER_2, nullptr, source, source_access, target, target_access});
    }
    for (const Access& on : barrier.slices) {
        if (on.object >= kFirstImage) {
            images.push_back({VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2, nullptr, source, source_access, target,
                              target_access, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_GENERAL, VK_QUEUE_FAMILY_IGNORED,
                              VK_QUEUE_FAMILY_IGNORED, resources_.images[on.object - kFirstImage].handle,
                              WholeImage()});
        } else {
            buffers.push_back({VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2, nullptr, source, source_access, target,
                               target_access, VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED,
                               resources_.buffers[on.object].handle, VkDeviceSize{on.slice} * kSliceBytes,
                               VkDeviceSize{on.slices} * kSliceBytes});
        }
    }
    VkDependencyInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
    info.memoryBarrierCount = static_cast<uint32_t>(memory.size());
    info.pMemoryBarriers = memory.data();
    info.bufferMemoryBarrierCount = static_cast<uint32_t>(buffers.size());
    info.pBufferMemoryBarriers = buffers.data();
    info.imageMemoryBarrierCount = static_cast<uint32_t>(images.size());
    info.pImageMemoryBarriers = images.data();
    if (event != VK_NULL_HANDLE) {
        counts_.event_commands += 2;
        api_.CmdSetEvent2(commands_, event, &info);
        api_.CmdWaitEvents2(commands_, 1, &event, &info);
        return;
    }
    ++counts_.barrier_calls;
    counts_.barriers += info.memoryBarrierCount + info.bufferMemoryBarrierCount + info.imageMemoryBarrierCount;
    api_.CmdPipelineBarrier2(commands_, &info);
}

void Recorder::WaitForHostEvent(VkEvent event) {
    const VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_HOST_WRITE_BIT,
                                  VK_ACCESS_SHADER_READ_BIT};
    ++counts_.event_commands;
    api_.CmdWaitEvents(commands_, 1, &event, VK_PIPELINE_STAGE_HOST_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 1,
                       &barrier, 0, nullptr, 0, nullptr);
}

void Recorder::Transition(uint32_t image, VkImageLayout from, VkImageLayout to) {
    constexpr VkAccessFlags kAll = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    const VkImageMemoryBarrier barrier{VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                       nullptr,
                                       kAll,
                                       kAll,
                                       from,
                                       to,
                                       VK_QUEUE_FAMILY_IGNORED,
                                       VK_QUEUE_FAMILY_IGNORED,
                                       resources_.images[image].handle,
                                       WholeImage()};
    ++counts_.barrier_calls;
    ++counts_.barriers;
    api_.CmdPipelineBarrier(commands_, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0,
                            nullptr, 0, nullptr, 1, &barrier);
    StateOf(kFirstImage + image, 0) = {};
}

VkImageLayout Recorder::Enter(uint32_t image, VkImageLayout transfer) {
    if (Flip()) return VK_IMAGE_LAYOUT_GENERAL;
    Transition(image, VK_IMAGE_LAYOUT_GENERAL, transfer);
    ++away_;
    return transfer;
}

void Recorder::Leave(uint32_t image, VkImageLayout layout) {
    if (layout == VK_IMAGE_LAYOUT_GENERAL) return;
    Transition(image, layout, VK_IMAGE_LAYOUT_GENERAL);
    --away_;
}

void Recorder::InitialiseImages() {
    for (uint32_t image = 0; image < kImages; ++image) {
        Transition(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        const VkClearColorValue color{.uint32 = {image + 1, 0, 0, 0}};
        const VkImageSubresourceRange whole = WholeImage();
        ++counts_.transfers;
        api_.CmdClearColorImage(commands_, resources_.images[image].handle, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                &color, 1, &whole);
        Transition(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL);
    }
}

}  // namespace random_program
