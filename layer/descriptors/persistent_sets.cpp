// SPDX-License-Identifier: Apache-2.0
#include "descriptors/persistent_sets.h"

#include <algorithm>
#include <mutex>
#include <new>

#include "descriptors/set_writer.h"

namespace kronos {
namespace {

// Judged after so many contents that were not found: less than half as many found does not pay.
constexpr uint64_t kJudgedAfter = 4096;
constexpr uint32_t kFirstPool = 8;
constexpr uint32_t kLargestPool = 64;

ContentKey KeyOf(const DescriptorSet& set) { return {set.layout->uid, set.identities, set.words}; }

}  // namespace

bool RecordedSets::Note(PersistentSets& owner, LayerSet& set) noexcept {
    owner_ = &owner;
    // Mostly the same ones in turn.
    const size_t last = std::min<size_t>(sets_.size(), 4);
    if (std::find(sets_.end() - static_cast<ptrdiff_t>(last), sets_.end(), &set) != sets_.end()) {
        LayerSets::Release(set);
        return true;
    }
    try {
        sets_.push_back(&set);
        return true;
    } catch (const std::bad_alloc&) {
        LayerSets::Release(set);
        return false;
    }
}

void RecordedSets::Clear() noexcept {
    for (LayerSet* set : sets_) LayerSets::Release(*set);
    sets_.clear();
    if (found_) owner_->CountFound(found_);
    found_ = 0;
}

struct PersistentSets::Layout {
    std::shared_ptr<const SetLayoutFacts> facts;
    std::vector<VkDescriptorPool> pools;
    std::vector<LayerSet*> sets;
    uint32_t left = 0;  // in the last pool
};

PersistentSets::PersistentSets(const VkuDeviceDispatchTable& down, VkDevice device, Resources& resources,
                               Counters* counters, const PersistentOptions& options)
    : down_(down),
      device_(device),
      resources_(resources),
      lives_(*resources.lives()),
      counters_(counters),
      options_(options),
      seen_(kSeen) {
    lives_.Watch(this);
}

PersistentSets::~PersistentSets() {
    lives_.Watch(nullptr);
    for (auto& [uid, layout] : layouts_) dead_.push_back(std::move(layout));
    for (const auto& layout : dead_)
        for (const VkDescriptorPool pool : layout->pools) down_.DestroyDescriptorPool(device_, pool, nullptr);
}

VkDescriptorSet PersistentSets::Bind(DescriptorSet& set, RecordedSets& recording) noexcept {
    const uint64_t known = set.bound_as.load(std::memory_order_acquire);
    if (known == kItself) return set.handle;
    LayerSet* found = known ? sets_.FindAgain(known) : nullptr;
    const ContentKey key = KeyOf(set);
    uint64_t hash = 0;
    if (!found) {
        hash = key.Hash();
        found = sets_.Find(key, hash);
        if (found) set.bound_as.store(LayerSets::TicketOf(*found), std::memory_order_release);
    }
    if (!found) return BindNew(set, key, hash, recording);
    const VkDescriptorSet handle = found->handle;
    if (!recording.Note(*this, *found)) {
        MakeReal(set);
        return set.handle;
    }
    recording.CountFound();
    return handle;
}

VkDescriptorSet PersistentSets::BindNew(DescriptorSet& set, const ContentKey& key, uint64_t hash,
                                        RecordedSets& recording) noexcept {
    std::lock_guard lock(lives_.mutex());
    LayerSet* made = sets_.Find(key, hash);
    if (!made) {
        ++not_found_;
        Judge();
        if (Seen(hash)) {
            try {
                made = Make(set, key, hash);
            } catch (const std::bad_alloc&) {
                // Then the program's set serves.
            }
        }
    }
    if (made) {
        const uint64_t ticket = LayerSets::TicketOf(*made);
        const VkDescriptorSet handle = made->handle;
        if (recording.Note(*this, *made)) {
            set.bound_as.store(ticket, std::memory_order_release);
            return handle;
        }
    }
    MakeRealLocked(set);
    set.bound_as.store(kItself, std::memory_order_release);
    return set.handle;
}

void PersistentSets::CountFound(uint64_t binds) noexcept {
    found_.fetch_add(binds, std::memory_order_relaxed);
    if (counters_) counters_->Decided(Counter::kSetsFound, binds);
}

void PersistentSets::MakeReal(DescriptorSet& set) noexcept {
    std::lock_guard lock(lives_.mutex());
    MakeRealLocked(set);
}

void PersistentSets::MakeDirect(DescriptorSet& set) noexcept {
    MakeReal(set);
    set.held = false;
    if (counters_) counters_->Decided(Counter::kSetsDirect);
}

void PersistentSets::MakeRealLocked(DescriptorSet& set) noexcept {
    CountWrites(WriteSet(down_, device_, lives_, set.handle, *set.layout, set.identities, set.words,
                         {set.real_identities, set.real_words}));
}

void PersistentSets::CountWrites(uint32_t writes) const {
    if (!counters_ || !writes) return;
    counters_->Add(Side::kDriver, Counter::kDescriptorUpdates, 1);
    counters_->Add(Side::kDriver, Counter::kDescriptorWrites, writes);
}

// Whether a content of that hash was bound before, or one that nobody can tell from it.
bool PersistentSets::Seen(uint64_t hash) noexcept {
    uint64_t& slot = seen_[hash % kSeen];
    if (slot == hash) return true;
    slot = hash;
    return false;
}

// Contents that are never bound again cost a look-up and gain nothing.
void PersistentSets::Judge() noexcept {
    if (!options_.judge || not_found_ < kJudgedAfter) return;
    if (found_.exchange(0, std::memory_order_relaxed) < not_found_ / 2 && resources_.HoldsSets()) {
        resources_.HoldSets(false);
        if (counters_) counters_->Decided(Counter::kSetsGivenUp);
    }
    not_found_ = 0;
}

LayerSet* PersistentSets::Make(const DescriptorSet& set, const ContentKey& key, uint64_t hash) {
    // Nothing is made of a layout that is destroyed, or for a content that is not whole.
    if (!lives_.IsAlive(set.layout->uid)) return nullptr;
    for (const Identity& identity : set.identities)
        if (!IsAlive(lives_, identity)) return nullptr;
    BuryDead();
    LayerSet* made = Room(set);
    if (!made) return nullptr;
    // What the set held before stays known, but for memory that there is not: then all of it is written.
    CountWrites(WriteSet(down_, device_, lives_, made->handle, *set.layout, set.identities, set.words,
                         {made->identities, made->words}));
    std::copy(key.identities.begin(), key.identities.end(), made->identities.begin());
    std::copy(key.words.begin(), key.words.end(), made->words.begin());
    sets_.Publish(*made, hash);
    sets_.Tick();
    if (counters_) counters_->Decided(Counter::kSetsPersisted);
    return made;
}

// A set of the layer's of that layout that nobody has.
LayerSet* PersistentSets::Room(const DescriptorSet& set) {
    auto known = layouts_.find(set.layout->uid);
    if (known == layouts_.end()) {
        auto made = std::make_unique<Layout>();
        made->facts = set.layout;
        known = layouts_.emplace(set.layout->uid, std::move(made)).first;
    }
    const std::unique_ptr<Layout>& layout = known->second;
    if (layout->sets.size() < options_.most_per_layout) {
        layout->sets.reserve(layout->sets.size() + 1);
        if (LayerSet* made = sets_.New()) {
            bool allocated = false;
            try {
                made->identities.assign(set.identities.size(), Identity{});
                made->words.assign(set.words.size(), kNeverWord);
                allocated = Allocate(*layout, *made);
            } catch (const std::bad_alloc&) {
                // As if the driver had none.
            }
            if (allocated) {
                layout->sets.push_back(made);
                return made;
            }
            sets_.Discard(*made);
        }
    }
    LayerSet* again = sets_.Reclaim(layout->sets);
    if (again && counters_) counters_->Decided(Counter::kSetsEvicted);
    return again;
}

bool PersistentSets::Allocate(Layout& layout, LayerSet& set) {
    if (!layout.left) {
        const auto made = static_cast<uint32_t>(layout.sets.size());
        const uint32_t size = std::clamp(made, kFirstPool, kLargestPool);
        layout.pools.reserve(layout.pools.size() + 1);
        const VkDescriptorPool pool = MakePool(layout, size);
        if (!pool) return false;
        layout.pools.push_back(pool);
        layout.left = size;
    }
    VkDescriptorSetAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    info.descriptorPool = layout.pools.back();
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout.facts->handle;
    if (down_.AllocateDescriptorSets(device_, &info, &set.handle) != VK_SUCCESS) {
        set.handle = VK_NULL_HANDLE;
        return false;
    }
    set.layout = layout.facts->uid;
    --layout.left;
    if (counters_) counters_->Add(Side::kDriver, Counter::kSetsAllocated, 1);
    return true;
}

VkDescriptorPool PersistentSets::MakePool(const Layout& layout, uint32_t sets) const {
    std::map<VkDescriptorType, uint32_t> counts;
    uint32_t blocks = 0;
    for (const SetBinding& binding : layout.facts->bindings) {
        counts[binding.type] += binding.count * sets;
        if (binding.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) blocks += sets;
    }
    std::vector<VkDescriptorPoolSize> sizes;
    sizes.reserve(counts.size());
    for (const auto& [type, count] : counts) sizes.push_back({type, count});
    const VkDescriptorPoolInlineUniformBlockCreateInfo inline_blocks = {
        VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_INLINE_UNIFORM_BLOCK_CREATE_INFO, nullptr, blocks};
    VkDescriptorPoolCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    info.pNext = blocks ? &inline_blocks : nullptr;
    info.maxSets = sets;
    info.poolSizeCount = static_cast<uint32_t>(sizes.size());
    info.pPoolSizes = sizes.data();
    VkDescriptorPool pool = VK_NULL_HANDLE;
    return down_.CreateDescriptorPool(device_, &info, nullptr, &pool) == VK_SUCCESS ? pool : VK_NULL_HANDLE;
}

void PersistentSets::Ended(uint64_t uid) noexcept {
    const uint32_t forgotten = sets_.Forget(uid);
    if (forgotten && counters_) counters_->Decided(Counter::kSetsForgotten, forgotten);
    const auto layout = layouts_.find(uid);
    if (layout == layouts_.end()) return;
    for (LayerSet* set : layout->second->sets) sets_.Unlist(*set);
    Bury(layout->second);
    if (layout->second) {
        try {
            dead_.push_back(std::move(layout->second));
        } catch (const std::bad_alloc&) {
            return;  // it stays where it is until the device is destroyed
        }
    }
    layouts_.erase(layout);
}

// Destroys the pools of a layout that is no more, once no recording has a set of them.
void PersistentSets::Bury(std::unique_ptr<Layout>& layout) noexcept {
    std::erase_if(layout->sets, [&](LayerSet* set) { return sets_.Discard(*set); });
    if (!layout->sets.empty()) return;
    for (const VkDescriptorPool pool : layout->pools) down_.DestroyDescriptorPool(device_, pool, nullptr);
    layout.reset();
}

void PersistentSets::BuryDead() noexcept {
    for (std::unique_ptr<Layout>& layout : dead_) Bury(layout);
    std::erase(dead_, nullptr);
}

uint32_t PersistentSets::Count() const {
    std::lock_guard lock(lives_.mutex());
    size_t count = 0;
    for (const auto& [uid, layout] : layouts_) count += layout->sets.size();
    for (const auto& layout : dead_) count += layout->sets.size();
    return static_cast<uint32_t>(count);
}

}  // namespace kronos
