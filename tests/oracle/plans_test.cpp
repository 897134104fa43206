// SPDX-License-Identifier: Apache-2.0
// The model itself: plans that break the invariant are refused, and those that do not are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator.h"
#include "model.h"
#include "recording.h"

namespace kronos::oracle {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Fault(const Steps& steps, const BarrierPlan& plan, bool narrow = false) {
    return Checker().Check(steps, {.narrow = narrow}, plan, 1);
}
std::string Fault(const Recording& recording, std::initializer_list<std::pair<uint32_t, Masks>> emissions) {
    return Fault(recording.steps(), PlanOf(recording.steps(), emissions));
}

constexpr Masks kExecution{kComputeStage, 0, kComputeStage, 0};

TEST(Model, AcceptsWhatTheProgramRecorded) {
    Steps steps;
    for (uint64_t seed = 1; seed <= 3000; ++seed) {
        Generate(seed, steps);
        ASSERT_THAT(Fault(steps, PlanAsRecorded(steps)), IsEmpty()) << seed << "\n" << Print(steps, {});
    }
}

TEST(Model, RefusesTheLossOfABarrier) {
    const Recording read = Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute).Act({Reads(2, 3, 8)});
    EXPECT_THAT(Fault(read, {{2, kComputeToCompute}}), IsEmpty());
    EXPECT_THAT(Fault(read, {}), HasSubstr("no barrier left between step 0 and step 2"));
    // Nobody in the recording needs it, but work before and after it may.
    const Recording apart = Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute).Act({Reads(2, 4, 8)});
    EXPECT_THAT(Fault(apart, {}), HasSubstr("earlier work"));
    EXPECT_THAT(Fault(Recording().Barrier(kComputeToCompute), {}), HasSubstr("earlier work"));
    EXPECT_THAT(Fault(Recording().Barrier(kComputeToCompute), {{1, kComputeToCompute}}), IsEmpty());
}

TEST(Model, RefusesADependentBeforeItsBarrier) {
    const Recording chain = Recording()
                                .Act({Writes(2, 0, 4)})
                                .Barrier(kComputeToCompute)
                                .Act({Reads(2, 0, 1)})
                                .Act({Reads(3, 0, 1)})
                                .Barrier(kComputeToCompute)
                                .Act({Writes(3, 0, 1)});
    EXPECT_THAT(Fault(chain, {{2, kComputeToCompute}, {5, kComputeToCompute}}), IsEmpty());
    EXPECT_THAT(Fault(chain, {{3, kComputeToCompute}, {5, kComputeToCompute}}), HasSubstr("step 2"));
    EXPECT_THAT(Fault(chain, {{2, kComputeToCompute}, {6, kComputeToCompute}}), HasSubstr("step 5"));
}

TEST(Model, TellsBytesApart) {
    for (const uint64_t begin : {3u, 4u, 5u}) {
        const Recording recording = Recording()
                                        .Act({Does(Of(Kind::kCopyRead), 5, 0, 1)})
                                        .Barrier(kComputeToCompute)
                                        .Act({Writes(2, 0, 4)})
                                        .Barrier(kComputeToCompute)
                                        .Act({Writes(2, begin, 9)});
        // The first barrier orders earlier work; the second may come last if its neighbours share no byte.
        const std::string fault = Fault(recording, {{2, kComputeToCompute}, {5, kComputeToCompute}});
        EXPECT_EQ(fault.empty(), begin >= 4) << fault;
    }
}

TEST(Model, RefusesToNarrowTooFar) {
    const Recording wide = Recording().Act({Writes(2, 0, 4)}).Barrier(kEverything).Act({Reads(2, 0, 4)});
    Masks narrow = kEverything;
    narrow.destination_access = kShaderRead;
    EXPECT_THAT(Fault(wide, {{2, narrow}}), HasSubstr("from step 3 on"));
    // The rest may come at the end, and only then may there be one barrier more than recorded.
    BarrierPlan plan = PlanOf(wide.steps(), {{2, narrow}, {3, kEverything}});
    EXPECT_THAT(Fault(wide.steps(), plan, true), HasSubstr("barriers emitted"));
    plan.narrowed = 1;
    EXPECT_THAT(Fault(wide.steps(), plan, true), IsEmpty());
    EXPECT_THAT(Fault(wide.steps(), plan, false), HasSubstr("barriers emitted"));
    narrow.source_access = kTransferWrite;
    plan.emissions[0].masks = narrow;
    EXPECT_THAT(Fault(wide.steps(), plan, true), HasSubstr("step 2 no longer sees the writes of"));
}

