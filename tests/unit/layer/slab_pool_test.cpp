// SPDX-License-Identifier: Apache-2.0
// Blocks in slabs, against a model that knows who owns each byte; what is lost when they are nearly full.
#include "memory/slab_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>

namespace kronos {
namespace {

constexpr uint64_t kGranule = 4096;
constexpr uint64_t kMiB = uint64_t{1} << 20;

class SlabPoolTest : public ::testing::Test {
  protected:
    ~SlabPoolTest() override {
        while (Slab* list = pool.TakeAll()) Delete(list);
    }
    static size_t Delete(Slab* list) {
        size_t count = 0;
        for (; list; ++count) {
            const std::unique_ptr<Slab> slab(list);
            list = SlabPool::Next(*slab);
        }
        return count;
    }
    void Add(uint64_t bytes) {
        auto slab = std::make_unique<Slab>();
        slab->bytes = bytes;
        pool.Add(*slab);
        static_cast<void>(slab.release());
    }
    SlabPool pool{kGranule};
};

TEST_F(SlabPoolTest, TakesWhatIsAskedForAndNoMore) {
    Add(kMiB);
    SlabBlock* all = pool.Take(kMiB, 1);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->offset, 0u);
    EXPECT_EQ(all->bytes, kMiB);
    EXPECT_EQ(pool.Take(1, 1), nullptr);
    pool.Give(*all, 7);
    SlabBlock* one = pool.Take(1, 1);
    ASSERT_TRUE(one);
    EXPECT_EQ(one->bytes, kGranule);
    SlabBlock* aligned = pool.Take(5000, 65536);
    ASSERT_TRUE(aligned);
    EXPECT_EQ(aligned->offset % 65536, 0u);
    EXPECT_EQ(aligned->bytes, 2 * kGranule);
    EXPECT_EQ(pool.taken_bytes(), 3 * kGranule);
    EXPECT_EQ(pool.Faults(), 0u);
    pool.Give(*one, 8);
    EXPECT_FALSE(aligned->slab->empty());
    EXPECT_EQ(pool.idle_bytes(), 0u);
    Slab& slab = *aligned->slab;
    pool.Give(*aligned, 9);
    EXPECT_TRUE(slab.empty());
    EXPECT_EQ(slab.idle_since, 9u);
    EXPECT_EQ(slab.used_up_to, kMiB);
    EXPECT_EQ(pool.idle_bytes(), kMiB);
    EXPECT_EQ(pool.Use().largest_free, kMiB);
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, SmallBlocksLieInRegionsOfTheirOwn) {
    Add(8 * kMiB);
    SlabBlock* first = pool.Take(4096, 1);
    SlabBlock* large = pool.Take(kMiB, 1);
    SlabBlock* second = pool.Take(65536, 1);
    EXPECT_EQ(first->offset, 0u);
    EXPECT_EQ(large->offset, kMiB);
    EXPECT_EQ(second->offset, 4096u);
    EXPECT_EQ(pool.Faults(), 0u);
    pool.Give(*first, 0);
    SlabBlock* rest = pool.Take(6 * kMiB, 1);
    ASSERT_TRUE(rest);
    EXPECT_EQ(pool.Take(kMiB, 1), nullptr);
    // When nothing is left in it, it is kept, until a large one needs it.
    pool.Give(*second, 0);
    EXPECT_EQ(pool.Faults(), 0u);
    second = pool.Take(4096, 1);
    EXPECT_EQ(second->offset, 0u);
    pool.Give(*second, 0);
    SlabBlock* third = pool.Take(kMiB, 1);
    ASSERT_TRUE(third);
    EXPECT_EQ(third->offset, 0u);
    EXPECT_EQ(pool.Faults(), 0u);
    for (SlabBlock* block : {large, rest, third}) pool.Give(*block, 0);
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, OneRegionIsKeptAndNoMore) {
    Add(4 * kMiB);
    SlabBlock* first = pool.Take(4096, 1);
    SlabBlock* between = pool.Take(kMiB, 1);
    // No more room in the first region.
    std::vector<SlabBlock*> filling;
    for (int i = 0; i < 15; ++i) filling.push_back(pool.Take(65536, 1));
    SlabBlock* second = pool.Take(65536, 1);
    ASSERT_EQ(second->offset, 2 * kMiB) << "a region behind the large one";
    pool.Give(*second, 0);
    pool.Give(*first, 0);
    for (SlabBlock* block : filling) pool.Give(*block, 0);
    EXPECT_EQ(pool.Faults(), 0u);
    EXPECT_EQ(pool.Use().largest_free, kMiB) << "the second is kept; the first is a hole for all";
    EXPECT_EQ(pool.Take(65536, 1)->offset, 2 * kMiB);
    EXPECT_EQ(pool.Take(kMiB, 1)->offset, 0u);
    pool.Give(*between, 0);
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, AnEmptySlabLeavesWithTheRegionThatIsKept) {
    Add(4 * kMiB);
    pool.Give(*pool.Take(4096, 1), 1);
    EXPECT_EQ(pool.idle_bytes(), 4 * kMiB);
    EXPECT_EQ(Delete(pool.TakeIdle(2, 0)), 1u);
    EXPECT_EQ(pool.Take(4096, 1), nullptr);
    EXPECT_EQ(pool.Faults(), 0u);
    Add(4 * kMiB);
    EXPECT_TRUE(pool.Take(4 * kMiB, 1));
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, ALongHoleInARegionIsForAllAgain) {
    Add(8 * kMiB);
    std::vector<SlabBlock*> blocks;
    for (int i = 0; i < 48; ++i) blocks.push_back(pool.Take(65536, 1));
    ASSERT_EQ(blocks.back()->offset, 3 * kMiB - 65536) << "three regions beside each other";
    for (int i = 8; i < 40; ++i) pool.Give(*blocks[i], 0);
    EXPECT_EQ(pool.Faults(), 0u);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pool.Take(kMiB, 1));
    EXPECT_TRUE(pool.Take(kMiB, 1)) << "between those that are still there";
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, WhereNoRegionFitsAllHolesAreForAll) {
    Add(kMiB / 2);
    SlabBlock* small = pool.Take(4096, 1);
    ASSERT_TRUE(small) << "a hole that is no region";
    SlabBlock* large = pool.Take(kMiB / 4, 1);
    ASSERT_TRUE(large) << "in it, for there is nothing else";
    SlabBlock* rest = pool.Take(kMiB / 4 - 4096, 1);
    ASSERT_TRUE(rest);
    EXPECT_EQ(pool.Faults(), 0u);
    for (SlabBlock* block : {small, large, rest}) pool.Give(*block, 0);
    EXPECT_EQ(pool.Faults(), 0u);
    EXPECT_TRUE(pool.Take(kMiB / 2, 1));
}

