// SPDX-License-Identifier: Apache-2.0
// Memory that is a part of a slab, on a driver of the test's own.
#include "memory/slabs.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>

#include "slab_fixture.h"

namespace kronos {
namespace {

TEST_F(SlabsTest, ManyAreOneAllocationOfTheDriver) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> all;
    for (int i = 0; i < 500; ++i) all.push_back(&Allocate(4096 + static_cast<uint64_t>(i) % 3));
    EXPECT_EQ(driver.calls, 1u);
    EXPECT_EQ(slabs->Live(), 500u);
    for (VirtualMemory* memory : all) EXPECT_FALSE(slabs->Free(*memory, 5).kept);
    EXPECT_EQ(slabs->Live(), 0u);
    EXPECT_TRUE(slabs->AnyIdle());
    EXPECT_EQ(slabs->GiveBack(5, 1), 0u);
    EXPECT_EQ(slabs->GiveBack(6, 1), 4 * kMiB);
    EXPECT_EQ(driver.dropped, 1u);
    EXPECT_FALSE(slabs->AnyIdle());
}

// What has left but is not freed yet: nobody else can give it back, and who needs it can wait for it.
TEST_F(SlabsTest, WhatIsOnItsWayBackIsKnown) {
    Start(VisibleSlabs());
    slabs->Free(Allocate(4096), 0);
    EXPECT_EQ(slabs->departures.Departed(), 0u);
    driver.on_drop = [&] {
        EXPECT_FALSE(slabs->AnyIdle());
        EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 0u);
        EXPECT_EQ(slabs->departures.Departed(), 1u);
        EXPECT_EQ(slabs->departures.FreedSoFar(), 0u);
    };
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 4 * kMiB);
    driver.on_drop = nullptr;
    EXPECT_EQ(driver.dropped, 1u);
    EXPECT_EQ(slabs->departures.FreedSoFar(), 1u);
    slabs->departures.AwaitFreed(slabs->departures.Departed());
}

// Of each heap so much may lie in empty slabs, of whatever kind; the next one goes back at once.
TEST_F(SlabsTest, EmptySlabsKeepToTheBudgetOfTheirHeap) {
    SlabOptions options = VisibleSlabs();
    options.idle_budgets = {8 * kMiB, 4 * kMiB};
    options.types[2].heap = 1;
    Start(options);
    MemoryKey other = kKey;
    other.type = 1;
    MemoryKey elsewhere = kKey;
    elsewhere.type = 2;
    std::vector<VirtualMemory*> first, second;
    for (int i = 0; i < 4; ++i) first.push_back(&Allocate(2 * kMiB));
    for (int i = 0; i < 4; ++i) second.push_back(&Allocate(2 * kMiB, other));
    VirtualMemory& third = Allocate(2 * kMiB, elsewhere);
    ASSERT_EQ(driver.made, std::vector<uint64_t>(5, 4 * kMiB));
    for (VirtualMemory* memory : first) slabs->Free(*memory, 0);
    slabs->Free(third, 0);
    EXPECT_EQ(driver.dropped, 0u);
    EXPECT_EQ(driver.told_idle, 3u);
    for (VirtualMemory* memory : second) slabs->Free(*memory, 0);
    EXPECT_EQ(driver.dropped, 2u);
    EXPECT_EQ(driver.told_idle, 3u);
    EXPECT_EQ(slabs->departures.Departed(), 2u);
    EXPECT_EQ(slabs->departures.FreedSoFar(), 2u);
    EXPECT_EQ(slabs->FreeBytes(0), 8 * kMiB);
    EXPECT_EQ(slabs->FreeBytes(1), 4 * kMiB);
    // What is used again makes room for another.
    Allocate(4096);
    VirtualMemory& fourth = Allocate(4096, other);
    EXPECT_EQ(driver.calls, 6u);
    slabs->Free(fourth, 0);
    EXPECT_EQ(driver.dropped, 2u);
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 12 * kMiB);
}

TEST_F(SlabsTest, EachKindHasItsOwn) {
    Start(VisibleSlabs());
    MemoryKey address = kKey;
    address.device_address = true;
    MemoryKey other = kKey;
    other.type = 3;
    MemoryKey low = kKey;
    low.has_priority = true;
    low.priority = std::bit_cast<uint32_t>(0.25f);
    MemoryKey high = low;
    high.priority = std::bit_cast<uint32_t>(0.75f);
    std::set<const Slab*> seen;
    for (const MemoryKey& key : {kKey, address, other, low, high}) seen.insert(&Allocate(8192, key).slab());
    EXPECT_EQ(seen.size(), 5u);
    EXPECT_EQ(&Allocate(8192, low).slab(), &Allocate(8192, low).slab());
    EXPECT_EQ(driver.calls, 5u);
}

