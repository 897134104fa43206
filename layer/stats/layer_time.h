// SPDX-License-Identifier: Apache-2.0
// How long the layer itself takes, by a sample: of the calls of a thread that are looked at, one in kOneIn is timed,
// without what the driver takes in it, and counted kOneIn times. Any thread; no locks.
#pragma once

#include <cstdint>

#include "stats/counters.h"
#include "support/clock.h"

namespace kronos {

class LayerTime {
  public:
    /// Not a number that programs like: who calls two commands in turn has both of them looked at.
    static constexpr uint32_t kOneIn = 61;

    /// From here to the end of its life. `counters`: nullptr: nothing is timed.
    explicit LayerTime(Counters* counters) {
        if (counters && Sampled()) [[unlikely]]
            Begin(*counters);
    }
    ~LayerTime() {
        if (counters_) [[unlikely]]
            End();
    }
    LayerTime(const LayerTime&) = delete;
    LayerTime& operator=(const LayerTime&) = delete;

    /// What is the driver's in it: for as long as this lives, on the same thread.
    class Driver {
      public:
        Driver() : time_(current) {
            if (time_) [[unlikely]]
                begin_ns_ = NowNs();
        }
        ~Driver() {
            if (time_) [[unlikely]]
                time_->driver_ns_ += NowNs() - begin_ns_;
        }
        Driver(const Driver&) = delete;
        Driver& operator=(const Driver&) = delete;

      private:
        LayerTime* const time_;
        uint64_t begin_ns_ = 0;
    };

  private:
    static bool Sampled() {
        thread_local uint32_t calls = 0;
        if (++calls < kOneIn) return false;
        calls = 0;
        return true;
    }
    void Begin(Counters& counters) {
        if (current) return;  // it is a part of what is timed
        counters_ = &counters;
        current = this;
        begin_ns_ = NowNs();
    }
    void End() {
        const uint64_t all_ns = NowNs() - begin_ns_;
        current = nullptr;
        counters_->Decided(Counter::kLayerNs, kOneIn * (all_ns - driver_ns_));
    }

    static inline thread_local LayerTime* current = nullptr;
    Counters* counters_ = nullptr;  // nullptr: it is not timed
    uint64_t begin_ns_ = 0;
    uint64_t driver_ns_ = 0;
};

}  // namespace kronos
