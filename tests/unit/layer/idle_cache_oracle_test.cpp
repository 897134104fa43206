// SPDX-License-Identifier: Apache-2.0
// The idle cache under many threads, against an oracle that knows who owns each allocation.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <deque>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "memory/idle_cache.h"
#include "memory/size_class.h"

namespace kronos {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint32_t kTypes = 4;
constexpr std::array<uint32_t, kTypes> kHeapOfType = {0, 1, 0, 2};
constexpr IdleCache::Budgets kBudgets = {2048 * kKiB, 256 * kKiB, 0};
constexpr uint32_t kMaxBlocks = 64;
constexpr uint32_t kMaxBlocksOfHeap = kMaxBlocks / 2;  // two heaps have a budget

// Owners of an allocation; threads are numbered from kFirstThread.
enum Owner : uint32_t { kDriver, kCache, kHandedOver, kFirstThread };

struct Block : IdleNode {
    uint64_t id = 0;  ///< the driver's handle
    std::atomic<uint32_t> owner{kDriver};
    uint64_t contents = 0;  ///< written by the owner only, without any lock: a race if there are two
};

class Oracle {
  public:
    explicit Oracle(uint32_t threads) : of_thread_(threads) {}

    void Run(uint32_t operations) {
        std::atomic<bool> stop{false};
        std::thread checker([&] {
            while (!stop.load(std::memory_order_relaxed)) CheckBudgets();
        });
        std::latch all_there(static_cast<std::ptrdiff_t>(of_thread_.size()));
        std::vector<std::thread> threads;
        for (uint32_t t = 0; t < of_thread_.size(); ++t) {
            threads.emplace_back([&, t] {
                all_there.arrive_and_wait();
                Work(t, operations);
            });
        }
        for (auto& thread : threads) thread.join();
        stop = true;
        checker.join();
        CheckAtRest();
        Free(cache_.TakeAll());
        for (const auto& mailbox : mailboxes_)
            if (Block* block = mailbox.load()) GiveBack(*block, kHandedOver);
        CheckAtRest();
        for (const PerThread& thread : of_thread_)
            for (const Block& block : thread.made) Check(block.owner == kDriver, "something has come in and not out");
        EXPECT_EQ(cache_.IdleBytes(0) + cache_.IdleBytes(1), 0u);
        EXPECT_EQ(made_.load(), freed_.load());
        EXPECT_EQ(wrong_.load(), nullptr) << wrong_.load();
    }

    std::atomic<uint64_t> hits_{0}, evicted_{0}, refused_{0}, expired_{0}, trimmed_{0};

  private:
    struct PerThread {
        std::deque<Block> made;  ///< by this thread; alive to the end, as other threads may own them
        std::vector<Block*> owned;
    };

    void Check(bool right, const char* what) {
        if (!right) wrong_.store(what);
    }
    void ChangeOwner(Block& block, uint32_t from, uint32_t to) {
        Check(block.owner.compare_exchange_strong(from, to, std::memory_order_relaxed), "not the one owner");
    }
    void CheckBudgets() {
        for (uint32_t heap = 0; heap < 3; ++heap) {
            Check(cache_.IdleBytes(heap) <= kBudgets[heap], "more idle bytes than the budget");
            Check(cache_.IdleBlocks(heap) <= (kBudgets[heap] ? kMaxBlocksOfHeap : 0), "too many idle blocks");
        }
    }
    // While no thread works, the cache's numbers are exact.
    void CheckAtRest() {
        std::array<uint64_t, 3> bytes{};
        std::array<uint32_t, 3> blocks{};
        for (const PerThread& thread : of_thread_) {
            for (const Block& block : thread.made) {
                if (block.owner != kCache) continue;
                bytes[block.heap] += block.bytes;
                ++blocks[block.heap];
            }
        }
        for (uint32_t heap = 0; heap < 3; ++heap) {
            EXPECT_EQ(cache_.IdleBytes(heap), bytes[heap]);
            EXPECT_EQ(cache_.IdleBlocks(heap), blocks[heap]);
        }
        CheckBudgets();
    }

    void GiveBack(Block& block, uint32_t from) {
        block.contents = 0;
        ChangeOwner(block, from, kDriver);
        freed_.fetch_add(1, std::memory_order_relaxed);
    }
    uint64_t Free(IdleChain chain) {
        uint64_t count = 0;
        for (; IdleNode* node = chain.Pop(); ++count) GiveBack(static_cast<Block&>(*node), kCache);
        return count;
    }

