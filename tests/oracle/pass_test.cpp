// SPDX-License-Identifier: Apache-2.0
// Recordings that barrier elision is known to get wrong, through the barrier pass; with the neighbours in which it may
// do more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "places.h"

namespace kronos::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

Recording UploadsFirst(const Masks& first) {
    Recording recording;
    recording.Barrier(first);
    recording.Act({Does(Of(Kind::kCopyWrite), 5, 0, 1)});
    return recording;
}

TEST(BarrierPass, NeedsTwoBarriersForIndependentCommands) {
    Recording recording;
    for (uint64_t i = 0; i < 12; ++i) recording.Act({Writes(2, i, i + 1)}).Barrier(kComputeToCompute);
    EXPECT_LE(Places(recording).size(), 2u);
}

TEST(BarrierPass, KeepsEachBarrierOfAChain) {
    Recording recording;
    for (uint64_t i = 0; i < 4; ++i) recording.Act({Reads(2, 0, 1), Writes(2, 0, 1)}).Barrier(kComputeToCompute);
    EXPECT_THAT(Places(recording), ElementsAre(2, 4, 6, 8));
}

TEST(BarrierPass, EmitsSeamsForConflictsAlone) {
    const auto places = [](bool conflict) {
        Recording recording;
        for (uint64_t i = 0; i < 6; ++i) recording.Act({Writes(2, conflict ? 0 : i, i + 1)}).Seam();
        BarrierPass pass;
        BarrierPlan plan;
        pass.Run(recording.steps(), {}, plan);
        std::vector<uint32_t> before;
        for (const Emission& emission : plan.emissions) before.push_back(emission.before);
        return before;
    };
    EXPECT_THAT(places(false), ElementsAre());
    EXPECT_THAT(places(true), ElementsAre(2, 4, 6, 8, 10)) << "and none for what comes after";
}

TEST(BarrierPass, NarrowsSeamsWithoutADebt) {
    const Recording recording = Recording().Act({Writes(2, 0, 1)}).Seam().Act({Reads(2, 0, 1)});
    BarrierPass pass;
    BarrierPlan plan;
    pass.Run(recording.steps(), {.narrow = true}, plan);
    ASSERT_THAT(plan.emissions, SizeIs(1));
    EXPECT_EQ(plan.emissions[0].masks.destination_access & kMemoryRead, 0u);
    EXPECT_EQ(plan.narrowed, 1u);
}

TEST(BarrierPass, KnowsWhatNeedNotWait) {
    BarrierPass pass;
    BarrierPlan plan;
    const auto saved = [&](const Recording& recording) {
        pass.Run(recording.steps(), {}, plan);
        return plan.parted - plan.Parting();
    };
    Recording independent, chain;
    for (uint64_t i = 0; i < 12; ++i) independent.Act({Writes(2, i, i + 1)}).Barrier(kComputeToCompute);
    // Of the eleven behind the first, one waits for work from before the recording.
    EXPECT_EQ(saved(independent), 10u);
    // Barriers in a row are one wait, and none of these can be spared.
    for (uint64_t i = 0; i < 4; ++i)
        chain.Act({Reads(2, 0, 1), Writes(2, 0, 1)}).Barrier(kComputeToCompute).Barrier(kComputeToCompute);
    EXPECT_EQ(saved(chain), 0u);
    EXPECT_EQ(plan.parted, 3u);
}

TEST(BarrierPass, OrdersWritesAfterWritesAndAfterReads) {
    for (const Access& first : {Writes(2, 0, 4), Reads(2, 0, 4)}) {
        const Recording recording = Recording()
                                        .Barrier(kComputeToCompute)
                                        .Act({first})
                                        .Barrier(kComputeToCompute)
                                        .Act({Writes(3, 0, 1)})
                                        .Act({Writes(2, 3, 5)});
        EXPECT_THAT(Places(recording), ElementsAre(1, 4));
    }
}

