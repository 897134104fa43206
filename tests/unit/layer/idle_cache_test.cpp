// SPDX-License-Identifier: Apache-2.0
#include "memory/idle_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <set>
#include <thread>
#include <vector>

#include "memory/size_class.h"

namespace kronos {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kSecond = 1'000'000'000;

MemoryKey Key(uint64_t bytes, uint8_t type = 0) {
    return {.type = type, .size_class = static_cast<uint8_t>(*SizeClassOf(bytes))};
}

IdleCache::Budgets Budgets(uint64_t bytes) {
    IdleCache::Budgets budgets;
    budgets.fill(bytes);
    return budgets;
}

class IdleCacheTest : public testing::Test {
  protected:
    IdleNode& Make(uint64_t bytes, uint8_t type = 0, uint32_t heap = 0) {
        IdleNode& node = nodes_.emplace_back();
        node.key = Key(bytes, type);
        node.bytes = SizeClassBytes(node.key.size_class);
        node.heap = heap;
        return node;
    }
    static std::set<IdleNode*> Drain(IdleChain chain) {
        std::set<IdleNode*> nodes;
        while (IdleNode* node = chain.Pop()) EXPECT_TRUE(nodes.insert(node).second);
        return nodes;
    }
    bool Keep(IdleNode& node, uint64_t now_ns = 0) {
        IdleChain evicted;
        const bool kept = cache_.Offer(node, now_ns, evicted);
        EXPECT_TRUE(evicted.empty());
        return kept;
    }

