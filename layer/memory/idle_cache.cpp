// SPDX-License-Identifier: Apache-2.0
#include "memory/idle_cache.h"

#include <algorithm>
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

bool IdleCache::Shard::PutOnTop(IdleNode& node) {
    if (top.load(std::memory_order_relaxed)) return false;
    top_key.store(node.key.Bits(), std::memory_order_relaxed);
    IdleNode* none = nullptr;
    return top.compare_exchange_strong(none, &node, std::memory_order_release, std::memory_order_relaxed);
}

IdleNode* IdleCache::Shard::TakeTop(MemoryKey key) {
    if (top_key.load(std::memory_order_relaxed) != key.Bits() || !top.load(std::memory_order_relaxed)) return nullptr;
    IdleNode* node = top.exchange(nullptr, std::memory_order_acquire);
    if (!node || node->key == key) return node;
    // Another thread has changed it meanwhile.
    if (PutOnTop(*node)) return nullptr;
    std::lock_guard lock(mutex);
    Link(*node);
    return nullptr;
}

// Until it is linked it is nowhere: whoever sees that it is no more on top also sees that it may be in any bucket, and
// waits for the mutex.
void IdleCache::Shard::LinkTop() {
    if (!top.load(std::memory_order_relaxed)) return;
    uint64_t used = used_buckets.load(std::memory_order_relaxed);
    used_buckets.store(~uint64_t{0}, std::memory_order_relaxed);
    if (IdleNode* node = top.exchange(nullptr, std::memory_order_acq_rel)) {
        Link(*node);
        used |= uint64_t{1} << BucketOf(node->key);
    }
    used_buckets.store(used, std::memory_order_relaxed);
}

IdleCache::IdleCache(const Budgets& budgets, uint32_t max_blocks) {
    const auto heaps_used = std::count_if(budgets.begin(), budgets.end(), [](uint64_t budget) { return budget > 0; });
    // One more than allowed must still fit into a word.
    constexpr uint64_t kMostBytes = uint64_t{1} << 47;
    constexpr uint32_t kMostBlocks = 0xfffe;
    for (uint32_t i = 0; i < kHeaps; ++i) {
        heaps_[i].budget = std::min(budgets[i], kMostBytes);
        if (budgets[i]) heaps_[i].max_blocks = std::min(max_blocks / static_cast<uint32_t>(heaps_used), kMostBlocks);
    }
}

// Takes the node out of the shard, whose mutex is held.
void IdleCache::Leave(Shard& shard, IdleNode& node) {
    shard.Unlink(node);
    heaps_[node.heap].idle.fetch_sub(Word(node.bytes, 1), std::memory_order_relaxed);
}

IdleNode* IdleCache::TakeTop(Shard& shard, MemoryKey key) {
    IdleNode* node = shard.TakeTop(key);
    if (node) heaps_[node->heap].idle.fetch_sub(Word(node->bytes, 1), std::memory_order_relaxed);
    return node;
}

IdleNode* IdleCache::Take(MemoryKey key) noexcept {
    if (IdleNode* node = TakeTop(shards_[ThreadNumber() % kShards], key)) return node;
    return Search(key);
}

IdleNode* IdleCache::Search(MemoryKey key) {
    const uint64_t bucket = uint64_t{1} << BucketOf(key);
    const size_t own = ThreadNumber();
    // First where it probably is; then, before the driver makes one, also on tops of which the key is not known.
    for (const bool all_tops : {false, true}) {
        for (size_t i = 0; i < kShards; ++i) {
            Shard& shard = shards_[(own + i) % kShards];
            if (IdleNode* node = TakeTop(shard, key)) return node;
            const bool looks_at_top = all_tops && shard.top.load(std::memory_order_acquire);
            if (!looks_at_top && !(shard.used_buckets.load(std::memory_order_relaxed) & bucket)) continue;
            std::lock_guard lock(shard.mutex);
            if (all_tops) shard.LinkTop();
            IdleNode* node = *shard.TopOf(key);
            if (!node) continue;
            Leave(shard, *node);
            return node;
        }
    }
    return nullptr;
}