// A program may give as many priorities as it likes; only so many have slabs.
TEST_F(SlabsTest, TooManyKindsAreTheDrivers) {
    Start(VisibleSlabs());
    int served = 0;
    for (uint32_t i = 0; i < 100; ++i) {
        MemoryKey key = kKey;
        key.has_priority = true;
        key.priority = std::bit_cast<uint32_t>(static_cast<float>(i) / 100);
        served += slabs->Allocate(key, 4096, false) != nullptr;
    }
    EXPECT_EQ(served, 64);
}

TEST_F(SlabsTest, SlabsGrowAndAreNeverLargerThanAllowed) {
    Start(VisibleSlabs(24 * kMiB));
    for (int i = 0; i < 600; ++i) Allocate(kMiB);
    EXPECT_EQ(driver.made.front(), 4 * kMiB);
    for (size_t i = 1; i < driver.made.size(); ++i) EXPECT_GE(driver.made[i], driver.made[i - 1]);
    EXPECT_EQ(driver.made.back(), 24 * kMiB);
    // More than half of the next one is the driver's, unless that has none left; more than half of the largest, always.
    EXPECT_EQ(slabs->Largest(0), 12 * kMiB);
    EXPECT_EQ(slabs->Allocate(kKey, 13 * kMiB, true), nullptr);
    MemoryKey fresh = kKey;
    fresh.type = 1;
    EXPECT_EQ(slabs->Allocate(fresh, 3 * kMiB, false), nullptr);
    EXPECT_NE(slabs->Allocate(fresh, 3 * kMiB, true), nullptr);
    EXPECT_EQ(driver.made.back(), 24 * kMiB);
}

TEST_F(SlabsTest, ASmallerSlabWhereALargeOneCannotBeHad) {
    Start(VisibleSlabs());
    driver.most_bytes = kMiB;
    EXPECT_NE(slabs->Allocate(kKey, 400 * kKiB, false), nullptr);
    EXPECT_EQ(driver.made.back(), kMiB);
    EXPECT_EQ(slabs->Allocate(kKey, 600 * kKiB + 8, false), nullptr);
    EXPECT_EQ(slabs->Live(), 1u);
}

// What the driver does not have it is not asked for again, before something has been freed, or once in a while.
TEST_F(SlabsTest, AFullHeapIsRemembered) {
    Start(VisibleSlabs());
    driver.most_bytes = kMiB;
    Allocate(300 * kKiB);
    EXPECT_EQ(driver.calls, 3u);
    Allocate(300 * kKiB);
    Allocate(300 * kKiB);
    Allocate(300 * kKiB);  // the half of what could not be had, at once
    EXPECT_EQ(driver.calls, 4u);
    EXPECT_EQ(driver.made, std::vector<uint64_t>(2, kMiB));
    Allocate(300 * kKiB);
    Allocate(300 * kKiB);
    driver.fail_all = true;
    EXPECT_EQ(slabs->Allocate(kKey, 300 * kKiB, false), nullptr);
    EXPECT_EQ(driver.calls, 5u);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(slabs->Allocate(kKey, 300 * kKiB, i % 2), nullptr);
    EXPECT_EQ(driver.calls, 5u);
    // Other kinds are another matter.
    MemoryKey other = kKey;
    other.type = 1;
    EXPECT_EQ(slabs->Allocate(other, 2 * kMiB, false), nullptr);
    EXPECT_EQ(driver.calls, 6u);
    // Nothing is freed that anybody here can see; then something is.
    driver.fail_all = false;
    driver.most_bytes = UINT64_MAX;
    bool served = false;
    for (int i = 0; i < 100; ++i) served = served || slabs->Allocate(other, 2 * kMiB, false);
    EXPECT_TRUE(served);
    EXPECT_EQ(slabs->Allocate(kKey, 300 * kKiB, false), nullptr);
    slabs->DriverFreed();
    EXPECT_NE(slabs->Allocate(kKey, 300 * kKiB, false), nullptr);
    EXPECT_EQ(driver.made, (std::vector<uint64_t>{kMiB, kMiB, 4 * kMiB, 4 * kMiB}));
}

