// SPDX-License-Identifier: Apache-2.0
// Recordings and plans as text that a person can read.
#include <sstream>

#include "model.h"

namespace kronos::oracle {
namespace {

struct Name {
    uint64_t flag;
    const char* name;
};
constexpr Name kStageNames[] = {
    {VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT, "TOP"},
    {VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT, "BOTTOM"},
    {VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT, "INDIRECT"},
    {VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, "COMPUTE"},
    {VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, "TRANSFER"},
    {VK_PIPELINE_STAGE_2_COPY_BIT, "COPY"},
    {VK_PIPELINE_STAGE_2_BLIT_BIT, "BLIT"},
    {VK_PIPELINE_STAGE_2_RESOLVE_BIT, "RESOLVE"},
    {VK_PIPELINE_STAGE_2_CLEAR_BIT, "CLEAR"},
    {VK_PIPELINE_STAGE_2_HOST_BIT, "HOST"},
    {VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, "ALL"},
    {VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT, "GRAPHICS"},
    {VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT, "VERTEX_INPUT"},
    {VK_PIPELINE_STAGE_2_VERTEX_ATTRIBUTE_INPUT_BIT, "VERTEX_ATTRIBUTE_INPUT"},
    {VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT, "FRAGMENT"},
    {VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, "COLOR_OUTPUT"},
    {VK_PIPELINE_STAGE_2_ACCELERATION_STRUCTURE_BUILD_BIT_KHR, "ACCELERATION_BUILD"},
};
constexpr Name kAccessNames[] = {
    {VK_ACCESS_2_MEMORY_READ_BIT, "MEMORY_R"},
    {VK_ACCESS_2_MEMORY_WRITE_BIT, "MEMORY_W"},
    {VK_ACCESS_2_SHADER_READ_BIT, "SHADER_R"},
    {VK_ACCESS_2_SHADER_WRITE_BIT, "SHADER_W"},
    {VK_ACCESS_2_SHADER_SAMPLED_READ_BIT, "SAMPLED_R"},
    {VK_ACCESS_2_SHADER_STORAGE_READ_BIT, "STORAGE_R"},
    {VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, "STORAGE_W"},
    {VK_ACCESS_2_UNIFORM_READ_BIT, "UNIFORM_R"},
    {VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT, "INDIRECT_R"},
    {VK_ACCESS_2_TRANSFER_READ_BIT, "TRANSFER_R"},
    {VK_ACCESS_2_TRANSFER_WRITE_BIT, "TRANSFER_W"},
    {VK_ACCESS_2_HOST_READ_BIT, "HOST_R"},
    {VK_ACCESS_2_HOST_WRITE_BIT, "HOST_W"},
    {VK_ACCESS_2_VERTEX_ATTRIBUTE_READ_BIT, "VERTEX_ATTRIBUTE_R"},
    {VK_ACCESS_2_COLOR_ATTACHMENT_READ_BIT, "COLOR_R"},
    {VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT, "COLOR_W"},
    {VK_ACCESS_2_ACCELERATION_STRUCTURE_READ_BIT_KHR, "ACCELERATION_R"},
    {VK_ACCESS_2_ACCELERATION_STRUCTURE_WRITE_BIT_KHR, "ACCELERATION_W"},
};
constexpr const char* kKindNames[] = {"indirect_r", "uniform_r", "sampled_r", "storage_r", "storage_w", "copy_r",
                                      "copy_w",     "blit_r",    "blit_w",    "resolve_r", "resolve_w", "clear_w",
                                      "host_r",     "host_w",    "other_r",   "other_w"};

template <size_t N>
std::string Flags(uint64_t flags, const Name (&names)[N]) {
    std::ostringstream text;
    for (const Name& name : names) {
        if (!(flags & name.flag)) continue;
        text << (text.tellp() > 0 ? "|" : "") << name.name;
        flags &= ~name.flag;
    }
    if (flags) text << (text.tellp() > 0 ? "|" : "") << "0x" << std::hex << flags;
    return text.tellp() > 0 ? text.str() : "0";
}

void PrintRange(std::ostream& text, const MemoryRange& where) {
    if (where.memory == MemoryRange::kEverything)
        text << "everything";
    else if (where.memory == MemoryRange::kShared)
        text << "shared";
    else
        text << "m" << where.memory;
    if (where.begin != 0 || where.end != ~uint64_t{0}) text << "[" << where.begin << "," << where.end << ")";
}

void PrintAccesses(std::ostream& text, std::span<const Access> accesses) {
    for (const Access& access : accesses) {
        text << "  ";
        for (size_t kind = 0, shown = 0; kind < std::size(kKindNames); ++kind)
            if (access.kinds >> kind & 1) text << (shown++ ? "|" : "") << kKindNames[kind];
        text << " ";
        PrintRange(text, access.where);
    }
}

void PrintScope(std::ostream& text, const Masks& masks, bool global, std::span<const MemoryRange> ranges) {
    text << "  " << Print(masks);
    if (global) text << "  global";
    for (const MemoryRange& range : ranges) {
        text << "  ";
        PrintRange(text, range);
    }
    text << "\n";
}

}  // namespace

std::string Print(const Masks& masks) {
    return Flags(masks.source_stages, kStageNames) + ":" + Flags(masks.source_access, kAccessNames) + " -> " +
           Flags(masks.destination_stages, kStageNames) + ":" + Flags(masks.destination_access, kAccessNames);
}

std::string Print(const Steps& steps, const BarrierPlan& plan) {
    std::ostringstream text;
    size_t next = 0;
    for (size_t i = 0; i <= steps.steps.size(); ++i) {
        for (; next < plan.emissions.size() && plan.emissions[next].before == i; ++next) {
            const Emission& emission = plan.emissions[next];
            text << "     emit  ";
            PrintScope(text, emission.masks, true, {});
        }
        if (i == steps.steps.size()) break;
        const Step& step = steps.steps[i];
        text << (i < 10 ? "  " : " ") << i << "  ";
        switch (step.kind) {
            case StepKind::kAction:
                text << "action";
                PrintAccesses(text, steps.AccessesOf(step));
                text << "\n";
                break;
            case StepKind::kBarrier:
            case StepKind::kHard: {
                const BarrierStep& barrier = steps.barriers[step.first];
                text << (step.kind == StepKind::kHard ? "hard" : "barrier");
                if (step.kind == StepKind::kHard) PrintAccesses(text, steps.AccessesOf(step));
                PrintScope(text, barrier.masks, barrier.global, steps.RangesOf(barrier));
                break;
            }
            case StepKind::kFence:
                text << "fence\n";
                break;
            case StepKind::kOpaque:
                text << "opaque\n";
                break;
        }
    }
    return text.str();
}

}  // namespace kronos::oracle
