// SPDX-License-Identifier: Apache-2.0
#include "state_program.h"

#include <algorithm>
#include <array>

#include "state_objects.h"
#include "stream/hold.h"

namespace kronos::model {
namespace {

using Table = VkuDeviceDispatchTable;
constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;

}  // namespace

template <auto Slot, class... Args>
void Program::Do(bool (*hold)(Recorder&, Args...), Command command, std::type_identity_t<Args>... args) {
    const auto number = static_cast<uint32_t>(commands_.size());
    const std::vector<Raw> kept = std::move(DriverGot());
    DriverGot().clear();
    (DriverTable().*Slot)(VK_NULL_HANDLE, args...);
    asked_.push_back(DriverGot().front());
    DriverGot() = kept;
    commands_.push_back(std::move(command));
    if (!recorder_.Active()) {
        DriverTable().CmdResetQueryPool(VK_NULL_HANDLE, VK_NULL_HANDLE, number, 1);
        return (DriverTable().*Slot)(VK_NULL_HANDLE, args...);
    }
    recorder_.Next(Counter::kCount);
    hold::CmdResetQueryPool(recorder_, VK_NULL_HANDLE, number, 1);
    recorder_.Next(Counter::kCount);
    if (hold(recorder_, args...)) return;
    recorder_.Finish(DriverTable(), VK_NULL_HANDLE, counters_, &decisions_, true);
    (DriverTable().*Slot)(VK_NULL_HANDLE, args...);
}

void Program::BindPipeline(uint32_t number) {
    bound_ = number;
    bound_life_ = pipelines_[number].life;
    Command command;
    command.kind = Command::Kind::kPipeline;
    command.pipeline = pipelines_[number].life;
    command.provable = number + 1 != kPipelines;
    const auto handle = H<VkPipeline>(number + 1);
    if (Rarely(20))  // another bind point's is its own
        recorder_.Active() ? static_cast<void>(hold::CmdBindPipeline(recorder_, VK_PIPELINE_BIND_POINT_GRAPHICS,
                                                                     H<VkPipeline>(1 + Below(kPipelines))))
                           : static_cast<void>(0);
    Do<&Table::CmdBindPipeline>(hold::CmdBindPipeline, command, kCompute, handle);
}

void Program::BindSets() {
    const uint32_t number = Below(used_layouts_);
    const Layout& layout = *layout_[number];
    const auto size = static_cast<uint32_t>(layout.sets.size());
    Command command;
    command.kind = Command::Kind::kSets;
    command.layout = &layout;
    command.first = Below(3) ? 0 : Below(size);
    command.provable = layout.provable;
    const uint32_t most = size - command.first;
    const uint32_t count = Below(3) ? most : 1 + Below(most);
    std::vector<VkDescriptorSet> sets;
    std::vector<uint32_t> offsets;
    for (uint32_t i = 0; i < count; ++i) {
        const auto definition = static_cast<uint32_t>(layout.sets[command.first + i]);
        if (Definitions()[definition].push) break;
        const uint32_t set = definition * kSetsOfEach + (Below(3) ? 0 : Below(kSetsOfEach));
        Content content = {sets_[set].life, sets_[set].version};
        for (uint32_t offset = 0; offset < Definitions()[definition].offsets; ++offset) {
            offsets.push_back(Below(3) ? 0 : 256);
            content.push_back(offsets.back());
        }
        sets.push_back(H<VkDescriptorSet>(set + 1));
        command.sets.push_back(content);
        command.provable = command.provable && Definitions()[definition].offsets <= BoundShadow::kMostOffsets;
    }
    if (sets.empty()) return;
    command.provable = command.provable && command.first + sets.size() <= BoundShadow::kMostSets;
    const auto handle = H<VkPipelineLayout>(number + 1);
    const auto set_count = static_cast<uint32_t>(sets.size());
    const auto offset_count = static_cast<uint32_t>(offsets.size());
    if (Below(3))
        return Do<&Table::CmdBindDescriptorSets>(hold::CmdBindDescriptorSets, command, kCompute, handle, command.first,
                                                 set_count, sets.data(), offset_count, offsets.data());
    VkBindDescriptorSetsInfo info = {};
    info.stageFlags = Rarely(8) ? kStage[0] | kStage[1] : kStage[0];
    if (info.stageFlags != kStage[0]) command.provable = false;
    info.layout = handle;
    info.firstSet = command.first;
    info.descriptorSetCount = set_count;
    info.pDescriptorSets = sets.data();
    info.dynamicOffsetCount = offset_count;
    info.pDynamicOffsets = offsets.data();
    Do<&Table::CmdBindDescriptorSets2>(hold::CmdBindDescriptorSets2, command, &info);
}

void Program::PushConstants() {
    const uint32_t number = Below(used_layouts_);
    const Layout& layout = *layout_[number];
    if (layout.ranges.empty()) return;
    const auto& range = layout.ranges[Below(static_cast<uint32_t>(layout.ranges.size()))];
    Command command;
    command.kind = Command::Kind::kConstants;
    command.layout = &layout;
    command.provable = layout.ranges.empty() || layout_[number]->provable;
    for (size_t stage = 0; stage < State::kStages; ++stage)
        if (range[0] & kStage[stage]) command.stages |= 1u << stage;
    const uint32_t all = range[2] / 4;
    const uint32_t skip = Below(2) ? 0 : Below(all);
    const uint32_t count = Below(2) ? all - skip : 1 + Below(all - skip);
    command.first = range[1] / 4 + skip;
    for (uint32_t i = 0; i < count; ++i) command.words.push_back(Below(8) ? 7 : Below(2));
    command.provable = command.provable && (command.first + count) * 4 <= BoundShadow::kMostConstants;
    const auto handle = H<VkPipelineLayout>(number + 1);
    if (Below(3))
        return Do<&Table::CmdPushConstants>(hold::CmdPushConstants, command, handle, range[0], command.first * 4,
                                            count * 4, command.words.data());
    VkPushConstantsInfo info = {};
    info.layout = handle;
    info.stageFlags = range[0];
    info.offset = command.first * 4;
    info.size = count * 4;
    info.pValues = command.words.data();
    Do<&Table::CmdPushConstants2>(hold::CmdPushConstants2, command, &info);
}

void Program::PushDescriptors() {
    const uint32_t number = Below(used_layouts_);
    const Layout& layout = *layout_[number];
    const auto found = std::find_if(layout.sets.begin(), layout.sets.end(),
                                    [](uint64_t definition) { return Definitions()[definition].push; });
    if (found == layout.sets.end()) return;
    const std::vector<Binding>& bindings = Definitions()[*found].bindings;
    Command command;
    command.kind = Command::Kind::kDescriptors;
    command.layout = &layout;
    command.first = static_cast<uint32_t>(found - layout.sets.begin());
    command.provable = layout.provable && command.first < BoundShadow::kMostSets;
    std::array<VkDescriptorBufferInfo, 8> infos;
    std::vector<VkWriteDescriptorSet> writes;
    uint32_t next = 0;
    for (uint32_t i = 0; i < bindings.size(); ++i) {
        if (Rarely(4)) continue;
        VkWriteDescriptorSet write = {};
        write.dstBinding = i;
        write.dstArrayElement = Below(bindings[i].count);
        write.descriptorCount = 1 + Below(bindings[i].count - write.dstArrayElement);
        write.descriptorType = bindings[i].type;
        write.pBufferInfo = &infos[next];
        for (uint32_t j = 0; j < write.descriptorCount; ++j) {
            const uint32_t buffer = Below(3) ? 0 : Below(kBuffers);
            infos[next] = {H<VkBuffer>(buffer + 1), Rarely(8) ? 64u : 0u, Rarely(8) ? 128 : VK_WHOLE_SIZE};
            command.writes[100 * i + write.dstArrayElement + j] = {buffers_[buffer].life, infos[next].offset,
                                                                   infos[next].range};
            ++next;
        }
        writes.push_back(write);
    }
    if (writes.empty()) return;
    const auto handle = H<VkPipelineLayout>(number + 1);
    const auto count = static_cast<uint32_t>(writes.size());
    if (Below(3))
        return Do<&Table::CmdPushDescriptorSet>(hold::CmdPushDescriptorSet, command, kCompute, handle, command.first,
                                                count, writes.data());
    VkPushDescriptorSetInfo info = {};
    info.stageFlags = kStage[0];
    info.layout = handle;
    info.set = command.first;
    info.descriptorWriteCount = count;
    info.pDescriptorWrites = writes.data();
    Do<&Table::CmdPushDescriptorSet2>(hold::CmdPushDescriptorSet2, command, &info);
}

// What is destroyed is bound no more: the next life of its handle is.
void Program::Dispatch() {
    if (bound_life_ && pipelines_[bound_].life != bound_life_) BindPipeline(bound_);
    Do<&Table::CmdDispatch>(hold::CmdDispatch, {}, 1, 1, 1);
}

// What of a command the driver got.
std::optional<Command> Program::Given(const Raw& got, const Raw& asked, const Command& command,
                                      std::string& fault) const {
    if (got == asked) return command;
    const auto wrong = [&] {
        fault = std::string("'") + got.letter + "' is not what the program said";
        return std::nullopt;
    };
    // A bind of sets may have lost some at either end, with their offsets.
    if (command.kind != Command::Kind::kSets || got.letter != asked.letter || got.words.size() < 4) return wrong();
    const uint64_t first = got.words[2], count = got.words[3];
    if (first < command.first || count == 0 || first + count > command.first + command.sets.size()) return wrong();
    Command fewer = command;
    fewer.first = static_cast<uint32_t>(first);
    const auto begin = command.sets.begin() + static_cast<ptrdiff_t>(first - command.first);
    fewer.sets.assign(begin, begin + static_cast<ptrdiff_t>(count));
    Raw wanted = {asked.letter, {asked.words[0], asked.words[1], first, count}};
    for (uint64_t i = 0; i < count; ++i) wanted.words.push_back(asked.words[4 + first - command.first + i]);
    for (const Content& content : fewer.sets)
        wanted.words.insert(wanted.words.end(), content.begin() + 2, content.end());
    if (got != wanted) return wrong();
    return fewer;
}

Program::Recorded Program::Record(uint32_t commands) {
    Recorded recorded;
    commands_.clear();
    asked_.clear();
    DriverGot().clear();
    for (int changes = static_cast<int>(Below(4)); changes > 0; --changes) ChangeSomething();
    used_layouts_ = 1 + Below(Rarely(2) ? 2 : kLayouts);
    bound_life_ = 0;
    recorder_.Begin(true);
    const bool gives_up = Rarely(8);
    const auto ends = gives_up ? Below(commands) : commands;
    for (uint32_t i = 0; i < commands; ++i) {
        // A command that cannot be held: the rest is the driver's.
        if (i == ends) recorded.held = commands_.size();
        if (i == ends) recorder_.Finish(DriverTable(), VK_NULL_HANDLE, counters_, &decisions_, true);
        if (Rarely(12)) ChangeSomething();
        switch (Below(10)) {
            case 0:
            case 1:
                BindPipeline(Below(4) ? Below(2) : Below(kPipelines));
                break;
            case 2:
            case 3:
            case 4:
                BindSets();
                break;
            case 5:
            case 6:
                PushConstants();
                break;
            case 7:
                PushDescriptors();
                break;
            default:
                if (!Rarely(40)) {
                    Dispatch();
                    break;
                }
                const VkCommandBuffer secondary = H<VkCommandBuffer>(2);
                Command command;
                command.kind = Command::Kind::kExecute;
                Do<&Table::CmdExecuteCommands>(hold::CmdExecuteCommands, command, 1, &secondary);
        }
    }
    Dispatch();
    recorder_.Finish(DriverTable(), VK_NULL_HANDLE, counters_, &decisions_, true);

    if (!gives_up) recorded.held = commands_.size();
    recorded.commands = commands_;
    recorded.given.resize(commands_.size());
    uint64_t number = ~uint64_t{0};
    for (const Raw& got : DriverGot()) {
        if (got.letter == 'p' && got.words[0] != kCompute) continue;
        if (got.letter == kDriverMark)
            number = got.words[0];
        else if (number >= commands_.size() || recorded.given[number])
            recorded.fault = "a command that is none of the program's";
        else
            recorded.given[number] = Given(got, asked_[number], commands_[number], recorded.fault);
    }
    for (size_t i = 0; i < commands_.size(); ++i)
        if (!recorded.given[i] &&
            (commands_[i].kind == Command::Kind::kDispatch || commands_[i].kind == Command::Kind::kExecute))
            recorded.fault = "a command is lost that is neither bind nor push";
    return recorded;
}

}  // namespace kronos::model