    std::deque<IdleNode> nodes_;
    IdleCache cache_{Budgets(kMiB), 1600};
};

TEST(IdleBudget, IsATwentiethOfTheHeapAndAtMostAQuarterGiB) {
    EXPECT_EQ(IdleBudget(0), 0u);
    EXPECT_EQ(IdleBudget(100 * kMiB), 5 * kMiB);
    EXPECT_EQ(IdleBudget(5120 * kMiB), 256 * kMiB);
    EXPECT_EQ(IdleBudget(~uint64_t{0}), 256 * kMiB);
    EXPECT_EQ(IdleBlockLimit(0), 0u);
    EXPECT_EQ(IdleBlockLimit(4096), 512u);
    EXPECT_EQ(IdleBlockLimit(~uint32_t{0}), 4096u);
}

TEST_F(IdleCacheTest, HandsOutTheNewestOfItsKeyFirstAndEachOnce) {
    IdleNode& a = Make(4 * kKiB);
    IdleNode& b = Make(4 * kKiB);
    IdleNode& c = Make(4 * kKiB);
    EXPECT_EQ(cache_.Take(a.key), nullptr);
    for (IdleNode* node : {&a, &b, &c}) EXPECT_TRUE(Keep(*node));
    EXPECT_EQ(cache_.IdleBytes(0), 12 * kKiB);
    EXPECT_EQ(cache_.IdleBlocks(0), 3u);
    EXPECT_EQ(cache_.Take(a.key), &c);
    EXPECT_TRUE(Keep(c));
    EXPECT_EQ(cache_.Take(a.key), &c);
    EXPECT_EQ(cache_.Take(a.key), &b);
    EXPECT_EQ(cache_.Take(a.key), &a);
    EXPECT_EQ(cache_.Take(a.key), nullptr);
    EXPECT_EQ(cache_.IdleBytes(0), 0u);
    EXPECT_EQ(cache_.IdleBlocks(0), 0u);
}

TEST_F(IdleCacheTest, EveryPartOfTheKeyMatters) {
    const MemoryKey key{
        .type = 3, .size_class = 7, .device_address = true, .has_priority = true, .priority = 0x3f000000};
    IdleNode& node = Make(4 * kKiB);
    node.key = key;
    ASSERT_TRUE(Keep(node));
    for (int part = 0; part < 5; ++part) {
        MemoryKey other = key;
        if (part == 0) other.type = 4;
        if (part == 1) other.size_class = 8;
        if (part == 2) other.device_address = false;
        if (part == 3) other.has_priority = false;
        if (part == 4) other.priority = 0x3f000001;
        EXPECT_EQ(cache_.Take(other), nullptr) << part;
    }
    EXPECT_EQ(cache_.Take(key), &node);
}

TEST_F(IdleCacheTest, KeysOfOneBucketDoNotMix) {
    // More keys than there are buckets, put in round after round, taken in another order.
    constexpr uint32_t kKeys = 300;
    IdleCache cache(Budgets(1024 * kMiB), 65535);
    std::vector<std::vector<IdleNode*>> of_key(kKeys);
    IdleChain evicted;
    for (int round = 0; round < 3; ++round) {
        for (uint32_t i = 0; i < kKeys; ++i) {
            IdleNode& node = Make(4 * kKiB);
            node.key.has_priority = true;
            node.key.priority = i;
            ASSERT_TRUE(cache.Offer(node, 0, evicted));
            of_key[i].push_back(&node);
        }
    }
    for (int round = 0; round < 4; ++round) {
        for (uint32_t n = 0; n < kKeys; ++n) {
            const uint32_t i = n * 7 % kKeys;
            MemoryKey key = Key(4 * kKiB);
            key.has_priority = true;
            key.priority = i;
            IdleNode* expected = of_key[i].empty() ? nullptr : of_key[i].back();
            ASSERT_EQ(cache.Take(key), expected);
            if (expected) of_key[i].pop_back();
        }
    }
}

TEST_F(IdleCacheTest, TheOldestOfTheHeapMakesRoomWhateverItsKey) {
    IdleNode& old_small = Make(256 * kKiB);
    IdleNode& old_other = Make(256 * kKiB, 1);
    IdleNode& newer = Make(512 * kKiB);
    IdleNode& other_heap = Make(512 * kKiB, 2, 1);
    for (IdleNode* node : {&other_heap, &old_small, &old_other, &newer}) ASSERT_TRUE(Keep(*node));
    EXPECT_EQ(cache_.IdleBytes(0), kMiB);

    IdleNode& offered = Make(320 * kKiB);
    IdleChain evicted;
    EXPECT_TRUE(cache_.Offer(offered, 0, evicted));
    EXPECT_EQ(Drain(evicted), (std::set{&old_small, &old_other}));
    EXPECT_EQ(cache_.IdleBytes(0), 832 * kKiB);
    EXPECT_EQ(cache_.IdleBytes(1), 512 * kKiB);
    EXPECT_EQ(cache_.IdleBlocks(0), 2u);
    EXPECT_EQ(cache_.IdleBlocks(1), 1u);
    EXPECT_EQ(cache_.Take(old_small.key), nullptr);
    EXPECT_EQ(cache_.Take(newer.key), &newer);
    EXPECT_EQ(cache_.Take(offered.key), &offered);
    EXPECT_EQ(cache_.Take(other_heap.key), &other_heap);
}

TEST_F(IdleCacheTest, WhatNeverFitsEvictsNothing) {
    IdleNode& small = Make(4 * kKiB);
    ASSERT_TRUE(Keep(small));
    EXPECT_FALSE(Keep(Make(kMiB + 1)));
    EXPECT_TRUE(Keep(Make(kMiB / 2)));
    EXPECT_EQ(cache_.IdleBlocks(0), 2u);
    EXPECT_EQ(cache_.Take(small.key), &small);
}

TEST_F(IdleCacheTest, ABlockAsLargeAsTheBudgetFits) {
    IdleNode& all = Make(kMiB);
    EXPECT_TRUE(Keep(all));
    EXPECT_EQ(cache_.IdleBytes(0), kMiB);
    IdleNode& again = Make(kMiB);
    IdleChain evicted;
    EXPECT_TRUE(cache_.Offer(again, 0, evicted));
    EXPECT_EQ(Drain(evicted), std::set{&all});
    EXPECT_EQ(cache_.IdleBytes(0), kMiB);
}

TEST_F(IdleCacheTest, OneOfferEvictsOnlyAFew) {
    IdleCache cache(Budgets(64 * kKiB), 1600);
    IdleChain evicted;
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(cache.Offer(Make(4 * kKiB), 0, evicted));
    EXPECT_FALSE(cache.Offer(Make(40 * kKiB), 0, evicted)) << "ten would have to go";
    EXPECT_TRUE(evicted.empty());
    EXPECT_EQ(cache.IdleBytes(0), 64 * kKiB);
    EXPECT_EQ(cache.IdleBlocks(0), 16u);
    EXPECT_TRUE(cache.Offer(Make(32 * kKiB), 0, evicted));
    EXPECT_EQ(Drain(evicted).size(), IdleCache::kMaxEvictions);
    EXPECT_EQ(cache.IdleBlocks(0), 9u);
}

TEST_F(IdleCacheTest, TheNumberOfBlocksIsBounded) {
    IdleCache::Budgets two_heaps{};
    two_heaps[0] = two_heaps[1] = kMiB;
    IdleCache cache(two_heaps, 7);
    IdleChain evicted;
    IdleNode& oldest = Make(4 * kKiB);
    ASSERT_TRUE(cache.Offer(oldest, 0, evicted));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(cache.Offer(Make(4 * kKiB), 0, evicted));
    EXPECT_TRUE(evicted.empty());
    EXPECT_TRUE(cache.Offer(Make(64 * kKiB), 0, evicted));
    EXPECT_EQ(Drain(evicted), std::set{&oldest});
    EXPECT_EQ(cache.IdleBlocks(0), 3u);
    EXPECT_EQ(cache.IdleBytes(0), 72 * kKiB);

    IdleChain none;
    EXPECT_TRUE(cache.Offer(Make(4 * kKiB, 1, 1), 0, none)) << "the other heap has its own share";
    EXPECT_EQ(cache.IdleBlocks(1), 1u);
    // The shard of another thread has nothing that could go.
    std::thread([&] { EXPECT_FALSE(cache.Offer(Make(4 * kKiB), 0, none)); }).join();
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(cache.IdleBlocks(0), 3u);

    IdleCache nothing(Budgets(kMiB), 0);
    EXPECT_FALSE(nothing.Offer(Make(4 * kKiB), 0, none));
    EXPECT_EQ(nothing.IdleBlocks(0), 0u);
    EXPECT_EQ(nothing.IdleBytes(0), 0u);
}

TEST_F(IdleCacheTest, AHeapWithoutABudgetKeepsNothing) {
    IdleCache::Budgets budgets = Budgets(kMiB);
    budgets[1] = 0;
    IdleCache cache(budgets, 100);
    IdleChain evicted;
    EXPECT_FALSE(cache.Offer(Make(4 * kKiB, 1, 1), 0, evicted));
    EXPECT_TRUE(cache.Offer(Make(4 * kKiB), 0, evicted));
}

TEST_F(IdleCacheTest, ExpiresWhatHasBeenIdleForLonger) {
    IdleNode& first = Make(4 * kKiB);
    IdleNode& second = Make(8 * kKiB, 1, 1);
    IdleNode& third = Make(4 * kKiB);
    ASSERT_TRUE(Keep(first, 10 * kSecond));
    ASSERT_TRUE(Keep(second, 11 * kSecond));
    ASSERT_TRUE(Keep(third, 12 * kSecond));
    IdleChain expired;
    EXPECT_EQ(cache_.Expire(12 * kSecond, 2 * kSecond, 100, expired), 0u) << "no longer than that";
    EXPECT_EQ(cache_.Expire(9 * kSecond, 0, 100, expired), 0u) << "a clock read before the offer";
    EXPECT_TRUE(expired.empty());
    EXPECT_EQ(cache_.Expire(13 * kSecond + 1, 2 * kSecond, 100, expired), 2u);
    EXPECT_EQ(Drain(expired), (std::set{&first, &second}));
    EXPECT_EQ(cache_.IdleBytes(0), 4 * kKiB);
    EXPECT_EQ(cache_.IdleBytes(1), 0u);

    // Taken and freed anew, it is young again.
    EXPECT_EQ(cache_.Take(third.key), &third);
    ASSERT_TRUE(Keep(third, 20 * kSecond));
    IdleChain none;
    EXPECT_EQ(cache_.Expire(21 * kSecond, 2 * kSecond, 100, none), 0u);
}

TEST_F(IdleCacheTest, OneCallExpiresNoMoreThanAsked) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(Keep(Make(4 * kKiB, 0, i % 2), static_cast<uint64_t>(i)));
    for (const uint32_t expected : {4u, 4u, 2u, 0u}) {
        IdleChain expired;
        EXPECT_EQ(cache_.Expire(kSecond, 0, 4, expired), expected);
        EXPECT_EQ(Drain(expired).size(), expected);
    }
    EXPECT_EQ(cache_.IdleBlocks(0) + cache_.IdleBlocks(1), 0u);
}

