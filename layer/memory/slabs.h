// SPDX-License-Identifier: Apache-2.0
// Memory of the program that is a part of a larger allocation of the driver's: its handle is the layer's own.
//
// One for each device. Any thread may call anything; what Vulkan synchronizes externally for a memory is so here. A
// pool (memory type, flags, priority) has a mutex of rank LockRank::kSlabs, which is never held while the driver is
// called. Once its pool and slab are there, freeing locks it once and allocating once or twice, and they look at a
// bounded number of blocks. One thread at a time makes a slab of a pool; those that need one too wait for it.
//
// A few small memories that were freed last are kept as they are, handle, place and all: who allocates as much again
// gets one. A slab in which there is nothing else is empty. They go back into the pool when they are old, when the slab
// is to go, or when the pool has no other room.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "kronos/settings.h"
#include "memory/departures.h"
#include "memory/memory_key.h"
#include "memory/slab_pool.h"
#include "support/fork_mutex.h"
#include "support/handle_map.h"

namespace kronos {

struct VirtualMemory;

/// What slabs are made of: the driver's calls. Any thread, no lock of slabs is held.
class SlabDriver {
  public:
    /// Allocates slab.bytes; where the host can see the type also maps them. False: it cannot be had.
    virtual bool Make(const MemoryKey& key, Slab& slab) noexcept = 0;
    virtual void Drop(const MemoryKey& key, Slab& slab) noexcept = 0;
    /// Writes what the processor has cached of the range to memory: for types that are not coherent.
    virtual bool Flush(const Slab& slab, uint64_t offset, uint64_t bytes) noexcept = 0;
    /// Memory lies idle, in an empty slab or kept for its next life: somebody is to call GiveBack after a while.
    virtual void Idle() noexcept = 0;
    /// No memory has this one's handle any more; the next one may. What it was still lies in its slab. The lock of a
    /// pool may be held.
    virtual void Gone(const VirtualMemory& memory) noexcept = 0;
    virtual ~SlabDriver() = default;
};

/// What is known of a memory type. Plain data.
struct SlabType {
    uint32_t heap = 0;
    bool visible = false;
    bool coherent = false;
    uint64_t largest = 0;  ///< bytes of the largest slab; 0: none
};

struct SlabOptions {
    uint64_t granule = kLeastGranule;  ///< blocks begin and end at its multiples: SlabGranule
    std::array<SlabType, 32> types{};
    std::array<uint64_t, 16> idle_budgets{};  ///< bytes of each heap that may be in empty slabs
    bool guard = false;
    ZeroMemory zero = ZeroMemory::kOff;

    static constexpr uint64_t kLeastGranule = 4096;
};

class SlabGroup;

/// A memory of the program. Those members that change are written by calls that Vulkan synchronizes externally for it,
/// or are atomic.
struct VirtualMemory {
    SlabGroup* group = nullptr;
    std::atomic<SlabBlock*> block{nullptr};  ///< stays once it is placed
    uint64_t bytes = 0;                      ///< that the program asked for
    uint64_t map_end = 0;                    ///< while it is mapped: where the mapping ends, from its beginning
    bool was_mapped = false;                 ///< the host may have written to it
    std::atomic<bool> placed{false};         ///< the program has seen where it is: it may not be moved any more
    std::atomic<uint64_t> alignment{1};  ///< the most that binds have asked for, those that are about to be made too
    std::atomic<bool> sparse{false};     ///< bound sparsely: the driver's page tables may name it when it is freed
    std::atomic<bool> marked{false};     ///< carries private data

    uint64_t life = 0;  ///< for who follows what is bound to it: Resources::BeginMemory; 0: not known

    uint64_t freed_at = 0;          ///< of what is kept: the time that Free was told
    VirtualMemory* next = nullptr;  // all of the group's; guarded by its mutex
    VirtualMemory* previous = nullptr;

