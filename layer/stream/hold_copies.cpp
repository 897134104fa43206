// SPDX-License-Identifier: Apache-2.0
// Holding what copies, fills and clears. Section "Copy Commands", "Clear Commands".
#include <algorithm>
#include <cstddef>

#include "stream/hold.h"
#include "stream/hold_parts.h"

namespace kronos::hold {
namespace {

constexpr Kinds kCopyReads = Of(Kind::kCopyRead);
constexpr Kinds kCopyWrites = Of(Kind::kCopyWrite);
constexpr Kinds kClears = Of(Kind::kClearWrite);
// Section "Pipeline Stages" does not say which of the two a buffer's fill and update are.
constexpr Kinds kFills = kCopyWrites | kClears;

using Table = VkuDeviceDispatchTable;

template <class Region>
void TouchBuffers(Recorder& recorder, VkBuffer source, VkBuffer destination, uint32_t count, const Region* regions) {
    Action action(recorder);
    for (uint32_t i = 0; i < count; ++i) {
        action.Touch(source, regions[i].srcOffset, regions[i].size, kCopyReads);
        action.Touch(destination, regions[i].dstOffset, regions[i].size, kCopyWrites);
    }
    action.Done();
}

void TouchImages(Recorder& recorder, VkImage source, VkImage destination, Kind read, Kind write) {
    Action action(recorder);
    action.Touch(source, Of(read));
    action.Touch(destination, Of(write));
    action.Done();
}

// How many bytes a region takes depends on the image's format: to the buffer's end, then.
template <class Region>
void TouchBufferOfImage(Recorder& recorder, VkBuffer buffer, uint32_t count, const Region* regions, Kinds buffer_kinds,
                        VkImage image, Kinds image_kinds) {
    Action action(recorder);
    VkDeviceSize begin = ~VkDeviceSize{0};
    for (uint32_t i = 0; i < count; ++i) begin = std::min(begin, regions[i].bufferOffset);
    if (count) action.Touch(buffer, begin, VK_WHOLE_SIZE, buffer_kinds);
    action.Touch(image, image_kinds);
    action.Done();
}

// The "2" forms: the same behind a structure, which is copied with its regions.
template <auto Slot, class Info>
bool KeepInfo(Recorder& recorder, const Info* info) {
    Info kept = *info;
    kept.pRegions = recorder.Keep(info->pRegions, info->regionCount);
    recorder.Hold<Slot>(recorder.Keep(&kept, 1));
    return true;
}
template <class Info>
bool PlainInfo(const Info* info) {
    return !info->pNext && Plain(info->pRegions, info->regionCount);
}

}  // namespace

bool CmdCopyBuffer(Recorder& recorder, VkBuffer source, VkBuffer destination, uint32_t count,
                   const VkBufferCopy* regions) {
    TouchBuffers(recorder, source, destination, count, regions);
    recorder.Hold<&Table::CmdCopyBuffer>(source, destination, count, recorder.Keep(regions, count));
    return true;
}

bool CmdCopyBuffer2(Recorder& recorder, const VkCopyBufferInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchBuffers(recorder, info->srcBuffer, info->dstBuffer, info->regionCount, info->pRegions);
    return KeepInfo<&Table::CmdCopyBuffer2>(recorder, info);
}

bool CmdCopyImage(Recorder& recorder, VkImage source, VkImageLayout source_layout, VkImage destination,
                  VkImageLayout destination_layout, uint32_t count, const VkImageCopy* regions) {
    TouchImages(recorder, source, destination, Kind::kCopyRead, Kind::kCopyWrite);
    recorder.Hold<&Table::CmdCopyImage>(source, source_layout, destination, destination_layout, count,
                                        recorder.Keep(regions, count));
    return true;
}

bool CmdCopyImage2(Recorder& recorder, const VkCopyImageInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchImages(recorder, info->srcImage, info->dstImage, Kind::kCopyRead, Kind::kCopyWrite);
    return KeepInfo<&Table::CmdCopyImage2>(recorder, info);
}

bool CmdCopyBufferToImage(Recorder& recorder, VkBuffer source, VkImage destination, VkImageLayout layout,
                          uint32_t count, const VkBufferImageCopy* regions) {
    TouchBufferOfImage(recorder, source, count, regions, kCopyReads, destination, kCopyWrites);
    recorder.Hold<&Table::CmdCopyBufferToImage>(source, destination, layout, count, recorder.Keep(regions, count));
    return true;
}

bool CmdCopyBufferToImage2(Recorder& recorder, const VkCopyBufferToImageInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchBufferOfImage(recorder, info->srcBuffer, info->regionCount, info->pRegions, kCopyReads, info->dstImage,
                       kCopyWrites);
    return KeepInfo<&Table::CmdCopyBufferToImage2>(recorder, info);
}

bool CmdCopyImageToBuffer(Recorder& recorder, VkImage source, VkImageLayout layout, VkBuffer destination,
                          uint32_t count, const VkBufferImageCopy* regions) {
    TouchBufferOfImage(recorder, destination, count, regions, kCopyWrites, source, kCopyReads);
    recorder.Hold<&Table::CmdCopyImageToBuffer>(source, layout, destination, count, recorder.Keep(regions, count));
    return true;
}

bool CmdCopyImageToBuffer2(Recorder& recorder, const VkCopyImageToBufferInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchBufferOfImage(recorder, info->dstBuffer, info->regionCount, info->pRegions, kCopyWrites, info->srcImage,
                       kCopyReads);
    return KeepInfo<&Table::CmdCopyImageToBuffer2>(recorder, info);
}

bool CmdBlitImage(Recorder& recorder, VkImage source, VkImageLayout source_layout, VkImage destination,
                  VkImageLayout destination_layout, uint32_t count, const VkImageBlit* regions, VkFilter filter) {
    TouchImages(recorder, source, destination, Kind::kBlitRead, Kind::kBlitWrite);
    recorder.Hold<&Table::CmdBlitImage>(source, source_layout, destination, destination_layout, count,
                                        recorder.Keep(regions, count), filter);
    return true;
}

bool CmdBlitImage2(Recorder& recorder, const VkBlitImageInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchImages(recorder, info->srcImage, info->dstImage, Kind::kBlitRead, Kind::kBlitWrite);
    return KeepInfo<&Table::CmdBlitImage2>(recorder, info);
}

bool CmdResolveImage(Recorder& recorder, VkImage source, VkImageLayout source_layout, VkImage destination,
                     VkImageLayout destination_layout, uint32_t count, const VkImageResolve* regions) {
    TouchImages(recorder, source, destination, Kind::kResolveRead, Kind::kResolveWrite);
    recorder.Hold<&Table::CmdResolveImage>(source, source_layout, destination, destination_layout, count,
                                           recorder.Keep(regions, count));
    return true;
}

bool CmdResolveImage2(Recorder& recorder, const VkResolveImageInfo2* info) {
    if (!PlainInfo(info)) return false;
    TouchImages(recorder, info->srcImage, info->dstImage, Kind::kResolveRead, Kind::kResolveWrite);
    return KeepInfo<&Table::CmdResolveImage2>(recorder, info);
}

bool CmdUpdateBuffer(Recorder& recorder, VkBuffer destination, VkDeviceSize offset, VkDeviceSize size,
                     const void* data) {
    Action action(recorder);
    action.Touch(destination, offset, size, kFills);
    action.Done();
    recorder.Hold<&Table::CmdUpdateBuffer>(
        destination, offset, size,
        static_cast<const void*>(recorder.Keep(static_cast<const std::byte*>(data), static_cast<size_t>(size))));
    return true;
}

bool CmdFillBuffer(Recorder& recorder, VkBuffer destination, VkDeviceSize offset, VkDeviceSize size, uint32_t data) {
    Action action(recorder);
    action.Touch(destination, offset, size, kFills);
    action.Done();
    recorder.Hold<&Table::CmdFillBuffer>(destination, offset, size, data);
    return true;
}

bool CmdClearColorImage(Recorder& recorder, VkImage image, VkImageLayout layout, const VkClearColorValue* color,
                        uint32_t count, const VkImageSubresourceRange* ranges) {
    Action action(recorder);
    action.Touch(image, kClears);
    action.Done();
    recorder.Hold<&Table::CmdClearColorImage>(image, layout, recorder.Keep(color, 1), count,
                                              recorder.Keep(ranges, count));
    return true;
}

bool CmdClearDepthStencilImage(Recorder& recorder, VkImage image, VkImageLayout layout,
                               const VkClearDepthStencilValue* value, uint32_t count,
                               const VkImageSubresourceRange* ranges) {
    Action action(recorder);
    action.Touch(image, kClears);
    action.Done();
    recorder.Hold<&Table::CmdClearDepthStencilImage>(image, layout, recorder.Keep(value, 1), count,
                                                     recorder.Keep(ranges, count));
    return true;
}

bool CmdCopyQueryPoolResults(Recorder& recorder, VkQueryPool pool, uint32_t first, uint32_t count, VkBuffer destination,
                             VkDeviceSize offset, VkDeviceSize stride, VkQueryResultFlags flags) {
    // It waits for the queries, whatever the barriers say.
    AddStep(recorder, StepKind::kFence);
    Action action(recorder);
    action.Touch(destination, offset, VK_WHOLE_SIZE, kCopyWrites);
    action.Done();
    recorder.Hold<&Table::CmdCopyQueryPoolResults>(pool, first, count, destination, offset, stride, flags);
    return true;
}

}  // namespace kronos::hold