TEST_F(IdleCacheTest, TakeAllLeavesNothingOfAnyThread) {
    std::set<IdleNode*> offered;
    for (uint32_t i = 0; i < 20; ++i) offered.insert(&Make((4 + i) * kKiB, 0, i % 3));
    auto next = offered.begin();
    for (int thread = 0; thread < 20; ++thread) std::thread([&] { EXPECT_TRUE(Keep(**next++)); }).join();
    EXPECT_EQ(Drain(cache_.TakeAll()), offered);
    for (uint32_t heap = 0; heap < IdleCache::kHeaps; ++heap) {
        EXPECT_EQ(cache_.IdleBytes(heap), 0u);
        EXPECT_EQ(cache_.IdleBlocks(heap), 0u);
    }
    EXPECT_TRUE(cache_.TakeAll().empty());
}

TEST_F(IdleCacheTest, AThreadGetsWhatAnotherFreed) {
    IdleNode& node = Make(4 * kKiB);
    for (int i = 0; i < 20; ++i) {
        std::thread([&] { EXPECT_TRUE(Keep(node)); }).join();
        EXPECT_EQ(cache_.Take(node.key), &node);
    }
}

TEST_F(IdleCacheTest, WhatIsKeptIsFoundWhileAnotherThreadLooksForWhatIsOld) {
    IdleNode& node = Make(4 * kKiB);
    std::atomic<bool> done{false};
    std::thread looks([&] {
        IdleChain old;
        while (!done.load()) EXPECT_EQ(cache_.Expire(kSecond, 2 * kSecond, 8, old), 0u);
    });
    uint64_t missed = 0;
    for (int i = 0; i < 200'000; ++i) {
        EXPECT_TRUE(Keep(node));
        while (!cache_.Take(node.key)) ++missed;
    }
    done.store(true);
    looks.join();
    EXPECT_EQ(missed, 0u);
}

TEST_F(IdleCacheTest, AForkedChildIsNotCaughtInALockOfAnotherThread) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    constexpr uint32_t kThreads = 3;
    for (uint32_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, node = &Make(4 * kKiB)]() mutable {
            while (!stop.load(std::memory_order_relaxed)) {
                IdleChain evicted;
                cache_.Offer(*node, 0, evicted);
                while (!(node = cache_.Take(Key(4 * kKiB)))) std::this_thread::yield();
            }
        });
    }
    IdleNode& mine = Make(8 * kKiB);
    for (int i = 0; i < 100; ++i) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            alarm(30);
            IdleChain evicted;
            const bool kept = cache_.Offer(mine, 0, evicted);
            const bool taken = cache_.Take(mine.key) == &mine;
            cache_.TakeAll();
            // What another thread was just putting or taking may stay counted.
            _exit(kept && taken && cache_.IdleBlocks(0) <= kThreads ? 0 : 1);
        }
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0) << "the child hung or found nonsense";
    }
    stop = true;
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace kronos
