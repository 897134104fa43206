// SPDX-License-Identifier: Apache-2.0
#include "generator.h"

#include <algorithm>
#include <array>

#include "model.h"

namespace kronos::oracle {
namespace {

// The same numbers with every standard library, and quick to start.
class Rng {
  public:
    explicit Rng(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x1234567) {}
    uint64_t Bits() {
        uint64_t x = state_ += 0x9E3779B97F4A7C15u;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        return x ^ (x >> 31);
    }
    uint32_t Below(uint32_t end) { return static_cast<uint32_t>(((Bits() >> 32) * end) >> 32); }
    uint32_t Between(uint32_t first, uint32_t last) { return first + Below(last - first + 1); }
    bool Percent(uint32_t chance) { return Below(100) < chance; }
    template <typename T, size_t N>
    const T& Of(const T (&list)[N]) {
        return list[Below(N)];
    }

  private:
    uint64_t state_;
};

constexpr VkPipelineStageFlags2 kCompute = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags2 kTransfer = VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
constexpr VkPipelineStageFlags2 kAll = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
constexpr VkPipelineStageFlags2 kHost = VK_PIPELINE_STAGE_2_HOST_BIT;
constexpr VkPipelineStageFlags2 kIndirect = VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT;
constexpr VkAccessFlags2 kShaderRead = VK_ACCESS_2_SHADER_READ_BIT;
constexpr VkAccessFlags2 kShaderWrite = VK_ACCESS_2_SHADER_WRITE_BIT;
constexpr VkAccessFlags2 kTransferRead = VK_ACCESS_2_TRANSFER_READ_BIT;
constexpr VkAccessFlags2 kTransferWrite = VK_ACCESS_2_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags2 kMemory = VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT;
constexpr VkAccessFlags2 kHostRead = VK_ACCESS_2_HOST_READ_BIT;
constexpr VkAccessFlags2 kHostWrite = VK_ACCESS_2_HOST_WRITE_BIT;
constexpr VkAccessFlags2 kIndirectRead = VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT;

constexpr Masks kComputeMasks[] = {
    {kCompute, kShaderRead | kShaderWrite, kCompute, kShaderRead | kShaderWrite},
    {kCompute, kShaderWrite, kCompute, kShaderRead},
    {kCompute, kShaderWrite, kCompute, kShaderRead | kShaderWrite},
};
constexpr Masks kMixedMasks[] = {
    {kCompute, kShaderWrite, kTransfer, kTransferRead},
    {kTransfer, kTransferWrite, kCompute, kShaderRead},
    {kTransfer, kTransferWrite, kCompute, kShaderRead | kShaderWrite | VK_ACCESS_2_UNIFORM_READ_BIT},
    {kCompute, kShaderWrite, kCompute, kShaderRead},
    {kTransfer, kTransferWrite, kTransfer, kTransferRead | kTransferWrite},
    {kCompute, 0, kTransfer, 0},
    {kCompute | kTransfer, kShaderWrite | kTransferWrite, kCompute | kTransfer,
     kShaderRead | kShaderWrite | kTransferRead | kTransferWrite},
    {VK_PIPELINE_STAGE_2_COPY_BIT, kTransferWrite, kCompute, kShaderRead},
    {VK_PIPELINE_STAGE_2_CLEAR_BIT, kTransferWrite, VK_PIPELINE_STAGE_2_COPY_BIT, kTransferRead},
};
constexpr Masks kWideMasks[] = {
    {kCompute, kMemory, kCompute, kMemory},
    {kAll, kMemory, kAll, kMemory},
    {kCompute | kTransfer, VK_ACCESS_2_MEMORY_WRITE_BIT, kCompute | kTransfer, kMemory},
    {kAll, VK_ACCESS_2_MEMORY_WRITE_BIT, kAll, VK_ACCESS_2_MEMORY_READ_BIT},
    {kCompute, kShaderWrite, kCompute | kIndirect, VK_ACCESS_2_MEMORY_READ_BIT},
};
constexpr Masks kAllMasks[] = {
    {kAll, kShaderWrite, kAll, kShaderRead},
    {kAll, kShaderWrite | kTransferWrite, kAll, kShaderRead | kTransferRead},
    {kAll, 0, kAll, 0},
    {VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT, 0, VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT, 0},
};
constexpr Masks kHostMasks[] = {
    {kHost, kHostWrite, kCompute, kShaderRead},
    {kCompute, kShaderWrite, kHost, kHostRead},
    {kTransfer, kTransferWrite, kHost, kHostRead},
    {kHost, kHostWrite, kTransfer | kCompute, kTransferRead | kShaderRead},
    {kAll, kMemory, kAll | kHost, kMemory | kHostRead},
    {kCompute, kShaderWrite, kCompute, kShaderRead},
};
constexpr Masks kIndirectMasks[] = {
    {kCompute, kShaderWrite, kIndirect, kIndirectRead},
    {kCompute, kShaderWrite, kIndirect | kCompute, kIndirectRead | kShaderRead},
    {kIndirect, 0, kCompute, 0},
    {kTransfer, kTransferWrite, kIndirect, kIndirectRead},
    {kCompute, kShaderWrite, kCompute, kShaderRead | kShaderWrite},
};
constexpr VkPipelineStageFlags2 kOddStages[] = {
    kCompute,
    kCompute,
    kTransfer,
    kTransfer,
    kAll,
    kIndirect,
    kHost,
    0,
    VK_PIPELINE_STAGE_2_COPY_BIT,
    VK_PIPELINE_STAGE_2_CLEAR_BIT,
    VK_PIPELINE_STAGE_2_BLIT_BIT,
    VK_PIPELINE_STAGE_2_RESOLVE_BIT,
    VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT,
    VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT,
    VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT,
    VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT,
    VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT,
    VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT,
};
constexpr VkAccessFlags2 kOddAccesses[] = {
    0,
    kShaderRead,
    kShaderWrite,
    kTransferRead,
    kTransferWrite,
    VK_ACCESS_2_MEMORY_READ_BIT,
    VK_ACCESS_2_MEMORY_WRITE_BIT,
    kIndirectRead,
    VK_ACCESS_2_UNIFORM_READ_BIT,
    VK_ACCESS_2_SHADER_SAMPLED_READ_BIT,
    VK_ACCESS_2_SHADER_STORAGE_READ_BIT,
    VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT,
    kHostRead,
    kHostWrite,
    VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT,
    VK_ACCESS_2_VERTEX_ATTRIBUTE_READ_BIT,
};

constexpr Kinds Either(Kind a, Kind b) { return Of(a) | Of(b); }
constexpr Kinds kShaderKinds[] = {Of(Kind::kStorageRead), Of(Kind::kStorageRead), Of(Kind::kStorageWrite),
                                  Either(Kind::kStorageRead, Kind::kStorageWrite)};
constexpr Kinds kMixedKinds[] = {
    Of(Kind::kStorageRead),  Of(Kind::kStorageWrite), Either(Kind::kStorageRead, Kind::kStorageWrite),
    Of(Kind::kUniformRead),  Of(Kind::kCopyRead),     Of(Kind::kCopyWrite),
    Of(Kind::kCopyWrite),    Of(Kind::kSampledRead),  Either(Kind::kCopyWrite, Kind::kClearWrite),
    Of(Kind::kIndirectRead),
};
constexpr Kinds kOddKinds[] = {
    Of(Kind::kBlitRead),
    Of(Kind::kBlitWrite),
    Of(Kind::kResolveRead),
    Of(Kind::kClearWrite),
    Of(Kind::kOtherRead),
    Of(Kind::kOtherWrite),
    Of(Kind::kHostRead),
    Of(Kind::kHostWrite),
    Either(Kind::kOtherRead, Kind::kOtherWrite),
    kAllKinds,
    Of(Kind::kStorageRead),
    Of(Kind::kStorageWrite),
    Of(Kind::kCopyWrite),
    Of(Kind::kIndirectRead),
};

enum class MaskStyle : uint8_t { kUniform, kCompute, kMixed, kWide, kAll, kHost, kIndirect, kOdd, kCount };
enum class KindStyle : uint8_t { kShader, kMixed, kOdd, kCount };

// A buffer: what accesses and barriers name.
struct Object {
    uint64_t memory = 0;
    uint32_t begin = 0;
    uint32_t end = 0;
};

constexpr uint32_t kObjects = 7;

class Generator {
  public:
    Generator(uint64_t seed, Steps& steps) : rng_(seed), steps_(steps) {}

