// SPDX-License-Identifier: Apache-2.0
// Freed driver allocations of one device that wait for their next use: which to hand out, keep and give back.
//
// Owned by a device. Any thread may call anything at any time. Sixteen shards, each with its own mutex (of rank
// LockRank::kIdleMemory); a thread has its own shard, so that threads do not meet while each frees what it allocates.
// What a shard got last lies on top of it, where it is put and taken without the mutex: in a child of fork one for each
// other thread of its parent may stay counted that nobody has. No call holds two of the mutexes, none allocates, throws
// or calls the driver: what has to be freed goes to the caller.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "memory/departures.h"
#include "memory/memory_key.h"
#include "support/fork_mutex.h"

namespace kronos {

/// The part of an allocation's record that the cache needs. The caller owns the record and sets the first three members
/// before it offers it; from then on, until the cache hands it out again, the record stays where it is and only the
/// cache touches it.
struct IdleNode {
    MemoryKey key;
    uint32_t heap = 0;   ///< VkMemoryType::heapIndex of the key's type, below IdleCache::kHeaps
    uint64_t bytes = 0;  ///< what the driver allocated

  private:
    friend class IdleCache;
    friend class IdleChain;
    uint64_t idle_since_ns_ = 0;
    // Guarded by the mutex of the shard that holds the node.
    IdleNode* older_of_key_ = nullptr;
    IdleNode* newer_of_key_ = nullptr;
    IdleNode* next_key_ = nullptr;  // of the newest of a key only: the newest of another key in the same bucket
    IdleNode* older_in_heap_ = nullptr;
    IdleNode* newer_in_heap_ = nullptr;
};

/// Records that have left the cache, for the caller to free in the driver. Externally synchronized; does not own them.
class IdleChain {
  public:
    /// The next one, or nullptr. It belongs to the caller.
    IdleNode* Pop() {
        IdleNode* node = first_;
        if (node) first_ = node->next_key_;
        return node;
    }
    bool empty() const { return !first_; }

  private:
    friend class IdleCache;
    void Push(IdleNode& node) {
        node.next_key_ = first_;
        first_ = &node;
    }

    IdleNode* first_ = nullptr;
};

/// How many bytes of a heap of this size may be idle: `most_bytes`, or 5 % of it if that is less.
constexpr uint64_t IdleBudget(uint64_t heap_bytes, uint64_t most_bytes = uint64_t{256} << 20) {
    return heap_bytes / 20 < most_bytes ? heap_bytes / 20 : most_bytes;
}

/// How many allocations may be idle in a device with this maxMemoryAllocationCount: an eighth of them, at most 4,096.
constexpr uint32_t IdleBlockLimit(uint32_t max_memory_allocation_count) {
    return max_memory_allocation_count / 8 < 4096 ? max_memory_allocation_count / 8 : 4096;
}

class IdleCache {
  public:
    static constexpr uint32_t kHeaps = 16;  ///< VK_MAX_MEMORY_HEAPS
    using Budgets = std::array<uint64_t, kHeaps>;
    /// How many others one Offer gives back at most: each costs its caller a driver call.
    static constexpr uint32_t kMaxEvictions = 8;

    /// `budgets`: how many bytes of each heap may be idle. `max_blocks`: how many allocations; the heaps that have a
    /// budget share them evenly. More than 2^47 bytes or 65,534 allocations of a heap are not used. Takes the lock of
    /// all fork mutexes: see ForkMutex.
    IdleCache(const Budgets& budgets, uint32_t max_blocks);
    /// Call TakeAll before: what is still idle is forgotten, not freed.
    ~IdleCache() = default;
    IdleCache(const IdleCache&) = delete;
    IdleCache& operator=(const IdleCache&) = delete;

    /// The most recently freed allocation of `key` in the calling thread's shard, else in the next shard that has one.
    /// It belongs to the caller. nullptr: there is none.
    IdleNode* Take(MemoryKey key) noexcept;