// Counts the node as idle. False: something else would have to go.
bool IdleCache::ReserveFree(const IdleNode& node) {
    Heap& heap = heaps_[node.heap];
    uint64_t idle = heap.idle.load(std::memory_order_relaxed);
    for (;;) {
        const uint64_t wanted = idle + Word(node.bytes, 1);
        if (node.bytes > heap.budget || BytesIn(wanted) > heap.budget || BlocksIn(wanted) > heap.max_blocks)
            return false;
        if (heap.idle.compare_exchange_weak(idle, wanted, std::memory_order_relaxed)) return true;
    }
}

// Counts the node as idle, in exchange for the oldest ones of its heap in the shard, whose mutex is held, if it must
// be: how many, is returned. None, and nothing has changed: no such exchange keeps to what is allowed.
std::optional<uint32_t> IdleCache::Reserve(const Shard& shard, const IdleNode& node) {
    Heap& heap = heaps_[node.heap];
    if (node.bytes > heap.budget) return std::nullopt;
    uint64_t idle = heap.idle.load(std::memory_order_relaxed);
    for (;;) {
        uint64_t wanted = idle + Word(node.bytes, 1);
        uint32_t evictions = 0;
        const IdleNode* oldest = shard.by_age[node.heap].oldest;
        while (BytesIn(wanted) > heap.budget || BlocksIn(wanted) > heap.max_blocks) {
            if (!oldest || evictions == kMaxEvictions) return std::nullopt;
            wanted -= Word(oldest->bytes, 1);
            ++evictions;
            oldest = oldest->newer_in_heap_;
        }
        if (heap.idle.compare_exchange_weak(idle, wanted, std::memory_order_relaxed)) return evictions;
    }
}

bool IdleCache::Offer(IdleNode& node, uint64_t now_ns, IdleChain& evicted) noexcept {
    Shard& shard = shards_[ThreadNumber() % kShards];
    node.idle_since_ns_ = now_ns;
    const bool reserved = !shard.top.load(std::memory_order_relaxed) && ReserveFree(node);
    return (reserved && shard.PutOnTop(node)) || OfferLinked(shard, node, reserved, evicted);
}

bool IdleCache::OfferLinked(Shard& shard, IdleNode& node, bool reserved, IdleChain& evicted) {
    std::lock_guard lock(shard.mutex);
    shard.LinkTop();
    const std::optional<uint32_t> evictions = reserved ? 0 : Reserve(shard, node);
    if (!evictions) return false;
    for (uint32_t i = 0; i < *evictions; ++i) {
        IdleNode& oldest = *shard.by_age[node.heap].oldest;
        shard.Unlink(oldest);
        departures.Depart();
        evicted.Push(oldest);
    }
    shard.Link(node);
    return true;
}

uint32_t IdleCache::Expire(uint64_t now_ns, uint64_t max_age_ns, uint32_t max_blocks, IdleChain& expired) noexcept {
    uint32_t count = 0;
    for (Shard& shard : shards_) {
        if (count == max_blocks) break;
        if (!shard.used_buckets.load(std::memory_order_relaxed) && !shard.top.load(std::memory_order_relaxed)) continue;
        std::lock_guard lock(shard.mutex);
        shard.LinkTop();
        for (AgeList& ages : shard.by_age) {
            while (IdleNode* node = ages.oldest) {
                // Another thread may have read the clock later and offered before.
                if (count == max_blocks || now_ns < node->idle_since_ns_ || now_ns - node->idle_since_ns_ <= max_age_ns)
                    break;
                Leave(shard, *node);
                departures.Depart();
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
        shard.LinkTop();
        for (AgeList& ages : shard.by_age) {
            while (IdleNode* node = ages.oldest) {
                Leave(shard, *node);
                departures.Depart();
                all.Push(*node);
            }
        }
    }
    return all;
}

}  // namespace kronos