    const Slab& slab() const { return *block.load(std::memory_order_acquire)->slab; }
    uint64_t offset() const { return block.load(std::memory_order_acquire)->offset; }
};

/// What a pool was and is. Plain data.
struct SlabReport {
    MemoryKey key;
    uint64_t made = 0;        ///< slabs, over all time
    uint64_t made_bytes = 0;  ///< of them
    uint64_t live_bytes = 0;  ///< that the program asked for, of what it has not freed
    SlabUse use;
};

class SlabMemory {
  public:
    /// `driver` outlives this.
    SlabMemory(const SlabOptions& options, SlabDriver& driver);
    /// Call DropAll before: what is left is forgotten, not freed.
    ~SlabMemory();
    SlabMemory(const SlabMemory&) = delete;
    SlabMemory& operator=(const SlabMemory&) = delete;

    /// Memory of a key whose size class means nothing. nullptr: a slab would have to be made and cannot be, or the
    /// memory is more than half of the one that would be, unless `wanted`; or there are too many kinds of memory.
    /// Throws std::bad_alloc.
    VirtualMemory* Allocate(const MemoryKey& key, uint64_t bytes, bool wanted);
    /// The largest allocation of the type that can be part of a slab.
    uint64_t Largest(uint32_t type) const { return options_.types[type].largest / 2; }

    /// What Free found. `damaged`: the byte behind the end, from there, that was written, or kIntact.
    struct Freed {
        bool kept = false;  ///< nobody will get its place: it was bound sparsely, or could not be flushed
        uint64_t damaged = kIntact;
        static constexpr uint64_t kIntact = UINT64_MAX;
    };
    /// `now`: as GiveBack's.
    Freed Free(VirtualMemory& memory, uint64_t now) noexcept;

    enum class Placed : uint32_t { kThere, kMoved, kUnaligned };
    /// The program is about to see where the memory is: by a bind that needs this alignment, or a map. Moves it if it
    /// must and may. kUnaligned: it was placed before, where it does not suffice, or there is no other place for it.
    /// `chosen_by`, if it is more: the alignment by which a place is chosen where there is none yet.
    Placed Place(VirtualMemory& memory, uint64_t alignment, uint64_t chosen_by = 1);

    /// From now on what is allocated suffices for a resource of so many bytes with such an alignment, as far as it is
    /// large enough for one.
    void Expect(uint64_t alignment, uint64_t bytes) noexcept {
        Raise(std::bit_floor(bytes) < alignment ? alignment_of_all_ : alignment_, alignment);
    }
    /// The same for VirtualMemory::alignment.
    static void Raise(std::atomic<uint64_t>& known, uint64_t alignment) noexcept;

    /// Gives empty slabs back that have been so for `age`. Returns the number of bytes.
    uint64_t GiveBack(uint64_t now, uint64_t age) noexcept;
    /// The driver has freed memory that was no slab: what it did not have before it may have now.
    void DriverFreed() noexcept { freed_elsewhere_.fetch_add(1, std::memory_order_relaxed); }
    /// Empty slabs that went back, whoever gives them. What left before GiveBack returned has departed.
    Departures departures;
    /// All of them, with what is in them: the program's handles are gone. Returns how many it had not freed.
    uint64_t DropAll() noexcept;

    bool AnyIdle() const noexcept;
    /// Threads that wait for a slab that another is making.
    uint32_t Waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }
    /// Bytes of slabs in a heap that the program did not ask for and may get: not of places that nobody gets any more.
    uint64_t FreeBytes(uint32_t heap) const noexcept;
    /// Memories that the program has: counted, for tests.
    uint64_t Live() const noexcept;
    std::vector<SlabReport> Report() const;

    // Handles: a pointer that is no pointer of the process, as drivers give pointers or small numbers.
    static constexpr uint64_t kTag = uint64_t{0x4b52} << 48;
    static constexpr uint64_t kTagMask = uint64_t{0xffff} << 48;
    static bool HasTag(uint64_t handle) { return (handle & kTagMask) == kTag; }
    static uint64_t HandleOf(const VirtualMemory& memory) { return reinterpret_cast<uintptr_t>(&memory) | kTag; }
    /// nullptr for a handle of the driver's.
    VirtualMemory* Find(uint64_t handle) const {
        if (!HasTag(handle) || handles_.load(std::memory_order_relaxed) == Handles::kForeign) return nullptr;
        return reinterpret_cast<VirtualMemory*>(static_cast<uintptr_t>(handle & ~kTagMask));
    }
    /// Of every memory that the driver makes, before the program sees it. Should the first one look like ours, no
    /// handle ever is ours. False: a later one does, and must not be used.
    bool SeeDriverHandle(uint64_t handle) noexcept {
        Handles seen = Handles::kUnknown;
        const Handles first = HasTag(handle) ? Handles::kForeign : Handles::kOurs;
        handles_.compare_exchange_strong(seen, first, std::memory_order_relaxed);
        return !HasTag(handle) || handles_.load(std::memory_order_relaxed) == Handles::kForeign;
    }