// A barrier A -> B that moves behind one B -> A no longer feeds it.
TEST(Model, RefusesToBreakAChain) {
    const Recording recording = Recording()
                                    .Barrier(kComputeToTransfer)
                                    .Barrier(kTransferToCompute)
                                    .Act({Does(Of(Kind::kUniformRead), 2, 0, 4)})
                                    .Act({Writes(2, 0, 4)});
    EXPECT_THAT(Fault(recording, {{2, kComputeToTransfer}, {2, kTransferToCompute}}), IsEmpty());
    EXPECT_THAT(Fault(recording, {{2, kTransferToCompute}, {4, kComputeToTransfer}}), HasSubstr("step 3"));
    // Merged they order as much and more.
    Masks both = kComputeToTransfer;
    both |= kTransferToCompute;
    EXPECT_THAT(Fault(recording, {{2, both}}), IsEmpty());
}

// The same masks were emitted before; but in between a barrier brought transfers from before the recording into play.
TEST(Model, RefusesToTakeAnEarlierBarrierForALaterOne) {
    const Access copy = Does(Of(Kind::kCopyWrite), 3, 0, 1);
    const Recording recording = Recording()
                                    .Barrier(kComputeToTransfer)
                                    .Act({copy})
                                    .Barrier(kTransferToCompute)
                                    .Act({Reads(3, 0, 1)})
                                    .Barrier(kComputeToTransfer)
                                    .Act({Does(Of(Kind::kCopyWrite), 4, 0, 1)});
    EXPECT_THAT(Fault(recording, {{1, kComputeToTransfer}, {3, kTransferToCompute}, {5, kComputeToTransfer}}),
                IsEmpty());
    EXPECT_THAT(Fault(recording, {{1, kComputeToTransfer}, {3, kTransferToCompute}, {6, kComputeToTransfer}}),
                HasSubstr("step 5 no longer"));
}

TEST(Model, KnowsThatAvailabilityMayComeBeforeVisibility) {
    const Masks available{kComputeStage, kShaderWrite, kTransferStage, 0};
    const Masks visible{kTransferStage, 0, kComputeStage, kShaderRead};
    const Recording split =
        Recording().Act({Writes(2, 0, 4)}).Barrier(available).Barrier(visible).Act({Reads(2, 0, 4)});
    EXPECT_THAT(Fault(split, {{3, available}, {3, visible}}), IsEmpty());
    EXPECT_THAT(Fault(split, {{3, available}, {4, visible}}), HasSubstr("step 3 no longer sees the writes of"));
    EXPECT_THAT(Fault(split, {{3, visible}, {3, available}}), HasSubstr("step 3 no longer sees the writes of"));
    Masks both = available;
    both |= visible;
    EXPECT_THAT(Fault(split, {{3, both}}), IsEmpty());
}

TEST(Model, TellsWritesAfterReadsFromWritesAfterWrites) {
    const Recording after_read = Recording().Act({Reads(2, 0, 4)}).Barrier(kExecution).Act({Writes(2, 0, 4)});
    EXPECT_THAT(Fault(after_read, {{2, kExecution}}), IsEmpty());
    EXPECT_THAT(Fault(after_read, {}), HasSubstr("no barrier left"));
    const Recording after_write = Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute).Act({Writes(2, 0, 4)});
    EXPECT_THAT(Fault(after_write, {{2, kExecution}}), HasSubstr("sees the writes"));
    EXPECT_THAT(Fault(after_write, {{2, kComputeToCompute}}), IsEmpty());
}

// Programs with masks that order nothing, which work by chance, go on working by chance.
TEST(Model, KeepsABarrierBetweenWhateverItsMasks) {
    const Recording sloppy = Recording().Act({Writes(2, 0, 4)}).Barrier(kTransferToTransfer).Act({Reads(2, 0, 4)});
    EXPECT_THAT(Fault(sloppy, {{3, kTransferToTransfer}}), HasSubstr("no barrier left"));
    EXPECT_THAT(Fault(sloppy, {{2, kTransferToTransfer}}), IsEmpty());
}

TEST(Model, KnowsLogicalOrder) {
    constexpr Masks to_arguments{kComputeStage, 0, kIndirectStage, 0};
    const Recording recording = Recording().Act({Reads(2, 0, 4)}).Barrier(to_arguments).Act({Writes(2, 0, 4)});
    constexpr Masks from_transfer{kTransferStage, 0, kIndirectStage, 0};
    EXPECT_THAT(Fault(recording, {{2, to_arguments}}), IsEmpty());
    EXPECT_THAT(Fault(recording, {{2, from_transfer}}), HasSubstr("wider"));
    const Sets sets = Expand(to_arguments);
    EXPECT_EQ(sets.after & StagesOf(AtomsOf(Of(Kind::kStorageRead))), StagesOf(AtomsOf(Of(Kind::kStorageRead))));
    EXPECT_EQ(sets.visible, 0u);
}

