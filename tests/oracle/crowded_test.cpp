// SPDX-License-Identifier: Apache-2.0
// More accesses than the barrier pass keeps apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "places.h"

namespace kronos::oracle {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(BarrierPass, LosesNothingWhenThereAreManyAccesses) {
    Recording recording;
    recording.Barrier(kComputeToCompute);
    for (uint64_t i = 0; i < 3 * LiveAccesses::kMost; ++i) recording.Act({Writes(2 + i % 4, i % 13, i % 13 + 1)});
    recording.Barrier(kComputeToCompute);
    for (uint64_t i = 0; i < 4; ++i) recording.Act({Reads(2 + i, 0, 14)});
    EXPECT_THAT(Places(recording), ElementsAre(1, 2 + 3 * LiveAccesses::kMost));
}

// What is taken together is as old as the oldest, and ordered only as all of it is.
TEST(BarrierPass, LosesNothingByTakingAccessesTogether) {
    // Of all bytes but the first, each range once.
    const auto crowd = [](Recording& recording, Kind kind) {
        for (uint64_t begin = 1; begin < kBytesOfAMemory; ++begin)
            for (uint64_t end = begin + 1; end <= kBytesOfAMemory; ++end)
                recording.Act({Does(Of(kind), 2, begin, end)});
    };
    Recording old;
    old.Barrier(kComputeToCompute).Act({Writes(2, 0, 1)}).Barrier(kComputeToCompute);
    crowd(old, Kind::kStorageWrite);
    EXPECT_THAT(Places(old.Act({Reads(2, 0, 1)})), SizeIs(2));  // the second a little early, perhaps

    // A read that is ordered before the write at the end, and many that are not.
    Recording ordered;
    ordered.Act({Reads(2, 0, 2)}).Barrier(kComputeToCompute).Act({Writes(2, 1, 3)});
    crowd(ordered, Kind::kStorageRead);
    ordered.Barrier(kComputeToCompute);
    const auto last = static_cast<uint32_t>(ordered.steps().steps.size());
    ordered.Act({Writes(2, 3, 4)}).Act({Does(Of(Kind::kCopyRead), 5, 0, 1)});
    EXPECT_THAT(Places(ordered), ElementsAre(2, last));
}

TEST(BarrierPass, LosesNoAccessOfWhatIsTakenTogether) {
    Recording recording;
    recording.Barrier(kComputeToCompute).Act({Writes(2, 0, 1), Writes(4, 0, 1)});
    for (uint64_t i = 0; i < LiveAccesses::kMost; ++i) recording.Act({Writes(3, i % 13, i % 13 + 1)});
    recording.Barrier(kComputeToCompute);
    const auto last = static_cast<uint32_t>(recording.steps().steps.size());
    recording.Act({Reads(5, 0, 1)}).Act({Reads(4, 0, 1)});
    EXPECT_THAT(Places(recording), ElementsAre(1, last + 1));
}

}  // namespace
}  // namespace kronos::oracle
