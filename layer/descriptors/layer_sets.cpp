// SPDX-License-Identifier: Apache-2.0
#include "descriptors/layer_sets.h"

#include <algorithm>
#include <cstring>

#include "resources/facts.h"

namespace kronos {
namespace {

uint64_t NameBit(uint64_t uid) { return uint64_t{1} << (uid * 0x9E3779B97F4A7C15ull >> 58); }

uint64_t Mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 29;
}

}  // namespace

uint64_t ContentKey::Hash() const noexcept {
    uint64_t hash = Mix(0, layout);
    for (const Identity& identity : identities) {
        hash = Mix(hash, identity.object ^ identity.sampler << 32);
        hash = Mix(hash, identity.offset + identity.range * 3);
    }
    for (const uint64_t word : words) hash = Mix(hash, word);
    return hash;
}

bool LayerSet::Holds(const ContentKey& key) const noexcept {
    static_assert(std::has_unique_object_representations_v<Identity>);
    return layout == key.layout && identities.size() == key.identities.size() && words.size() == key.words.size() &&
           (identities.empty() ||
            std::memcmp(identities.data(), key.identities.data(), key.identities.size_bytes()) == 0) &&
           (words.empty() || std::memcmp(words.data(), key.words.data(), key.words.size_bytes()) == 0);
}

LayerSets::~LayerSets() {
    for (const auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

// What is in it stays as it is from here on until it is released.
bool LayerSets::Take(LayerSet& set) noexcept {
    int32_t recordings = set.recordings.load(std::memory_order_relaxed);
    while (recordings >= 0)
        if (set.recordings.compare_exchange_weak(recordings, recordings + 1, std::memory_order_acquire,
                                                 std::memory_order_relaxed))
            return true;
    return false;
}

LayerSet* LayerSets::At(uint32_t number) const noexcept {
    LayerSet* chunk = chunks_[(number - 1) / kChunk].load(std::memory_order_acquire);
    return chunk ? chunk + (number - 1) % kChunk : nullptr;
}

void LayerSets::NoteUse(LayerSet& set) const noexcept {
    const uint64_t now = tick_.load(std::memory_order_relaxed);
    if (set.used.load(std::memory_order_relaxed) != now) set.used.store(now, std::memory_order_relaxed);
}

LayerSet* LayerSets::Find(const ContentKey& key, uint64_t hash) noexcept {
    uint32_t number = Bucket(hash).load(std::memory_order_acquire);
    // A set that moves to another bucket meanwhile takes us with it: then what we look for is missed, and looked for
    // again under the lock.
    for (uint32_t steps = 0; number && steps < kChunk; ++steps) {
        LayerSet* set = At(number);
        if (!set) return nullptr;
        if (set->hash.load(std::memory_order_relaxed) == hash && Take(*set)) {
            if (set->life.load(std::memory_order_relaxed) && set->Holds(key)) {
                NoteUse(*set);
                return set;
            }
            Release(*set);
        }
        number = set->next.load(std::memory_order_acquire);
    }
    return nullptr;
}

LayerSet* LayerSets::FindAgain(uint64_t ticket) noexcept {
    LayerSet* set = At(static_cast<uint32_t>(ticket & ((1u << kNumberBits) - 1)));
    if (!set || !Take(*set)) return nullptr;
    if (set->life.load(std::memory_order_relaxed) != ticket >> kNumberBits) {
        Release(*set);
        return nullptr;
    }
    NoteUse(*set);
    return set;
}

LayerSet* LayerSets::New() {
    if (!discarded_.empty()) {
        LayerSet* set = discarded_.back();
        discarded_.pop_back();
        return set;
    }
    if (made_ == kMost) return nullptr;
    if (made_ % kChunk == 0 && !chunks_[made_ / kChunk].load(std::memory_order_relaxed)) {
        // So that Discard needs no memory.
        discarded_.reserve(made_ + kChunk);
        chunks_[made_ / kChunk].store(new LayerSet[kChunk], std::memory_order_release);
    }
    LayerSet* set = At(++made_);
    set->number = made_;
    return set;
}

LayerSet* LayerSets::Reclaim(std::span<LayerSet* const> sets) noexcept {
    for (;;) {
        LayerSet* oldest = nullptr;
        const auto age = [](const LayerSet& set) {
            return set.listed ? set.used.load(std::memory_order_relaxed) : uint64_t{0};
        };
        for (LayerSet* set : sets)
            if (set->recordings.load(std::memory_order_relaxed) == 0 && (!oldest || age(*set) < age(*oldest)))
                oldest = set;
        if (!oldest) return nullptr;
        int32_t nobody = 0;
        if (!oldest->recordings.compare_exchange_strong(nobody, LayerSet::kUnused, std::memory_order_acq_rel)) continue;
        Unlist(*oldest);
        return oldest;
    }
}

void LayerSets::Publish(LayerSet& set, uint64_t hash) noexcept {
    set.names = 0;
    for (const Identity& identity : set.identities) set.names |= NameBit(identity.object) | NameBit(identity.sampler);
    std::atomic<uint32_t>& bucket = Bucket(hash);
    set.hash.store(hash, std::memory_order_relaxed);
    set.used.store(tick_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    set.life.store(NextUid(), std::memory_order_relaxed);
    set.next.store(bucket.load(std::memory_order_relaxed), std::memory_order_release);
    set.recordings.store(1, std::memory_order_release);
    bucket.store(set.number, std::memory_order_release);
    set.listed = true;
}

void LayerSets::Unlist(LayerSet& set) noexcept {
    set.life.store(0, std::memory_order_relaxed);
    if (!set.listed) return;
    set.listed = false;
    std::atomic<uint32_t>* link = &Bucket(set.hash.load(std::memory_order_relaxed));
    while (const uint32_t number = link->load(std::memory_order_relaxed)) {
        if (number == set.number) {
            link->store(set.next.load(std::memory_order_relaxed), std::memory_order_release);
            return;
        }
        link = &At(number)->next;
    }
}

bool LayerSets::Discard(LayerSet& set) noexcept {
    Unlist(set);
    int32_t nobody = 0;
    if (set.recordings.load(std::memory_order_relaxed) != LayerSet::kUnused &&
        !set.recordings.compare_exchange_strong(nobody, LayerSet::kUnused, std::memory_order_acq_rel))
        return false;
    set.handle = VK_NULL_HANDLE;
    set.layout = 0;
    discarded_.push_back(&set);
    return true;
}

uint32_t LayerSets::Forget(uint64_t uid) noexcept {
    const uint64_t bit = NameBit(uid);
    uint32_t forgotten = 0;
    for (uint32_t number = 1; number <= made_; ++number) {
        LayerSet& set = *At(number);
        if (!set.listed || !(set.names & bit)) continue;
        if (std::none_of(set.identities.begin(), set.identities.end(),
                         [&](const Identity& one) { return one.object == uid || one.sampler == uid; }))
            continue;
        Unlist(set);
        ++forgotten;
    }
    return forgotten;
}

}  // namespace kronos