TEST(Model, RefusesWhatNobodyRecorded) {
    const Recording recording = Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute).Act({Reads(2, 0, 4)});
    EXPECT_THAT(Fault(recording, {{2, kEverything}}), HasSubstr("wider"));
    EXPECT_THAT(Fault(recording, {{1, kComputeToCompute}}), HasSubstr("1 barriers emitted before step 1"));
    EXPECT_THAT(Fault(recording, {{2, kComputeToCompute}, {3, kComputeToCompute}}), HasSubstr("2 barriers emitted"));
    EXPECT_THAT(Fault(recording, {{9, kComputeToCompute}}), HasSubstr("not in order"));
}

TEST(Model, TellsRangesApart) {
    // What comes first is for other bytes.
    const Recording two = Recording()
                              .Act({Writes(2, 0, 4)})
                              .Hard(kComputeToCompute, {MemoryRange{2, 0, 3}})
                              .Barrier(kComputeToCompute, {MemoryRange{2, 0, 4}})
                              .Act({Reads(2, 3, 4)});
    BarrierPlan plan = PlanAsRecorded(two.steps());
    EXPECT_THAT(Fault(two.steps(), plan), IsEmpty());
    plan.emissions[0].before = 4;
    EXPECT_THAT(Fault(two.steps(), plan), HasSubstr("step 3 no longer sees"));
}

TEST(Model, LetsNoBarrierPassFencesAndTheUnknown) {
    for (const bool opaque : {false, true}) {
        Recording recording;
        recording.Act({Writes(2, 0, 4)}).Barrier(kComputeToCompute);
        opaque ? recording.Opaque() : recording.Fence();
        EXPECT_THAT(Fault(recording, {{2, kComputeToCompute}}), IsEmpty());
        EXPECT_FALSE(Fault(recording, {{3, kComputeToCompute}}).empty());
        // What an event brought into play is ordered by barriers behind it alone.
        Recording again;
        again.Barrier(kComputeToTransfer);
        opaque ? again.Opaque() : again.Fence();
        again.Barrier(kComputeToTransfer).Act({Does(Of(Kind::kCopyWrite), 2, 0, 4)});
        EXPECT_THAT(Fault(again, {{1, kComputeToTransfer}, {3, kComputeToTransfer}}), IsEmpty());
        EXPECT_THAT(Fault(again, {{1, kComputeToTransfer}, {4, kComputeToTransfer}}), HasSubstr("step 3"));
    }
}

TEST(Model, KnowsThatATransitionWrites) {
    const Recording recording =
        Recording().Act({Writes(2, 0, 4)}).Barrier(kComputeToTransfer).Hard(kTransferToCompute, {2, 0, 4});
    EXPECT_THAT(Fault(recording, {{2, kComputeToTransfer}}), IsEmpty());
    EXPECT_FALSE(Fault(recording, {{3, kComputeToTransfer}}).empty());
    const Recording later = Recording()
                                .Hard(kTransferToCompute, {2, 0, 4})
                                .Barrier(kComputeToTransfer)
                                .Act({Does(Of(Kind::kCopyRead), 2, 0, 1)});
    EXPECT_THAT(Fault(later, {{2, kComputeToTransfer}}), IsEmpty());
    EXPECT_FALSE(Fault(later, {{3, kComputeToTransfer}}).empty());
}

TEST(Model, FindsTheOptimum) {
    Recording independent, chain, fan;
    for (uint64_t i = 0; i < 8; ++i) {
        independent.Act({Writes(2, i, i + 1)}).Barrier(kComputeToCompute);
        chain.Act({Reads(2, 0, 1), Writes(2, 0, 1)}).Barrier(kComputeToCompute);
        if (i % 5 != 4) fan.Act({Reads(2, 5, 6), Writes(2, i % 5, i % 5 + 1)}).Barrier(kComputeToCompute);
        if (i % 5 == 4) fan.Act({Reads(2, 0, 4), Writes(2, 5, 6)}).Barrier(kComputeToCompute);
    }
    EXPECT_EQ(Optimum(independent.steps()), 0u);
    EXPECT_EQ(Optimum(chain.steps()), 7u);
    EXPECT_EQ(Optimum(fan.steps()), 2u);
    EXPECT_TRUE(Uniform(chain.steps()));
    EXPECT_FALSE(Uniform(Recording().Act({Does(Of(Kind::kCopyRead), 2, 0, 1)}).Barrier(kComputeToCompute).steps()));
}

}  // namespace
}  // namespace kronos::oracle
