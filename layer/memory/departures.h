// SPDX-License-Identifier: Apache-2.0
// What has left a store of idle memory for the driver and what of it the driver has freed: who finds no memory waits
// for the rest before giving up. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace kronos {

class Departures {
  public:
    /// One leaves: to be called before others can see that it is not in the store any more.
    void Depart() noexcept { departed_.fetch_add(1, std::memory_order_release); }
    /// The driver has freed one.
    void Freed() noexcept {
        freed_.fetch_add(1, std::memory_order_release);
        freed_.notify_all();
    }

    uint64_t Departed() const noexcept { return departed_.load(std::memory_order_acquire); }
    uint64_t FreedSoFar() const noexcept { return freed_.load(std::memory_order_acquire); }
    /// Blocks until `count` have been freed. Not in a forked child: nobody frees there what was on its way.
    void AwaitFreed(uint64_t count) const noexcept {
        for (uint64_t seen = FreedSoFar(); seen < count; seen = FreedSoFar()) freed_.wait(seen);
    }

  private:
    std::atomic<uint64_t> departed_{0};
    std::atomic<uint64_t> freed_{0};
};

}  // namespace kronos
