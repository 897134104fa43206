// SPDX-License-Identifier: Apache-2.0
// Batches of vkCmd* of one command buffer, and whole recordings. What a dispatch needs is bound, and told, as programs
// do; the other commands are called with zeros: counts of 0, and pointers to zeros.
#include "call_batch.h"

namespace kronos::bench {
namespace {

using Table = VkuDeviceDispatchTable;

constexpr VkPipelineStageFlags kStage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;
const uint32_t kPushed[4] = {};

void Bind(const Subject& s) {
    s.down.CmdBindPipeline(s.recording, kCompute, s.kernel);
    s.down.CmdBindDescriptorSets(s.recording, kCompute, s.layout, 0, 1, &s.kernel_sets[0], 0, nullptr);
}

// A batch of the command: with zeros, or as is said below.
template <auto Command>
double Record(Subject& s) {
    return Zeros(s.down.*Command, s.recording);
}

template <>
double Record<&Table::CmdDispatch>(Subject& s) {
    Bind(s);
    return Batch([&](size_t) { s.down.CmdDispatch(s.recording, 1, 1, 1); });
}
template <>
double Record<&Table::CmdDispatchBase>(Subject& s) {
    Bind(s);
    return Batch([&](size_t) { s.down.CmdDispatchBase(s.recording, 0, 0, 0, 1, 1, 1); });
}
template <>
double Record<&Table::CmdDispatchIndirect>(Subject& s) {
    Bind(s);
    return Batch([&](size_t) { s.down.CmdDispatchIndirect(s.recording, s.buffer, 0); });
}
template <>
double Record<&Table::CmdBindPipeline>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdBindPipeline(s.recording, kCompute, s.kernel); });
}
template <>
double Record<&Table::CmdBindDescriptorSets>(Subject& s) {
    return Batch([&](size_t i) {
        s.down.CmdBindDescriptorSets(s.recording, kCompute, s.layout, 0, 1, &s.kernel_sets[i % kKernelSets], 0,
                                     nullptr);
    });
}
template <>
double Record<&Table::CmdBindDescriptorSets2>(Subject& s) {
    auto info = Info<VkBindDescriptorSetsInfo>(VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO);
    info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    info.layout = s.layout;
    info.descriptorSetCount = 1;
    return Batch([&](size_t i) {
        info.pDescriptorSets = &s.kernel_sets[i % kKernelSets];
        s.down.CmdBindDescriptorSets2(s.recording, &info);
    });
}
template <>
double Record<&Table::CmdPushConstants>(Subject& s) {
    return Batch([&](size_t) {
        s.down.CmdPushConstants(s.recording, s.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof kPushed, kPushed);
    });
}
template <>
double Record<&Table::CmdPushConstants2>(Subject& s) {
    auto info = Info<VkPushConstantsInfo>(VK_STRUCTURE_TYPE_PUSH_CONSTANTS_INFO);
    info.layout = s.layout;
    info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    info.size = sizeof kPushed;
    info.pValues = kPushed;
    return Batch([&](size_t) { s.down.CmdPushConstants2(s.recording, &info); });
}
template <>
double Record<&Table::CmdPushDescriptorSet>(Subject& s) {
    const KernelWrites writes = s.WritesOf(VK_NULL_HANDLE, 0);
    return Batch([&](size_t) {
        s.down.CmdPushDescriptorSet(s.recording, kCompute, s.push_layout, 0, kBindings, writes.data());
    });
}
template <>
double Record<&Table::CmdPushDescriptorSet2>(Subject& s) {
    const KernelWrites writes = s.WritesOf(VK_NULL_HANDLE, 0);
    auto info = Info<VkPushDescriptorSetInfo>(VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO);
    info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
    info.layout = s.push_layout;
    info.descriptorWriteCount = kBindings;
    info.pDescriptorWrites = writes.data();
    return Batch([&](size_t) { s.down.CmdPushDescriptorSet2(s.recording, &info); });
}
template <>
double Record<&Table::CmdPushDescriptorSetWithTemplate>(Subject& s) {
    return Batch([&](size_t) {
        s.down.CmdPushDescriptorSetWithTemplate(s.recording, s.push_template, s.push_layout, 0, s.ranges);
    });
}
template <>
double Record<&Table::CmdPushDescriptorSetWithTemplate2>(Subject& s) {
    auto info = Info<VkPushDescriptorSetWithTemplateInfo>(VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_WITH_TEMPLATE_INFO);
    info.descriptorUpdateTemplate = s.push_template;
    info.layout = s.push_layout;
    info.pData = s.ranges;
    return Batch([&](size_t) { s.down.CmdPushDescriptorSetWithTemplate2(s.recording, &info); });
}

// From one range of the kernel's to the next.
template <>
double Record<&Table::CmdCopyBuffer>(Subject& s) {
    const VkBufferCopy region = {0, kRangeBytes, kRangeBytes};
    return Batch([&](size_t) { s.down.CmdCopyBuffer(s.recording, s.buffer, s.buffer, 1, &region); });
}
template <>
double Record<&Table::CmdCopyBuffer2>(Subject& s) {
    auto region = Info<VkBufferCopy2>(VK_STRUCTURE_TYPE_BUFFER_COPY_2);
    region.dstOffset = region.size = kRangeBytes;
    auto info = Info<VkCopyBufferInfo2>(VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2);
    info.srcBuffer = info.dstBuffer = s.buffer;
    info.regionCount = 1;
    info.pRegions = &region;
    return Batch([&](size_t) { s.down.CmdCopyBuffer2(s.recording, &info); });
}
template <>
double Record<&Table::CmdUpdateBuffer>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdUpdateBuffer(s.recording, s.buffer, 0, sizeof kPushed, kPushed); });
}
template <>
double Record<&Table::CmdFillBuffer>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdFillBuffer(s.recording, s.buffer, 0, kRangeBytes, 0); });
}

