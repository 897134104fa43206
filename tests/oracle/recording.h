// SPDX-License-Identifier: Apache-2.0
// Recordings written down by hand, for tests. One thread.
#pragma once

#include <initializer_list>

#include "stream/barrier_pass.h"

namespace kronos::oracle {

constexpr VkPipelineStageFlags2 kComputeStage = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags2 kTransferStage = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
constexpr VkPipelineStageFlags2 kIndirectStage = VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT;
constexpr VkPipelineStageFlags2 kAllStage = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
constexpr VkAccessFlags2 kShaderRead = VK_ACCESS_2_SHADER_READ_BIT;
constexpr VkAccessFlags2 kShaderWrite = VK_ACCESS_2_SHADER_WRITE_BIT;
constexpr VkAccessFlags2 kShaderBoth = kShaderRead | kShaderWrite;
constexpr VkAccessFlags2 kTransferRead = VK_ACCESS_2_TRANSFER_READ_BIT;
constexpr VkAccessFlags2 kTransferWrite = VK_ACCESS_2_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags2 kMemoryRead = VK_ACCESS_2_MEMORY_READ_BIT;
constexpr VkAccessFlags2 kMemoryWrite = VK_ACCESS_2_MEMORY_WRITE_BIT;

constexpr Masks kComputeToCompute{kComputeStage, kShaderBoth, kComputeStage, kShaderBoth};
constexpr Masks kComputeToTransfer{kComputeStage, kShaderWrite, kTransferStage, kTransferRead | kTransferWrite};
constexpr Masks kTransferToCompute{kTransferStage, kTransferWrite, kComputeStage, kShaderBoth};
constexpr Masks kTransferToTransfer{kTransferStage, kTransferWrite, kTransferStage, kTransferRead | kTransferWrite};
constexpr Masks kEverything{kAllStage, kMemoryRead | kMemoryWrite, kAllStage, kMemoryRead | kMemoryWrite};

inline Access Reads(uint64_t memory, uint64_t begin, uint64_t end) {
    return {.where = {memory, begin, end}, .kinds = Of(Kind::kStorageRead)};
}
inline Access Writes(uint64_t memory, uint64_t begin, uint64_t end) {
    return {.where = {memory, begin, end}, .kinds = Of(Kind::kStorageWrite)};
}
inline Access Does(Kinds kinds, uint64_t memory, uint64_t begin, uint64_t end) {
    return {.where = {memory, begin, end}, .kinds = kinds};
}

/// Each call records one step; what it returns is this.
class Recording {
  public:
    Recording& Act(std::initializer_list<Access> accesses) {
        steps_.steps.push_back({.kind = StepKind::kAction,
                                .first = static_cast<uint32_t>(steps_.accesses.size()),
                                .count = static_cast<uint32_t>(accesses.size()),
                                .first_access = 0});
        steps_.accesses.insert(steps_.accesses.end(), accesses);
        return *this;
    }
    /// What step `action` did, as those record it that share what they touch.
    Recording& Again(size_t action) {
        steps_.steps.push_back(Step(steps_.steps[action]));
        return *this;
    }
    Recording& Barrier(const Masks& masks) { return Add(StepKind::kBarrier, masks, true); }
    /// The layer's, between two recordings.
    Recording& Seam() {
        Add(StepKind::kBarrier, {kAllStage, kMemoryWrite, kAllStage, kMemoryRead | kMemoryWrite}, true);
        steps_.barriers.back().seam = true;
        return *this;
    }
    /// For ranges alone.
    Recording& Barrier(const Masks& masks, std::initializer_list<MemoryRange> ranges) {
        Add(StepKind::kBarrier, masks, false);
        for (const MemoryRange& range : ranges) {
            steps_.ranges.push_back(range);
            ++steps_.barriers.back().range_count;
        }
        return *this;
    }
    /// With a layout transition of `image`.
    Recording& Hard(const Masks& masks, const MemoryRange& image) {
        Add(StepKind::kHard, masks, true);
        steps_.steps.back().first_access = static_cast<uint32_t>(steps_.accesses.size());
        steps_.steps.back().count = 1;
        steps_.accesses.push_back({.where = image, .kinds = Of(Kind::kOtherRead) | Of(Kind::kOtherWrite)});
        return *this;
    }
    /// For ranges alone, without a transition.
    Recording& Hard(const Masks& masks, std::initializer_list<MemoryRange> ranges) {
        Barrier(masks, ranges);
        steps_.steps.back().kind = StepKind::kHard;
        return *this;
    }
    Recording& Fence() {
        steps_.steps.push_back({.kind = StepKind::kFence, .first = 0, .count = 0, .first_access = 0});
        return *this;
    }
    Recording& Opaque() {
        steps_.steps.push_back({.kind = StepKind::kOpaque, .first = 0, .count = 0, .first_access = 0});
        return *this;
    }
    const Steps& steps() const { return steps_; }

  private:
    Recording& Add(StepKind kind, const Masks& masks, bool global) {
        steps_.steps.push_back(
            {.kind = kind, .first = static_cast<uint32_t>(steps_.barriers.size()), .count = 0, .first_access = 0});
        BarrierStep barrier;
        barrier.masks = masks;
        barrier.global = global;
        barrier.first_range = static_cast<uint32_t>(steps_.ranges.size());
        steps_.barriers.push_back(barrier);
        return *this;
    }

    Steps steps_;
};

/// A plan written down by hand: barriers before steps.
inline BarrierPlan PlanOf(const Steps& steps, std::initializer_list<std::pair<uint32_t, Masks>> emissions) {
    BarrierPlan plan;
    for (const Step& step : steps.steps)
        if (step.kind == StepKind::kHard || (step.kind == StepKind::kBarrier && !steps.barriers[step.first].seam))
            ++plan.recorded;
    for (const auto& [before, masks] : emissions) {
        Emission emission;
        emission.before = before;
        emission.masks = masks;
        plan.emissions.push_back(emission);
    }
    return plan;
}

/// What the program did: each barrier where it was recorded, without its ranges.
inline BarrierPlan PlanAsRecorded(const Steps& steps) {
    BarrierPlan plan = PlanOf(steps, {});
    for (uint32_t i = 0; i < steps.steps.size(); ++i) {
        if (steps.steps[i].kind != StepKind::kBarrier) continue;
        const BarrierStep& barrier = steps.barriers[steps.steps[i].first];
        Emission emission;
        emission.before = i + 1;
        emission.masks = barrier.masks;
        plan.emissions.push_back(emission);
    }
    return plan;
}

}  // namespace kronos::oracle
