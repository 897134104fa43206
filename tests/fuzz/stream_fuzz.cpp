// SPDX-License-Identifier: Apache-2.0
// libFuzzer: programs made of the fuzzer's bytes record commands, with numbers of any size. Whatever they are, the
// driver gets the program's commands, whole and in order, and no two that surely conflict lose every barrier between
// them. What arguments point to is gone when a command returns. tests/fuzz/run builds and runs it.
#include "stream_arguments.h"
#include "stream_program.h"

namespace kronos::fuzz {
namespace {

using Table = VkuDeviceDispatchTable;
constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;

constexpr VkDescriptorType kTypes[] = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
                                       VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,  VK_DESCRIPTOR_TYPE_MUTABLE_EXT};
class Session {
  public:
    Session(const uint8_t* data, size_t size)
        : in_(data, size),
          make_(in_),
          program_(world_.resources, in_.Rarely() ? RecorderMode::kObserve : RecorderMode::kHold, in_.Byte() & 1,
                   in_.Byte() & 1) {}

    void Run() {
        do {
            world_.Change(in_);
            Unbind();
            program_.Begin(!in_.Rarely());
            for (int commands = 0; commands < 200 && !in_.Ended() && in_.Byte() < 250; ++commands) {
                Command();
                make_.Clear();
            }
            program_.End();
        } while (!in_.Ended());
    }

  private:
    void Barrier() {
        if (in_.Byte() & 1) {
            VkMemoryBarrier memory = {};
            make_.Masks(memory);
            const auto stages = static_cast<VkPipelineStageFlags>(in_.Of(kStages));
            return program_.Do<&Table::CmdPipelineBarrier>(hold::CmdPipelineBarrier, {}, stages, stages, 0, 1, &memory,
                                                           0, nullptr, 0, nullptr);
        }
        if (in_.Byte() & 1)
            return program_.Do<&Table::CmdPipelineBarrier2>(hold::CmdPipelineBarrier2, {}, make_.Dependencies(1));
        uint32_t memory = 0, buffers = 0, images = 0;
        const auto* memories = make_.Entries<VkMemoryBarrier>(memory);
        const auto* of_buffers = make_.Entries<VkBufferMemoryBarrier>(buffers);
        const auto* of_images = make_.Entries<VkImageMemoryBarrier>(images);
        program_.Do<&Table::CmdPipelineBarrier>(
            hold::CmdPipelineBarrier, {}, static_cast<VkPipelineStageFlags>(in_.Of(kStages)),
            static_cast<VkPipelineStageFlags>(in_.Of(kStages)), in_.Rarely() ? make_.Word() : 0, memory, memories,
            buffers, of_buffers, images, of_images);
    }
    void WaitEvents() {
        const uint32_t count = make_.Few();
        const auto* events = make_.Array<VkEvent>(count, [&] { return H<VkEvent>(in_.Byte()); });
        if (in_.Byte() & 1)
            return program_.Do<&Table::CmdWaitEvents2>(hold::CmdWaitEvents2, {}, count, events,
                                                       make_.Dependencies(count));
        uint32_t memory = 0, buffers = 0, images = 0;
        const auto* memories = make_.Entries<VkMemoryBarrier>(memory);
        const auto* of_buffers = make_.Entries<VkBufferMemoryBarrier>(buffers);
        const auto* of_images = make_.Entries<VkImageMemoryBarrier>(images);
        program_.Do<&Table::CmdWaitEvents>(hold::CmdWaitEvents, {}, count, events, make_.Word(), make_.Word(), memory,
                                           memories, buffers, of_buffers, images, of_images);
    }