// The n-th call of the driver fails, whichever it is: a smaller slab, or that one allocation is the driver's; all
// others are as they were.
TEST_F(SlabsTest, TheNthSlabFails) {
    for (uint64_t n = 1; n < 8; ++n) {
        FakeSlabDriver failing;
        failing.fail_call = n;
        SlabMemory all(VisibleSlabs(), failing);
        std::vector<VirtualMemory*> live;
        int refused = 0;
        for (int i = 0; i < 30; ++i) {
            if (VirtualMemory* memory = all.Allocate(kKey, 2 * kMiB, false)) {
                std::memset(DataOf(*memory), i - refused, memory->bytes);
                live.push_back(memory);
            } else {
                ++refused;
                all.DriverFreed();
            }
        }
        EXPECT_GE(failing.calls, n);
        EXPECT_EQ(refused, n <= 5 ? 1 : 0) << n;  // from the sixth on they are large enough to be halved
        for (size_t i = 0; i < live.size(); ++i) {
            EXPECT_EQ(DataOf(*live[i])[live[i]->bytes - 1], i);
            all.Free(*live[i], 0);
        }
        EXPECT_EQ(all.DropAll(), 0u);
    }
}

TEST_F(SlabsTest, OnTheFirstBindItMovesToWhereItFits) {
    SlabOptions options = VisibleSlabs();
    options.guard = true;
    Start(options);
    Allocate(4096);
    VirtualMemory& memory = Allocate(5000);
    const uint64_t handle = SlabMemory::HandleOf(memory);
    ASSERT_NE(memory.offset() % (256 * kKiB), 0u);
    EXPECT_EQ(slabs->Place(memory, 256 * kKiB), SlabMemory::Placed::kMoved);
    EXPECT_EQ(memory.offset() % (256 * kKiB), 0u);
    EXPECT_EQ(SlabMemory::HandleOf(memory), handle);
    EXPECT_EQ(slabs->Place(memory, 64), SlabMemory::Placed::kThere);
    EXPECT_EQ(slabs->Place(memory, 256 * kKiB), SlabMemory::Placed::kThere);
    // Its canaries moved with it, and the place before is free again.
    EXPECT_EQ(slabs->Free(memory, 0).damaged, SlabMemory::Freed::kIntact);
    EXPECT_EQ(slabs->Report().front().use.blocks, 1u);
}

// Once the program has seen where it is, it stays; what does not fit there is an error, never another place.
TEST_F(SlabsTest, WhatIsPlacedIsNotMoved) {
    Start(VisibleSlabs());
    Allocate(4096);
    VirtualMemory& memory = Allocate(5000);
    EXPECT_EQ(slabs->Place(memory, 1), SlabMemory::Placed::kThere);
    const uint64_t offset = memory.offset();
    EXPECT_EQ(slabs->Place(memory, 256 * kKiB), SlabMemory::Placed::kUnaligned);
    EXPECT_EQ(memory.offset(), offset);
    // A resource whose size is a multiple of its alignment finds it in all memory that is large enough.
    Allocate(4096);
    VirtualMemory& large = Allocate(100'000);
    EXPECT_EQ(slabs->Place(large, 1), SlabMemory::Placed::kThere);
    EXPECT_EQ(slabs->Place(large, 64 * kKiB), SlabMemory::Placed::kThere);
    // More than 64 KiB from when such an alignment was seen.
    slabs->Expect(256 * kKiB, UINT64_MAX);
    VirtualMemory& larger = Allocate(300 * kKiB);
    EXPECT_EQ(slabs->Place(larger, 1), SlabMemory::Placed::kThere);
    EXPECT_EQ(slabs->Place(larger, 256 * kKiB), SlabMemory::Placed::kThere);
    // And of all, should a resource need more than it is large.
    slabs->Expect(128 * kKiB, 100'000);
    Allocate(4096);
    VirtualMemory& small = Allocate(100'000);
    EXPECT_EQ(slabs->Place(small, 1), SlabMemory::Placed::kThere);
    EXPECT_EQ(slabs->Place(small, 128 * kKiB), SlabMemory::Placed::kThere);
}

TEST_F(SlabsTest, NoOtherPlaceCanBeHad) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> full;
    for (int i = 0; i < 1024; ++i) full.push_back(&Allocate(4096));
    EXPECT_EQ(driver.calls, 1u);
    driver.fail_all = true;
    EXPECT_EQ(slabs->Place(*full[1], 2 * kMiB), SlabMemory::Placed::kUnaligned);
    driver.fail_all = false;
    EXPECT_EQ(slabs->Place(*full[1], 2 * kMiB), SlabMemory::Placed::kMoved);
}

// A place that is given back while a slab is made stays free: no slab lies empty that nobody is told of.
TEST_F(SlabsTest, WhatIsMadeIsUsed) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> full;
    for (int i = 0; i < 1024; ++i) full.push_back(&Allocate(4096));
    driver.on_make = [&] { slabs->Free(*full[0], 0); };
    VirtualMemory& memory = Allocate(4096);
    EXPECT_EQ(driver.calls, 2u);
    EXPECT_NE(&memory.slab(), &full[1]->slab());
    EXPECT_EQ(memory.offset(), 0u);
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 0u);
    EXPECT_EQ(driver.told_idle, 1u) << "of the memory that is kept";
}

