// SPDX-License-Identifier: Apache-2.0
#include "stream/repeats.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kronos {
namespace {

using Table = VkuDeviceDispatchTable;
using BindPipeline = HeldCall<&Table::CmdBindPipeline>;
using BindSets = HeldCall<&Table::CmdBindDescriptorSets>;
using BindSets2 = HeldCall<&Table::CmdBindDescriptorSets2>;
using PushDescriptors = HeldCall<&Table::CmdPushDescriptorSet>;
using PushDescriptors2 = HeldCall<&Table::CmdPushDescriptorSet2>;
using PushConstants = HeldCall<&Table::CmdPushConstants>;
using PushConstants2 = HeldCall<&Table::CmdPushConstants2>;

template <class Call>
bool Is(const HeldCommand& command) {
    return command.emit == Call::Emit;
}
template <class Call>
const auto& ArgumentsOf(const HeldCommand& command) {
    return static_cast<const Call&>(command).args;
}

bool ForCompute(VkPipelineBindPoint bind_point) { return bind_point == VK_PIPELINE_BIND_POINT_COMPUTE; }

bool SameSets(const HeldCommand& a, const HeldCommand& b) {
    const auto& [point, layout, first, count, sets, offset_count, offsets] = ArgumentsOf<BindSets>(a);
    const auto& [point_b, layout_b, first_b, count_b, sets_b, offset_count_b, offsets_b] = ArgumentsOf<BindSets>(b);
    return layout == layout_b && first == first_b && count == count_b && offset_count == offset_count_b &&
           std::equal(sets, sets + count, sets_b) && std::equal(offsets, offsets + offset_count, offsets_b);
}

}  // namespace

bool Repeats::Drops(const HeldCommand& command) {
    bool drops = false;
    if (Is<BindPipeline>(command)) {
        const auto& [bind_point, pipeline] = ArgumentsOf<BindPipeline>(command);
        if (!ForCompute(bind_point)) return false;
        drops = pipeline == pipeline_;
        pipeline_ = pipeline;
    } else if (Is<BindSets>(command)) {
        drops = DropsSets(command);
    } else if (Is<PushConstants>(command)) {
        drops = DropsConstants(command);
    } else if (Is<BindSets2>(command) || Is<PushDescriptors>(command) || Is<PushDescriptors2>(command)) {
        sets_ = {};
    } else if (Is<PushConstants2>(command)) {
        constants_ = nullptr;
    }
    dropped_ += drops ? 1 : 0;
    return drops;
}

bool Repeats::DropsSets(const HeldCommand& command) {
    const auto& [bind_point, layout, first, count, sets, offset_count, offsets] = ArgumentsOf<BindSets>(command);
    if (!ForCompute(bind_point)) return false;
    if (first >= kMostSets || count > kMostSets - first) {
        sets_ = {};
        return false;
    }
    const auto begin = sets_.begin() + first;
    const auto end = begin + count;
    if (count && std::all_of(begin, end, [&](const HeldCommand* by) { return by && SameSets(*by, command); }))
        return true;
    // Another layout may disturb what was bound with the one before.
    const bool same_layout = std::all_of(sets_.begin(), sets_.end(), [&](const HeldCommand* by) {
        return !by || std::get<1>(ArgumentsOf<BindSets>(*by)) == std::get<1>(ArgumentsOf<BindSets>(command));
    });
    if (!same_layout) sets_ = {};
    std::fill(begin, end, &command);
    return false;
}

bool Repeats::DropsConstants(const HeldCommand& command) {
    const HeldCommand* before = std::exchange(constants_, &command);
    if (!before) return false;
    const auto& [layout, stages, offset, size, values] = ArgumentsOf<PushConstants>(command);
    const auto& [layout_b, stages_b, offset_b, size_b, values_b] = ArgumentsOf<PushConstants>(*before);
    return layout == layout_b && stages == stages_b && offset == offset_b && size == size_b &&
           std::memcmp(values, values_b, size) == 0;
}

}  // namespace kronos
