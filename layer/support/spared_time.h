// SPDX-License-Identifier: Apache-2.0
// A clock that leaves out what the layer could spare. Any thread, without locks.
#pragma once

#include <atomic>
#include <cstdint>

#include "support/clock.h"

namespace kronos {

/// Time in the driver's calls that make and drop what could be recycled, where nothing is: time that would be spared,
/// and no pause of the program's.
class SparedTime {
  public:
    /// What the clock shows without it.
    uint64_t NowWithoutNs() const { return NowNs() - ns_.load(std::memory_order_relaxed); }

    /// From here to the end of the scope. nullptr: is not looked at.
    class Scope {
      public:
        explicit Scope(SparedTime* time) : time_(time), begun_ns_(time ? NowNs() : 0) {}
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope() {
            if (time_) time_->ns_.fetch_add(NowNs() - begun_ns_, std::memory_order_relaxed);
        }

      private:
        SparedTime* const time_;
        const uint64_t begun_ns_;
    };

  private:
    std::atomic<uint64_t> ns_{0};
};

}  // namespace kronos
