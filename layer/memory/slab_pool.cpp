// SPDX-License-Identifier: Apache-2.0
#include "memory/slab_pool.h"

#include <algorithm>
#include <bit>

namespace kronos {

SlabPool::SlabPool(uint64_t granule) : granule_(granule) {}

// Sixteen classes to an octave; below sixteen granules each size is a class.
SlabPool::Class SlabPool::ClassOf(uint64_t granules) {
    if (granules < kSteps) return {0, static_cast<uint32_t>(granules)};
    const auto top = static_cast<uint32_t>(std::bit_width(granules)) - 1;
    return {top - 3, static_cast<uint32_t>(granules >> (top - 4)) & (kSteps - 1)};
}

// The smallest class whose blocks all have so many granules.
SlabPool::Class SlabPool::ClassAbove(uint64_t granules) {
    if (granules < kSteps) return ClassOf(granules);
    const auto top = static_cast<uint32_t>(std::bit_width(granules)) - 1;
    return ClassOf(granules + (uint64_t{1} << (top - 4)) - 1);
}

// From a class to the next one that has free blocks, itself included.
bool SlabPool::Holes::Next(Class& from) const {
    if (from.octave >= kOctaves) return false;
    if (const uint32_t left = steps[from.octave] & (~uint32_t{0} << from.step)) {
        from.step = static_cast<uint32_t>(std::countr_zero(left));
        return true;
    }
    if (from.octave + 1 == kOctaves) return false;
    const uint32_t left = octaves & (~uint32_t{0} << (from.octave + 1));
    if (!left) return false;
    from.octave = static_cast<uint32_t>(std::countr_zero(left));
    from.step = static_cast<uint32_t>(std::countr_zero(steps[from.octave]));
    return true;
}

// One of the first blocks of the class that has room.
SlabBlock* SlabPool::Holes::SomeIn(Class of, uint64_t bytes, uint64_t alignment, int looks) const {
    SlabBlock* block = first[of.octave][of.step];
    for (; block && looks; block = block->next_, --looks)
        if (AlignUp(block->offset, alignment) + bytes <= block->offset + block->bytes) return block;
    return nullptr;
}

// A few blocks of a few classes from the smallest that may do: what is nearly too small first, then what is large
// enough if it begins well. Only then what is so in any case.
SlabBlock* SlabPool::Find(const Holes& holes, uint64_t bytes, uint64_t alignment) const {
    const uint64_t granules = bytes / granule_;
    Class from = ClassOf(granules);
    for (int classes = 0; classes < kClasses && holes.Next(from); ++classes) {
        if (SlabBlock* block = holes.SomeIn(from, bytes, alignment, kLooks)) return block;
        if (++from.step == kSteps) from = {from.octave + 1, 0};
    }
    from = ClassAbove(granules + alignment / granule_ - 1);
    return holes.Next(from) ? holes.SomeIn(from, bytes, alignment, 1) : nullptr;
}

// In a region; in a new one where there is a hole for it; else a hole that is smaller becomes one. Two blocks must be
// reserved.
SlabBlock* SlabPool::FindSmall(uint64_t bytes, uint64_t alignment) noexcept {
    if (SlabBlock* block = Find(small_, bytes, alignment)) return block;
    SlabBlock* block = Find(large_, kRegion, alignment);
    if (block) {
        Unlink(*block);
        Cut(*block, kRegion, alignment);
    } else {
        block = Find(large_, bytes, alignment);
        if (!block) return nullptr;
        Unlink(*block);
    }
    block->small_ = true;
    Join(*block);
    Link(*block);
    return block;
}

void SlabPool::Link(SlabBlock& block) noexcept {
    const Class of = ClassOf(block.bytes / granule_);
    Holes& holes = HolesOf(block);
    SlabBlock*& first = holes.first[of.octave][of.step];
    block.free_ = true;
    block.previous_ = nullptr;
    block.next_ = first;
    if (first) first->previous_ = &block;
    first = &block;
    holes.steps[of.octave] |= 1u << of.step;
    holes.octaves |= 1u << of.octave;
}

void SlabPool::Unlink(SlabBlock& block) noexcept {
    const Class of = ClassOf(block.bytes / granule_);
    Holes& holes = HolesOf(block);
    SlabBlock*& first = holes.first[of.octave][of.step];
    (block.previous_ ? block.previous_->next_ : first) = block.next_;
    if (block.next_) block.next_->previous_ = block.previous_;
    block.free_ = false;
    if (first) return;
    holes.steps[of.octave] &= ~(1u << of.step);
    if (!holes.steps[of.octave]) holes.octaves &= ~(1u << of.octave);
}

void SlabPool::ReserveBlocks(size_t count) {
    constexpr size_t kChunk = 256;
    if (spares_ >= count) return;
    chunks_.reserve(chunks_.size() + 1);
    chunks_.push_back(std::make_unique<SlabBlock[]>(kChunk));
    for (size_t i = 0; i < kChunk; ++i) DeleteBlock(chunks_.back()[i]);
}

SlabBlock* SlabPool::NewBlock() noexcept {
    SlabBlock* block = spare_;
    spare_ = block->next_;
    --spares_;
    *block = {};
    return block;
}

void SlabPool::DeleteBlock(SlabBlock& block) noexcept {
    block.next_ = spare_;
    spare_ = &block;
    ++spares_;
}

void SlabPool::Add(Slab& slab) {
    ReserveBlocks(1);
    SlabBlock* all = NewBlock();
    all->slab = &slab;
    all->bytes = slab.bytes;
    slab.pool = this;
    slab.first_ = all;
    slab.previous_ = nullptr;
    slab.next_ = slabs_;
    if (slabs_) slabs_->previous_ = &slab;
    slabs_ = &slab;
    bytes_ += slab.bytes;
    idle_bytes_ += slab.bytes;
    Link(*all);
}

SlabBlock& SlabPool::AddFor(Slab& slab, uint64_t bytes) {
    ReserveBlocks(3);
    Add(slab);
    SlabBlock& block = *slab.first_;
    TakeOf(block, AlignUp(bytes, granule_), granule_);
    return block;
}

SlabBlock* SlabPool::Take(uint64_t bytes, uint64_t alignment) {
    bytes = AlignUp(bytes, granule_);
    alignment = std::max(alignment, granule_);
    ReserveBlocks(4);
    SlabBlock* block = nullptr;
    if (bytes <= kMostSmall) {
        block = FindSmall(bytes, alignment);
    } else {
        block = Find(large_, bytes, alignment);
        if (!block && spare_region_) {
            SlabBlock& region = *spare_region_;
            Unlink(region);
            EndRegion(region);
            Link(region);
            block = Find(large_, bytes, alignment);
        }
        if (!block) block = Find(small_, bytes, alignment);
    }
    if (block) TakeOf(*block, bytes, alignment);
    return block;
}

// Makes a free block a taken one of so many bytes. Two blocks must be reserved.
void SlabPool::TakeOf(SlabBlock& block, uint64_t bytes, uint64_t alignment) noexcept {
    Unlink(block);
    if (&block == spare_region_) spare_region_ = nullptr;
    Cut(block, bytes, alignment);
    Slab& slab = *block.slab;
    if (!slab.live_++) idle_bytes_ -= slab.bytes;
    taken_bytes_ += bytes;
}

// Of a block that is in no list so many bytes remain. What it has before and behind becomes free blocks of the same
// kind.
void SlabPool::Cut(SlabBlock& block, uint64_t bytes, uint64_t alignment) noexcept {
    Slab& slab = *block.slab;
    if (const uint64_t begin = AlignUp(block.offset, alignment); begin != block.offset) {
        SlabBlock* head = NewBlock();
        head->slab = &slab;
        head->offset = block.offset;
        head->bytes = begin - block.offset;
        head->small_ = block.small_;
        head->before_ = block.before_;
        head->after_ = &block;
        (head->before_ ? head->before_->after_ : slab.first_) = head;
        block.before_ = head;
        block.offset = begin;
        block.bytes -= head->bytes;
        Link(*head);
    }
    if (block.bytes != bytes) {
        SlabBlock* tail = NewBlock();
        tail->slab = &slab;
        tail->offset = block.offset + bytes;
        tail->bytes = block.bytes - bytes;
        tail->small_ = block.small_;
        tail->before_ = &block;
        tail->after_ = block.after_;
        if (tail->after_) tail->after_->before_ = tail;
        block.after_ = tail;
        block.bytes = bytes;
        Link(*tail);
    }
}

// With its free neighbours of the same kind.
void SlabPool::Join(SlabBlock& block) noexcept {
    const auto joins = [&](const SlabBlock* neighbour) {
        return neighbour && neighbour->free_ && neighbour->small_ == block.small_;
    };
    if (SlabBlock* before = block.before_; joins(before)) {
        Unlink(*before);
        block.offset = before->offset;
        block.bytes += before->bytes;
        block.before_ = before->before_;
        (block.before_ ? block.before_->after_ : block.slab->first_) = &block;
        DeleteBlock(*before);
        if (before == spare_region_) spare_region_ = nullptr;
    }
    if (SlabBlock* after = block.after_; joins(after)) {
        Unlink(*after);
        block.bytes += after->bytes;
        block.after_ = after->after_;
        if (block.after_) block.after_->before_ = &block;
        DeleteBlock(*after);
        if (after == spare_region_) spare_region_ = nullptr;
    }
}

// What it has becomes a hole for all. It is in no list.
void SlabPool::EndRegion(SlabBlock& block) noexcept {
    if (&block == spare_region_) spare_region_ = nullptr;
    block.small_ = false;
    Join(block);
}

void SlabPool::Give(SlabBlock& block, uint64_t now) noexcept {
    Slab& slab = *block.slab;
    taken_bytes_ -= block.bytes;
    slab.used_up_to = std::max(slab.used_up_to, block.offset + block.bytes);
    Join(block);
    const auto is_small = [](const SlabBlock* neighbour) { return neighbour && neighbour->small_; };
    if (block.small_) {
        const bool whole = !is_small(block.before_) && !is_small(block.after_);
        if (whole && !spare_region_ && block.bytes < 2 * kRegion)
            spare_region_ = &block;
        else if (whole || block.bytes >= kRegion)
            EndRegion(block);
    }
    Link(block);
    slab.idle_since = std::max(slab.idle_since, now);
    if (!--slab.live_) idle_bytes_ += slab.bytes;
}

void SlabPool::Rest(SlabBlock& block, uint64_t now) noexcept {
    Slab& slab = *block.slab;
    block.resting_ = true;
    ++slab.resting_;
    taken_bytes_ -= block.bytes;
    slab.idle_since = std::max(slab.idle_since, now);
    if (!--slab.live_) idle_bytes_ += slab.bytes;
}

void SlabPool::Wake(SlabBlock& block) noexcept {
    Slab& slab = *block.slab;
    block.resting_ = false;
    --slab.resting_;
    taken_bytes_ += block.bytes;
    if (!slab.live_++) idle_bytes_ -= slab.bytes;
}

void SlabPool::Remove(Slab& slab) noexcept {
    (slab.previous_ ? slab.previous_->next_ : slabs_) = slab.next_;
    if (slab.next_) slab.next_->previous_ = slab.previous_;
    bytes_ -= slab.bytes;
    if (slab.empty()) idle_bytes_ -= slab.bytes;
    for (SlabBlock* block = slab.first_; block;) {
        SlabBlock* after = block->after_;
        if (block == spare_region_) spare_region_ = nullptr;
        if (block->free_)
            Unlink(*block);
        else if (!block->resting_)
            taken_bytes_ -= block->bytes;
        DeleteBlock(*block);
        block = after;
    }
    slab.first_ = nullptr;
}

Slab* SlabPool::TakeIdle(uint64_t now, uint64_t age) noexcept {
    Slab* taken = nullptr;
    for (Slab* slab = slabs_; slab;) {
        Slab* next = slab->next_;
        // Another thread may have read the clock later.
        if (slab->empty() && !slab->resting_ && now >= slab->idle_since && now - slab->idle_since >= age) {
            Remove(*slab);
            slab->next_ = taken;
            taken = slab;
        }
        slab = next;
    }
    return taken;
}

Slab* SlabPool::TakeAll() noexcept {
    Slab* taken = nullptr;
    while (Slab* slab = slabs_) {
        Remove(*slab);
        slab->next_ = taken;
        taken = slab;
    }
    return taken;
}

SlabUse SlabPool::Use() const {
    SlabUse use;
    use.bytes = bytes_;
    use.taken_bytes = taken_bytes_;
    use.idle_bytes = idle_bytes_;
    for (const Slab* slab = slabs_; slab; slab = slab->next_) {
        ++use.slabs;
        use.blocks += slab->live_;
        for (const SlabBlock* block = slab->first_; block; block = block->after_)
            if (block->free_) use.largest_free = std::max(use.largest_free, block->bytes);
    }
    return use;
}

size_t SlabPool::Faults() const {
    size_t faults = 0;
    size_t free_blocks = 0;
    uint64_t bytes = 0;
    uint64_t taken = 0;
    uint64_t idle = 0;
    for (const Slab* slab = slabs_; slab; slab = slab->next_) {
        uint64_t at = 0;
        uint32_t live = 0;
        uint32_t resting = 0;
        uint32_t blocks = 0;
        const SlabBlock* before = nullptr;
        for (const SlabBlock* block = slab->first_; block; before = block, block = block->after_, ++blocks) {
            if (block->slab != slab || block->offset != at || !block->bytes || block->bytes % granule_ ||
                block->before_ != before)
                ++faults;
            if (before && before->free_ && block->free_ && before->small_ == block->small_) ++faults;
            at += block->bytes;
            if (block->free_) {
                ++free_blocks;
            } else if (block->resting_) {
                ++resting;
            } else {
                taken += block->bytes;
                ++live;
            }
        }
        if (at != slab->bytes || live != slab->live_ || resting != slab->resting_) ++faults;
        // All of an empty one is one hole, but for a region that is kept.
        if (slab->empty() && !resting && blocks != 1 && !(spare_region_ && spare_region_->slab == slab)) ++faults;
        bytes += slab->bytes;
        if (slab->empty()) idle += slab->bytes;
    }
    if (bytes != bytes_ || taken != taken_bytes_ || idle != idle_bytes_) ++faults;
    for (const Holes* holes : {&large_, &small_}) {
        for (uint32_t octave = 0; octave < kOctaves; ++octave) {
            if (((holes->octaves >> octave) & 1) != (holes->steps[octave] != 0)) ++faults;
            for (uint32_t step = 0; step < kSteps; ++step) {
                if (((holes->steps[octave] >> step) & 1) != (holes->first[octave][step] != nullptr)) ++faults;
                for (const SlabBlock* block = holes->first[octave][step]; block; block = block->next_) {
                    const Class of = ClassOf(block->bytes / granule_);
                    if (!block->free_ || of.octave != octave || of.step != step) ++faults;
                    if (block->small_ != (holes == &small_)) ++faults;
                    --free_blocks;
                }
            }
        }
    }
    if (spare_region_ && (!spare_region_->free_ || !spare_region_->small_)) ++faults;
    return faults + (free_blocks != 0);
}

}  // namespace kronos
