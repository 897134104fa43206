// SPDX-License-Identifier: Apache-2.0
// Holding dispatches, what they are bound to, queries and labels.
#include <cstddef>
#include <cstring>

#include "stream/hold.h"
#include "stream/hold_parts.h"

namespace kronos::hold {
namespace {

using Table = VkuDeviceDispatchTable;
constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;

// Section "Indirect Dispatching": VkDispatchIndirectCommand.
constexpr VkDeviceSize kIndirectBytes = sizeof(VkDispatchIndirectCommand);

const std::byte* Bytes(const void* data) { return static_cast<const std::byte*>(data); }

// Whether a bind or push changes nothing, by what `effect` says of what is bound.
template <class Say>
bool ChangesNothing(Recorder& recorder, Redundant what, Say effect) {
    BoundShadow* shadow = recorder.shadow();
    return shadow && recorder.Drops(what, effect(*shadow));
}

// One for other stages too is not followed. `what`: of the sets.
bool ForComputeAlone(Recorder& recorder, Redundant what, VkShaderStageFlags stages) {
    if (stages == VK_SHADER_STAGE_COMPUTE_BIT) return true;
    if (BoundShadow* shadow = recorder.shadow(); shadow && (stages & VK_SHADER_STAGE_COMPUTE_BIT)) {
        shadow->ForgetSets();
        recorder.Drops(what, Effect::kUnknown);
    }
    return false;
}

// What of a bind of sets the driver must get; all of it, where nothing is dropped. False: nothing.
bool Trim(Recorder& recorder, const SetBind& bind, SetRun& run) {
    if (ChangesNothing(recorder, Redundant::kSets,
                       [&](BoundShadow& shadow) { return shadow.BindSets(bind, run, recorder.chosen_sets()); }))
        return false;
    recorder.Trimmed(bind.sets.size() - run.count);
    return true;
}

// Which array of a write holds its descriptors. Section "Descriptor Set Updates".
enum class WriteArray { kImages, kTexels, kBuffers, kUnknown };
WriteArray ArrayOf(VkDescriptorType type) {
    switch (type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
        case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
            return WriteArray::kImages;
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            return WriteArray::kTexels;
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
            return WriteArray::kBuffers;
        default:
            return WriteArray::kUnknown;
    }
}

// The write with its array; false: of a type that is not known, or with structures behind it.
bool KeepWrite(Recorder& recorder, VkWriteDescriptorSet& write) {
    if (write.pNext) return false;
    switch (ArrayOf(write.descriptorType)) {
        case WriteArray::kImages:
            write.pImageInfo = recorder.Keep(write.pImageInfo, write.descriptorCount);
            return true;
        case WriteArray::kTexels:
            write.pTexelBufferView = recorder.Keep(write.pTexelBufferView, write.descriptorCount);
            return true;
        case WriteArray::kBuffers:
            write.pBufferInfo = recorder.Keep(write.pBufferInfo, write.descriptorCount);
            return true;
        case WriteArray::kUnknown:
            return false;
    }
    return false;
}

// nullptr: one of them cannot be kept.
const VkWriteDescriptorSet* KeepWrites(Recorder& recorder, uint32_t count, const VkWriteDescriptorSet* writes) {
    if (!recorder.Holding()) return Plain(writes, count) ? writes : nullptr;
    auto* kept = const_cast<VkWriteDescriptorSet*>(recorder.Keep(writes, count));
    for (uint32_t i = 0; i < count; ++i)
        if (!KeepWrite(recorder, kept[i])) return nullptr;
    return kept;
}

// The elements of a template's entry, one behind the other.
template <class Element>
const Element* Gather(Recorder& recorder, const VkDescriptorUpdateTemplateEntry& entry, const std::byte* data) {
    auto* elements = recorder.KeepNew<Element>(entry.descriptorCount);
    for (uint32_t i = 0; i < entry.descriptorCount; ++i)
        std::memcpy(elements + i, data + entry.offset + i * entry.stride, sizeof(Element));
    return elements;
}

// A push by template as one without: the template may be destroyed before the recording ends. False: it cannot be.
bool HoldTemplatePush(Recorder& recorder, VkDescriptorUpdateTemplate update_template, VkPipelineLayout layout,
                      uint32_t set, const std::byte* data) {
    const UpdateTemplate* known = recorder.resources().FindTemplate(update_template);
    if (!known || known->type != VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS) return false;
    if (known->bind_point == kCompute && ChangesNothing(recorder, Redundant::kDescriptors, [&](BoundShadow& shadow) {
            return shadow.PushDescriptors(*known, layout, set, data);
        }))
        return true;
    const auto count = static_cast<uint32_t>(known->entries.size());
    auto* writes = recorder.KeepNew<VkWriteDescriptorSet>(count);
    for (uint32_t i = 0; i < count; ++i) {
        const VkDescriptorUpdateTemplateEntry& entry = known->entries[i];
        VkWriteDescriptorSet write = {};
        write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        write.dstBinding = entry.dstBinding;
        write.dstArrayElement = entry.dstArrayElement;
        write.descriptorCount = entry.descriptorCount;
        write.descriptorType = entry.descriptorType;
        switch (ArrayOf(entry.descriptorType)) {
            case WriteArray::kImages:
                write.pImageInfo = Gather<VkDescriptorImageInfo>(recorder, entry, data);
                break;
            case WriteArray::kTexels:
                write.pTexelBufferView = Gather<VkBufferView>(recorder, entry, data);
                break;
            case WriteArray::kBuffers:
                write.pBufferInfo = Gather<VkDescriptorBufferInfo>(recorder, entry, data);
                break;
            case WriteArray::kUnknown:
                return false;
        }
        writes[i] = write;
    }
    recorder.bound().PushDescriptors(update_template, layout, set, data);
    recorder.Hold<&Table::CmdPushDescriptorSet>(known->bind_point, layout, set, count,
                                                static_cast<const VkWriteDescriptorSet*>(writes));
    return true;
}

bool HoldLabel(Recorder& recorder, const VkDebugUtilsLabelEXT* label, VkDebugUtilsLabelEXT& kept) {
    if (label->pNext) return false;
    kept = *label;
    if (label->pLabelName) kept.pLabelName = recorder.Keep(label->pLabelName, std::strlen(label->pLabelName) + 1);
    return true;
}

bool HoldMarker(Recorder& recorder, const VkDebugMarkerMarkerInfoEXT* marker, VkDebugMarkerMarkerInfoEXT& kept) {
    if (marker->pNext) return false;
    kept = *marker;
    if (marker->pMarkerName)
        kept.pMarkerName = recorder.Keep(marker->pMarkerName, std::strlen(marker->pMarkerName) + 1);
    return true;
}

}  // namespace

bool CmdDispatch(Recorder& recorder, uint32_t x, uint32_t y, uint32_t z) {
    AddDispatch(recorder);
    recorder.Hold<&Table::CmdDispatch>(x, y, z);
    return true;
}

bool CmdDispatchBase(Recorder& recorder, uint32_t base_x, uint32_t base_y, uint32_t base_z, uint32_t x, uint32_t y,
                     uint32_t z) {
    AddDispatch(recorder);
    recorder.Hold<&Table::CmdDispatchBase>(base_x, base_y, base_z, x, y, z);
    return true;
}

bool CmdDispatchIndirect(Recorder& recorder, VkBuffer buffer, VkDeviceSize offset) {
    Action action(recorder);
    action.Touch(buffer, offset, kIndirectBytes, Of(Kind::kIndirectRead));
    // In the same step: no barrier can come between the arguments and the dispatch.
    recorder.bound().DispatchAccesses(recorder.steps().accesses);
    action.Done();
    recorder.Hold<&Table::CmdDispatchIndirect>(buffer, offset);
    return true;
}

bool CmdBindPipeline(Recorder& recorder, VkPipelineBindPoint bind_point, VkPipeline pipeline) {
    if (bind_point == kCompute && ChangesNothing(recorder, Redundant::kPipelines,
                                                 [&](BoundShadow& shadow) { return shadow.BindPipeline(pipeline); }))
        return true;
    recorder.bound().BindPipeline(bind_point, pipeline);
    recorder.Hold<&Table::CmdBindPipeline>(bind_point, pipeline);
    return true;
}

bool CmdBindDescriptorSets(Recorder& recorder, VkPipelineBindPoint bind_point, VkPipelineLayout layout, uint32_t first,
                           uint32_t count, const VkDescriptorSet* sets, uint32_t offset_count,
                           const uint32_t* offsets) {
    const SetBind bind = {layout, first, std::span(sets, count), std::span(offsets, offset_count),
                          recorder.found_sets()};
    SetRun run = {0, count, 0, offset_count};
    if (bind_point == kCompute && !Trim(recorder, bind, run)) return true;
    recorder.bound().BindSets(bind_point, bind);
    recorder.Hold<&Table::CmdBindDescriptorSets>(bind_point, layout, first + run.first, run.count,
                                                 recorder.KeepSets(sets, run.first, run.count), run.offset_count,
                                                 recorder.Keep(offsets + run.first_offset, run.offset_count));
    return true;
}

bool CmdBindDescriptorSets2(Recorder& recorder, const VkBindDescriptorSetsInfo* info) {
    if (info->pNext) return false;
    const SetBind bind = {info->layout, info->firstSet, std::span(info->pDescriptorSets, info->descriptorSetCount),
                          std::span(info->pDynamicOffsets, info->dynamicOffsetCount), recorder.found_sets()};
    SetRun run = {0, info->descriptorSetCount, 0, info->dynamicOffsetCount};
    if (ForComputeAlone(recorder, Redundant::kSets, info->stageFlags) && !Trim(recorder, bind, run)) return true;
    if (info->stageFlags & VK_SHADER_STAGE_COMPUTE_BIT) recorder.bound().BindSets(kCompute, bind);
    VkBindDescriptorSetsInfo kept = *info;
    kept.firstSet += run.first;
    kept.descriptorSetCount = run.count;
    kept.pDescriptorSets = recorder.KeepSets(info->pDescriptorSets, run.first, run.count);
    kept.dynamicOffsetCount = run.offset_count;
    kept.pDynamicOffsets = recorder.Keep(info->pDynamicOffsets + run.first_offset, run.offset_count);
    recorder.Hold<&Table::CmdBindDescriptorSets2>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdPushConstants(Recorder& recorder, VkPipelineLayout layout, VkShaderStageFlags stages, uint32_t offset,
                      uint32_t size, const void* values) {
    if (ChangesNothing(recorder, Redundant::kConstants,
                       [&](BoundShadow& shadow) { return shadow.PushConstants(layout, stages, offset, size, values); }))
        return true;
    recorder.Hold<&Table::CmdPushConstants>(layout, stages, offset, size,
                                            static_cast<const void*>(recorder.Keep(Bytes(values), size)));
    return true;
}

bool CmdPushConstants2(Recorder& recorder, const VkPushConstantsInfo* info) {
    if (info->pNext) return false;
    if (ChangesNothing(recorder, Redundant::kConstants, [&](BoundShadow& shadow) {
            return shadow.PushConstants(info->layout, info->stageFlags, info->offset, info->size, info->pValues);
        }))
        return true;
    VkPushConstantsInfo kept = *info;
    kept.pValues = recorder.Keep(Bytes(info->pValues), info->size);
    recorder.Hold<&Table::CmdPushConstants2>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdPushDescriptorSet(Recorder& recorder, VkPipelineBindPoint bind_point, VkPipelineLayout layout, uint32_t set,
                          uint32_t count, const VkWriteDescriptorSet* writes) {
    if (bind_point == kCompute && ChangesNothing(recorder, Redundant::kDescriptors, [&](BoundShadow& shadow) {
            return shadow.PushDescriptors(layout, set, std::span(writes, count));
        }))
        return true;
    const VkWriteDescriptorSet* kept = KeepWrites(recorder, count, writes);
    if (!kept) return false;
    recorder.bound().PushDescriptors(bind_point, layout, set, std::span(writes, count));
    recorder.Hold<&Table::CmdPushDescriptorSet>(bind_point, layout, set, count, kept);
    return true;
}

bool CmdPushDescriptorSet2(Recorder& recorder, const VkPushDescriptorSetInfo* info) {
    if (info->pNext) return false;
    const std::span given(info->pDescriptorWrites, info->descriptorWriteCount);
    if (ForComputeAlone(recorder, Redundant::kDescriptors, info->stageFlags) &&
        ChangesNothing(recorder, Redundant::kDescriptors,
                       [&](BoundShadow& shadow) { return shadow.PushDescriptors(info->layout, info->set, given); }))
        return true;
    const VkWriteDescriptorSet* writes = KeepWrites(recorder, info->descriptorWriteCount, info->pDescriptorWrites);
    if (!writes) return false;
    if (info->stageFlags & VK_SHADER_STAGE_COMPUTE_BIT)
        recorder.bound().PushDescriptors(kCompute, info->layout, info->set, given);
    VkPushDescriptorSetInfo kept = *info;
    kept.pDescriptorWrites = writes;
    recorder.Hold<&Table::CmdPushDescriptorSet2>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdPushDescriptorSetWithTemplate(Recorder& recorder, VkDescriptorUpdateTemplate update_template,
                                      VkPipelineLayout layout, uint32_t set, const void* data) {
    return HoldTemplatePush(recorder, update_template, layout, set, Bytes(data));
}

bool CmdPushDescriptorSetWithTemplate2(Recorder& recorder, const VkPushDescriptorSetWithTemplateInfo* info) {
    return !info->pNext &&
           HoldTemplatePush(recorder, info->descriptorUpdateTemplate, info->layout, info->set, Bytes(info->pData));
}

bool CmdExecuteCommands(Recorder& recorder, uint32_t count, const VkCommandBuffer* secondaries) {
    AddStep(recorder, StepKind::kOpaque);
    // Section "Command Buffer Lifecycle": nothing bound before is bound after.
    recorder.bound().Clear();
    if (BoundShadow* shadow = recorder.shadow()) shadow->Clear();
    // Recorded into two command buffers, secondaries might make one of them invalid.
    recorder.SetAlone();
    HeldCommand* held = recorder.Hold<&Table::CmdExecuteCommands>(count, recorder.Keep(secondaries, count));
    if (held) held->amount = count;
    return true;
}

// Queries. What is between their begin and end is the program's choice, by the place of its barriers too.

bool CmdWriteTimestamp(Recorder& recorder, VkPipelineStageFlagBits stage, VkQueryPool pool, uint32_t query) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdWriteTimestamp>(stage, pool, query);
    return true;
}

bool CmdWriteTimestamp2(Recorder& recorder, VkPipelineStageFlags2 stage, VkQueryPool pool, uint32_t query) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdWriteTimestamp2>(stage, pool, query);
    return true;
}

bool CmdBeginQuery(Recorder& recorder, VkQueryPool pool, uint32_t query, VkQueryControlFlags flags) {
    AddStep(recorder, StepKind::kFence);
    // Section "Performance Queries": some must begin and end with their command buffer.
    recorder.SetAlone();
    recorder.Hold<&Table::CmdBeginQuery>(pool, query, flags);
    return true;
}

bool CmdEndQuery(Recorder& recorder, VkQueryPool pool, uint32_t query) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdEndQuery>(pool, query);
    return true;
}

bool CmdResetQueryPool(Recorder& recorder, VkQueryPool pool, uint32_t first, uint32_t count) {
    AddStep(recorder, StepKind::kFence);
    recorder.Hold<&Table::CmdResetQueryPool>(pool, first, count);
    return true;
}

// Labels.

bool CmdBeginDebugUtilsLabelEXT(Recorder& recorder, const VkDebugUtilsLabelEXT* label) {
    VkDebugUtilsLabelEXT kept;
    if (!HoldLabel(recorder, label, kept)) return false;
    recorder.Hold<&Table::CmdBeginDebugUtilsLabelEXT>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdEndDebugUtilsLabelEXT(Recorder& recorder) {
    recorder.Hold<&Table::CmdEndDebugUtilsLabelEXT>();
    return true;
}

bool CmdInsertDebugUtilsLabelEXT(Recorder& recorder, const VkDebugUtilsLabelEXT* label) {
    VkDebugUtilsLabelEXT kept;
    if (!HoldLabel(recorder, label, kept)) return false;
    recorder.Hold<&Table::CmdInsertDebugUtilsLabelEXT>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdDebugMarkerBeginEXT(Recorder& recorder, const VkDebugMarkerMarkerInfoEXT* marker) {
    VkDebugMarkerMarkerInfoEXT kept;
    if (!HoldMarker(recorder, marker, kept)) return false;
    recorder.Hold<&Table::CmdDebugMarkerBeginEXT>(recorder.Keep(&kept, 1));
    return true;
}

bool CmdDebugMarkerEndEXT(Recorder& recorder) {
    recorder.Hold<&Table::CmdDebugMarkerEndEXT>();
    return true;
}

bool CmdDebugMarkerInsertEXT(Recorder& recorder, const VkDebugMarkerMarkerInfoEXT* marker) {
    VkDebugMarkerMarkerInfoEXT kept;
    if (!HoldMarker(recorder, marker, kept)) return false;
    recorder.Hold<&Table::CmdDebugMarkerInsertEXT>(recorder.Keep(&kept, 1));
    return true;
}

}  // namespace kronos::hold
