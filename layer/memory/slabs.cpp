// SPDX-License-Identifier: Apache-2.0
#include "memory/slabs.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>

#include "support/process.h"

namespace kronos {
namespace {

constexpr uint64_t kUsualAlignment = uint64_t{64} << 10;
constexpr size_t kMostGroups = 64;  // priorities are any number that the program likes
constexpr uint8_t kCanary = 0xc5;
// What is kept of each kind for its next life: so many, of at most so many bytes.
constexpr uint32_t kMostWarm = 8;
constexpr uint64_t kMostWarmBytes = uint64_t{1} << 20;

// Of numbers that are written with a mutex held, and read without.
void Add(std::atomic<uint64_t>& number, uint64_t n) {
    number.store(number.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
void Subtract(std::atomic<uint64_t>& number, uint64_t n) {
    number.store(number.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
}

// Never 0.
uint64_t KeyBits(const MemoryKey& key) { return key.Bits() | uint64_t{1} << 63; }

}  // namespace

/// All slabs of one kind of memory, and what lies in them.
class SlabGroup {
  public:
    SlabGroup(const MemoryKey& given, const SlabType& its_type, uint64_t granule)
        : key(given), type(its_type), pool(granule) {}

    /// Of the slab to be made for so many bytes. 0: they are better off alone, as they are more than half of it. With
    /// `wanted` the driver has few allocations left, and there must be room for more of the kind. What the driver did
    /// not have when it had freed as much as it has now is not asked for again, but now and then: others free memory,
    /// too.
    uint64_t BytesFor(uint64_t bytes_asked, bool wanted, uint64_t driver_freed) {
        constexpr uint32_t kTryAgain = 64;
        uint64_t slab_bytes = NextSlabBytes(pool.bytes());
        if (wanted) slab_bytes = std::max(slab_bytes, AlignUp(bytes_asked * 8, kSmallestSlab));
        slab_bytes = std::min(slab_bytes, type.largest);
        if (slab_bytes >= not_had && driver_freed == not_had_at && ++spared % kTryAgain) slab_bytes = Half(not_had);
        return bytes_asked <= slab_bytes / 2 ? slab_bytes : 0;
    }
    uint64_t Half(uint64_t slab_bytes) const { return slab_bytes / 2 & ~(pool.granule() - 1); }
    /// In a forked child nobody is who was when it was forked.
    bool AnyMaker() const { return maker == ForkGeneration() + 1; }
    void Link(VirtualMemory& memory) noexcept {
        memory.next = first;
        if (first) first->previous = &memory;
        first = &memory;
        Add(live_bytes, memory.bytes);
    }
    void Unlink(VirtualMemory& memory) noexcept {
        (memory.previous ? memory.previous->next : first) = memory.next;
        if (memory.next) memory.next->previous = memory.previous;
        Subtract(live_bytes, memory.bytes);
    }
    /// Whether the next one that is freed is kept. Of a program that seldom allocates as much again, one now and then.
    bool WantsWarm() noexcept {
        constexpr uint32_t kTryAgain = 64;
        if (!warm_credit) return ++spared_warm % kTryAgain == 0;
        --warm_credit;
        return true;
    }
    void WarmServed() noexcept {
        constexpr uint32_t kWorth = 4;
        warm_credit = std::min(warm_credit + kWorth, kMostCredit);
    }
    void PushWarm(VirtualMemory& memory) noexcept {
        memory.previous = nullptr;
        memory.next = warm;
        warm = &memory;
        Add(warm_count, 1);
    }
    /// Takes out what `at` points to, which is not nullptr.
    VirtualMemory& PopWarm(VirtualMemory** at) noexcept {
        VirtualMemory& memory = **at;
        *at = memory.next;
        memory.next = nullptr;
        Subtract(warm_count, 1);
        return memory;
    }

    const MemoryKey key;
    const SlabType type;
    mutable ForkMutex mutex{LockRank::kSlabs};
    // All that follows is guarded by mutex; what is atomic is read without.
    SlabPool pool;  // its slabs belong to the group
    VirtualMemory* first = nullptr;
    VirtualMemory* warm = nullptr;  // kept for their next lives: the one freed last first, through next
    static constexpr uint32_t kMostCredit = 64;
    uint32_t warm_credit = kMostCredit;  // so many more are kept, should none be of use
    uint32_t spared_warm = 0;            // times that one was not
    uint64_t made = 0;
    uint64_t made_bytes = 0;
    uint32_t maker = 0;                // while a thread makes a slab: its process' ForkGeneration, and one
    uint64_t not_had = UINT64_MAX;     // bytes of the smallest slab that the driver did not have
    uint64_t not_had_at = 0;           // what it had freed by then
    uint32_t spared = 0;               // times that it was not asked for that
    std::atomic<uint32_t> makings{0};  // times that one has, or has failed to
    std::atomic<uint64_t> bytes{0};
    std::atomic<uint64_t> idle_bytes{0};
    std::atomic<uint64_t> live_bytes{0};
    std::atomic<uint64_t> warm_count{0};
    std::atomic<uint64_t> kept_bytes{0};  // of places that nobody gets any more
};

SlabMemory::SlabMemory(const SlabOptions& options, SlabDriver& driver)
    : options_(options), driver_(driver), alignment_(std::max(kUsualAlignment, options.granule)) {}

SlabMemory::~SlabMemory() = default;

// What a resource needs whose size is a multiple of its alignment is found in any memory that is large enough for it.
uint64_t SlabMemory::AlignmentFor(uint64_t bytes) const {
    return std::max({options_.granule, std::min(std::bit_floor(bytes), alignment_.load(std::memory_order_relaxed)),
                     alignment_of_all_.load(std::memory_order_relaxed)});
}

uint64_t SlabMemory::Reserved(uint64_t bytes) const {
    return AlignUp(bytes, options_.granule) + (options_.guard ? options_.granule : 0);
}

void SlabMemory::Raise(std::atomic<uint64_t>& known, uint64_t alignment) noexcept {
    uint64_t before = known.load(std::memory_order_relaxed);
    while (before < alignment && !known.compare_exchange_weak(before, alignment, std::memory_order_relaxed)) {
    }
}

SlabGroup* SlabMemory::GroupOf(const MemoryKey& key) {
    if (SlabGroup* group = by_key_.Find(KeyBits(key))) return group;
    // Before the lock, for it makes a fork mutex; should another thread be first, it goes after it.
    auto made = std::make_unique<SlabGroup>(key, options_.types[key.type], options_.granule);
    std::lock_guard lock(groups_mutex_);
    if (SlabGroup* group = by_key_.Find(KeyBits(key))) return group;
    if (groups_.size() == kMostGroups) return nullptr;
    groups_.reserve(groups_.size() + 1);
    by_key_.Insert(KeyBits(key), made.get());
    groups_.push_back(std::move(made));
    return groups_.back().get();
}

// Zeroes what had a life before, and writes the canaries. The block is nobody else's yet.
void SlabMemory::Prepare(const SlabGroup& group, const SlabBlock& block, uint64_t used_up_to,
                         uint64_t bytes) const noexcept {
    if (!block.slab->data || !group.type.coherent) return;
    uint8_t* data = block.slab->data + block.offset;
    if (options_.zero != ZeroMemory::kOff && used_up_to > block.offset)
        std::memset(data, 0, std::min(bytes, used_up_to - block.offset));
    if (options_.guard) std::memset(data + bytes, kCanary, block.bytes - bytes);
}

uint64_t SlabMemory::Damage(const VirtualMemory& memory) const noexcept {
    const SlabBlock& block = *memory.block.load(std::memory_order_acquire);
    if (!options_.guard || !block.slab->data || !memory.group->type.coherent) return Freed::kIntact;
    const uint8_t* data = block.slab->data + block.offset;
    for (uint64_t at = memory.bytes; at < block.bytes; ++at)
        if (data[at] != kCanary) return at - memory.bytes;
    return Freed::kIntact;
}

// A block of the group, whose lock is held, but not while the driver is called. nullptr: there is no room, and no slab
// is to be had.
SlabBlock* SlabMemory::TakeOrMake(SlabGroup& group, GroupLock& lock, uint64_t bytes, uint64_t alignment, bool wanted) {
    for (;;) {
        if (SlabBlock* block = group.pool.Take(bytes, alignment)) return block;
        if (Cool(group, UINT64_MAX, 0)) continue;
        const uint64_t slab_bytes = group.BytesFor(bytes, wanted, DriverFreedSoFar());
        if (!slab_bytes || handles_.load(std::memory_order_relaxed) == Handles::kForeign) return nullptr;
        if (!group.AnyMaker()) return Make(group, lock, slab_bytes, bytes);
        AwaitMaker(group, lock);
    }
}

void SlabMemory::AwaitMaker(SlabGroup& group, GroupLock& lock) noexcept {
    const uint32_t seen = group.makings.load(std::memory_order_relaxed);
    lock.unlock();
    waiting_.fetch_add(1, std::memory_order_relaxed);
    group.makings.wait(seen, std::memory_order_relaxed);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    lock.lock();
}

// A block at the beginning of a new slab, which is smaller than `slab_bytes` where there is no more. Not of what others
// gave back meanwhile: the slab must not lie empty.
SlabBlock* SlabMemory::Make(SlabGroup& group, GroupLock& lock, uint64_t slab_bytes, uint64_t bytes) {
    auto slab = std::make_unique<Slab>();
    group.maker = ForkGeneration() + 1;
    lock.unlock();
    const uint64_t freed_before = DriverFreedSoFar();
    uint64_t not_had = UINT64_MAX;
    bool made = false;
    for (slab->bytes = slab_bytes; bytes <= slab->bytes / 2; slab->bytes = group.Half(slab->bytes)) {
        made = driver_.Make(group.key, *slab);
        if (made) break;
        not_had = slab->bytes;
    }
    // Should the first handle of all have looked like ours, none is ever found.
    const bool told_apart = made && SeeDriverHandle(slab->handle) && handles_.load() == Handles::kOurs;
    if (made && !told_apart) driver_.Drop(group.key, *slab);
    lock.lock();
    group.maker = 0;
    if (not_had != UINT64_MAX || slab->bytes >= group.not_had) {
        group.not_had = not_had;
        group.not_had_at = freed_before;
    }
    group.makings.fetch_add(1, std::memory_order_relaxed);
    group.makings.notify_all();
    if (!told_apart) return nullptr;
    try {
        SlabBlock& block = group.pool.AddFor(*slab, bytes);
        ++group.made;
        group.made_bytes += slab->bytes;
        static_cast<void>(slab.release());  // the group's now
        return &block;
    } catch (...) {
        lock.unlock();
        driver_.Drop(group.key, *slab);
        throw;
    }
}

VirtualMemory* SlabMemory::Allocate(const MemoryKey& key, uint64_t bytes, bool wanted) {
    SlabGroup* group = GroupOf(key);
    if (!group) return nullptr;
    // Of which a slab would be less than twice as much is better off alone, and so told without the lock.
    const uint64_t slab_bytes = NextSlabBytes(group->bytes.load(std::memory_order_relaxed));
    if (!wanted && Reserved(bytes) > std::min(slab_bytes, group->type.largest) / 2) return nullptr;
    if (VirtualMemory* memory = TakeWarm(*group, bytes)) return memory;
    auto memory = std::make_unique<VirtualMemory>();
    if (reinterpret_cast<uintptr_t>(memory.get()) & kTagMask) return nullptr;  // a pointer with a tag of its own
    memory->group = group;
    memory->bytes = bytes;
    SlabBlock* block = nullptr;
    uint64_t used_up_to = 0;
    {
        GroupLock lock(group->mutex);
        block = TakeOrMake(*group, lock, Reserved(bytes), AlignmentFor(bytes), wanted);
        if (!block) return nullptr;
        used_up_to = block->slab->used_up_to;
        Publish(*group);
        group->Link(*memory);
    }
    memory->block.store(block, std::memory_order_release);
    Prepare(*group, *block, used_up_to, bytes);
    return memory.release();
}

// After the pool has changed; its lock is held.
void SlabMemory::Publish(SlabGroup& group) noexcept {
    group.bytes.store(group.pool.bytes(), std::memory_order_relaxed);
    const uint64_t idle = group.pool.idle_bytes();
    const uint64_t before = group.idle_bytes.load(std::memory_order_relaxed);
    if (idle == before) return;
    idle_bytes_[group.type.heap].fetch_add(idle - before, std::memory_order_relaxed);  // modulo 2^64: less is fine
    group.idle_bytes.store(idle, std::memory_order_release);
}

void SlabMemory::GiveAndUnlock(SlabGroup& group, GroupLock& lock, SlabBlock& block, uint64_t now) noexcept {
    Slab& slab = *block.slab;
    group.pool.Give(block, now);
    SettleAndUnlock(group, lock, slab, false);
}

// Should the slab be empty now, it stays for later, or goes back where the heap has enough of them: this one, so that
// none has to be searched for. `any_idle`: something else is.
void SlabMemory::SettleAndUnlock(SlabGroup& group, GroupLock& lock, Slab& slab, bool any_idle) noexcept {
    Publish(group);
    const uint32_t heap = group.type.heap;
    if (!slab.empty() || idle_bytes_[heap].load(std::memory_order_relaxed) <= options_.idle_budgets[heap]) {
        any_idle = any_idle || slab.empty();
        lock.unlock();
        if (any_idle) driver_.Idle();
        return;
    }
    for (VirtualMemory** at = &group.warm; *at;)
        if (&(*at)->slab() == &slab)
            CoolOne(group, at);
        else
            at = &(*at)->next;
    const std::unique_ptr<Slab> surplus(&slab);
    group.pool.TakeEmpty(slab);
    departures.Depart();
    Publish(group);
    lock.unlock();
    driver_.Drop(group.key, slab);
    departures.Freed();
}

// One that was kept, as good as new.
VirtualMemory* SlabMemory::TakeWarm(SlabGroup& group, uint64_t bytes) noexcept {
    if (!group.warm_count.load(std::memory_order_relaxed)) return nullptr;
    const uint64_t reserved = Reserved(bytes);
    const uint64_t alignment = AlignmentFor(bytes);
    VirtualMemory* memory = nullptr;
    {
        const GroupLock lock(group.mutex);
        VirtualMemory** at = &group.warm;
        const auto suits = [&](const SlabBlock& block) {
            return block.bytes == reserved && block.offset % alignment == 0;
        };
        while (*at && !suits(*(*at)->block.load(std::memory_order_relaxed))) at = &(*at)->next;
        if (!*at) return nullptr;
        memory = &group.PopWarm(at);
        group.WarmServed();
        group.pool.Wake(*memory->block.load(std::memory_order_relaxed));
        Publish(group);
        memory->bytes = bytes;
        group.Link(*memory);
    }
    memory->map_end = 0;
    memory->was_mapped = false;
    memory->placed.store(false, std::memory_order_relaxed);
    memory->alignment.store(1, std::memory_order_relaxed);
    memory->marked.store(false, std::memory_order_relaxed);
    Prepare(group, *memory->block.load(std::memory_order_relaxed), UINT64_MAX, bytes);
    return memory;
}

// In place of the one that was freed first, where there are many.
void SlabMemory::KeepWarm(SlabGroup& group, VirtualMemory& memory, uint64_t now) noexcept {
    memory.freed_at = now;
    group.PushWarm(memory);
    group.pool.Rest(*memory.block.load(std::memory_order_relaxed), now);
    if (group.warm_count.load(std::memory_order_relaxed) <= kMostWarm) return;
    VirtualMemory** last = &group.warm;
    while ((*last)->next) last = &(*last)->next;
    CoolOne(group, last);
}

// It was kept, and is no more: its place is the pool's. Publish must follow.
void SlabMemory::CoolOne(SlabGroup& group, VirtualMemory** at) noexcept {
    const std::unique_ptr<VirtualMemory> memory(&group.PopWarm(at));
    driver_.Gone(*memory);
    SlabBlock& block = *memory->block.load(std::memory_order_relaxed);
    group.pool.Wake(block);
    group.pool.Give(block, memory->freed_at);
}

// Gives back to the pool what has been kept for `age`. False: nothing.
bool SlabMemory::Cool(SlabGroup& group, uint64_t now, uint64_t age) noexcept {
    bool any = false;
    for (VirtualMemory** at = &group.warm; *at;) {
        // Another thread may have read the clock later.
        if (now >= (*at)->freed_at && now - (*at)->freed_at >= age) {
            CoolOne(group, at);
            any = true;
        } else {
            at = &(*at)->next;
        }
    }
    if (any) Publish(group);
    return any;
}

SlabMemory::Freed SlabMemory::Free(VirtualMemory& memory, uint64_t now) noexcept {
    SlabGroup& group = *memory.group;
    SlabBlock& block = *memory.block.load(std::memory_order_acquire);
    Freed freed;
    freed.damaged = Damage(memory);
    freed.kept = memory.sparse.load(std::memory_order_relaxed);
    // Lines that the program left in the processor's cache must not be written over what the next one's GPU writes.
    if (!freed.kept && memory.was_mapped && !group.type.coherent)
        freed.kept = !driver_.Flush(*block.slab, block.offset, block.bytes);
    if (memory.marked.load(std::memory_order_relaxed)) {
        const uint64_t handle = HandleOf(memory);
        std::lock_guard lock(data_mutex_);
        data_.erase(data_.lower_bound({handle, 0}), data_.upper_bound({handle, UINT64_MAX}));
    }
    const bool may_rest = !freed.kept && block.bytes <= kMostWarmBytes;
    // Before its place is anybody else's, or no more.
    if (!may_rest) driver_.Gone(memory);
    std::unique_ptr<VirtualMemory> ended(&memory);
    GroupLock lock(group.mutex);
    group.Unlink(memory);
    if (freed.kept) {
        Add(group.kept_bytes, block.bytes);
    } else if (may_rest && group.WantsWarm()) {
        static_cast<void>(ended.release());
        KeepWarm(group, memory, now);
        SettleAndUnlock(group, lock, *block.slab, true);
    } else {
        if (may_rest) driver_.Gone(memory);
        GiveAndUnlock(group, lock, block, now);
    }
    return freed;
}

SlabMemory::Placed SlabMemory::Place(VirtualMemory& memory, uint64_t alignment, uint64_t chosen_by) {
    chosen_by = std::max(chosen_by, alignment);
    const auto there = [&] { return memory.offset() % alignment ? Placed::kUnaligned : Placed::kThere; };
    if (memory.placed.load(std::memory_order_acquire)) return there();
    SlabGroup& group = *memory.group;
    GroupLock lock(group.mutex);
    if (memory.placed.load(std::memory_order_relaxed)) return there();
    if (memory.offset() % chosen_by == 0) {
        memory.placed.store(true, std::memory_order_release);
        return Placed::kThere;
    }
    group.not_had = UINT64_MAX;  // whatever it was: a bind that fails is worse than a call that does
    SlabBlock* better = TakeOrMake(group, lock, Reserved(memory.bytes), chosen_by, true);
    if (!better) {
        const Placed placed = there();
        if (placed == Placed::kThere) memory.placed.store(true, std::memory_order_release);
        return placed;
    }
    const uint64_t used_up_to = better->slab->used_up_to;
    Publish(group);
    // Nobody waits while it is cleared: it is only this thread's until it is the memory's.
    lock.unlock();
    Prepare(group, *better, used_up_to, memory.bytes);
    lock.lock();
    Placed placed = Placed::kMoved;
    SlabBlock* left = better;
    if (memory.placed.load(std::memory_order_relaxed)) {
        placed = there();  // by another thread, meanwhile
    } else {
        left = memory.block.exchange(better, std::memory_order_acq_rel);
        memory.placed.store(true, std::memory_order_release);
    }
    GiveAndUnlock(group, lock, *left, 0);
    return placed;
}

uint64_t SlabMemory::GiveBack(uint64_t now, uint64_t age) noexcept {
    uint64_t bytes = 0;
    for (size_t i = 0;; ++i) {
        SlabGroup* group = nullptr;
        {
            std::lock_guard lock(groups_mutex_);
            if (i == groups_.size()) return bytes;
            group = groups_[i].get();
        }
        Slab* list = nullptr;
        // Acquire: who finds nothing idle, since another thread has just taken it, finds it among what has departed.
        // Who needs memory looks in any case: what was kept is neither while another thread gives it back to the pool.
        const bool warm = group->warm_count.load(std::memory_order_relaxed);
        if (age == 0 || warm || group->idle_bytes.load(std::memory_order_acquire)) {
            const GroupLock lock(group->mutex);
            Cool(*group, now, age);
            list = group->pool.TakeIdle(now, age);
            for (const Slab* slab = list; slab; slab = SlabPool::Next(*slab)) departures.Depart();
            Publish(*group);
        }
        while (list) {
            const std::unique_ptr<Slab> slab(list);
            list = SlabPool::Next(*slab);
            bytes += slab->bytes;
            driver_.Drop(group->key, *slab);
            departures.Freed();
        }
    }
}

uint64_t SlabMemory::DropAll() noexcept {
    uint64_t leaked = 0;
    // Nobody else is here any more: the device is about to be destroyed.
    for (const auto& group : groups_) {
        for (VirtualMemory* memory = group->first; memory; ++leaked)
            memory = std::unique_ptr<VirtualMemory>(memory)->next;
        group->first = nullptr;
        while (group->warm) delete &group->PopWarm(&group->warm);
        for (Slab* list = group->pool.TakeAll(); list;) {
            const std::unique_ptr<Slab> slab(list);
            list = SlabPool::Next(*slab);
            driver_.Drop(group->key, *slab);
        }
        Publish(*group);
    }
    return leaked;
}

bool SlabMemory::AnyIdle() const noexcept {
    std::lock_guard lock(groups_mutex_);
    return std::any_of(groups_.begin(), groups_.end(), [](const auto& group) {
        return group->idle_bytes.load(std::memory_order_relaxed) || group->warm_count.load(std::memory_order_relaxed);
    });
}

uint64_t SlabMemory::FreeBytes(uint32_t heap) const noexcept {
    uint64_t bytes = 0;
    std::lock_guard lock(groups_mutex_);
    for (const auto& group : groups_) {
        if (group->type.heap != heap) continue;
        const uint64_t all = group->bytes.load(std::memory_order_relaxed);
        bytes += all - std::min(all, group->live_bytes.load(std::memory_order_relaxed) +
                                         group->kept_bytes.load(std::memory_order_relaxed));
    }
    return bytes;
}

uint64_t SlabMemory::Live() const noexcept {
    uint64_t live = 0;
    std::lock_guard lock(groups_mutex_);
    for (const auto& group : groups_) {
        std::lock_guard group_lock(group->mutex);
        for (const VirtualMemory* memory = group->first; memory; memory = memory->next) ++live;
    }
    return live;
}

std::vector<SlabReport> SlabMemory::Report() const {
    std::vector<SlabReport> reports;
    std::lock_guard lock(groups_mutex_);
    for (const auto& group : groups_) {
        std::lock_guard group_lock(group->mutex);
        reports.push_back({group->key, group->made, group->made_bytes, group->live_bytes.load(), group->pool.Use()});
    }
    return reports;
}

void SlabMemory::SetData(uint64_t handle, uint64_t slot, uint64_t data) {
    Find(handle)->marked.store(true, std::memory_order_relaxed);
    std::lock_guard lock(data_mutex_);
    data_[{handle, slot}] = data;
}

uint64_t SlabMemory::Data(uint64_t handle, uint64_t slot) const {
    std::lock_guard lock(data_mutex_);
    const auto found = data_.find({handle, slot});
    return found == data_.end() ? 0 : found->second;
}

void SlabMemory::ForgetSlot(uint64_t slot) noexcept {
    std::lock_guard lock(data_mutex_);
    std::erase_if(data_, [&](const auto& entry) { return entry.first.second == slot; });
}

}  // namespace kronos
