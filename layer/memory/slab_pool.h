// SPDX-License-Identifier: Apache-2.0
// Where blocks lie in slabs: a two-level segregated fit over granules, common to all slabs of a pool. Pure.
//
// Small blocks lie in regions of their own: among large ones they would leave holes that are never large enough again.
// A region is made where there is a hole, and is one again when nothing is left in it; one such is kept for the next
// small block, until a large one needs the place.
//
// Externally synchronized; memory/slabs.h has the lock. Taking and giving look at a bounded number of blocks, whatever
// the number of blocks and slabs. No call touches the memory itself, nor the driver.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kronos {

class SlabPool;
struct SlabBlock;

/// One allocation of the driver. The caller makes it, fills in the first members, and gives it to a pool; when the pool
/// hands it back it is the caller's again.
struct Slab {
    uint64_t handle = 0;      ///< VkDeviceMemory
    uint64_t bytes = 0;       ///< a multiple of the pool's granule
    uint8_t* data = nullptr;  ///< where the host sees it; nullptr: nowhere
    uint64_t idle_since = 0;  ///< while it is empty: the latest time that Give was told
    uint64_t used_up_to = 0;  ///< no block ever reached beyond: there the memory is as the driver made it
    SlabPool* pool = nullptr;

    /// None of its blocks is taken, but for those that rest.
    bool empty() const { return !live_; }

  private:
    friend class SlabPool;
    uint32_t live_ = 0;     // blocks that are taken
    uint32_t resting_ = 0;  // and blocks that rest
    SlabBlock* first_ = nullptr;
    Slab* next_ = nullptr;
    Slab* previous_ = nullptr;
};

/// A part of a slab, taken or free. A line of the cache: a call looks at several of them.
struct alignas(64) SlabBlock {
    Slab* slab = nullptr;
    uint64_t offset = 0;
    uint64_t bytes = 0;  ///< at least what was asked for, a multiple of the granule

  private:
    friend class SlabPool;
    bool free_ = false;
    bool small_ = false;           // in a region of small ones
    bool resting_ = false;         // nobody's, and kept as it is
    SlabBlock* before_ = nullptr;  // its neighbours in the slab
    SlabBlock* after_ = nullptr;
    SlabBlock* previous_ = nullptr;  // in the list of its class, while it is free
    SlabBlock* next_ = nullptr;
};
static_assert(sizeof(SlabBlock) == 64);

/// What a pool is made of. Plain data.
struct SlabUse {
    uint64_t slabs = 0;         ///< now
    uint64_t bytes = 0;         ///< of them
    uint64_t blocks = 0;        ///< taken
    uint64_t taken_bytes = 0;   ///< of them, granules included
    uint64_t idle_bytes = 0;    ///< of empty slabs
    uint64_t largest_free = 0;  ///< bytes
};

class SlabPool {
  public:
    /// `granule`: blocks begin and end at its multiples; a power of two.
    explicit SlabPool(uint64_t granule);
    SlabPool(const SlabPool&) = delete;
    SlabPool& operator=(const SlabPool&) = delete;

    /// `slab` has bytes of its own, and none of them are taken. Throws std::bad_alloc, and nothing has changed.
    void Add(Slab& slab);
    /// The same, and a block of at least `bytes`, no more than it has, is taken at its beginning.
    SlabBlock& AddFor(Slab& slab, uint64_t bytes);

    /// A block of at least `bytes` whose offset is a multiple of `alignment`, a power of two. nullptr: there is no
    /// room. The smallest hole is found that is large enough for sure; a few that may be are looked at first. Throws
    /// std::bad_alloc, and nothing has changed.
    SlabBlock* Take(uint64_t bytes, uint64_t alignment);

    /// `now`: since when the block is not used.
    void Give(SlabBlock& block, uint64_t now) noexcept;

    /// A taken block is nobody's from now on, but stays where it is: it does not count as taken.
    void Rest(SlabBlock& block, uint64_t now) noexcept;
    /// It is taken again.
    void Wake(SlabBlock& block) noexcept;

