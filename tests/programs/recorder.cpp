// SPDX-License-Identifier: Apache-2.0
// The random commands of a recording.
#include "recorder.h"

#include <algorithm>

namespace random_program {
namespace {

constexpr uint32_t kQueryBytes = 8;  // one 64-bit result

Layout LayoutOf(Shader shader) {
    switch (shader) {
        case Shader::MixPushed:
            return Layout::Pushed;
        case Shader::Scale:
            return Layout::Scale;
        case Shader::Stamp:
            return Layout::Stamp;
        default:
            return Layout::Pair;
    }
}

VkImageSubresourceLayers Layers() { return {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1}; }

}  // namespace

Recorder::Recorder(const Gpu& gpu, Rng& rng, Counts& counts, Resources& resources, Recording& recording)
    : gpu_(gpu),
      api_(gpu.api),
      rng_(rng),
      counts_(counts),
      resources_(resources),
      recording_(recording),
      commands_(recording.handle) {}

void Recorder::Begin() { FullBarrier(); }

void Recorder::End() {
    // Secondaries are opaque to those who execute them, so they end as they begin. Events must be ready for the next
    // time, and their waits over before they are reset.
    if (recording_.secondary || events_used_ != 0) FullBarrier();
    for (uint32_t i = 0; i < events_used_; ++i) {
        ++counts_.event_commands;
        if (gpu_.features.sync2 && Flip()) {
            api_.CmdResetEvent2(commands_, recording_.events[i], VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
        } else {
            api_.CmdResetEvent(commands_, recording_.events[i], VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
        }
    }
}

void Recorder::RandomCommand() {
    switch (rng_.Below(16)) {
        case 0:
            return CopyBuffers();
        case 1: {
            const uint32_t object = DataBuffer();
            const uint32_t slices = rng_.Between(1, 4);
            return Fill(object, SliceOf(object, slices), slices, rng_.Bits());
        }
        case 2:
            return Update();
        case 3:
            return CopyImages();
        case 4:
            return BufferToImage();
        case 5: {
            const uint32_t object = DataBuffer();
            return ImageToBuffer(rng_.Below(kImages), object, SliceOf(object, 1));
        }
        case 6:
            return ClearImage();
        case 7:
            return gpu_.can_blit && gpu_.lanes[recording_.lane].graphics ? Blit() : CopyImages();
        case 8:
            return FullBarrier();
        case 9:
            if (!gpu_.lanes[recording_.lane].timestamps || timestamps_used_) return Dispatch();
            if (recording_.usage == Usage::Simultaneous && gpu_.avoid.simultaneous_queries) return Dispatch();
            timestamps_used_ = true;
            return Timestamps(recording_.first_query, true, true);
        case 10:
            return Fill(kArguments, 1, 1, rng_.Between(1, 2));
        default:
            return Dispatch();
    }
}

uint32_t Recorder::SliceOf(uint32_t object, uint32_t slices) {
    return rng_.Below(resources_.buffers[object].slices - slices + 1);
}

void Recorder::Execute(const std::vector<Recording*>& secondaries) {
    std::vector<VkCommandBuffer> handles;
    for (Recording* secondary : secondaries) {
        handles.push_back(secondary->handle);
        recording_.dispatches += secondary->dispatches;
        recording_.children.insert(secondary);
    }
    counts_.secondaries += handles.size();
    api_.CmdExecuteCommands(commands_, static_cast<uint32_t>(handles.size()), handles.data());
    // They begin and end with full barriers; all that was bound is lost.
    ForgetHazards();
    bound_pipeline_ = nullptr;
    bound_layout_ = -1;
    bound_sets_ = {};
    pushed_ = false;
}

const Set* Recorder::PickSet(SetKind kind) {
    std::vector<const Set*> fit;
    for (const auto& set : resources_.sets) {
        if (set->kind == kind && set->written) fit.push_back(set.get());
    }
    return fit.empty() ? nullptr : fit[rng_.Below(static_cast<uint32_t>(fit.size()))];
}

void Recorder::Dispatch() {
    const auto shader = static_cast<Shader>(rng_.Below(kShaders));
    if (shader == Shader::MixPushed && !gpu_.features.push_descriptor) return;
    const Layout layout = LayoutOf(shader);
    std::array<const Set*, 2> sets{};
    std::array<uint32_t, 2> object{};
    std::array<uint32_t, 2> slice{};
    if (layout == Layout::Pushed) {
        object = {DataBuffer(), DataBuffer()};
        slice = {SliceOf(object[0], 1), SliceOf(object[1], 1)};
    } else {
        sets[0] = PickSet(layout == Layout::Stamp ? SetKind::Stamp : SetKind::Pair);
        if (sets[0] == nullptr) return;
        object = sets[0]->object;
        slice = sets[0]->slice;
    }
    std::vector<Access> accesses{{object[0], slice[0], 1, kShaderRead}, {object[1], slice[1], 1, kShaderWrite}};
    if (layout == Layout::Scale) {
        sets[1] = PickSet(SetKind::Factors);
        // Invocations must not read what others write.
        if (sets[1] == nullptr || (sets[1]->object[0] == object[1] && sets[1]->slice[0] == slice[1])) return;
        accesses.push_back({sets[1]->object[0], sets[1]->slice[0], 1, kUniformRead});
    }
    const bool indirect = rng_.OneIn(3);
    const uint32_t arguments = rng_.Below(5);  // four in slice 0, one in slice 1
    if (indirect) accesses.push_back({kArguments, arguments / 4, 1, kIndirectRead});
    Resolve(accesses);

    const Pipeline& pipeline = resources_.pipelines[static_cast<size_t>(shader)];
    // Sometimes once more than needed, as programs do.
    if (bound_pipeline_ != &pipeline || rng_.OneIn(4)) {
        ++counts_.pipeline_binds;
        api_.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
        bound_pipeline_ = &pipeline;
    }
    if (bound_layout_ != static_cast<int>(layout)) {
        bound_layout_ = static_cast<int>(layout);
        bound_sets_ = {};
        pushed_ = false;
    }
    if (layout == Layout::Pushed) {
        PushSet(object[0], slice[0], object[1], slice[1]);
    } else {
        for (uint32_t i = 0; i < sets.size() && sets[i] != nullptr; ++i) {
            if (bound_sets_[i] != sets[i] || rng_.OneIn(4)) BindSet(layout, i, *sets[i]);
        }
    }
    if (!pushed_ || Flip()) Push(layout);

    ++recording_.dispatches;
    ++counts_.dispatches;
    if (indirect) {
        const VkDeviceSize offset = arguments < 4 ? VkDeviceSize{arguments} * 16 : kSliceBytes;
        api_.CmdDispatchIndirect(commands_, resources_.buffers[kArguments].handle, offset);
    } else if (shader == Shader::MixBase && gpu_.features.group && Flip()) {
        api_.CmdDispatchBase(commands_, rng_.Below(3), 0, 0, rng_.Between(1, 2), 1, 1);
    } else {
        const uint32_t x = rng_.Between(1, 5);
        const uint32_t y = rng_.Between(1, 2);
        api_.CmdDispatch(commands_, x, y, 1);
    }
}

void Recorder::BindSet(Layout layout, uint32_t index, const Set& set) {
    const VkPipelineLayout handle = resources_.layouts[static_cast<size_t>(layout)];
    const bool dynamic = set.kind == SetKind::Factors;
    const uint32_t offset = rng_.Below(4) * 256;
    ++counts_.set_binds;
    if (gpu_.features.maintenance6 && Flip()) {
        VkBindDescriptorSetsInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO;
        info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
        info.layout = handle;
        info.firstSet = index;
        info.descriptorSetCount = 1;
        info.pDescriptorSets = &set.handle;
        info.dynamicOffsetCount = dynamic ? 1 : 0;
        info.pDynamicOffsets = &offset;
        api_.CmdBindDescriptorSets2(commands_, &info);
    } else {
        api_.CmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, handle, index, 1, &set.handle,
                                   dynamic ? 1 : 0, &offset);
    }
    bound_sets_[index] = &set;
    recording_.sets.insert(&set);
    // Binding a lower set leaves a higher one of the same layout alone.
}

void Recorder::PushSet(uint32_t source, uint32_t source_slice, uint32_t target, uint32_t target_slice) {
    const VkPipelineLayout layout = resources_.layouts[static_cast<size_t>(Layout::Pushed)];
    const std::array<VkDescriptorBufferInfo, 2> buffers{
        {{resources_.buffers[source].handle, VkDeviceSize{source_slice} * kSliceBytes, kSliceBytes},
         {resources_.buffers[target].handle, VkDeviceSize{target_slice} * kSliceBytes, kSliceBytes}}};
    ++counts_.push_descriptors;
    const bool six = gpu_.features.maintenance6 && Flip();
    if (gpu_.features.templates && Flip()) {
        if (six) {
            const VkPushDescriptorSetWithTemplateInfo info{VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_WITH_TEMPLATE_INFO,
                                                           nullptr,
                                                           resources_.pushed_template,
                                                           layout,
                                                           0,
                                                           buffers.data()};
            api_.CmdPushDescriptorSetWithTemplate2(commands_, &info);
        } else {
            api_.CmdPushDescriptorSetWithTemplate(commands_, resources_.pushed_template, layout, 0, buffers.data());
        }
        return;
    }
    std::array<VkWriteDescriptorSet, 2> writes{};
    for (uint32_t i = 0; i < writes.size(); ++i) {
        writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        writes[i].dstBinding = i;
        writes[i].descriptorCount = 1;
        writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        writes[i].pBufferInfo = &buffers[i];
    }
    if (six) {
        const VkPushDescriptorSetInfo info{VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO,
                                           nullptr,
                                           VK_SHADER_STAGE_COMPUTE_BIT,
                                           layout,
                                           0,
                                           2,
                                           writes.data()};
        api_.CmdPushDescriptorSet2(commands_, &info);
    } else {
        api_.CmdPushDescriptorSet(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 2, writes.data());
    }
}

void Recorder::Push(Layout layout) {
    const VkPipelineLayout handle = resources_.layouts[static_cast<size_t>(layout)];
    const uint32_t factor = rng_.Between(1, 3);
    const PushConstants values{factor, rng_.Below(100)};
    ++counts_.pushes;
    pushed_ = true;
    if (gpu_.features.maintenance6 && Flip()) {
        const VkPushConstantsInfo info{VK_STRUCTURE_TYPE_PUSH_CONSTANTS_INFO,
                                       nullptr,
                                       handle,
                                       VK_SHADER_STAGE_COMPUTE_BIT,
                                       0,
                                       sizeof(values),
                                       &values};
        api_.CmdPushConstants2(commands_, &info);
    } else {
        api_.CmdPushConstants(commands_, handle, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(values), &values);
    }
}

void Recorder::Fill(uint32_t object, uint32_t slice, uint32_t slices, uint32_t value) {
    Resolve({{object, slice, slices, kTransferWrite}});
    ++counts_.transfers;
    api_.CmdFillBuffer(commands_, resources_.buffers[object].handle, VkDeviceSize{slice} * kSliceBytes,
                       VkDeviceSize{slices} * kSliceBytes, value);
}

void Recorder::Update() {
    std::array<uint32_t, 64> data{};
    for (uint32_t& value : data) value = rng_.Bits();
    const uint32_t object = DataBuffer();
    const uint32_t slice = SliceOf(object, 1);
    Resolve({{object, slice, 1, kTransferWrite}});
    ++counts_.transfers;
    const uint32_t words = rng_.Between(1, 64);
    api_.CmdUpdateBuffer(commands_, resources_.buffers[object].handle, VkDeviceSize{slice} * kSliceBytes,
                         VkDeviceSize{words} * sizeof(uint32_t), data.data());
}

void Recorder::CopyBuffers() {
    const uint32_t slices = rng_.Between(1, 4);
    const uint32_t from = DataBuffer();
    const uint32_t to = DataBuffer();
    const uint32_t from_slice = SliceOf(from, slices);
    const uint32_t to_slice = SliceOf(to, slices);
    // Source and target must not overlap.
    if (from == to && from_slice < to_slice + slices && to_slice < from_slice + slices) return;
    CopySlices(from, from_slice, to, to_slice, slices);
}

void Recorder::CopySlices(uint32_t from, uint32_t from_slice, uint32_t to, uint32_t to_slice, uint32_t slices) {
    Resolve({{from, from_slice, slices, kTransferRead}, {to, to_slice, slices, kTransferWrite}});
    // In one region, or in two.
    const uint32_t first = slices > 1 && Flip() ? rng_.Between(1, slices - 1) : slices;
    std::vector<VkBufferCopy> regions;
    for (uint32_t at = 0, count = first; at < slices; at += count, count = slices - first) {
        regions.push_back({VkDeviceSize{from_slice + at} * kSliceBytes, VkDeviceSize{to_slice + at} * kSliceBytes,
                           VkDeviceSize{count} * kSliceBytes});
    }
    const VkBuffer source = resources_.buffers[from].handle;
    const VkBuffer target = resources_.buffers[to].handle;
    ++counts_.transfers;
    if (gpu_.features.copy2 && Flip()) {
        std::vector<VkBufferCopy2> regions2;
        regions2.reserve(regions.size());
        for (const VkBufferCopy& region : regions) {
            regions2.push_back(
                {VK_STRUCTURE_TYPE_BUFFER_COPY_2, nullptr, region.srcOffset, region.dstOffset, region.size});
        }
        const VkCopyBufferInfo2 info{VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,   nullptr,        source, target,
                                     static_cast<uint32_t>(regions2.size()), regions2.data()};
        api_.CmdCopyBuffer2(commands_, &info);
    } else {
        api_.CmdCopyBuffer(commands_, source, target, static_cast<uint32_t>(regions.size()), regions.data());
    }
}

void Recorder::CopyImages() {
    const uint32_t from = rng_.Below(kImages);
    const uint32_t to = (from + 1) % kImages;
    const VkImageLayout from_layout = Enter(from, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    const VkImageLayout to_layout = Enter(to, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    Resolve({{kFirstImage + from, 0, 1, kTransferRead}, {kFirstImage + to, 0, 1, kTransferWrite}});
    const VkImage source = resources_.images[from].handle;
    const VkImage target = resources_.images[to].handle;
    const VkExtent3D extent{rng_.Between(1, kImageSide), kImageSide, 1};
    ++counts_.transfers;
    if (gpu_.features.copy2 && Flip()) {
        const VkImageCopy2 region{
            VK_STRUCTURE_TYPE_IMAGE_COPY_2, nullptr, Layers(), {0, 0, 0}, Layers(), {0, 0, 0}, extent};
        const VkCopyImageInfo2 info{
            VK_STRUCTURE_TYPE_COPY_IMAGE_INFO_2, nullptr, source, from_layout, target, to_layout, 1, &region};
        api_.CmdCopyImage2(commands_, &info);
    } else {
        const VkImageCopy region{Layers(), {0, 0, 0}, Layers(), {0, 0, 0}, extent};
        api_.CmdCopyImage(commands_, source, from_layout, target, to_layout, 1, &region);
    }
    Leave(from, from_layout);
    Leave(to, to_layout);
}

void Recorder::BufferToImage() {
    const uint32_t object = DataBuffer();
    const uint32_t slice = SliceOf(object, 1);
    const uint32_t image = rng_.Below(kImages);
    const VkImageLayout layout = Enter(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    Resolve({{object, slice, 1, kTransferRead}, {kFirstImage + image, 0, 1, kTransferWrite}});
    const VkDeviceSize offset = VkDeviceSize{slice} * kSliceBytes;
    const VkBuffer source = resources_.buffers[object].handle;
    const VkImage target = resources_.images[image].handle;
    const VkExtent3D extent{kImageSide, kImageSide, 1};
    ++counts_.transfers;
    if (gpu_.features.copy2 && Flip()) {
        const VkBufferImageCopy2 region{
            VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2, nullptr, offset, 0, 0, Layers(), {0, 0, 0}, extent};
        const VkCopyBufferToImageInfo2 info{
            VK_STRUCTURE_TYPE_COPY_BUFFER_TO_IMAGE_INFO_2, nullptr, source, target, layout, 1, &region};
        api_.CmdCopyBufferToImage2(commands_, &info);
    } else {
        const VkBufferImageCopy region{offset, 0, 0, Layers(), {0, 0, 0}, extent};
        api_.CmdCopyBufferToImage(commands_, source, target, layout, 1, &region);
    }
    Leave(image, layout);
}

void Recorder::ImageToBuffer(uint32_t image, uint32_t object, uint32_t slice) {
    const VkImageLayout layout = Enter(image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    Resolve({{kFirstImage + image, 0, 1, kTransferRead}, {object, slice, 1, kTransferWrite}});
    const VkDeviceSize offset = VkDeviceSize{slice} * kSliceBytes;
    const VkImage source = resources_.images[image].handle;
    const VkBuffer target = resources_.buffers[object].handle;
    const VkExtent3D extent{kImageSide, kImageSide, 1};
    ++counts_.transfers;
    if (gpu_.features.copy2 && Flip()) {
        const VkBufferImageCopy2 region{
            VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2, nullptr, offset, 0, 0, Layers(), {0, 0, 0}, extent};
        const VkCopyImageToBufferInfo2 info{
            VK_STRUCTURE_TYPE_COPY_IMAGE_TO_BUFFER_INFO_2, nullptr, source, layout, target, 1, &region};
        api_.CmdCopyImageToBuffer2(commands_, &info);
    } else {
        const VkBufferImageCopy region{offset, 0, 0, Layers(), {0, 0, 0}, extent};
        api_.CmdCopyImageToBuffer(commands_, source, layout, target, 1, &region);
    }
    Leave(image, layout);
}

void Recorder::ClearImage() {
    const uint32_t image = rng_.Below(kImages);
    const VkImageLayout layout = Enter(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    Resolve({{kFirstImage + image, 0, 1, kTransferWrite}});
    const VkClearColorValue color{.uint32 = {rng_.Bits(), 0, 0, 0}};
    const VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    ++counts_.transfers;
    api_.CmdClearColorImage(commands_, resources_.images[image].handle, layout, &color, 1, &whole);
    Leave(image, layout);
}

void Recorder::Blit() {
    const uint32_t from = rng_.Below(kImages);
    const uint32_t to = (from + 1) % kImages;
    Resolve({{kFirstImage + from, 0, 1, kTransferRead}, {kFirstImage + to, 0, 1, kTransferWrite}});
    constexpr int32_t kSide = kImageSide;
    const VkImage source = resources_.images[from].handle;
    const VkImage target = resources_.images[to].handle;
    VkImageBlit2 blit{};
    blit.sType = VK_STRUCTURE_TYPE_IMAGE_BLIT_2;
    blit.srcSubresource = blit.dstSubresource = Layers();
    blit.srcOffsets[1] = {kSide, kSide, 1};
    // Mirrored.
    blit.dstOffsets[0] = {kSide, 0, 0};
    blit.dstOffsets[1] = {0, kSide, 1};
    ++counts_.transfers;
    if (gpu_.features.copy2 && Flip()) {
        const VkBlitImageInfo2 info{VK_STRUCTURE_TYPE_BLIT_IMAGE_INFO_2,
                                    nullptr,
                                    source,
                                    VK_IMAGE_LAYOUT_GENERAL,
                                    target,
                                    VK_IMAGE_LAYOUT_GENERAL,
                                    1,
                                    &blit,
                                    VK_FILTER_NEAREST};
        api_.CmdBlitImage2(commands_, &info);
    } else {
        const VkImageBlit region{blit.srcSubresource,
                                 {blit.srcOffsets[0], blit.srcOffsets[1]},
                                 blit.dstSubresource,
                                 {blit.dstOffsets[0], blit.dstOffsets[1]}};
        api_.CmdBlitImage(commands_, source, VK_IMAGE_LAYOUT_GENERAL, target, VK_IMAGE_LAYOUT_GENERAL, 1, &region,
                          VK_FILTER_NEAREST);
    }
}

void Recorder::Timestamps(uint32_t first_query, bool copy, bool reset) {
    if (reset) api_.CmdResetQueryPool(commands_, resources_.queries, first_query, 2);
    api_.CmdWriteTimestamp(commands_, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, resources_.queries, first_query);
    if (gpu_.features.sync2 && Flip()) {
        api_.CmdWriteTimestamp2(commands_, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, resources_.queries, first_query + 1);
    } else {
        api_.CmdWriteTimestamp(commands_, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, resources_.queries, first_query + 1);
    }
    if (!copy) return;
    Resolve({{kQueryResults, 0, 1, kTransferWrite}});
    ++counts_.transfers;
    api_.CmdCopyQueryPoolResults(commands_, resources_.queries, first_query, 2,
                                 resources_.buffers[kQueryResults].handle, VkDeviceSize{first_query} * kQueryBytes,
                                 kQueryBytes, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
}

}  // namespace random_program
