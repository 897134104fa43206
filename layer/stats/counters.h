// SPDX-License-Identifier: Apache-2.0
// What is counted, on two sides: what the program asked for, and what the driver was given.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace kronos {

enum class Counter : uint32_t {
#define RECORDING_BEGIN()
#define RECORDING_END() kRecordingEnd, kAfterRecording = kRecordingEnd - 1,
#define COUNTER(name, enumerator) k##enumerator,
#include "stats/counters.def"
#undef COUNTER
#undef RECORDING_BEGIN
#undef RECORDING_END
    kDecisionsBegin,
    kBeforeDecisions = kDecisionsBegin - 1,
#define DECISION(name, enumerator) k##enumerator,
#include "stats/decisions.def"
#undef DECISION
    kCount
};

/// Counted on both sides: counters.def. Behind them: decisions.def, which know no sides and are counted as asked.
inline constexpr size_t kCounters = static_cast<size_t>(Counter::kDecisionsBegin);
inline constexpr size_t kCountersAndDecisions = static_cast<size_t>(Counter::kCount);
inline constexpr size_t kRecordingCounters = static_cast<size_t>(Counter::kRecordingEnd);

inline constexpr std::array<std::string_view, kCountersAndDecisions> kCounterNames = {
#define RECORDING_BEGIN()
#define RECORDING_END()
#define COUNTER(name, enumerator) #name,
#include "stats/counters.def"
#undef COUNTER
#undef RECORDING_BEGIN
#undef RECORDING_END
#define DECISION(name, enumerator) #name,
#include "stats/decisions.def"
#undef DECISION
};

enum class Side : uint32_t { kAsked, kDriver };

/// A copy of all counters at one time. Plain data.
struct CounterValues {
    std::array<std::array<uint64_t, 2>, kCountersAndDecisions> value{};  ///< of each counter, the sides

    uint64_t& At(Side side, Counter counter) { return value[static_cast<size_t>(counter)][static_cast<size_t>(side)]; }
    uint64_t At(Side side, Counter counter) const {
        return value[static_cast<size_t>(counter)][static_cast<size_t>(side)];
    }
    bool operator==(const CounterValues&) const = default;
};

/// How far one counter went on one side. Plain data.
struct CounterStep {
    uint16_t counter;
    uint16_t side;
    uint64_t n;
};
/// One for each counter that moved, on each side.
using CounterSteps = std::array<CounterStep, 2 * kCountersAndDecisions>;

/// The counters of a device. Any thread may add; sums are exact, a snapshot taken while others add is not one moment.
///
/// A thread adds to a block of its own, with a load and a store: a locked addition costs several times as much. A block
/// belongs to a thread pointer, which no two living threads share; a later thread with the same one goes on where the
/// dead one ended, and nothing has to be done when a thread ends or the process forks. There are at most kBlocks; what
/// finds none adds to a common block with locked additions. Nothing is locked, and nothing is allocated but a block.
class Counters {
    struct Block;

  public:
    static constexpr size_t kBlocks = 64;

    /// The calling thread's block, looked up once for several additions. Not to be kept, nor given to another thread.
    class Own {
      public:
        void Add(Counter counter, uint64_t n = 1) const { AddTo(0, counter, n); }
        void Add(Side side, Counter counter, uint64_t n) const { AddTo(1 + static_cast<size_t>(side), counter, n); }
        void Decided(Counter decision, uint64_t n = 1) const { Add(Side::kAsked, decision, n); }

      private:
        friend class Counters;
        Own(Block& block, bool common) : block_(block), common_(common) {}
        void AddTo(size_t row, Counter counter, uint64_t n) const {
            std::atomic<uint64_t>& value = block_.value[static_cast<size_t>(counter)][row];
            uint64_t before = 0;
            if (common_) {
                before = value.fetch_add(n, std::memory_order_relaxed);
            } else {
                before = value.load(std::memory_order_relaxed);
                value.store(before + n, std::memory_order_relaxed);
            }
            if (!before && n) [[unlikely]]
                block_.Use(counter);
        }

        Block& block_;
        const bool common_;
    };

    Counters() {
        for (Slot& slot : slots_) slot.block.store(&common_, std::memory_order_relaxed);
    }
    ~Counters();
    Counters(const Counters&) = delete;
    Counters& operator=(const Counters&) = delete;

