// SPDX-License-Identifier: Apache-2.0
// A table of a fixed size that is asked with a handful of instructions, for what is asked more often than all else. A
// key has one slot, and is in it or nowhere: who does not find it looks elsewhere.
//
// Threads: Find may run at any time on any thread, without a lock; Put and Remove likewise for different keys. As
// Vulkan demands of the handles themselves, what is done with one key is externally synchronized.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "support/handle_bits.h"

namespace kronos {

/// Keys: handles that are pointers. A slot is its first owner's until that one is removed, so that a key that is seen
/// in it says that the value is that key's, and stays so for as long as nothing is done with the key elsewhere.
template <class Key, class Value, unsigned kBits>
class ReservedSlots {
  public:
    // Nobody may put the null handle in, so that it is found nowhere.
    ReservedSlots() { slots_[Home(0)].key.store(kTaken, std::memory_order_relaxed); }
    ReservedSlots(const ReservedSlots&) = delete;
    ReservedSlots& operator=(const ReservedSlots&) = delete;

    /// nullptr: not here.
    [[gnu::always_inline]] Value* Find(Key key) const {
        const Slot& slot = slots_[Home(HandleBits(key))];
        if (slot.key.load(std::memory_order_acquire) != HandleBits(key)) return nullptr;
        Value* const value = slot.value.load(std::memory_order_relaxed);
        // So that the one comparison above is all.
        if (!value) __builtin_unreachable();
        return value;
    }

    /// False: the slot is another's, and nothing is changed. For a key that is not in it.
    bool Put(Key key, Value& value) {
        Slot& slot = slots_[Home(HandleBits(key))];
        uint64_t nobody = kNobody;
        if (!slot.key.compare_exchange_strong(nobody, kTaken, std::memory_order_acquire, std::memory_order_relaxed))
            return false;
        slot.value.store(&value, std::memory_order_relaxed);
        slot.key.store(HandleBits(key), std::memory_order_release);
        return true;
    }

    /// For a key that is in it.
    void Remove(Key key) { slots_[Home(HandleBits(key))].key.store(kNobody, std::memory_order_release); }

  private:
    static constexpr uint64_t kNobody = 0;
    static constexpr uint64_t kTaken = 1;  // no pointer to what begins with one
    struct Slot {
        std::atomic<uint64_t> key{kNobody};
        std::atomic<Value*> value{nullptr};
    };

    static size_t Home(uint64_t key) { return static_cast<size_t>(key * 0x9E3779B97F4A7C15ull >> (64 - kBits)); }

    std::array<Slot, size_t{1} << kBits> slots_;
};

}  // namespace kronos
