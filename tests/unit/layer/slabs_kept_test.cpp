// SPDX-License-Identifier: Apache-2.0
// Parts of slabs that were freed and are kept as they are for the next allocation.
#include <gtest/gtest.h>

#include "slab_fixture.h"

namespace kronos {
namespace {

TEST_F(SlabsTest, AsMuchAgainIsTheSameMemoryAsNew) {
    Start(VisibleSlabs());
    VirtualMemory& memory = Allocate(5000);
    const uint64_t offset = memory.offset();
    slabs->Place(memory, 4096);
    SlabMemory::Raise(memory.alignment, 512);
    slabs->SetData(SlabMemory::HandleOf(memory), 3, 7);
    memory.was_mapped = true;
    memory.map_end = 100;
    slabs->Free(memory, 0);
    EXPECT_EQ(slabs->Live(), 0u);
    EXPECT_EQ(slabs->FreeBytes(0), 4 * kMiB);
    EXPECT_EQ(slabs->Report()[0].use.blocks, 0u);
    EXPECT_EQ(slabs->Report()[0].use.taken_bytes, 0u);
    EXPECT_NE(&Allocate(9000), &memory) << "another size";
    MemoryKey other = kKey;
    other.type = 1;
    EXPECT_NE(&Allocate(5000, other), &memory) << "another kind";
    // Both are two granules.
    VirtualMemory& again = Allocate(5001);
    ASSERT_EQ(&again, &memory);
    EXPECT_EQ(again.offset(), offset);
    EXPECT_EQ(again.bytes, 5001u);
    EXPECT_FALSE(again.was_mapped || again.placed.load() || again.marked.load() || again.map_end);
    EXPECT_EQ(again.alignment.load(), 1u);
    EXPECT_EQ(slabs->Data(SlabMemory::HandleOf(again), 3), 0u);
    EXPECT_EQ(slabs->Live(), 3u);
    EXPECT_TRUE(driver.gone.empty());
    EXPECT_NE(&Allocate(5000), &memory) << "it is not free any more";
}

TEST_F(SlabsTest, AFewAreKeptThoseThatWereFreedLast) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> all;
    for (int i = 0; i < 9; ++i) all.push_back(&Allocate(4096));
    const uint64_t oldest = SlabMemory::HandleOf(*all[0]);
    for (VirtualMemory* memory : all) slabs->Free(*memory, 5);
    EXPECT_EQ(driver.gone, std::vector{oldest});
    EXPECT_EQ(driver.told_idle, 9u);
    for (int i = 8; i > 0; --i) EXPECT_EQ(&Allocate(4096), all[i]);
    // What is large is not kept.
    VirtualMemory& large = Allocate(kMiB + 1);
    slabs->Free(large, 5);
    EXPECT_EQ(driver.gone.size(), 2u);
}

TEST_F(SlabsTest, WhatIsKeptGoesWithItsAge) {
    Start(VisibleSlabs());
    VirtualMemory& first = Allocate(4096);
    VirtualMemory& second = Allocate(4096);
    slabs->Free(first, 10);
    slabs->Free(second, 20);
    EXPECT_EQ(slabs->GiveBack(15, 10), 0u);
    EXPECT_TRUE(driver.gone.empty());
    const uint64_t handle = SlabMemory::HandleOf(first);
    EXPECT_EQ(slabs->GiveBack(20, 10), 0u);
    EXPECT_EQ(driver.gone, std::vector{handle});
    EXPECT_TRUE(slabs->AnyIdle());
    EXPECT_EQ(slabs->GiveBack(30, 10), 4 * kMiB);
    EXPECT_EQ(driver.gone.size(), 2u);
    EXPECT_FALSE(slabs->AnyIdle());
    slabs->Free(Allocate(4096), 40);
    EXPECT_EQ(driver.told_idle, 3u) << "of the first, of the empty slab, and of another one";
}

TEST_F(SlabsTest, WhatIsKeptMakesRoomBeforeASlabIsMade) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> all;
    for (int i = 0; i < 4; ++i) all.push_back(&Allocate(kMiB));
    slabs->Free(*all[1], 0);
    slabs->Free(*all[2], 0);
    EXPECT_EQ(Allocate(2 * kMiB).offset(), kMiB);
    EXPECT_EQ(driver.calls, 1u);
    EXPECT_EQ(driver.gone.size(), 2u);
}

