// SPDX-License-Identifier: Apache-2.0
// What a frame is and when it ends: pure, no Vulkan calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "stats/counters.h"
#include "stats/memory_levels.h"

namespace kronos {

/// Why a frame was closed. kEnd: the device was destroyed, or the process ended, with a frame open.
enum class FrameEnd : uint32_t { kPresent, kFrameBoundary, kWait, kSubmits, kTime, kEnd };

inline const char* FrameEndName(FrameEnd end) {
    switch (end) {
        case FrameEnd::kPresent:
            return "present";
        case FrameEnd::kFrameBoundary:
            return "frame_boundary";
        case FrameEnd::kWait:
            return "wait";
        case FrameEnd::kSubmits:
            return "submits";
        case FrameEnd::kTime:
            return "time";
        case FrameEnd::kEnd:
            return "end";
    }
    return "?";
}

struct Frame {
    uint64_t number = 0;
    uint64_t begin_ns = 0;  ///< since the device was created
    uint64_t end_ns = 0;
    FrameEnd end = FrameEnd::kWait;
    CounterValues counted;
    std::optional<MemoryLevels> memory = std::nullopt;  ///< when its line is written; nullopt: as it was told last
};

/// Decides when a frame ends. A present or a VK_EXT_frame_boundary always ends one; a program that never used either
/// ends its frames where the host has waited for work. `submits`: how many there were since the device was created. Any
/// thread; no locks.
class FramePolicy {
  public:
    /// `every_submits`, 0: frames do not end by number of submits.
    explicit FramePolicy(uint64_t every_submits) : every_submits_(every_submits) {}

    /// A present or a frame boundary: always ends the frame, and host waits no longer do.
    void Boundary() { explicit_.store(true, std::memory_order_relaxed); }

    /// Whether submits end frames at all, and waits do: else nobody needs to know how many submits there were.
    bool BySubmits() const { return every_submits_ != 0; }
    bool ByWaits() const { return !explicit_.load(std::memory_order_relaxed); }

    /// True when the latest submit ends a frame.
    bool Submitted(uint64_t submits) const { return BySubmits() && SinceClosed(submits) >= every_submits_; }
    /// True when a completed host wait ends a frame: something was submitted since the last one.
    bool Waited(uint64_t submits) const { return ByWaits() && SinceClosed(submits) > 0; }
    /// A frame was closed, which holds all submits up to this many.
    void Closed(uint64_t submits) { closed_.store(submits, std::memory_order_relaxed); }

  private:
    // Another thread may have closed a frame with more submits than the caller saw: then there are none, not -1.
    uint64_t SinceClosed(uint64_t submits) const {
        const uint64_t closed = closed_.load(std::memory_order_relaxed);
        return submits > closed ? submits - closed : 0;
    }

    const uint64_t every_submits_;
    std::atomic<bool> explicit_{false};
    std::atomic<uint64_t> closed_{0};
};

}  // namespace kronos