TEST_F(SlabPoolTest, WhatRestsStaysWhereItIs) {
    Add(4 * kMiB);
    SlabBlock* block = pool.Take(8192, 1);
    pool.Rest(*block, 5);
    EXPECT_TRUE(block->slab->empty());
    EXPECT_EQ(pool.idle_bytes(), 4 * kMiB);
    EXPECT_EQ(pool.taken_bytes(), 0u);
    EXPECT_EQ(pool.Faults(), 0u);
    EXPECT_EQ(pool.TakeIdle(100, 0), nullptr);
    SlabBlock* other = pool.Take(8192, 1);
    EXPECT_NE(other->offset, block->offset);
    EXPECT_EQ(pool.idle_bytes(), 0u);
    pool.Give(*other, 7);
    pool.Wake(*block);
    EXPECT_EQ(pool.idle_bytes(), 0u);
    EXPECT_EQ(pool.taken_bytes(), 8192u);
    EXPECT_EQ(pool.Faults(), 0u);
    pool.Give(*block, 6);
    EXPECT_EQ(pool.TakeIdle(107, 101), nullptr) << "since 7";
    EXPECT_EQ(Delete(pool.TakeIdle(107, 100)), 1u);
    EXPECT_EQ(pool.Faults(), 0u);
}

TEST_F(SlabPoolTest, EmptySlabsLeaveWhenTheyAreOldEnough) {
    Add(kMiB);
    Add(kMiB);
    Add(kMiB);
    SlabBlock* first = pool.Take(kMiB, 1);
    SlabBlock* second = pool.Take(kMiB, 1);
    SlabBlock* third = pool.Take(kMiB, 1);
    pool.Give(*first, 100);
    pool.Give(*second, 200);
    EXPECT_EQ(pool.TakeIdle(90, 0), nullptr);
    EXPECT_EQ(Delete(pool.TakeIdle(250, 100)), 1u);
    EXPECT_EQ(pool.bytes(), 2 * kMiB);
    EXPECT_EQ(Delete(pool.TakeIdle(UINT64_MAX, 0)), 1u);
    EXPECT_EQ(pool.idle_bytes(), 0u);
    EXPECT_EQ(pool.Faults(), 0u);
    pool.Give(*third, 300);
    EXPECT_EQ(Delete(pool.TakeAll()), 1u);
    EXPECT_FALSE(pool.AnySlab());
}