    Own OfThisThread() {
        const uintptr_t thread = ThisThread();
        const Slot& slot = slots_[Home(thread)];
        Block* block = slot.thread.load(std::memory_order_relaxed) == thread
                           ? slot.block.load(std::memory_order_relaxed)
                           : FindBlock(thread);
        return {*block, block == &common_};
    }
    void Add(Side side, Counter counter, uint64_t n) { OfThisThread().Add(side, counter, n); }
    /// Asked for, and given to the driver just so.
    void Add(Counter counter, uint64_t n = 1) { OfThisThread().Add(counter, n); }

    /// What the layer decided: no side.
    void Decided(Counter decision, uint64_t n = 1) { OfThisThread().Decided(decision, n); }

    CounterValues Snapshot() const;
    /// One counter of a snapshot.
    uint64_t Sum(Side side, Counter counter) const;
    /// How far the counters went since `last`, which follows them: so many steps are written, for which there is room
    /// for CounterSteps. Looks only at counters that were ever used, where they were: who has just waited finds nothing
    /// of this in the processor's caches.
    size_t Since(CounterValues& last, CounterStep* steps) const;

    /// How many blocks were made, for tests of boundedness.
    size_t blocks() const;

  private:
    using Bits = std::array<uint64_t, (kCountersAndDecisions + 63) / 64>;

    // Of each counter three rows: on both sides, on the asked side only, on the driver's only. In cache lines of its
    // own.
    struct alignas(64) Block {
        std::array<std::atomic<uint64_t>, std::tuple_size_v<Bits>> used{};  // counters that are not zero, a bit each
        const Block* next = nullptr;
        std::array<std::array<std::atomic<uint64_t>, 3>, kCountersAndDecisions> value{};

        [[gnu::cold, gnu::noinline]] void Use(Counter counter);
        uint64_t Of(size_t side, size_t counter) const {
            return value[counter][0].load(std::memory_order_relaxed) +
                   value[counter][1 + side].load(std::memory_order_relaxed);
        }
    };
    template <class Visit>
    void ForBlocks(Visit visit) const {
        visit(common_);
        for (const Block* block = made_.load(std::memory_order_acquire); block; block = block->next) visit(*block);
    }
    struct Slot {
        std::atomic<uintptr_t> thread{0};
        std::atomic<Block*> block{nullptr};
    };

    static uintptr_t ThisThread() { return reinterpret_cast<uintptr_t>(__builtin_thread_pointer()); }
    static size_t Home(uintptr_t thread) { return (uint64_t{thread} * 0x9E3779B97F4A7C15ull) >> (64 - kSlotBits); }
    /// The slow part of a look-up: the first of a thread, and those of threads that share a home.
    Block* FindBlock(uintptr_t thread);

    static constexpr int kSlotBits = 6;
    static_assert(size_t{1} << kSlotBits == kBlocks);
    std::array<Slot, kBlocks> slots_;
    std::atomic<const Block*> made_{nullptr};
    Block common_;
};

/// The counters of one command buffer while it records: plain numbers, for recording is externally synchronized.
/// They reach the device when the recording ends, or when the command buffer is begun anew, reset or freed.
class RecordingCounters {
  public:
    void Add(Side side, Counter counter, uint32_t n) {
        At(1 + static_cast<size_t>(side), counter) += n;
        one_sided_ = true;
    }
    void Add(Counter counter, uint32_t n = 1) { At(0, counter) += n; }
    void FlushTo(Counters& counters) {
        const Counters::Own own = counters.OfThisThread();
        const size_t rows = one_sided_ ? 3 : 1;
        one_sided_ = false;
        for (size_t row = 0; row < rows; ++row) {
            for (size_t i = 0; i < kRecordingCounters; ++i) {
                const uint32_t n = value_[row][i];
                if (!n) continue;
                if (row == 0)
                    own.Add(static_cast<Counter>(i), n);
                else
                    own.Add(static_cast<Side>(row - 1), static_cast<Counter>(i), n);
                value_[row][i] = 0;
            }
        }
    }

  private:
    uint32_t& At(size_t row, Counter counter) { return value_[row][static_cast<size_t>(counter)]; }

    // Rows as in Counters.
    std::array<std::array<uint32_t, kRecordingCounters>, 3> value_{};
    bool one_sided_ = false;  ///< the second or third row is not all zero
};

}  // namespace kronos