    /// True: `node` is idle now. For that, others of its heap that this thread's shard has held for longest may have
    /// been pushed to `evicted`. False: the budget has no place, nothing has changed and `node` is still the caller's.
    /// `now_ns` is the time of CoarseNowNs: ages are seconds.
    bool Offer(IdleNode& node, uint64_t now_ns, IdleChain& evicted) noexcept;

    /// Pushes to `expired` up to `max_blocks` of what has been idle for more than `max_age_ns`, and returns how many.
    /// Bounded so that no single call of the program pays for all of them.
    uint32_t Expire(uint64_t now_ns, uint64_t max_age_ns, uint32_t max_blocks, IdleChain& expired) noexcept;

    /// All that is idle. What other threads offer meanwhile may stay.
    IdleChain TakeAll() noexcept;

    /// What has left the cache for the driver; the caller says of each when the driver has freed it. What left before
    /// TakeAll returned has departed.
    Departures departures;

    /// Bytes of a heap and number of allocations that are idle. Never more than allowed.
    uint64_t IdleBytes(uint32_t heap) const noexcept {
        return BytesIn(heaps_[heap].idle.load(std::memory_order_relaxed));
    }
    uint32_t IdleBlocks(uint32_t heap) const noexcept {
        return BlocksIn(heaps_[heap].idle.load(std::memory_order_relaxed));
    }

  private:
    static constexpr size_t kShards = 16;
    static constexpr size_t kBuckets = 64;

    struct AgeList {
        IdleNode* oldest = nullptr;
        IdleNode* newest = nullptr;
    };
    // The allocations of one key are a stack; the tops of the stacks of all keys with one hash are a bucket.
    struct alignas(64) Shard {
        IdleNode** TopOf(MemoryKey key);
        void Link(IdleNode& node);
        void Unlink(IdleNode& node);
        /// What lies on top, if it is of the key. It belongs to the caller. The mutex is not held.
        IdleNode* TakeTop(MemoryKey key);
        /// False: something lies there. The mutex may be held or not.
        bool PutOnTop(IdleNode& node);
        /// What lies on top is linked like all others. The mutex is held.
        void LinkTop();

        // The newest of the shard, not linked, or nullptr; whoever takes it out owns it. Its key, which is wrong when
        // two threads changed the top at once.
        std::atomic<IdleNode*> top{nullptr};
        std::atomic<uint64_t> top_key{0};
        ForkMutex mutex{LockRank::kIdleMemory};
        std::atomic<uint64_t> used_buckets{0};  // written under the mutex, read without: a look-up may skip the shard
        std::array<IdleNode*, kBuckets> buckets{};
        std::array<AgeList, kHeaps> by_age{};
    };

    static size_t BucketOf(MemoryKey key) { return key.Bits() * 0x9E3779B97F4A7C15ull >> 58; }
    IdleNode* TakeTop(Shard& shard, MemoryKey key);
    [[gnu::noinline]] IdleNode* Search(MemoryKey key);
    [[gnu::noinline]] bool OfferLinked(Shard& shard, IdleNode& node, bool reserved, IdleChain& evicted);
    bool ReserveFree(const IdleNode& node);
    std::optional<uint32_t> Reserve(const Shard& shard, const IdleNode& node);
    void Leave(Shard& shard, IdleNode& node);

    // Bytes and blocks change together, so they are one word: sums of words are words of sums.
    static uint64_t Word(uint64_t bytes, uint32_t blocks) { return bytes << 16 | blocks; }
    static uint64_t BytesIn(uint64_t word) { return word >> 16; }
    static uint32_t BlocksIn(uint64_t word) { return word & 0xffff; }
    // Raised before a node is put on top or linked, lowered after it was taken away, never above what is allowed.
    struct alignas(64) Heap {
        std::atomic<uint64_t> idle{0};
        uint64_t budget = 0;
        uint32_t max_blocks = 0;
    };
    std::array<Heap, kHeaps> heaps_;
    std::array<Shard, kShards> shards_;
};

}  // namespace kronos