TEST(BarrierPass, TellsNeighboursApart) {
    for (const uint64_t begin : {3u, 4u}) {
        const Recording recording = Recording()
                                        .Barrier(kComputeToCompute)
                                        .Act({Writes(2, 2, 4)})
                                        .Barrier(kComputeToCompute)
                                        .Act({Writes(2, begin, 6)});
        EXPECT_THAT(Places(recording), ElementsAre(1, begin == 3 ? 3 : 4));
    }
}

// VK_WHOLE_SIZE of a buffer that lies in the middle of a memory; the same bytes by others.
TEST(BarrierPass, FindsAliases) {
    const Recording recording = Recording()
                                    .Barrier(kComputeToCompute)
                                    .Act({Writes(2, 8, ~uint64_t{0})})
                                    .Barrier(kComputeToCompute)
                                    .Act({Reads(2, 0, 8)})
                                    .Act({Reads(2, 12, 13)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 4));
    const Recording unknown = Recording()
                                  .Barrier(kComputeToCompute)
                                  .Act({Writes(2, 8, 9)})
                                  .Barrier(kComputeToCompute)
                                  .Act({Reads(3, 0, 8)})
                                  .Act({Does(Of(Kind::kStorageRead), 0, 0, ~uint64_t{0})});
    EXPECT_THAT(Places(unknown), ElementsAre(1, 4));
    const Recording shared = Recording()
                                 .Barrier(kComputeToCompute)
                                 .Act({Writes(1, 8, 9)})
                                 .Barrier(kComputeToCompute)
                                 .Act({Reads(3, 8, 9)})
                                 .Act({Reads(1, 0, 1)});
    EXPECT_THAT(Places(shared), ElementsAre(1, 4));
}

TEST(BarrierPass, OrdersIndirectArguments) {
    const Masks arguments{kComputeStage, kShaderWrite, kIndirectStage, VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT};
    const Recording recording = Recording()
                                    .Act({Writes(2, 0, 12)})
                                    .Barrier(arguments)
                                    .Act({Does(Of(Kind::kIndirectRead), 2, 0, 12), Writes(3, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(2));
}

TEST(BarrierPass, KeepsABarrierAtTheEnd) {
    EXPECT_THAT(Places(Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute)), ElementsAre(2));
    EXPECT_THAT(Places(Recording().Barrier(kComputeToTransfer)), ElementsAre(1));
}

TEST(BarrierPass, KeepsABarrierAtTheStart) {
    EXPECT_THAT(Places(Recording().Barrier(kComputeToCompute).Act({Reads(2, 0, 4)})), ElementsAre(1));
    // It orders nothing of what the first command does.
    EXPECT_THAT(Places(Recording().Barrier(kComputeToCompute).Act({Does(Of(Kind::kCopyRead), 2, 0, 4)})),
                ElementsAre(2));
}

TEST(BarrierPass, KeepsSplitAvailabilityAndVisibilityTogether) {
    const Masks available{kComputeStage, kShaderWrite, kTransferStage, 0};
    const Masks visible{kTransferStage, 0, kComputeStage, kShaderRead};
    const Recording recording = Recording()
                                    .Act({Writes(2, 0, 4)})
                                    .Barrier(available)
                                    .Act({Does(Of(Kind::kUniformRead), 3, 0, 4)})
                                    .Barrier(visible)
                                    .Act({Reads(2, 0, 4)});
    EXPECT_THAT(Places(recording), ElementsAre(4));
}

// The second transfer depends on transfers before the recording by the chain of all three.
TEST(BarrierPass, KeepsChainsAcrossADeferral) {
    const Recording recording = UploadsFirst(kComputeToTransfer)
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(5, 0, 1)})
                                    .Barrier(kComputeToTransfer)
                                    .Act({Does(Of(Kind::kCopyWrite), 4, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 3, 5));
}

