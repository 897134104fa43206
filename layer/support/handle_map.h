// SPDX-License-Identifier: Apache-2.0
// A map from handles to 8-byte values whose look-ups take no lock and never insert.
//
// Threads: Find may run at any time on any thread. Insert and Erase lock the map's own mutex, or demand that its owner
// holds one (OwnersMutex). As Vulkan demands for the handles themselves, no thread may look up a key while another
// erases that same key.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "support/fork_mutex.h"
#include "support/handle_bits.h"

namespace kronos {

/// In place of the map's own: whoever has the map holds a mutex of theirs for all but Find, ForEach and empty.
struct OwnersMutex {
    explicit OwnersMutex(LockRank) {}
    // The names that std::lock_guard asks for.
    void lock() {}    // NOLINT(readability-identifier-naming)
    void unlock() {}  // NOLINT(readability-identifier-naming)
};

/// Open addressing with linear probing, at most half full. Erasing moves later entries of the run back into the hole,
/// so no erased slots pile up, and only a growing number of living entries makes a new table. A table that was outgrown
/// stays readable until the map dies, because a reader may still be in it; capacities double, so all of them together
/// are at most as large as the current one. Keys: any pointer or integer handle but 0.
template <class Key, class Value, class Mutex = ForkMutex>
class HandleMap {
    static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) <= 8);

  public:
    HandleMap() : table_(NewTable(kFirstCapacity)) {}
    HandleMap(const HandleMap&) = delete;
    HandleMap& operator=(const HandleMap&) = delete;

    /// The value of `key`, or `missing`. Mostly it is where it belongs, and that is looked at without a call.
    [[gnu::always_inline]] Value Find(Key key, Value missing = {}) const {
        Value value;
        return AtHome(key, value) ? value : Search(HandleBits(key), missing);
    }

    /// Adds `key`, or replaces its value. Allocates when the table is half full; throws std::bad_alloc before any
    /// change. False, and nothing is changed, for the one key that cannot be in the map.
    bool Insert(Key key, Value value) {
        const uint64_t wanted = HandleBits(key);
        if (wanted == kEmpty) return false;
        std::lock_guard lock(mutex_);
        Table* table = table_.load(std::memory_order_relaxed);
        if ((table->live.load(std::memory_order_relaxed) + 1) * 2 > table->mask + 1) table = Grow();
        Put(*table, wanted, ToBits(value));
        return true;
    }

    /// Removes `key` and returns its value, or `missing` when it was not there.
    Value Erase(Key key, Value missing = {}) {
        const uint64_t wanted = HandleBits(key);
        if (wanted == kEmpty) return missing;
        std::lock_guard lock(mutex_);
        Table& table = *table_.load(std::memory_order_relaxed);
        uint64_t hole = Home(wanted, table.mask);
        for (;; ++hole) {
            const uint64_t seen = table.slots[hole & table.mask].key.load(std::memory_order_relaxed);
            if (seen == kEmpty) return missing;
            if (seen == wanted) break;
        }
        const Value value = FromBits(table.slots[hole & table.mask].value.load(std::memory_order_relaxed));
        table.live.store(table.live.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
        // Whoever sees anything that is stored from here on sees that number, too.
        const uint64_t version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        for (uint64_t i = hole + 1;; ++i) {
            const Slot& from = table.slots[i & table.mask];
            const uint64_t moving = from.key.load(std::memory_order_relaxed);
            if (moving == kEmpty) break;
            // An entry may go back to the hole unless its home lies behind the hole.
            const uint64_t distance = (i - Home(moving, table.mask)) & table.mask;
            if (distance < i - hole) continue;
            Slot& to = table.slots[hole & table.mask];
            to.key.store(kEmpty, std::memory_order_release);
            to.value.store(from.value.load(std::memory_order_relaxed), std::memory_order_release);
            to.key.store(moving, std::memory_order_release);
            hole = i;
        }
        table.slots[hole & table.mask].key.store(kEmpty, std::memory_order_release);
        version_.store(version + 2, std::memory_order_release);
        return value;
    }

    /// Calls visit(key, value) for all entries. No lock: nobody may change the map meanwhile.
    template <class Visit>
    void ForEach(Visit visit) const {
        const Table& table = *table_.load(std::memory_order_relaxed);
        for (uint64_t i = 0; i <= table.mask; ++i) {
            const uint64_t seen = table.slots[i].key.load(std::memory_order_relaxed);
            if (seen != kEmpty)
                visit(HandleFromBits<Key>(seen), FromBits(table.slots[i].value.load(std::memory_order_relaxed)));
        }
    }

    size_t size() const {
        std::lock_guard lock(mutex_);
        return table_.load(std::memory_order_relaxed)->live.load(std::memory_order_relaxed);
    }
    /// Whether no key would be found, of those that happen not to be added or removed right now. Without the lock.
    bool empty() const { return table_.load(std::memory_order_acquire)->live.load(std::memory_order_relaxed) == 0; }
    /// How many tables there ever were, for tests of boundedness.
    size_t tables() const {
        std::lock_guard lock(mutex_);
        return owned_.size();
    }

  private:
    static constexpr uint64_t kEmpty = 0;
    static constexpr uint64_t kFirstCapacity = 64;
    struct Slot {
        std::atomic<uint64_t> key{kEmpty};
        std::atomic<uint64_t> value{0};
    };
    struct Table {
        uint64_t mask = 0;
        std::atomic<uint64_t> live{0};  // written with mutex_ held
        std::unique_ptr<Slot[]> slots;
    };

    [[gnu::always_inline]] bool AtHome(Key key, Value& value) const {
        const uint64_t wanted = HandleBits(key);
        const Table& table = *table_.load(std::memory_order_acquire);
        const Slot& slot = table.slots[Home(wanted, table.mask)];
        if (slot.key.load(std::memory_order_acquire) != wanted || wanted == kEmpty) [[unlikely]]
            return false;
        value = FromBits(slot.value.load(std::memory_order_acquire));
        // The entry may have moved, and another have moved in, between the two loads.
        return slot.key.load(std::memory_order_acquire) == wanted;
    }

    static uint64_t ToBits(Value value) {
        uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof value);
        return bits;
    }
    static Value FromBits(uint64_t bits) {
        Value value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    static uint64_t Home(uint64_t key, uint64_t mask) { return (key * 0x9E3779B97F4A7C15ull) >> 32 & mask; }

    [[gnu::noinline]] Value Search(uint64_t wanted, Value missing) const {
        if (wanted == kEmpty) return missing;
        for (;;) {
            const uint64_t version = version_.load(std::memory_order_acquire);
            const Table& table = *table_.load(std::memory_order_acquire);
            for (uint64_t i = Home(wanted, table.mask);; ++i) {
                const Slot& slot = table.slots[i & table.mask];
                const uint64_t seen = slot.key.load(std::memory_order_acquire);
                if (seen == wanted) {
                    const uint64_t value = slot.value.load(std::memory_order_acquire);
                    if (slot.key.load(std::memory_order_acquire) == wanted) return FromBits(value);
                    break;
                }
                if (seen != kEmpty) continue;
                // An entry that moves from behind us to before us is missed: what is not there is certain only if
                // nothing moved.
                if (!(version & 1) && version_.load(std::memory_order_acquire) == version) return missing;
                break;
            }
        }
    }

    Table* NewTable(uint64_t capacity) {
        auto table = std::make_unique<Table>();
        table->mask = capacity - 1;
        table->slots = std::make_unique<Slot[]>(capacity);
        owned_.push_back(std::move(table));
        return owned_.back().get();
    }
    Table* Grow() {
        Table& old = *table_.load(std::memory_order_relaxed);
        Table* grown = NewTable((old.mask + 1) * 2);
        for (uint64_t i = 0; i <= old.mask; ++i) {
            const uint64_t key = old.slots[i].key.load(std::memory_order_relaxed);
            if (key != kEmpty) Put(*grown, key, old.slots[i].value.load(std::memory_order_relaxed));
        }
        table_.store(grown, std::memory_order_release);
        return grown;
    }
    static void Put(Table& table, uint64_t key, uint64_t value) {
        for (uint64_t i = Home(key, table.mask);; ++i) {
            Slot& slot = table.slots[i & table.mask];
            const uint64_t seen = slot.key.load(std::memory_order_relaxed);
            if (seen != key && seen != kEmpty) continue;
            slot.value.store(value, std::memory_order_release);
            slot.key.store(key, std::memory_order_release);
            if (seen == kEmpty)
                table.live.store(table.live.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return;
        }
    }

    mutable Mutex mutex_{LockRank::kHandleMap};
    std::vector<std::unique_ptr<Table>> owned_;  // guarded by mutex_
    std::atomic<Table*> table_;
    std::atomic<uint64_t> version_{0};  // odd while entries move; written with mutex_ held
};

}  // namespace kronos
