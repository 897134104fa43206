// SPDX-License-Identifier: Apache-2.0
// A map from handles to 8-byte values whose look-ups take no lock and never insert.
//
// Threads: Find may run at any time on any thread. Insert, Erase and ForEach lock the map's own mutex. As Vulkan
// demands for the handles themselves, no thread may look up a key while another erases that same key.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

namespace kronos {

/// Open addressing with linear probing, at most half full. A table that was outgrown stays readable until the map dies,
/// because a reader may still be in it; capacities double, so all of them together are at most as large as the current
/// one. Keys: any pointer or integer handle but 0 and 1 (which no driver hands out; Insert refuses them by returning
/// false).
template <class Key, class Value>
class HandleMap {
    static_assert(std::is_trivially_copyable_v<Value> && sizeof(Value) <= 8);

  public:
    HandleMap() : table_(NewTable(kFirstCapacity)) {}
    HandleMap(const HandleMap&) = delete;
    HandleMap& operator=(const HandleMap&) = delete;

    /// The value of `key`, or `missing`.
    Value Find(Key key, Value missing = {}) const {
        const uint64_t wanted = Bits(key);
        const Table& table = *table_.load(std::memory_order_acquire);
        for (uint64_t i = Home(wanted, table.shift);; ++i) {
            const Slot& slot = table.slots[i & table.mask];
            const uint64_t seen = slot.key.load(std::memory_order_acquire);
            if (seen == wanted) return FromBits(slot.value.load(std::memory_order_acquire));
            if (seen == kEmpty) return missing;
        }
    }

    /// Adds `key`, or replaces its value. Allocates when the table is half full; throws std::bad_alloc before any
    /// change.
    bool Insert(Key key, Value value) {
        const uint64_t wanted = Bits(key);
        if (wanted == kEmpty || wanted == kErased) return false;
        std::lock_guard lock(mutex_);
        Table* table = table_.load(std::memory_order_relaxed);
        if ((table->used + 1) * 2 > table->mask + 1) table = Grow();
        Put(*table, wanted, ToBits(value));
        return true;
    }

    /// Removes `key` and returns its value, or `missing` when it was not there.
    Value Erase(Key key, Value missing = {}) {
        const uint64_t wanted = Bits(key);
        std::lock_guard lock(mutex_);
        Table& table = *table_.load(std::memory_order_relaxed);
        for (uint64_t i = Home(wanted, table.shift);; ++i) {
            Slot& slot = table.slots[i & table.mask];
            const uint64_t seen = slot.key.load(std::memory_order_relaxed);
            if (seen == kEmpty) return missing;
            if (seen != wanted) continue;
            const Value value = FromBits(slot.value.load(std::memory_order_relaxed));
            slot.key.store(kErased, std::memory_order_release);
            --table.live;
            SweepBack(table, i);
            return value;
        }
    }

    /// Calls visit(key, value) for all entries, under the map's lock: visit must not come back to the map.
    template <class Visit>
    void ForEach(Visit visit) const {
        std::lock_guard lock(mutex_);
        const Table& table = *table_.load(std::memory_order_relaxed);
        for (uint64_t i = 0; i <= table.mask; ++i) {
            const uint64_t seen = table.slots[i].key.load(std::memory_order_relaxed);
            if (seen != kEmpty && seen != kErased)
                visit(KeyFromBits(seen), FromBits(table.slots[i].value.load(std::memory_order_relaxed)));
        }
    }

    size_t size() const {
        std::lock_guard lock(mutex_);
        return table_.load(std::memory_order_relaxed)->live;
    }
    /// Slots of the current table, for tests of boundedness.
    size_t capacity() const { return table_.load(std::memory_order_acquire)->mask + 1; }
    /// How many tables there ever were, for tests of boundedness.
    size_t tables() const {
        std::lock_guard lock(mutex_);
        return owned_.size();
    }
    /// For fork handlers: the child must not inherit a mutex that a thread it does not have holds.
    std::mutex& mutex() const { return mutex_; }

  private:
    static constexpr uint64_t kEmpty = 0, kErased = 1;
    static constexpr uint64_t kFirstCapacity = 64;
    struct Slot {
        std::atomic<uint64_t> key{kEmpty};
        std::atomic<uint64_t> value{0};
    };
    struct Table {
        uint64_t mask = 0;
        int shift = 0;
        uint64_t used = 0;  // live and erased
        uint64_t live = 0;
        std::unique_ptr<Slot[]> slots;
    };

    static uint64_t Bits(Key key) {
        if constexpr (std::is_pointer_v<Key>)
            return reinterpret_cast<uintptr_t>(key);
        else
            return static_cast<uint64_t>(key);
    }
    static Key KeyFromBits(uint64_t bits) {
        if constexpr (std::is_pointer_v<Key>)
            return reinterpret_cast<Key>(static_cast<uintptr_t>(bits));
        else
            return static_cast<Key>(bits);
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
    static uint64_t Home(uint64_t key, int shift) { return (key * 0x9E3779B97F4A7C15ull) >> shift; }

    Table* NewTable(uint64_t capacity) {
        auto table = std::make_unique<Table>();
        table->mask = capacity - 1;
        table->shift = 64 - std::countr_zero(capacity);
        table->slots = std::make_unique<Slot[]>(capacity);
        owned_.push_back(std::move(table));
        return owned_.back().get();
    }
    Table* Grow() {
        Table& old = *table_.load(std::memory_order_relaxed);
        uint64_t capacity = old.mask + 1;
        if (old.live * 4 > capacity) capacity *= 2;  // else it is erased slots that fill it: the same size does
        Table* grown = NewTable(capacity);
        for (uint64_t i = 0; i <= old.mask; ++i) {
            const uint64_t key = old.slots[i].key.load(std::memory_order_relaxed);
            if (key != kEmpty && key != kErased) Put(*grown, key, old.slots[i].value.load(std::memory_order_relaxed));
        }
        table_.store(grown, std::memory_order_release);
        return grown;
    }
    static void Put(Table& table, uint64_t key, uint64_t value) {
        Slot* free = nullptr;
        for (uint64_t i = Home(key, table.shift);; ++i) {
            Slot& slot = table.slots[i & table.mask];
            const uint64_t seen = slot.key.load(std::memory_order_relaxed);
            if (seen == key) {
                slot.value.store(value, std::memory_order_release);
                return;
            }
            if (seen == kErased && !free) free = &slot;
            if (seen != kEmpty) continue;
            if (!free) {
                free = &slot;
                ++table.used;
            }
            free->value.store(value, std::memory_order_relaxed);
            free->key.store(key, std::memory_order_release);
            ++table.live;
            return;
        }
    }
    // Erased slots before an empty one guard nobody's probe path: they become empty again, so churn does not fill the
    // table.
    static void SweepBack(Table& table, uint64_t i) {
        if (table.slots[(i + 1) & table.mask].key.load(std::memory_order_relaxed) != kEmpty) return;
        for (;; --i) {
            Slot& slot = table.slots[i & table.mask];
            if (slot.key.load(std::memory_order_relaxed) != kErased) return;
            slot.key.store(kEmpty, std::memory_order_release);
            --table.used;
        }
    }

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Table>> owned_;  // guarded by mutex_
    std::atomic<Table*> table_;
};

}  // namespace kronos
