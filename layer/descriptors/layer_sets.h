// SPDX-License-Identifier: Apache-2.0
// Descriptor sets of the layer's own, each holding one content that the program bound before: found by content without
// locks, kept as long as a recording has them, used again for another content, the least recently used first.
//
// Threads: Find and Release on any thread, without locks or allocations. The others under Lives::mutex().
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "resources/identity.h"

namespace kronos {

/// A content: that of a program's set, or of one of the layer's.
struct ContentKey {
    uint64_t layout = 0;  ///< uid of the set layout
    std::span<const Identity> identities;
    std::span<const uint64_t> words;

    uint64_t Hash() const noexcept;
};

struct LayerSet {
    static constexpr int32_t kUnused = -1;     ///< nobody may take it
    std::atomic<int32_t> recordings{kUnused};  ///< that have it
    std::atomic<uint64_t> life{0};             ///< never given before to a content; 0: it is found no more
    std::atomic<uint64_t> hash{0};
    std::atomic<uint32_t> next{0};  ///< in its bucket: number; 0: none
    std::atomic<uint64_t> used{0};  ///< LayerSets::Tick() when it was last found
    uint32_t number = 0;            ///< from 1 on

    // Changed only while nobody may take it.
    VkDescriptorSet handle = VK_NULL_HANDLE;
    uint64_t layout = 0;
    std::vector<Identity> identities;
    std::vector<uint64_t> words;
    // Under the lock.
    uint64_t names = 0;  ///< a bit for each uid that is in it, by NameBit
    bool listed = false;

    bool Holds(const ContentKey& key) const noexcept;
};

class LayerSets {
  public:
    static constexpr uint32_t kMost = 2048;

    LayerSets() = default;
    LayerSets(const LayerSets&) = delete;
    LayerSets& operator=(const LayerSets&) = delete;
    ~LayerSets();

    /// The set that holds `key`, now also of the caller's recording; nullptr: there is none, or it is just being made.
    LayerSet* Find(const ContentKey& key, uint64_t hash) noexcept;
    /// The same, of a set that was found before; nullptr: it holds something else by now.
    LayerSet* FindAgain(uint64_t ticket) noexcept;
    static uint64_t TicketOf(const LayerSet& set) {
        return set.life.load(std::memory_order_relaxed) << kNumberBits | set.number;
    }
    static void Release(LayerSet& set) noexcept { set.recordings.fetch_sub(1, std::memory_order_release); }

    /// One that holds nothing and that nobody may take, or nullptr when there are enough. Throws std::bad_alloc.
    LayerSet* New();
    /// Takes the one of `sets` that was not used for longest away from whoever might find it; nullptr: all are of
    /// recordings.
    LayerSet* Reclaim(std::span<LayerSet* const> sets) noexcept;
    /// Can be found from now on, as one of a recording of the caller's. What it holds must be in it.
    void Publish(LayerSet& set, uint64_t hash) noexcept;
    /// Is not found any more.
    void Unlist(LayerSet& set) noexcept;
    /// Back to New, if no recording has it. False: one has.
    bool Discard(LayerSet& set) noexcept;
    /// Those that name the object are found no more. Returns how many.
    uint32_t Forget(uint64_t uid) noexcept;
    /// Time, as it passes for the choice of what is used again.
    void Tick() noexcept { tick_.fetch_add(1, std::memory_order_relaxed); }

  private:
    static constexpr uint32_t kNumberBits = 12;
    static constexpr uint32_t kChunk = 64;
    static constexpr uint32_t kBuckets = 4096;
    static_assert(kMost < 1u << kNumberBits);

    static bool Take(LayerSet& set) noexcept;
    void NoteUse(LayerSet& set) const noexcept;
    LayerSet* At(uint32_t number) const noexcept;
    std::atomic<uint32_t>& Bucket(uint64_t hash) noexcept { return buckets_[hash % kBuckets]; }

    std::array<std::atomic<LayerSet*>, kMost / kChunk> chunks_{};
    std::array<std::atomic<uint32_t>, kBuckets> buckets_{};
    std::atomic<uint64_t> tick_{1};
    uint32_t made_ = 0;
    std::vector<LayerSet*> discarded_;
};

}  // namespace kronos