    void Allocate(PerThread& thread, uint32_t self, std::mt19937_64& random) {
        const double log_size = std::uniform_real_distribution(12.0, 18.0)(random);
        MemoryKey key;
        key.type = static_cast<uint8_t>(random() % kTypes);
        key.size_class = static_cast<uint8_t>(*SizeClassOf(static_cast<uint64_t>(std::exp2(log_size))));
        if (random() % 8 == 0) key.device_address = true;
        auto* block = static_cast<Block*>(cache_.Take(key));
        if (block) {
            hits_.fetch_add(1, std::memory_order_relaxed);
            Check(block->key == key, "not the key that was asked for");
            Check(block->contents == block->id, "not what its last owner left");
            ChangeOwner(*block, kCache, self);
        } else {
            block = &thread.made.emplace_back();
            block->id = made_.fetch_add(1, std::memory_order_relaxed) + 1;
            block->key = key;
            block->bytes = SizeClassBytes(key.size_class);
            block->heap = kHeapOfType[key.type];
            ChangeOwner(*block, kDriver, self);
        }
        block->contents = self;
        thread.owned.push_back(block);
    }

    void Free(PerThread& thread, uint32_t self, uint64_t now, std::mt19937_64& random) {
        if (thread.owned.empty()) return;
        std::swap(thread.owned[random() % thread.owned.size()], thread.owned.back());
        Block& block = *thread.owned.back();
        thread.owned.pop_back();
        Check(block.contents == self, "somebody else has written to it");
        block.contents = block.id;
        ChangeOwner(block, self, kCache);
        IdleChain evicted;
        if (!cache_.Offer(block, now, evicted)) {
            refused_.fetch_add(1, std::memory_order_relaxed);
            Check(evicted.empty(), "evicted for nothing");
            GiveBack(block, kCache);
        }
        evicted_.fetch_add(Free(evicted), std::memory_order_relaxed);
    }

    // Programs allocate on one thread and free on another.
    void HandOver(PerThread& thread, uint32_t self, std::mt19937_64& random) {
        if (thread.owned.empty()) return;
        Block* given = thread.owned.back();
        thread.owned.pop_back();
        ChangeOwner(*given, self, kHandedOver);
        if (Block* got = mailboxes_[random() % mailboxes_.size()].exchange(given, std::memory_order_acq_rel)) {
            ChangeOwner(*got, kHandedOver, self);
            got->contents = self;
            thread.owned.push_back(got);
        }
    }

    void Work(uint32_t t, uint32_t operations) {
        PerThread& thread = of_thread_[t];
        const uint32_t self = kFirstThread + t;
        std::mt19937_64 random(t);
        for (uint32_t i = 0; i < operations; ++i) {
            const uint64_t now = clock_.fetch_add(1, std::memory_order_relaxed);
            const uint64_t what = random() % 1000;
            if (what < 2) {
                trimmed_.fetch_add(Free(cache_.TakeAll()), std::memory_order_relaxed);
            } else if (what < 12) {
                IdleChain expired;
                const uint32_t count = cache_.Expire(now, 300, 5, expired);
                Check(count <= 5 && count == Free(expired), "not as many as it says");
                expired_.fetch_add(count, std::memory_order_relaxed);
            } else if (what < 100) {
                HandOver(thread, self, random);
            } else if (thread.owned.size() < 30 && what < 550) {
                Allocate(thread, self, random);
            } else {
                Free(thread, self, now, random);
            }
            CheckBudgets();
        }
        while (!thread.owned.empty()) Free(thread, self, clock_.fetch_add(1, std::memory_order_relaxed), random);
    }

    IdleCache cache_{kBudgets, kMaxBlocks};
    std::vector<PerThread> of_thread_;
    std::array<std::atomic<Block*>, 8> mailboxes_{};
    std::atomic<uint64_t> clock_{0}, made_{0}, freed_{0};
    std::atomic<const char*> wrong_{nullptr};
};

void RunAndExpectThatAllHappened(uint32_t threads, uint32_t operations) {
    Oracle oracle(threads);
    oracle.Run(operations);
    EXPECT_GT(oracle.hits_.load(), 0u);
    EXPECT_GT(oracle.evicted_.load(), 0u);
    EXPECT_GT(oracle.refused_.load(), 0u);
    EXPECT_GT(oracle.expired_.load(), 0u);
    EXPECT_GT(oracle.trimmed_.load(), 0u);
}

TEST(IdleCacheOracle, OneThread) { RunAndExpectThatAllHappened(1, 50'000); }
TEST(IdleCacheOracle, AsManyThreadsAsAProgramHas) { RunAndExpectThatAllHappened(12, 50'000); }
TEST(IdleCacheOracle, AHundredThreads) { RunAndExpectThatAllHappened(100, 1'000); }

}  // namespace
}  // namespace kronos
