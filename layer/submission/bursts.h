// SPDX-License-Identifier: Apache-2.0
// What holding submissions would gain, estimated where none is held. Pure but for the clock. Bursts: externally
// synchronized, as its queue; SparedTime: any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "submission/submit_queue.h"
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

/// A submission that comes within kPauseNs of the end of the call before it finds that one still at work: more than a
/// program needs that records a little in between, and less than a result needs to be seen by who waits for it. Of
/// submissions that follow each other so, SubmitLimits::kInFlight would be given at once, and the others in as few as
/// one call.
class Bursts {
  public:
    static constexpr uint64_t kPauseNs = 12'000;

    /// A submission comes. `may_join`: it is understood, and waits for nothing. True: it would be no call of its own.
    bool Comes(uint64_t now_ns, bool may_join) {
        if (!may_join || !ended_ns_ || now_ns - ended_ns_ > kPauseNs) length_ = 0;
        length_ = std::min(length_ + 1, kAlone + 1);
        return length_ > kAlone;
    }
    /// Its call of the driver is over.
    void Ended(uint64_t now_ns) { ended_ns_ = now_ns; }

  private:
    // Those that are given at once, and the first of those that come together.
    static constexpr uint64_t kAlone = SubmitLimits::kInFlight + 1;

    uint64_t ended_ns_ = 0;  ///< 0: none was
    uint64_t length_ = 0;
};

}  // namespace kronos
