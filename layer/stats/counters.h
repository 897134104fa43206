// SPDX-License-Identifier: Apache-2.0
// What is counted, on two sides: what the program asked for, and what the driver was given.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

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
    std::array<std::array<uint64_t, kCountersAndDecisions>, 2> value{};

    uint64_t& At(Side side, Counter counter) { return value[static_cast<size_t>(side)][static_cast<size_t>(counter)]; }
    uint64_t At(Side side, Counter counter) const {
        return value[static_cast<size_t>(side)][static_cast<size_t>(counter)];
    }
    CounterValues operator-(const CounterValues& earlier) const {
        CounterValues difference;
        for (size_t side = 0; side < 2; ++side)
            for (size_t i = 0; i < kCountersAndDecisions; ++i)
                difference.value[side][i] = value[side][i] - earlier.value[side][i];
        return difference;
    }
    bool operator==(const CounterValues&) const = default;
};

/// The counters of a device. Any thread may add; sums are exact, a snapshot taken while others add is not one moment.
class Counters {
  public:
    void Add(Side side, Counter counter, uint64_t n) {
        At(1 + static_cast<size_t>(side), counter).fetch_add(n, std::memory_order_relaxed);
    }
    /// Asked for, and given to the driver just so: one addition, for each costs a locked instruction.
    void Add(Counter counter, uint64_t n = 1) { At(0, counter).fetch_add(n, std::memory_order_relaxed); }

    /// What the layer decided: no side.
    void Decided(Counter decision, uint64_t n = 1) { Add(Side::kAsked, decision, n); }

    CounterValues Snapshot() const {
        CounterValues values;
        for (size_t side = 0; side < 2; ++side)
            for (size_t i = 0; i < kCountersAndDecisions; ++i)
                values.value[side][i] =
                    value_[0][i].load(std::memory_order_relaxed) + value_[1 + side][i].load(std::memory_order_relaxed);
        return values;
    }

  private:
    std::atomic<uint64_t>& At(size_t row, Counter counter) { return value_[row][static_cast<size_t>(counter)]; }

    // Rows: on both sides, on the asked side only, on the driver's only.
    std::array<std::array<std::atomic<uint64_t>, kCountersAndDecisions>, 3> value_{};
};

/// The counters of one command buffer while it records: plain numbers, for recording is externally synchronized.
/// They reach the device when the recording ends, or when the command buffer is begun anew, reset or freed.
class RecordingCounters {
  public:
    void Add(Side side, Counter counter, uint32_t n) { At(1 + static_cast<size_t>(side), counter) += n; }
    void Add(Counter counter, uint32_t n = 1) { At(0, counter) += n; }
    void FlushTo(Counters& counters) {
        for (size_t row = 0; row < 3; ++row) {
            for (size_t i = 0; i < kRecordingCounters; ++i) {
                const uint32_t n = value_[row][i];
                if (!n) continue;
                if (row == 0)
                    counters.Add(static_cast<Counter>(i), n);
                else
                    counters.Add(static_cast<Side>(row - 1), static_cast<Counter>(i), n);
                value_[row][i] = 0;
            }
        }
    }

  private:
    uint32_t& At(size_t row, Counter counter) { return value_[row][static_cast<size_t>(counter)]; }

    // Rows as in Counters.
    std::array<std::array<uint32_t, kRecordingCounters>, 3> value_{};
};

}  // namespace kronos