    // Private data of the program's, by handle. Rare: behind one mutex.
    void SetData(uint64_t handle, uint64_t slot, uint64_t data);
    uint64_t Data(uint64_t handle, uint64_t slot) const;
    void ForgetSlot(uint64_t slot) noexcept;

    bool guard() const { return options_.guard; }
    const SlabOptions& options() const { return options_; }

    /// Sparse binds were used: no memory is virtual any more from now on.
    std::atomic<bool> ended{false};
    /// The log has said that a resource found no place.
    std::atomic_flag told_unaligned;
    /// Allocations that the driver has, slabs too.
    std::atomic<uint64_t> allocations{0};

  private:
    enum class Handles : uint32_t { kUnknown, kOurs, kForeign };
    SlabGroup* GroupOf(const MemoryKey& key);
    using GroupLock = std::unique_lock<ForkMutex>;
    void GiveAndUnlock(SlabGroup& group, GroupLock& lock, SlabBlock& block, uint64_t now) noexcept;
    void SettleAndUnlock(SlabGroup& group, GroupLock& lock, Slab& slab, bool any_idle) noexcept;
    VirtualMemory* TakeWarm(SlabGroup& group, uint64_t bytes) noexcept;
    void KeepWarm(SlabGroup& group, VirtualMemory& memory, uint64_t now) noexcept;
    bool Cool(SlabGroup& group, uint64_t now, uint64_t age) noexcept;
    void CoolOne(SlabGroup& group, VirtualMemory** at) noexcept;
    void Publish(SlabGroup& group) noexcept;
    SlabBlock* TakeOrMake(SlabGroup& group, GroupLock& lock, uint64_t bytes, uint64_t alignment, bool wanted);
    SlabBlock* Make(SlabGroup& group, GroupLock& lock, uint64_t slab_bytes, uint64_t bytes);
    uint64_t DriverFreedSoFar() const noexcept {
        return departures.FreedSoFar() + freed_elsewhere_.load(std::memory_order_relaxed);
    }
    void AwaitMaker(SlabGroup& group, GroupLock& lock) noexcept;
    uint64_t AlignmentFor(uint64_t bytes) const;
    uint64_t Reserved(uint64_t bytes) const;
    void Prepare(const SlabGroup& group, const SlabBlock& block, uint64_t used_up_to, uint64_t bytes) const noexcept;
    uint64_t Damage(const VirtualMemory& memory) const noexcept;

    const SlabOptions options_;
    SlabDriver& driver_;
    std::atomic<uint64_t> alignment_;            // that blocks begin at, the larger ones
    std::atomic<uint64_t> alignment_of_all_{1};  // and all: there are resources that need more than they are large
    std::atomic<uint32_t> waiting_{0};
    std::atomic<uint64_t> freed_elsewhere_{0};
    std::array<std::atomic<uint64_t>, 16> idle_bytes_{};  // of each heap, in empty slabs
    std::atomic<Handles> handles_{Handles::kUnknown};     // settled by the first slab, before any handle is ours
    HandleMap<uint64_t, SlabGroup*> by_key_;
    mutable ForkMutex groups_mutex_{LockRank::kSlabGroups};
    std::vector<std::unique_ptr<SlabGroup>> groups_;  // guarded by groups_mutex_; a group lives as long as this
    mutable ForkMutex data_mutex_{LockRank::kSlabs};
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> data_;  // by handle and slot; guarded by data_mutex_
};

}  // namespace kronos
