// SPDX-License-Identifier: Apache-2.0
// Closed frames on their way to the log's thread.
//
// Threads: one at a time closes frames (Room, Put), and one at a time takes them (Oldest, Drop); the two need no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "stats/counters.h"
#include "stats/frame.h"

namespace kronos {

/// Of a frame only the counters that moved are kept, so that few pages are touched: who has just waited for the device
/// closes it, and finds nothing of it in the processor's caches.
class FrameRing {
  public:
    struct Head {
        uint64_t number;
        uint64_t begin_ns, end_ns;  ///< as Frame
        FrameEnd end;
        uint32_t count;  ///< of steps
    };
    struct Closed {
        Head head;
        std::span<const CounterStep> steps;
        uint64_t end;  ///< where it ends, for Drop
    };

    /// Room for the steps of any frame; nullptr: the ring is full. Until Put it is nobody's.
    CounterStep* Room() {
        const uint64_t at = Fitting(head_.load(std::memory_order_relaxed));
        if (at + kLargest - tail_.load(std::memory_order_acquire) > kCells) return nullptr;
        room_ = at;
        return &cells_[at % kCells + kHeadCells];
    }
    /// A frame with the `head.count` steps that were written to where Room said.
    void Put(const Head& head) {
        std::memcpy(&cells_[room_ % kCells], &head, sizeof head);
        head_.store(room_ + kHeadCells + head.count, std::memory_order_release);
    }
    /// More than half of it is full.
    bool Crowded() const {
        return head_.load(std::memory_order_relaxed) - tail_.load(std::memory_order_relaxed) > kCells / 2;
    }

    /// Whether there is a frame; the oldest, which stays until Drop.
    bool Oldest(Closed& closed) const {
        const uint64_t tail = tail_.load(std::memory_order_relaxed);
        if (tail == head_.load(std::memory_order_acquire)) return false;
        const uint64_t at = Fitting(tail);
        std::memcpy(&closed.head, &cells_[at % kCells], sizeof closed.head);
        closed.steps = {&cells_[at % kCells + kHeadCells], closed.head.count};
        closed.end = at + kHeadCells + closed.head.count;
        return true;
    }
    void Drop(const Closed& closed) { tail_.store(closed.end, std::memory_order_release); }

  private:
    static constexpr size_t kHeadCells = (sizeof(Head) + sizeof(CounterStep) - 1) / sizeof(CounterStep);
    static constexpr size_t kLargest = kHeadCells + std::tuple_size_v<CounterSteps>;
    static constexpr size_t kCells = 8192;  // 128 KiB
    static_assert(4 * kLargest <= kCells);

    // Where a frame begins that comes at `at`: what might go beyond the end begins at the start.
    static uint64_t Fitting(uint64_t at) {
        const uint64_t left = kCells - at % kCells;
        return left < kLargest ? at + left : at;
    }

    // Nothing of it is touched before it is used: no initializers.
    std::unique_ptr<CounterStep[]> cells_ = std::make_unique_for_overwrite<CounterStep[]>(kCells);
    uint64_t room_ = 0;              // of who closes
    std::atomic<uint64_t> head_{0};  // where the next begins, in cells of all rounds
    std::atomic<uint64_t> tail_{0};  // where the oldest begins
};

}  // namespace kronos
