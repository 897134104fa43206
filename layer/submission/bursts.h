// SPDX-License-Identifier: Apache-2.0
// What holding submissions would gain, estimated where none is held. Pure; externally synchronized, as its queue.
#pragma once

#include <algorithm>
#include <cstdint>

#include "submission/submit_queue.h"

namespace kronos {

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