    void Unbind() {
        pipeline_ = set_ = 0;
        offset_ = 0;
        pushed_ = {};
    }
    // What a dispatch surely does.
    std::vector<Touch> Dispatched() const {
        std::vector<Touch> touches;
        if (pipeline_ == 0 || pipeline_ >= kPipelines) return touches;
        for (const ShaderBinding& one : kShaders[pipeline_ - 1]) {
            std::optional<Touch> touch;
            if (one.set)
                touch = pushed_[one.binding];
            else if (set_ && !(one.binding + 1 == kBound && offset_))
                touch = world_.held[set_][one.binding];
            if (!touch) continue;
            touch->writes = Writes(one.use);
            touches.push_back(*touch);
        }
        return touches;
    }
    void BindSets() {
        const uint32_t first = in_.Rarely() ? make_.Word() : in_.Below(2);
        const uint32_t count = in_.Rarely() ? in_.Below(40) : 1;
        const auto bind_point = in_.Rarely() ? VK_PIPELINE_BIND_POINT_GRAPHICS : kCompute;
        const uint64_t number = in_.Below(kSets + 2);
        const auto* sets = make_.Array<VkDescriptorSet>(count, [&] { return H<VkDescriptorSet>(number); });
        const uint32_t offsets = in_.Byte() & 1;
        offset_ = 0;
        const auto* dynamic = make_.Array<uint32_t>(offsets, [&] { return offset_ = make_.Word(); });
        if (bind_point == kCompute && count) {
            if (first == 0) set_ = number <= kSets && offsets ? number : 0;
            if (first <= 1 && first + uint64_t{count} > 1) pushed_ = {};
        } else {
            offset_ = 1;  // of the set that is bound nothing is claimed any more
        }
        if (in_.Byte() & 1 || bind_point != kCompute)
            return program_.Do<&Table::CmdBindDescriptorSets>(hold::CmdBindDescriptorSets, {}, bind_point,
                                                              H<VkPipelineLayout>(kLayout), first, count, sets, offsets,
                                                              dynamic);
        auto* info = make_.New<VkBindDescriptorSetsInfo>(1);
        *info = {VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO,
                 make_.Next(),
                 VK_SHADER_STAGE_COMPUTE_BIT,
                 H<VkPipelineLayout>(kLayout),
                 first,
                 count,
                 sets,
                 offsets,
                 dynamic};
        program_.Do<&Table::CmdBindDescriptorSets2>(hold::CmdBindDescriptorSets2, {}, info);
    }
    void Push() {
        const uint32_t set = in_.Rarely() ? in_.Below(40) : 1;
        const auto layout = H<VkPipelineLayout>(in_.Rarely() ? 0 : kLayout);
        if (set == 0) set_ = 0;
        if (in_.Rarely()) return PushByTemplate(set, layout);
        const uint32_t count = in_.Rarely() ? in_.Below(5) : 1;
        auto* writes = make_.Array<VkWriteDescriptorSet>(count, [&] { return Write(set, layout); });
        if (in_.Byte() & 1)
            return program_.Do<&Table::CmdPushDescriptorSet>(hold::CmdPushDescriptorSet, {}, kCompute, layout, set,
                                                             count, writes);
        auto* info = make_.New<VkPushDescriptorSetInfo>(1);
        *info = {VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO,
                 make_.Next(),
                 VK_SHADER_STAGE_COMPUTE_BIT,
                 layout,
                 set,
                 count,
                 writes};
        program_.Do<&Table::CmdPushDescriptorSet2>(hold::CmdPushDescriptorSet2, {}, info);
    }
    VkWriteDescriptorSet Write(uint32_t set, VkPipelineLayout layout) {
        VkWriteDescriptorSet write = {};
        write.pNext = make_.Next();
        write.dstBinding = in_.Rarely() ? make_.Word() : in_.Below(kPushed);
        write.dstArrayElement = in_.Rarely() ? make_.Word() : 0;
        write.descriptorCount = in_.Rarely() ? in_.Below(4) : 1;
        write.descriptorType = in_.Rarely() ? in_.Of(kTypes) : TypeOf(1, write.dstBinding);
        std::optional<Touch> now;
        write.pBufferInfo =
            make_.Array<VkDescriptorBufferInfo>(write.descriptorCount, [&] { return world_.Info(in_, now); });
        write.pTexelBufferView = make_.New<VkBufferView>(write.descriptorCount);
        write.pImageInfo = make_.New<VkDescriptorImageInfo>(write.descriptorCount);
        const bool plain = write.dstBinding < kPushed && !write.dstArrayElement && write.descriptorCount == 1 &&
                           write.descriptorType == TypeOf(1, write.dstBinding) && layout;
        if (set == 1 && !plain) pushed_ = {};
        if (set == 1 && plain) pushed_[write.dstBinding] = now;
        return write;
    }
    void PushByTemplate(uint32_t set, VkPipelineLayout layout) {
        const auto of = H<VkDescriptorUpdateTemplate>(in_.Rarely() ? in_.Below(4) : kPush);
        std::optional<Touch> now[kPushed];
        uint32_t next = 0;
        // The first form has as many bytes read as the fuzzer's text takes for them.
        auto* infos = make_.Array<VkDescriptorBufferInfo>(kPushed, [&] { return world_.Info(in_, now[next++]); });
        auto* writes = make_.New<VkWriteDescriptorSet>(kPushed);
        for (uint32_t i = 0; i < kPushed; ++i) {
            writes[i] = {};
            writes[i].dstBinding = i;
            writes[i].descriptorCount = 1;
            writes[i].descriptorType = TypeOf(1, i);
            writes[i].pBufferInfo = infos + i;
            if (set == 1) pushed_[i] = layout ? now[i] : std::nullopt;
        }
        const Call held = Fake<&Table::CmdPushDescriptorSet>::Made(kCompute, layout, set, kPushed, writes);
        if (in_.Byte() & 1)
            return program_.DoAs<&Table::CmdPushDescriptorSetWithTemplate>(held, hold::CmdPushDescriptorSetWithTemplate,
                                                                           of, layout, set, infos);
        auto* info = make_.New<VkPushDescriptorSetWithTemplateInfo>(1);
        *info = {VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_WITH_TEMPLATE_INFO, make_.Next(), of, layout, set, infos};
        program_.DoAs<&Table::CmdPushDescriptorSetWithTemplate2>(held, hold::CmdPushDescriptorSetWithTemplate2, info);
    }