TEST(BarrierPass, LetsNoBarrierPassFencesAndTheUnknown) {
    const Recording fence =
        Recording().Barrier(kComputeToCompute).Fence().Barrier(kComputeToCompute).Act({Reads(2, 0, 4)});
    EXPECT_THAT(Places(fence), ElementsAre(1, 3));
    const Recording opaque = Recording()
                                 .Act({Writes(2, 0, 4)})
                                 .Barrier(kComputeToCompute)
                                 .Opaque()
                                 .Barrier(kComputeToCompute)
                                 .Act({Reads(2, 0, 4)});
    EXPECT_THAT(Places(opaque), ElementsAre(2, 4));
    const Recording hard = Recording()
                               .Act({Writes(2, 0, 4)})
                               .Barrier(kComputeToTransfer)
                               .Hard(kTransferToTransfer, {2, 0, 4})
                               .Barrier(kTransferToCompute)
                               .Act({Reads(2, 0, 1)});
    EXPECT_THAT(Places(hard), ElementsAre(2, 4));
}

TEST(BarrierPass, NarrowsAndPaysTheRestAtTheEnd) {
    Recording recording;
    recording.Barrier(kEverything);
    recording.Act({Reads(2, 0, 1), Writes(2, 0, 1)}).Barrier(kEverything).Act({Reads(2, 0, 1), Writes(2, 0, 1)});
    EXPECT_THAT(Places(recording, true), ElementsAre(1, 3, 4));
    EXPECT_THAT(Places(recording, false), ElementsAre(1, 3));
}

// What random recordings once found; each deferred a barrier too far.

// Ranges become one memory barrier, which leaves nothing for the later ones.
TEST(BarrierPass, OrdersEverythingWithTheFirstOfManyRanges) {
    Recording recording;
    for (uint64_t i = 0; i < 4 * LiveAccesses::kMost; ++i)
        recording.Act({Writes(2 + i, 0, 4)}).Barrier(kComputeToCompute, {{2 + i, 0, 4}});
    for (uint64_t i = 0; i < 4 * LiveAccesses::kMost; ++i) recording.Act({Reads(2 + i, 0, 4)});
    // One for work from before, one for the reads, and one each time that the accesses are taken together.
    EXPECT_THAT(Places(recording), ElementsAre(2, 132, 262, 392, 708));
}

// So many ranges that they are joined, those of each memory: work from before is ordered for all of them still, and for
// no other memory. The one that stays orders execution already, so that ranges alone count.
TEST(BarrierPass, LosesNoRangeOfMany) {
    for (const uint64_t memory : {2, 3, 4}) {
        Recording recording;
        recording.Hard(kComputeToCompute, {MemoryRange{9, 0, 1}});
        for (uint64_t i = 0; i < 70; ++i) recording.Barrier(kComputeToCompute, {{2 + i % 2, i, i + 1}});
        recording.Act({Reads(memory, 20 + memory % 2, 21 + memory % 2)});
        EXPECT_THAT(Places(recording), ElementsAre(memory == 4 ? 72 : 71)) << memory;
    }
}

// Those that stay where they are have ranges still, which are not told apart.
TEST(BarrierPass, TrustsNoRangesOfHardBarriers) {
    const Recording recording = Recording()
                                    .Hard(kComputeToCompute, {{3, 8, 14}})
                                    .Barrier(kComputeToCompute, {{3, 9, 10}})
                                    .Act({Reads(4, 0, 1)})
                                    .Act({Reads(3, 9, 10)});
    EXPECT_THAT(Places(recording), ElementsAre(3));
}

TEST(BarrierPass, RemembersWhatABarrierDidItself) {
    const Recording recording = Recording()
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(4, 0, 1)})
                                    .Hard(kTransferToTransfer, {2, 0, 4})
                                    .Act({Writes(3, 0, 1)})
                                    .Barrier(kComputeToCompute)
                                    .Act({Reads(3, 0, 1)})
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(2, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 5, 7));
}