    /// Takes slabs out that are empty, and have been for longer than `age`: a list through Slab's Next. None in which a
    /// block rests.
    Slab* TakeIdle(uint64_t now, uint64_t age) noexcept;
    /// Takes out one that is empty, and in which no block rests.
    void TakeEmpty(Slab& slab) noexcept { Remove(slab); }
    /// All of them, empty or not; no block may be given afterwards.
    Slab* TakeAll() noexcept;
    static Slab* Next(const Slab& slab) { return slab.next_; }

    uint64_t granule() const { return granule_; }
    uint64_t bytes() const { return bytes_; }
    uint64_t taken_bytes() const { return taken_bytes_; }
    uint64_t idle_bytes() const { return idle_bytes_; }
    bool AnySlab() const { return slabs_; }
    SlabUse Use() const;

    /// Faults of the structure, for tests: 0 where each byte is in one block, neighbours know each other, free ones are
    /// in the list of their class, and no two free ones are beside each other.
    size_t Faults() const;

  private:
    static constexpr uint32_t kSteps = 16;  // classes of an octave
    static constexpr uint32_t kOctaves = 32;
    static constexpr uint64_t kMostSmall = uint64_t{64} << 10;  // bytes
    static constexpr uint64_t kRegion = uint64_t{1} << 20;
    static constexpr int kLooks = 8;     // at blocks of a class that may be large enough
    static constexpr int kClasses = 12;  // and at classes
    struct Class {
        uint32_t octave, step;
    };
    /// What is free, in regions of small ones or outside.
    struct Holes {
        uint32_t octaves = 0;  // bits: octaves with free blocks
        std::array<uint32_t, kOctaves> steps{};
        std::array<std::array<SlabBlock*, kSteps>, kOctaves> first{};

        bool Next(Class& from) const;
        SlabBlock* SomeIn(Class of, uint64_t bytes, uint64_t alignment, int looks) const;
    };
    static Class ClassOf(uint64_t granules);
    static Class ClassAbove(uint64_t granules);
    SlabBlock* Find(const Holes& holes, uint64_t bytes, uint64_t alignment) const;
    SlabBlock* FindSmall(uint64_t bytes, uint64_t alignment) noexcept;
    void Cut(SlabBlock& block, uint64_t bytes, uint64_t alignment) noexcept;
    void TakeOf(SlabBlock& block, uint64_t bytes, uint64_t alignment) noexcept;
    void Join(SlabBlock& block) noexcept;
    void EndRegion(SlabBlock& block) noexcept;
    Holes& HolesOf(const SlabBlock& block) { return block.small_ ? small_ : large_; }
    void Link(SlabBlock& block) noexcept;
    void Unlink(SlabBlock& block) noexcept;
    SlabBlock* NewBlock() noexcept;
    void DeleteBlock(SlabBlock& block) noexcept;
    void ReserveBlocks(size_t count);
    void Remove(Slab& slab) noexcept;

    const uint64_t granule_;
    Holes large_, small_;
    SlabBlock* spare_region_ = nullptr;  ///< free, and all of a region
    Slab* slabs_ = nullptr;
    uint64_t bytes_ = 0;
    uint64_t taken_bytes_ = 0;
    uint64_t idle_bytes_ = 0;
    std::vector<std::unique_ptr<SlabBlock[]>> chunks_;
    SlabBlock* spare_ = nullptr;  // blocks for later, through next_
    size_t spares_ = 0;
};

/// The multiple of `alignment`, a power of two, at or above `value`.
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) & ~(alignment - 1); }

inline constexpr uint64_t kSmallestSlab = uint64_t{4} << 20;

/// How large a slab should be where there are already `bytes` of them: a quarter of that up to 32 MiB, from where on
/// the driver's time goes by bytes and no more by calls; then a sixteenth, so that little is lost when it is not
/// filled.
constexpr uint64_t NextSlabBytes(uint64_t bytes) {
    constexpr uint64_t kDearEnough = uint64_t{32} << 20;
    const uint64_t quarter = bytes / 4 < kDearEnough ? bytes / 4 : kDearEnough;
    const uint64_t wanted = bytes / 16 > quarter ? bytes / 16 : quarter;
    return wanted < kSmallestSlab ? kSmallestSlab : AlignUp(wanted, kSmallestSlab);
}

}  // namespace kronos