template <>
double Record<&Table::CmdWriteTimestamp>(Subject& s) {
    return Batch(
        [&](size_t) { s.down.CmdWriteTimestamp(s.recording, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, s.queries, 0); });
}
template <>
double Record<&Table::CmdWriteTimestamp2>(Subject& s) {
    return Batch(
        [&](size_t) { s.down.CmdWriteTimestamp2(s.recording, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, s.queries, 0); });
}
template <>
double Record<&Table::CmdBeginQuery>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdBeginQuery(s.recording, s.queries, 0, 0); });
}
template <>
double Record<&Table::CmdEndQuery>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdEndQuery(s.recording, s.queries, 0); });
}
template <>
double Record<&Table::CmdResetQueryPool>(Subject& s) {
    return Batch([&](size_t) { s.down.CmdResetQueryPool(s.recording, s.queries, 0, 1); });
}

double RecordLabel(PFN_vkCmdBeginDebugUtilsLabelEXT command, VkCommandBuffer buffer) {
    auto label = Info<VkDebugUtilsLabelEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT);
    label.pLabelName = "a kernel";
    return Batch([&](size_t) { command(buffer, &label); });
}
template <>
double Record<&Table::CmdBeginDebugUtilsLabelEXT>(Subject& s) {
    return RecordLabel(s.down.CmdBeginDebugUtilsLabelEXT, s.recording);
}
template <>
double Record<&Table::CmdInsertDebugUtilsLabelEXT>(Subject& s) {
    return RecordLabel(s.down.CmdInsertDebugUtilsLabelEXT, s.recording);
}

double RecordMarker(PFN_vkCmdDebugMarkerBeginEXT command, VkCommandBuffer buffer) {
    auto marker = Info<VkDebugMarkerMarkerInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_MARKER_MARKER_INFO_EXT);
    marker.pMarkerName = "a kernel";
    return Batch([&](size_t) { command(buffer, &marker); });
}
template <>
double Record<&Table::CmdDebugMarkerBeginEXT>(Subject& s) {
    return RecordMarker(s.down.CmdDebugMarkerBeginEXT, s.recording);
}
template <>
double Record<&Table::CmdDebugMarkerInsertEXT>(Subject& s) {
    return RecordMarker(s.down.CmdDebugMarkerInsertEXT, s.recording);
}

void Barrier(const Subject& s, VkCommandBuffer buffer) {
    static const VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT,
                                            VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
    s.down.CmdPipelineBarrier(buffer, kStage, kStage, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

// What programs record a dispatch with. One of kKernelSets barriers is needed.
void RecordDispatches(const Subject& s, VkCommandBuffer buffer) {
    for (size_t i = 0; i < kCalls; ++i) {
        s.down.CmdBindPipeline(buffer, kCompute, s.kernel);
        s.down.CmdBindDescriptorSets(buffer, kCompute, s.layout, 0, 1, &s.kernel_sets[i % kKernelSets], 0, nullptr);
        s.down.CmdPushConstants(buffer, s.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof kPushed, kPushed);
        s.down.CmdDispatch(buffer, 1, 1, 1);
        Barrier(s, buffer);
    }
}

}  // namespace

namespace call {

#define COMMAND(scope, name, ...)
#define COUNTED(name, ...) \
    double name(Subject& s) { return Record<&Table::name>(s); }
#define PASSED(name, ...) \
    double name(Subject& s) { return Record<&Table::name>(s); }
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED

double CmdBindDescriptorSets(Subject& s) { return Record<&Table::CmdBindDescriptorSets>(s); }
double CmdBindDescriptorSets2(Subject& s) { return Record<&Table::CmdBindDescriptorSets2>(s); }
double CmdPipelineBarrier(Subject& s) {
    return Batch([&](size_t) { Barrier(s, s.recording); });
}
double CmdPipelineBarrier2(Subject& s) {
    auto barrier = Info<VkMemoryBarrier2>(VK_STRUCTURE_TYPE_MEMORY_BARRIER_2);
    barrier.srcStageMask = barrier.dstStageMask = kStage;
    barrier.srcAccessMask = VK_ACCESS_2_SHADER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_SHADER_WRITE_BIT;
    auto info = Info<VkDependencyInfo>(VK_STRUCTURE_TYPE_DEPENDENCY_INFO);
    info.memoryBarrierCount = 1;
    info.pMemoryBarriers = &barrier;
    return Batch([&](size_t) { s.down.CmdPipelineBarrier2(s.recording, &info); });
}
double CmdExecuteCommands(Subject& s) {
    return Batch([&](size_t) { s.down.CmdExecuteCommands(s.recording, 1, &s.secondary); });
}

}  // namespace call

double WholeRecording(Subject& s) {
    const auto record = [&](size_t) {
        Begin(s.whole);
        RecordDispatches(s, s.whole);
        End(s.whole);
    };
    return Batch(record, 1) / kCalls;
}

double EndOfRecording(Subject& s) {
    Begin(s.whole);
    RecordDispatches(s, s.whole);
    return Batch([&](size_t) { End(s.whole); }, 1) / kCalls;
}

}  // namespace kronos::bench