// Every byte has one owner, blocks begin where they must, and nothing is refused for which a hole is surely large
// enough.
TEST_F(SlabPoolTest, AgreesWithAModel) {
    std::mt19937_64 random(8);
    std::map<std::pair<const Slab*, uint64_t>, SlabBlock*> owned;  // by begin
    std::vector<SlabBlock*> live;
    for (int round = 0; round < 60'000; ++round) {
        if (round % 10'000 == 0) Add((1 + random() % 8) * kMiB);
        if (random() % 100 < (round / 5'000 % 2 ? 45 : 58)) {
            const uint64_t bytes = 1 + random() % (uint64_t{1} << (8 + random() % 14));
            const uint64_t alignment = uint64_t{1} << random() % 20;
            const uint64_t largest = round % 64 ? 0 : pool.Use().largest_free;
            SlabBlock* block = pool.Take(bytes, alignment);
            if (!block) {
                const uint64_t sure = AlignUp(bytes, kGranule) + std::max(alignment, kGranule);
                EXPECT_LT(largest, sure + sure / 16 + kGranule);
                continue;
            }
            EXPECT_EQ(block->offset % std::max(alignment, kGranule), 0u);
            EXPECT_EQ(block->bytes, AlignUp(bytes, kGranule));
            EXPECT_LE(block->offset + block->bytes, block->slab->bytes);
            const auto [at, added] = owned.emplace(std::pair(block->slab, block->offset), block);
            ASSERT_TRUE(added);
            if (const auto next = std::next(at); next != owned.end() && next->first.first == block->slab) {
                ASSERT_GE(next->first.second, block->offset + block->bytes);
            }
            if (at != owned.begin() && std::prev(at)->first.first == block->slab) {
                ASSERT_LE(std::prev(at)->second->offset + std::prev(at)->second->bytes, block->offset);
            }
            live.push_back(block);
        } else if (!live.empty()) {
            std::swap(live[random() % live.size()], live.back());
            owned.erase(std::pair(live.back()->slab, live.back()->offset));
            pool.Give(*live.back(), round);
            live.pop_back();
        }
        if (round % 1'000 == 0) {
            ASSERT_EQ(pool.Faults(), 0u) << round;
        }
    }
    for (SlabBlock* block : live) pool.Give(*block, 0);
    EXPECT_EQ(pool.Faults(), 0u);
    EXPECT_EQ(pool.taken_bytes(), 0u);
    EXPECT_EQ(pool.idle_bytes(), pool.bytes());
}

// Programs that keep 90 % of the most they ever had: what the driver gave, to what they have.
class SlabWasteTest : public SlabPoolTest, public ::testing::WithParamInterface<bool> {};

TEST_P(SlabWasteTest, IsSmallWhenNearlyFull) {
    constexpr uint64_t kOperations = 300'000;
    constexpr uint64_t kMost = 512 * kMiB;
    std::mt19937_64 random(90);
    const auto size = [&] {
        const double part = static_cast<double>(random() >> 11) * 0x1p-53;
        return GetParam() ? static_cast<uint64_t>(4096 + part * (1 << 20))
                          : static_cast<uint64_t>(4096 * std::exp(part * std::log(256)));
    };
    struct Live {
        SlabBlock* block;
        uint64_t bytes;
    };
    std::vector<Live> live;
    uint64_t live_bytes = 0;
    const auto allocate = [&] {
        const uint64_t bytes = size();
        const uint64_t alignment = std::min<uint64_t>(std::bit_floor(bytes), 65536);
        SlabBlock* block = pool.Take(bytes, alignment);
        if (!block) {
            Add(NextSlabBytes(pool.bytes()));
            block = pool.Take(bytes, alignment);
        }
        live.push_back({block, bytes});
        live_bytes += bytes;
    };
    const auto free_one = [&] {
        std::swap(live[random() % live.size()], live.back());
        live_bytes -= live.back().bytes;
        pool.Give(*live.back().block, 0);
        live.pop_back();
    };
    while (live_bytes < kMost) allocate();
    while (live_bytes > kMost / 10 * 9) free_one();
    for (uint64_t i = 0; i < kOperations; ++i) live_bytes < kMost / 10 * 9 ? allocate() : free_one();
    const SlabUse use = pool.Use();
    const double waste = static_cast<double>(use.bytes) / static_cast<double>(kMost);
    const double rounding = static_cast<double>(use.taken_bytes) / static_cast<double>(live_bytes);
    EXPECT_LE(waste, 1.12);
    EXPECT_LE(rounding, 1.02);
    EXPECT_EQ(pool.Faults(), 0u);
    for (const Live& one : live) pool.Give(*one.block, 0);
}

INSTANTIATE_TEST_SUITE_P(Sizes, SlabWasteTest, ::testing::Bool(), [](const auto& info) {
    return info.param ? std::string("Even") : std::string("Logarithmic");
});

}  // namespace
}  // namespace kronos