    void Run() {
        steps_.Clear();
        Choose();
        // Now and then more accesses than the pass keeps apart.
        const bool crowded = rng_.Percent(2);
        wide_ = !crowded && rng_.Percent(1);
        if (crowded || wide_) barrier_percent_ = rng_.Between(2, 12);
        const uint32_t count = crowded ? rng_.Between(60, 120) : rng_.Between(5, 40);
        for (uint32_t i = 0; i < count; ++i) AddStep();
    }

  private:
    void Choose() {
        style_ = static_cast<MaskStyle>(rng_.Below(static_cast<uint32_t>(MaskStyle::kCount)));
        kinds_ = static_cast<KindStyle>(rng_.Below(static_cast<uint32_t>(KindStyle::kCount)));
        if (style_ == MaskStyle::kUniform) {
            uniform_ = MasksIn(rng_.Percent(60) ? MaskStyle::kCompute : MaskStyle::kWide);
            if (rng_.Percent(80)) kinds_ = KindStyle::kShader;
        }
        memories_ = rng_.Between(1, kOwnMemories);
        widest_ = rng_.Between(1, 6);
        ranges_percent_ = rng_.Percent(35) ? rng_.Between(20, 100) : 0;
        barrier_percent_ = rng_.Between(15, 60);
        special_percent_ = rng_.Percent(30) ? rng_.Between(2, 15) : 0;
        again_percent_ = rng_.Percent(40) ? rng_.Between(20, 90) : 0;
        unknown_percent_ = rng_.Percent(20) ? rng_.Between(2, 25) : 0;
        exact_percent_ = rng_.Between(0, 90);
        object_count_ = rng_.Between(1, kObjects);
        for (uint32_t i = 0; i < object_count_; ++i) {
            Object& object = objects_[i];
            object.memory = kFirstOwnMemory + rng_.Below(memories_);
            object.begin = rng_.Percent(40) ? 0 : rng_.Below(kBytesOfAMemory - 1);
            object.end = rng_.Percent(40) ? kBytesOfAMemory : rng_.Between(object.begin + 1, kBytesOfAMemory);
        }
    }