TEST_F(SlabsTest, WhatIsKeptOfAllKindsKeepsToTheBudget) {
    SlabOptions options = VisibleSlabs();
    options.idle_budgets.fill(8 * kMiB);
    Start(options);
    for (uint8_t type = 0; type < 16; ++type) {
        MemoryKey key = kKey;
        key.type = type;
        slabs->Free(Allocate(4096, key), 0);
        EXPECT_LE(driver.live.size(), 2u) << "what is in a third one is not kept";
    }
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 8 * kMiB);
}

TEST_F(SlabsTest, ASlabIsIdleSinceItsLastMemoryWasFreed) {
    Start(VisibleSlabs());
    VirtualMemory& small = Allocate(4096);
    VirtualMemory& large = Allocate(2 * kMiB);
    slabs->Free(small, 0);
    slabs->Free(large, 1000);
    EXPECT_EQ(slabs->GiveBack(1001, 1000), 0u);
    EXPECT_EQ(slabs->GiveBack(2000, 1000), 4 * kMiB);
}

TEST_F(SlabsTest, WithASlabThatIsTooMuchGoesWhatWasKeptInIt) {
    SlabOptions options = VisibleSlabs();
    options.idle_budgets.fill(4 * kMiB - 1);
    Start(options);
    VirtualMemory& first = Allocate(4096);
    VirtualMemory& second = Allocate(4096);
    VirtualMemory& large = Allocate(2 * kMiB);
    slabs->Free(first, 0);
    slabs->Free(second, 0);
    EXPECT_TRUE(driver.gone.empty()) << "the slab is not idle";
    slabs->Free(large, 0);
    EXPECT_EQ(driver.gone.size(), 3u);
    EXPECT_EQ(driver.dropped, 1u);
    slabs->Free(Allocate(4096), 0);
    EXPECT_EQ(driver.gone.size(), 4u);
    EXPECT_EQ(driver.dropped, 2u);
    EXPECT_FALSE(slabs->AnyIdle());
}

TEST_F(SlabsTest, WhereNothingIsAskedForAgainLittleIsKept) {
    Start(VisibleSlabs());
    // Room for all that is kept.
    std::vector<VirtualMemory*> room;
    for (int i = 0; i < 20; ++i) room.push_back(&Allocate(2 * kMiB));
    for (VirtualMemory* memory : room) slabs->Free(*memory, 0);
    driver.gone.clear();
    uint64_t kept = 0;
    for (uint64_t i = 0; i < 256; ++i) {
        VirtualMemory& memory = Allocate((1 + i) * 4096);
        const uint64_t handle = SlabMemory::HandleOf(memory);
        slabs->Free(memory, 0);
        kept += driver.gone.empty() || driver.gone.back() != handle;
    }
    EXPECT_EQ(kept, 64u + 3u) << "all at first, then one of 64";
    // Until something is.
    for (int i = 0; i < 64; ++i) slabs->Free(Allocate(50 * 4096), 0);
    const size_t gone = driver.gone.size();
    for (int i = 0; i < 64; ++i) slabs->Free(Allocate(50 * 4096), 0);
    EXPECT_EQ(driver.gone.size(), gone);
}

TEST_F(SlabsTest, WhatIsKeptAloneIsIdle) {
    Start(VisibleSlabs());
    VirtualMemory& first = Allocate(4096);
    slabs->Free(first, 0);
    EXPECT_EQ(slabs->Report()[0].use.idle_bytes, 4 * kMiB);
    Allocate(9000);
    EXPECT_EQ(slabs->Report()[0].use.idle_bytes, 0u);
    EXPECT_EQ(&Allocate(4096), &first);
    EXPECT_EQ(slabs->Report()[0].use.taken_bytes, 4096u + 12288u);
}

}  // namespace
}  // namespace kronos
