// SPDX-License-Identifier: Apache-2.0
#include "memory/idle_cache.h"

#include <mutex>

namespace kronos {
namespace {

std::atomic<uint32_t> threads{0};
thread_local uint32_t thread_number = 0;  // from 1; 0: not yet known

uint32_t ThreadNumber() {
    if (!thread_number) thread_number = threads.fetch_add(1, std::memory_order_relaxed) + 1;
    return thread_number;
}

}  // namespace

// Where the top of the key's stack hangs, or nullptr at the end of the bucket if there is none.
IdleNode** IdleCache::Shard::TopOf(MemoryKey key) {
    IdleNode** at = &buckets[BucketOf(key)];
    while (*at && !((*at)->key == key)) at = &(*at)->next_key_;
    return at;
}

void IdleCache::Shard::Link(IdleNode& node) {
    IdleNode** at = TopOf(node.key);
    IdleNode* older = *at;
    node.older_of_key_ = older;
    node.newer_of_key_ = nullptr;
    node.next_key_ = older ? older->next_key_ : nullptr;
    if (older) older->newer_of_key_ = &node;
    *at = &node;
    used_buckets.store(used_buckets.load(std::memory_order_relaxed) | uint64_t{1} << BucketOf(node.key),
                       std::memory_order_relaxed);

    AgeList& ages = by_age[node.heap];
    node.older_in_heap_ = ages.newest;
    node.newer_in_heap_ = nullptr;
    (ages.newest ? ages.newest->newer_in_heap_ : ages.oldest) = &node;
    ages.newest = &node;
}

void IdleCache::Shard::Unlink(IdleNode& node) {
    IdleNode* older = node.older_of_key_;
    if (older) older->newer_of_key_ = node.newer_of_key_;
    if (node.newer_of_key_) {
        node.newer_of_key_->older_of_key_ = older;
    } else {
        IdleNode** at = TopOf(node.key);
        if (older) older->next_key_ = node.next_key_;
        *at = older ? older : node.next_key_;
        const size_t bucket = BucketOf(node.key);
        if (!buckets[bucket])
            used_buckets.store(used_buckets.load(std::memory_order_relaxed) & ~(uint64_t{1} << bucket),
                               std::memory_order_relaxed);
    }

    AgeList& ages = by_age[node.heap];
    (node.older_in_heap_ ? node.older_in_heap_->newer_in_heap_ : ages.oldest) = node.newer_in_heap_;
    (node.newer_in_heap_ ? node.newer_in_heap_->older_in_heap_ : ages.newest) = node.older_in_heap_;
}

IdleCache::IdleCache(const Budgets& budgets, uint32_t max_blocks) : budgets_(budgets), max_blocks_(max_blocks) {}

// Takes the node out of the shard, whose mutex is held.
void IdleCache::Leave(Shard& shard, IdleNode& node) {
    shard.Unlink(node);
    idle_bytes_[node.heap].fetch_sub(node.bytes, std::memory_order_relaxed);
    idle_blocks_.fetch_sub(1, std::memory_order_relaxed);
}

IdleNode* IdleCache::Take(MemoryKey key) noexcept {
    const uint64_t bucket = uint64_t{1} << BucketOf(key);
    const size_t own = ThreadNumber();
    for (size_t i = 0; i < kShards; ++i) {
        Shard& shard = shards_[(own + i) % kShards];
        if (!(shard.used_buckets.load(std::memory_order_relaxed) & bucket)) continue;
        std::lock_guard lock(shard.mutex);
        IdleNode* node = *shard.TopOf(key);
        if (!node) continue;
        Leave(shard, *node);
        return node;
    }
    return nullptr;
}

// Counts one more allocation as idle, unless there are as many as may be.
bool IdleCache::ReserveBlock() {
    uint32_t idle = idle_blocks_.load(std::memory_order_relaxed);
    while (idle < max_blocks_)
        if (idle_blocks_.compare_exchange_weak(idle, idle + 1, std::memory_order_relaxed)) return true;
    return false;
}

// Counts the node's bytes as idle, in exchange for those of the oldest ones of its heap in the shard, whose mutex is
// held: how many, from `least_evictions` on, is returned. None, and nothing is changed: no such exchange keeps the
// budget.
std::optional<uint32_t> IdleCache::ReserveBytes(const Shard& shard, const IdleNode& node, uint32_t least_evictions) {
    const uint64_t budget = budgets_[node.heap];
    if (node.bytes > budget) return std::nullopt;
    std::atomic<uint64_t>& idle_bytes = idle_bytes_[node.heap];
    uint64_t idle = idle_bytes.load(std::memory_order_relaxed);
    for (;;) {
        uint32_t evictions = 0;
        uint64_t evicted_bytes = 0;
        const IdleNode* oldest = shard.by_age[node.heap].oldest;
        while (evictions < least_evictions || idle - evicted_bytes > budget - node.bytes) {
            if (!oldest || evictions == kMaxEvictions) return std::nullopt;
            evicted_bytes += oldest->bytes;
            ++evictions;
            oldest = oldest->newer_in_heap_;
        }
        if (idle_bytes.compare_exchange_weak(idle, idle - evicted_bytes + node.bytes, std::memory_order_relaxed))
            return evictions;
    }
}

bool IdleCache::Offer(IdleNode& node, uint64_t now_ns, IdleChain& evicted) noexcept {
    Shard& shard = shards_[ThreadNumber() % kShards];
    std::lock_guard lock(shard.mutex);
    const bool has_place = ReserveBlock();
    const std::optional<uint32_t> evictions = ReserveBytes(shard, node, has_place ? 0 : 1);
    if (!evictions) {
        if (has_place) idle_blocks_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    for (uint32_t i = 0; i < *evictions; ++i) {
        IdleNode& oldest = *shard.by_age[node.heap].oldest;
        shard.Unlink(oldest);
        evicted.Push(oldest);
    }
    // Without a place of its own, the node has that of the first one evicted.
    const uint32_t places_left = *evictions - (has_place ? 0 : 1);
    if (places_left) idle_blocks_.fetch_sub(places_left, std::memory_order_relaxed);
    node.idle_since_ns_ = now_ns;
    shard.Link(node);
    return true;
}

uint32_t IdleCache::Expire(uint64_t now_ns, uint64_t max_age_ns, uint32_t max_blocks, IdleChain& expired) noexcept {
    uint32_t count = 0;
    for (Shard& shard : shards_) {
        if (!shard.used_buckets.load(std::memory_order_relaxed)) continue;
        std::lock_guard lock(shard.mutex);
        for (AgeList& ages : shard.by_age) {
            while (IdleNode* node = ages.oldest) {
                // Another thread may have read the clock later and offered before.
                if (count == max_blocks || now_ns < node->idle_since_ns_ || now_ns - node->idle_since_ns_ <= max_age_ns)
                    break;
                Leave(shard, *node);
                expired.Push(*node);
                ++count;
            }
        }
    }
    return count;
}

IdleChain IdleCache::TakeAll() noexcept {
    IdleChain all;
    for (Shard& shard : shards_) {
        std::lock_guard lock(shard.mutex);
        for (AgeList& ages : shard.by_age) {
            while (IdleNode* node = ages.oldest) {
                Leave(shard, *node);
                all.Push(*node);
            }
        }
    }
    return all;
}

}  // namespace kronos