    Masks MasksIn(MaskStyle style) {
        switch (style) {
            case MaskStyle::kUniform:
                return uniform_;
            case MaskStyle::kCompute:
                return rng_.Of(kComputeMasks);
            case MaskStyle::kMixed:
                return rng_.Of(kMixedMasks);
            case MaskStyle::kWide:
                return rng_.Of(kWideMasks);
            case MaskStyle::kAll:
                return rng_.Of(kAllMasks);
            case MaskStyle::kHost:
                return rng_.Of(kHostMasks);
            case MaskStyle::kIndirect:
                return rng_.Of(kIndirectMasks);
            default:
                break;
        }
        if (rng_.Percent(30))
            return MasksIn(static_cast<MaskStyle>(rng_.Below(static_cast<uint32_t>(MaskStyle::kOdd))));
        Masks masks;
        for (uint32_t more = rng_.Between(1, 3); more-- > 0;) {
            masks.source_stages |= rng_.Of(kOddStages);
            masks.destination_stages |= rng_.Of(kOddStages);
            masks.source_access |= rng_.Of(kOddAccesses);
            masks.destination_access |= rng_.Of(kOddAccesses);
        }
        return masks;
    }

    Kinds SomeKinds() {
        switch (kinds_) {
            case KindStyle::kShader:
                return rng_.Of(kShaderKinds);
            case KindStyle::kMixed:
                return rng_.Of(kMixedKinds);
            default:
                return rng_.Percent(50) ? rng_.Of(kOddKinds) : rng_.Of(kMixedKinds);
        }
    }