// The same barrier once more may order more, by the hard one between them.
TEST(BarrierPass, KnowsThatHardBarriersChain) {
    const Recording recording = Recording()
                                    .Barrier(kComputeToCompute)
                                    .Act({Reads(5, 0, 1)})
                                    .Act({Reads(2, 0, 1)})
                                    .Act({Does(Of(Kind::kCopyWrite), 3, 0, 1)})
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(3, 0, 1)})
                                    .Hard(kComputeToTransfer, {4, 0, 1})
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(2, 0, 1)})
                                    .Act({Writes(2, 0, 1)});
    EXPECT_THAT(Places(recording), SizeIs(3));
}

// What the same barrier did not order before it does when one that stays has led there.
TEST(BarrierPass, OrdersMoreByTheSameMasksAfterAHardBarrier) {
    constexpr VkPipelineStageFlags2 kClear = VK_PIPELINE_STAGE_2_CLEAR_BIT;
    const Masks masks{kComputeStage | kClear, kShaderWrite, kComputeStage, kShaderBoth};
    const Recording recording = Recording()
                                    .Barrier(masks)
                                    .Act({Reads(5, 0, 1)})
                                    .Act({Does(Of(Kind::kCopyRead), 2, 0, 1)})
                                    .Barrier(masks)
                                    .Act({Writes(5, 0, 1)})
                                    .Hard({VK_PIPELINE_STAGE_2_COPY_BIT, 0, kClear, 0}, {MemoryRange{4, 0, 1}})
                                    .Barrier(masks)
                                    .Act({Writes(5, 0, 1)})
                                    .Barrier(masks)
                                    .Act({Writes(2, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 4, 7, 10));
}

TEST(BarrierPass, OrdersAllStagesThatACommandMayHave) {
    const Access either = Does(Of(Kind::kStorageRead) | Of(Kind::kCopyRead), 2, 0, 1);
    const Recording recording = Recording()
                                    .Barrier(kComputeToCompute)
                                    .Barrier(kTransferToCompute)
                                    .Act({either, Reads(3, 0, 1)})
                                    .Barrier(kTransferToCompute)
                                    .Act({Writes(3, 0, 1)})
                                    .Barrier(kComputeToCompute)
                                    .Act({Writes(2, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(2, 4, 6));
}

// A later write stands for an earlier one only where it writes, and only for barriers that it comes before.
TEST(BarrierPass, TakesNoWriteForAnother) {
    const Access copy = Does(Of(Kind::kCopyRead), 2, 0, 1);
    const Recording part = Recording()
                               .Barrier(kComputeToTransfer)
                               .Act({Does(Of(Kind::kCopyWrite), 5, 0, 1)})
                               .Act({Writes(2, 0, 2)})
                               .Barrier(kComputeToCompute)
                               .Act({Writes(2, 1, 2)})
                               .Barrier(kComputeToTransfer)
                               .Act({copy});
    EXPECT_THAT(Places(part), ElementsAre(1, 4, 6));
    const Recording late = Recording()
                               .Barrier(kComputeToTransfer)
                               .Act({Does(Of(Kind::kCopyWrite), 5, 0, 1)})
                               .Act({Writes(2, 0, 1), Writes(3, 0, 1)})
                               .Barrier(kComputeToCompute)
                               .Act({Writes(3, 0, 1)})
                               .Barrier(kComputeToTransfer)
                               .Act({Writes(2, 0, 1)})
                               .Act({copy});
    EXPECT_THAT(Places(late), ElementsAre(1, 4, 7));
}

// Nor does what is done again stand for what was done before.
TEST(BarrierPass, TakesNoActionForTheSameAgain) {
    const Recording ordered_less = Recording()
                                       .Barrier(kComputeToCompute)
                                       .Act({Writes(2, 0, 1)})
                                       .Barrier(kComputeToCompute)
                                       .Act({Writes(3, 0, 1)})
                                       .Act({Reads(2, 0, 1)})
                                       .Again(3)
                                       .Barrier(kComputeToCompute)
                                       .Act({Reads(3, 0, 1)})
                                       .Act({Does(Of(Kind::kCopyRead), 5, 0, 1)});
    EXPECT_THAT(Places(ordered_less), ElementsAre(1, 4, 7));
    const Recording late = Recording()
                               .Barrier(kComputeToTransfer)
                               .Act({Does(Of(Kind::kCopyWrite), 5, 0, 1)})
                               .Act({Writes(2, 0, 1)})
                               .Act({Writes(3, 0, 1)})
                               .Barrier(kComputeToCompute)
                               .Act({Writes(3, 0, 1)})
                               .Barrier(kComputeToTransfer)
                               .Again(2)
                               .Act({Does(Of(Kind::kCopyRead), 2, 0, 1)});
    EXPECT_THAT(Places(late), ElementsAre(1, 5, 8));
    // Masks that order neither: still a barrier stays between.
    const Recording twice = Recording()
                                .Barrier(kComputeToCompute)
                                .Act({Does(Of(Kind::kHostRead), 2, 0, 14)})
                                .Act({Reads(3, 0, 1)})
                                .Again(1)
                                .Barrier(kComputeToCompute)
                                .Again(1)
                                .Act({Writes(2, 0, 5)});
    EXPECT_THAT(Places(twice), ElementsAre(2, 6));
}

TEST(BarrierPass, KnowsThatVisibilityFollowsAvailability) {
    const Masks available{kTransferStage, kTransferWrite, 0, 0};
    const Masks cleared{VK_PIPELINE_STAGE_2_CLEAR_BIT, kMemoryWrite, kComputeStage, 0};
    const Masks visible{kComputeStage, 0, kComputeStage, kShaderRead};
    const Recording recording = Recording()
                                    .Act({Reads(2, 8, 10), Writes(2, 8, 10)})
                                    .Barrier(available)
                                    .Act({Reads(2, 0, 14)})
                                    .Barrier(cleared)
                                    .Barrier(visible)
                                    .Act({Reads(2, 0, 14)});
    EXPECT_THAT(Places(recording, true), ElementsAre(2, 5));
}

TEST(BarrierPass, KnowsThatATransitionIsInNoStage) {
    constexpr VkPipelineStageFlags2 kHost = VK_PIPELINE_STAGE_2_HOST_BIT;
    const Masks host{kComputeStage, kShaderWrite, kHost, VK_ACCESS_2_HOST_READ_BIT};
    const Masks visible{kHost, 0, kComputeStage, kShaderRead};
    const Recording recording =
        Recording()
            .Barrier({kHost, 0, kComputeStage, 0})
            .Hard(host, {2, 0, 10})
            .Hard({kAllStage, kMemoryWrite, kAllStage | kHost, kMemoryRead | kMemoryWrite}, {3, 0, 1})
            .Barrier(visible)
            .Act({Reads(2, 0, 2)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 4));
    // The same where work from before the recording needs nothing more.
    const Recording again =
        Recording()
            .Barrier(visible)
            .Hard(host, {4, 0, 1})
            .Barrier(visible)
            .Act({Reads(5, 0, 1)})
            .Hard(host, {2, 0, 10})
            .Hard({kAllStage, kMemoryWrite, kAllStage | kHost, kMemoryRead | kMemoryWrite}, {3, 0, 1})
            .Barrier(visible)
            .Act({Reads(2, 0, 2)});
    EXPECT_THAT(Places(again), ElementsAre(1, 3, 7));
}

TEST(BarrierPass, NarrowsNoScopesOfGraphicsThatItDoesNotKnow) {
    const Masks colors{VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT, kMemoryWrite, VK_PIPELINE_STAGE_2_COPY_BIT,
                       kMemoryWrite};
    const Access copy = Does(Of(Kind::kCopyWrite), 2, 0, 1);
    EXPECT_THAT(Places(Recording().Barrier(colors).Act({copy}), true), ElementsAre(1));
    const Masks arguments{kTransferStage, 0, VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT,
                          VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT};
    const Access indirect = Does(Of(Kind::kIndirectRead), 2, 0, 12);
    EXPECT_THAT(Places(Recording().Barrier(arguments).Act({indirect}), true), ElementsAre(1));
}

}  // namespace
}  // namespace kronos::oracle