// Another thread places the memory while a slab is made for it, which then lies empty.
TEST_F(SlabsTest, APlaceThatCameTooLateIsGivenBack) {
    Start(VisibleSlabs());
    std::vector<VirtualMemory*> full;
    for (int i = 0; i < 1024; ++i) full.push_back(&Allocate(4096));
    driver.on_make = [&] { EXPECT_EQ(slabs->Place(*full[1], 4096), SlabMemory::Placed::kThere); };
    EXPECT_EQ(slabs->Place(*full[1], 2 * kMiB), SlabMemory::Placed::kUnaligned);
    EXPECT_EQ(full[1]->offset(), 4096u);
    EXPECT_TRUE(slabs->AnyIdle());
    EXPECT_EQ(driver.told_idle, 1u);
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 4 * kMiB);
}

// A move empties a slab: that is told as well.
TEST_F(SlabsTest, WhatAMoveEmptiesIsTold) {
    Start(VisibleSlabs());
    VirtualMemory& first = Allocate(kMiB + 4096);
    VirtualMemory& moved = Allocate(2 * kMiB - 4096);
    slabs->Free(first, 0);
    EXPECT_EQ(driver.told_idle, 0u);
    ASSERT_NE(moved.offset() % (2 * kMiB), 0u);
    EXPECT_EQ(slabs->Place(moved, 4 * kMiB), SlabMemory::Placed::kMoved);
    EXPECT_EQ(driver.told_idle, 1u);
}