    MemoryRange Where() {
        if (rng_.Percent(unknown_percent_)) {
            if (rng_.Percent(50)) return {};
            return {.memory = MemoryRange::kShared, .begin = 0, .end = rng_.Percent(50) ? 8 : ~uint64_t{0}};
        }
        const Object& of = objects_[rng_.Below(object_count_)];
        MemoryRange where{.memory = of.memory, .begin = of.begin, .end = of.end};
        if (!rng_.Percent(exact_percent_)) {
            where.begin = of.begin + rng_.Below(of.end - of.begin);
            where.end = std::min<uint64_t>(where.begin + rng_.Between(1, widest_), of.end);
        }
        return where;
    }

    void AddAccesses(uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) {
            const Kinds kinds = SomeKinds();
            steps_.accesses.push_back({.where = Where(), .kinds = kinds});
        }
    }

    BarrierStep& AddBarrier() {
        BarrierStep barrier{
            .masks = MasksIn(style_), .global = !rng_.Percent(ranges_percent_), .first_range = 0, .range_count = 0};
        barrier.first_range = static_cast<uint32_t>(steps_.ranges.size());
        if (!barrier.global || (ranges_percent_ && rng_.Percent(20))) barrier.range_count = rng_.Between(1, 3);
        for (uint32_t i = 0; i < barrier.range_count; ++i) steps_.ranges.push_back(Where());
        steps_.barriers.push_back(barrier);
        return steps_.barriers.back();
    }

    // An action of before once more, which shares its accesses, or some of them.
    bool Again(Step& step) {
        const Step& before = steps_.steps.empty() ? step : steps_.steps[rng_.Below(Size(steps_.steps))];
        if (before.kind != StepKind::kAction || before.count == 0) return false;
        step = before;
        if (rng_.Percent(10)) step.count = rng_.Between(1, step.count);
        return true;
    }
    static uint32_t Size(const std::vector<Step>& steps) { return static_cast<uint32_t>(steps.size()); }

    void AddStep() {
        Step step;
        if (rng_.Percent(special_percent_)) {
            step.kind = rng_.Percent(50) ? StepKind::kHard : rng_.Percent(60) ? StepKind::kFence : StepKind::kOpaque;
        } else {
            step.kind = rng_.Percent(barrier_percent_) ? StepKind::kBarrier : StepKind::kAction;
        }
        if (step.kind == StepKind::kAction && rng_.Percent(again_percent_) && Again(step)) {
            // As it is.
        } else if (step.kind == StepKind::kAction) {
            step.first = static_cast<uint32_t>(steps_.accesses.size());
            step.count = rng_.Between(1, wide_ ? 24 : 3);
            AddAccesses(step.count);
        } else if (step.kind == StepKind::kBarrier || step.kind == StepKind::kHard) {
            step.first = static_cast<uint32_t>(steps_.barriers.size());
            BarrierStep& barrier = AddBarrier();
            if (step.kind == StepKind::kHard) {
                barrier.uncertain = rng_.Percent(25);
                if (rng_.Percent(30)) {
                    barrier.masks.source_stages |= VK_PIPELINE_STAGE_2_ACCELERATION_STRUCTURE_BUILD_BIT_KHR;
                    barrier.masks.source_access |= VK_ACCESS_2_ACCELERATION_STRUCTURE_WRITE_BIT_KHR;
                }
                step.first_access = static_cast<uint32_t>(steps_.accesses.size());
                step.count = rng_.Below(3);
                AddAccesses(step.count);
                for (uint32_t i = step.first_access; i < steps_.accesses.size(); ++i)
                    steps_.accesses[i].kinds = Either(Kind::kOtherRead, Kind::kOtherWrite);
            }
        }
        steps_.steps.push_back(step);
    }

    Rng rng_;
    Steps& steps_;
    bool wide_ = false;  ///< actions have many accesses
    MaskStyle style_ = MaskStyle::kUniform;
    KindStyle kinds_ = KindStyle::kShader;
    Masks uniform_;
    uint32_t memories_ = 1, widest_ = 1, ranges_percent_ = 0, barrier_percent_ = 0, special_percent_ = 0;
    uint32_t unknown_percent_ = 0, exact_percent_ = 0, again_percent_ = 0, object_count_ = 1;
    std::array<Object, kObjects> objects_{};
};

}  // namespace

void Generate(uint64_t seed, Steps& steps) { Generator(seed, steps).Run(); }

}  // namespace kronos::oracle
