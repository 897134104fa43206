// SPDX-License-Identifier: Apache-2.0
// The statistics of one device: its counters, its current frame, and the ring from which the log's thread takes frames.
// Owned by the device's state; known to the StatsLog between Attach and Detach.
//
// Threads: the program's threads count and close frames, without locks; the StatsLog takes frames under its own mutex.
// levels_mutex_ is the log's thread's, and of who begins and ends what has levels; under it locks of memory are taken.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "stats/counters.h"
#include "stats/format.h"
#include "stats/frame.h"
#include "stats/frame_ring.h"

namespace kronos {

class StatsLog;

class DeviceStats {
  public:
    /// `log`: where frames and summary go, or nullptr: counted only. `frames`: whether frames are recorded at all.
    DeviceStats(DeviceLabel label, std::shared_ptr<StatsLog> log, bool frames, uint64_t every_submits,
                uint64_t every_ns);
    ~DeviceStats();

    Counters& counters() { return counters_; }
    const DeviceLabel& label() const { return label_; }

    /// A present or VK_EXT_frame_boundary ended a frame.
    void OnBoundary(FrameEnd end);
    /// A submit was counted.
    void OnSubmit();
    /// A host wait (or a poll that saw completion) ended with success.
    void OnWaitDone();

    /// The value of a timeline semaphore was asked for. One that differs from that semaphore's last has seen work done,
    /// as a wait does; who spins asks many times and gets the old one.
    void OnCounterRead(uint64_t semaphore, uint64_t value);

    /// Closes the current frame. Does nothing when another thread is closing one, when nothing was counted, or when the
    /// ring is full: what was counted then goes into the next frame. Never blocks. Only in the process that created the
    /// device.
    void CloseFrame(FrameEnd end);

    /// The same for the log itself, which must not be kicked.
    void CloseFrameForLog(FrameEnd end = FrameEnd::kEnd);

    /// For the log's thread: the oldest frame not yet taken. One caller at a time.
    std::optional<Frame> TakeFrame();
    /// For the log's thread: closes the frame when its time is over (setting frame_ms).
    void Tick(uint64_t now_ns);
    Summary MakeSummary(bool at_exit);

    /// Where levels of memory are to be had from; nullptr: nowhere any more, after one last look.
    void SetLevels(const LevelSource* source);
    /// For the log's thread: what they are, if that is not what it was told last.
    std::optional<MemoryLevels> NewLevels();

  private:
    uint64_t Submits() const { return counters_.Sum(Side::kAsked, Counter::kSubmits); }
    // True when the ring is more than half full.
    bool TryClose(FrameEnd end);

    const DeviceLabel label_;
    const std::shared_ptr<StatsLog> log_;
    const bool frames_;
    const uint64_t every_ns_;
    const uint64_t born_ns_;
    const uint32_t fork_generation_;
    FramePolicy policy_;
    Counters counters_;

    std::atomic_flag closing_ = ATOMIC_FLAG_INIT;  // guards last_, and the ring's side of who closes
    CounterValues last_;
    std::atomic<uint64_t> closed_{0};  // frames; changed with closing_ held
    std::atomic<uint64_t> frame_begin_ns_{0};

    void LookAtLevels();  // with levels_mutex_ held

    std::array<std::atomic<uint64_t>, 16> last_read_{};  // by semaphore: 24 bits of which it is, 40 of its value

    std::mutex levels_mutex_;  // guards the next four
    const LevelSource* level_source_ = nullptr;
    MemoryLevels levels_;
    MemoryLevels levels_told_;
    MemoryLevels levels_most_;

    const std::unique_ptr<FrameRing> ring_;  // nullptr: frames are not recorded
};

}  // namespace kronos