    void Add(std::vector<Touch>& touches, uint64_t buffer, uint64_t offset, uint64_t size, bool writes) const {
        std::optional<Touch> touch = world_.Where(buffer, offset, size);
        if (!touch) return;
        touch->writes = writes;
        touches.push_back(*touch);
    }
    void CopyBuffer() {
        const uint64_t source = make_.BufferNumber(), destination = make_.BufferNumber();
        const uint32_t count = make_.Few();
        std::vector<Touch> touches;
        const auto region = [&](auto& made) {
            made.srcOffset = in_.Number(), made.dstOffset = in_.Number(), made.size = in_.Number();
            Add(touches, source, made.srcOffset, made.size, false);
            Add(touches, destination, made.dstOffset, made.size, true);
        };
        if (in_.Byte() & 1) {
            auto* regions = make_.New<VkBufferCopy>(count);
            for (uint32_t i = 0; i < count; ++i) region(regions[i]);
            return program_.Do<&Table::CmdCopyBuffer>(hold::CmdCopyBuffer, touches, make_.Buffer(source),
                                                      make_.Buffer(destination), count, regions);
        }
        auto* regions = make_.New<VkBufferCopy2>(count);
        for (uint32_t i = 0; i < count; ++i) regions[i].pNext = make_.Next(), region(regions[i]);
        auto* info = make_.New<VkCopyBufferInfo2>(1);
        *info = {VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
                 make_.Next(),
                 make_.Buffer(source),
                 make_.Buffer(destination),
                 count,
                 regions};
        program_.Do<&Table::CmdCopyBuffer2>(hold::CmdCopyBuffer2, touches, info);
    }
    void Images() {
        const uint32_t count = make_.Few();
        const VkImageLayout layout = in_.Of(kLayouts);
        const VkBuffer buffer = make_.Buffer(make_.BufferNumber());
        switch (in_.Below(9)) {
            case 0:
                return program_.Do<&Table::CmdCopyImage>(hold::CmdCopyImage, {}, make_.Image(), layout, make_.Image(),
                                                         layout, count, make_.Regions<VkImageCopy>(count));
            case 1:
                return program_.Do<&Table::CmdBlitImage>(hold::CmdBlitImage, {}, make_.Image(), layout, make_.Image(),
                                                         layout, count, make_.Regions<VkImageBlit>(count),
                                                         VK_FILTER_NEAREST);
            case 2:
                return program_.Do<&Table::CmdResolveImage>(hold::CmdResolveImage, {}, make_.Image(), layout,
                                                            make_.Image(), layout, count,
                                                            make_.Regions<VkImageResolve>(count));
            case 3:
                return program_.Do<&Table::CmdCopyBufferToImage>(hold::CmdCopyBufferToImage, {}, buffer, make_.Image(),
                                                                 layout, count,
                                                                 make_.Regions<VkBufferImageCopy>(count));
            case 4:
                return program_.Do<&Table::CmdCopyImageToBuffer>(hold::CmdCopyImageToBuffer, {}, make_.Image(), layout,
                                                                 buffer, count,
                                                                 make_.Regions<VkBufferImageCopy>(count));
            case 5:
                return program_.Do<&Table::CmdClearColorImage>(hold::CmdClearColorImage, {}, make_.Image(), layout,
                                                               make_.New<VkClearColorValue>(1), count,
                                                               make_.New<VkImageSubresourceRange>(count));
            case 6:
                return program_.Do<&Table::CmdClearDepthStencilImage>(
                    hold::CmdClearDepthStencilImage, {}, make_.Image(), layout, make_.New<VkClearDepthStencilValue>(1),
                    count, make_.New<VkImageSubresourceRange>(count));
            case 7: {
                auto* info = make_.New<VkCopyImageToBufferInfo2>(1);
                info->pNext = make_.Next(), info->srcImage = make_.Image(), info->dstBuffer = buffer;
                info->regionCount = count, info->pRegions = make_.Regions<VkBufferImageCopy2>(count);
                return program_.Do<&Table::CmdCopyImageToBuffer2>(hold::CmdCopyImageToBuffer2, {}, info);
            }
            default: {
                auto* info = make_.New<VkBlitImageInfo2>(1);
                info->pNext = make_.Next(), info->srcImage = make_.Image(), info->dstImage = make_.Image();
                info->regionCount = count, info->pRegions = make_.Regions<VkImageBlit2>(count);
                return program_.Do<&Table::CmdBlitImage2>(hold::CmdBlitImage2, {}, info);
            }
        }
    }
    void Label() {
        auto* name = make_.New<char>(9);
        for (uint32_t i = 0; i < 8; ++i) name[i] = static_cast<char>(in_.Byte());
        auto* label = make_.New<VkDebugUtilsLabelEXT>(1);
        label->pNext = make_.Next(), label->pLabelName = in_.Rarely() ? nullptr : name;
        auto* marker = make_.New<VkDebugMarkerMarkerInfoEXT>(1);
        marker->pNext = make_.Next(), marker->pMarkerName = label->pLabelName;
        if (in_.Byte() & 1)
            program_.Do<&Table::CmdInsertDebugUtilsLabelEXT>(hold::CmdInsertDebugUtilsLabelEXT, {}, label);
        else
            program_.Do<&Table::CmdDebugMarkerBeginEXT>(hold::CmdDebugMarkerBeginEXT, {}, marker);
    }
    void Fences() {
        const auto pool = H<VkQueryPool>(1 + in_.Below(2));
        const auto event = H<VkEvent>(in_.Byte());
        const auto stages = static_cast<VkPipelineStageFlags>(in_.Of(kStages));
        switch (in_.Below(7)) {
            case 0:
                return program_.Do<&Table::CmdWriteTimestamp2>(hold::CmdWriteTimestamp2, {}, stages, pool,
                                                               make_.Word());
            case 1:
                return program_.Do<&Table::CmdSetEvent>(hold::CmdSetEvent, {}, event, stages);
            case 2:
                return program_.Do<&Table::CmdSetEvent2>(hold::CmdSetEvent2, {}, event, make_.Dependencies(1));
            case 3:
                return program_.Do<&Table::CmdBeginQuery>(hold::CmdBeginQuery, {}, pool, make_.Word(), make_.Word());
            case 4:
                return program_.Do<&Table::CmdCopyQueryPoolResults>(
                    hold::CmdCopyQueryPoolResults, {}, pool, make_.Word(), make_.Word(),
                    make_.Buffer(make_.BufferNumber()), in_.Number(), in_.Number(), make_.Word());
            case 5: {
                Unbind();
                const uint32_t count = make_.Few();
                const auto* buffers =
                    make_.Array<VkCommandBuffer>(count, [&] { return H<VkCommandBuffer>(2 + in_.Below(3)); });
                return program_.Do<&Table::CmdExecuteCommands>(hold::CmdExecuteCommands, {}, count, buffers);
            }
            default:
                return WaitEvents();
        }
    }