// The thread that makes a slab is not in the child: nobody waits for it there.
TEST_F(SlabsTest, NobodyMakesInAChildOfAFork) {
    Start(VisibleSlabs());
    pid_t child = -1;
    driver.on_make = [&] {
        if (child >= 0) return;
        child = fork();
        if (child) return;
        alarm(60);  // rather than wait for ever
        _exit(slabs->Allocate(kKey, 4096, false) ? 7 : 1);
    };
    Allocate(4096);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

TEST_F(SlabsTest, CanariesTellWhoWroteBeyondTheEnd) {
    SlabOptions options = VisibleSlabs();
    options.guard = true;
    Start(options);
    for (const uint64_t beyond : {uint64_t{0}, uint64_t{1}, 3 * kKiB}) {
        VirtualMemory& memory = Allocate(5000);
        VirtualMemory& neighbour = Allocate(5000);
        std::memset(DataOf(memory), 1, memory.bytes);
        DataOf(memory)[memory.bytes + beyond] ^= 1;
        EXPECT_EQ(slabs->Free(memory, 0).damaged, beyond);
        EXPECT_EQ(slabs->Free(neighbour, 0).damaged, SlabMemory::Freed::kIntact);
    }
    // A whole number of granules has its gap too.
    VirtualMemory& whole = Allocate(8192);
    DataOf(whole)[8192] = 0;
    EXPECT_EQ(slabs->Free(whole, 0).damaged, 0u);
}

TEST_F(SlabsTest, ASecondLifeIsZeroWhereThatIsAskedFor) {
    SlabOptions options = VisibleSlabs();
    options.zero = ZeroMemory::kHost;
    Start(options);
    Allocate(4096);  // the slab stays
    VirtualMemory& first = Allocate(10'000);
    // As the driver made it: nobody has to clear that.
    EXPECT_EQ(DataOf(first)[0], 0xee);
    std::memset(DataOf(first), 7, first.bytes);
    const uint64_t offset = first.offset();
    slabs->Free(first, 0);
    // Kept as it is; then of another size.
    VirtualMemory& second = Allocate(10'000);
    ASSERT_EQ(&second, &first);
    for (uint64_t i = 0; i < 10'000; ++i) ASSERT_EQ(DataOf(second)[i], 0) << i;
    std::memset(DataOf(second), 7, second.bytes);
    slabs->Free(second, 0);
    EXPECT_EQ(slabs->GiveBack(UINT64_MAX, 0), 0u);
    VirtualMemory& third = Allocate(15'000);
    ASSERT_EQ(third.offset(), offset);
    for (uint64_t i = 0; i < 10'000; ++i) ASSERT_EQ(DataOf(third)[i], 0) << i;
}

TEST_F(SlabsTest, WhatIsNotCoherentIsWrittenBackBeforeItIsGivenAgain) {
    SlabOptions options = VisibleSlabs();
    for (SlabType& type : options.types) type.coherent = false;
    Start(options);
    VirtualMemory& untouched = Allocate(4096);
    EXPECT_FALSE(slabs->Free(untouched, 0).kept);
    EXPECT_EQ(driver.flushes, 0u);
    VirtualMemory& mapped = Allocate(4096);
    mapped.was_mapped = true;
    EXPECT_FALSE(slabs->Free(mapped, 0).kept);
    EXPECT_EQ(driver.flushes, 1u);
    driver.fail_flush = true;
    VirtualMemory& failing = Allocate(4096);
    failing.was_mapped = true;
    const uint64_t offset = failing.offset();
    EXPECT_TRUE(slabs->Free(failing, 0).kept);
    driver.fail_flush = false;
    EXPECT_NE(Allocate(4096).offset(), offset);
}

TEST_F(SlabsTest, WhatIsBoundSparselyHasNoSecondLife) {
    Start(VisibleSlabs());
    VirtualMemory& memory = Allocate(65536);
    memory.sparse = true;
    const uint64_t offset = memory.offset();
    EXPECT_TRUE(slabs->Free(memory, 0).kept);
    EXPECT_EQ(slabs->Live(), 0u);
    EXPECT_NE(Allocate(65536).offset(), offset);
    // It is not what the program has, but neither can the program have it.
    EXPECT_EQ(slabs->FreeBytes(0), 4 * kMiB - 2 * 65536);
}

TEST_F(SlabsTest, HandlesAreToldFromTheDrivers) {
    Start(VisibleSlabs());
    VirtualMemory& memory = Allocate(1);
    const uint64_t handle = SlabMemory::HandleOf(memory);
    EXPECT_EQ(slabs->Find(handle), &memory);
    EXPECT_EQ(slabs->Find(0), nullptr);
    EXPECT_EQ(slabs->Find(0x1000), nullptr);
    EXPECT_EQ(slabs->Find(reinterpret_cast<uintptr_t>(&memory)), nullptr);
    EXPECT_TRUE(slabs->SeeDriverHandle(0x2000));
    EXPECT_FALSE(slabs->SeeDriverHandle(SlabMemory::kTag | 0x2000));
}

// A driver whose handles look like ours: nothing is ours.
TEST_F(SlabsTest, ADriverWithSuchHandles) {
    Start(VisibleSlabs());
    driver.next_handle = SlabMemory::kTag | 0x1000;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(slabs->Allocate(kKey, 4096, false), nullptr);
    EXPECT_EQ(driver.calls, 1u);
    EXPECT_EQ(driver.dropped, 1u);
    EXPECT_EQ(slabs->Find(SlabMemory::kTag | 0x1000), nullptr);
    EXPECT_TRUE(slabs->SeeDriverHandle(SlabMemory::kTag | 0x3000));
}

TEST_F(SlabsTest, PrivateDataDiesWithMemoryAndSlot) {
    Start(VisibleSlabs());
    VirtualMemory& memory = Allocate(1);
    const uint64_t handle = SlabMemory::HandleOf(memory);
    EXPECT_EQ(slabs->Data(handle, 1), 0u);
    slabs->SetData(handle, 1, 11);
    slabs->SetData(handle, 2, 22);
    EXPECT_EQ(slabs->Data(handle, 1), 11u);
    slabs->ForgetSlot(1);
    EXPECT_EQ(slabs->Data(handle, 1), 0u);
    EXPECT_EQ(slabs->Data(handle, 2), 22u);
    slabs->Free(memory, 0);
    EXPECT_EQ(slabs->Data(handle, 2), 0u);
}

TEST_F(SlabsTest, WhatIsNotFreedIsCounted) {
    Start(VisibleSlabs());
    for (int i = 0; i < 3; ++i) Allocate(100);
    const std::vector<SlabReport> report = slabs->Report();
    ASSERT_EQ(report.size(), 1u);
    EXPECT_EQ(report[0].made, 1u);
    EXPECT_EQ(report[0].made_bytes, 4 * kMiB);
    EXPECT_EQ(report[0].live_bytes, 300u);
    EXPECT_EQ(report[0].use.taken_bytes, 3 * 4096u);
    EXPECT_EQ(report[0].use.largest_free, 3 * kMiB - 4096) << "what is not the first one, nor the region of the others";
    EXPECT_EQ(slabs->DropAll(), 3u);
    slabs.reset();
}

}  // namespace
}  // namespace kronos