    void Command() {
        const uint64_t buffer = make_.BufferNumber();
        switch (in_.Below(16)) {
            case 0:
            case 1:
            case 2:
                return program_.Do<&Table::CmdDispatch>(hold::CmdDispatch, Dispatched(), make_.Word(), 1, 1);
            case 3: {
                std::vector<Touch> touches = Dispatched();
                const uint64_t offset = in_.Number();
                Add(touches, buffer, offset, sizeof(VkDispatchIndirectCommand), false);
                return program_.Do<&Table::CmdDispatchIndirect>(hold::CmdDispatchIndirect, touches,
                                                                make_.Buffer(buffer), offset);
            }
            case 4:
            case 5:
            case 6:
                return Barrier();
            case 7: {
                const bool compute = !in_.Rarely();
                const uint64_t number = in_.Below(kPipelines + 1);
                if (compute) pipeline_ = number;
                return program_.Do<&Table::CmdBindPipeline>(hold::CmdBindPipeline, {},
                                                            compute ? kCompute : VK_PIPELINE_BIND_POINT_GRAPHICS,
                                                            H<VkPipeline>(number));
            }
            case 8:
                return BindSets();
            case 9:
                return Push();
            case 10: {
                std::vector<Touch> touches;
                const uint64_t offset = in_.Number(), size = in_.Byte() & 1 ? VK_WHOLE_SIZE : in_.Number();
                Add(touches, buffer, offset, size, true);
                return program_.Do<&Table::CmdFillBuffer>(hold::CmdFillBuffer, touches, make_.Buffer(buffer), offset,
                                                          size, make_.Word());
            }
            case 11: {
                std::vector<Touch> touches;
                const uint64_t offset = in_.Number(), size = in_.Byte();
                Add(touches, buffer, offset, size, true);
                const void* data = make_.New<std::byte>(static_cast<uint32_t>(size));
                return program_.Do<&Table::CmdUpdateBuffer>(hold::CmdUpdateBuffer, touches, make_.Buffer(buffer),
                                                            offset, size, data);
            }
            case 12:
                return CopyBuffer();
            case 13:
                if (in_.Rarely()) return program_.GiveUp();
                return in_.Byte() & 1 ? Images() : Label();
            case 14:
                if (in_.Byte() & 1) return world_.UpdateSet(in_);
                return Fences();
            default: {
                const uint32_t size = in_.Byte();
                const void* values = make_.New<std::byte>(size);
                return program_.Do<&Table::CmdPushConstants>(hold::CmdPushConstants, {}, H<VkPipelineLayout>(kLayout),
                                                             VK_SHADER_STAGE_COMPUTE_BIT, make_.Word(), size, values);
            }
        }
    }

    Input in_;
    Arguments make_;
    World world_;
    Program program_;
    // What is bound, as far as it is sure; numbers, 0: nothing.
    uint64_t pipeline_ = 0, set_ = 0;
    uint32_t offset_ = 0;  ///< the set's dynamic one
    std::array<std::optional<Touch>, kPushed> pushed_;
};

}  // namespace
}  // namespace kronos::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    kronos::fuzz::Session(data, size).Run();
    return 0;
}
