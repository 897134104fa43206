// SPDX-License-Identifier: Apache-2.0
// The trace of one device: what of its queues, waits and memory becomes an event. Owned by the device's state, and
// there only where trace_file is set.
//
// Threads: DeviceTrace any. QueueTrace who may use the queue (Vulkan synchronizes that externally; where submissions
// are held, it is who has the queue's lock), but for Collect, which any thread may call. In a child of fork nothing is
// traced: who calls anything here but Inherited has asked that first.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stats/counters.h"
#include "support/clock.h"
#include "support/handle_map.h"
#include "support/log.h"
#include "trace/gpu_clock.h"
#include "trace/gpu_times.h"
#include "trace/trace_events.h"
#include "trace/trace_writer.h"

namespace kronos {

class DeviceTrace;

/// What is known of a device when its trace begins. Plain data.
struct TraceDevice {
    uint32_t index = 0;  ///< of the device within the process
    int pid = 0;
    std::string program;
    std::string name;
    double timestamp_period_ns = 0;
    std::vector<VkQueueFamilyProperties> families;
    std::string why_no_times;  ///< of no queue; empty: of those that can
    GpuTimesDriver driver;
    /// Section "Calibrated Timestamps"; nullptr: the device cannot.
    PFN_vkGetCalibratedTimestampsKHR calibrated = nullptr;
};

/// One queue: a row of the driver's calls, and a row of what they took on the device.
class QueueTrace {
  public:
    QueueTrace(DeviceTrace& all, uint32_t number, uint32_t family, std::unique_ptr<GpuTimes> times, uint32_t valid_bits,
               double period_ns);

    /// Held submissions are about to be given to the driver: of so many command buffers of the program's, as many more
    /// as the driver gets became part of others. Until Gave.
    void Gives(uint64_t buffers);
    /// They were. `why` and numbers: as QueueDriver::Gave's.
    void Gave(Counter why, uint64_t submissions, uint64_t folded);
    /// One more submission is held.
    void Held();

    /// A call of the driver for the queue, as it was.
    struct Call {
        const char* name = "";
        uint64_t begin_ns = 0;
        uint64_t end_ns = 0;
        uint32_t infos = 0;
        uint32_t buffers = 0;
        VkResult result = VK_SUCCESS;
        GpuTimes::Slot* slot = nullptr;  ///< that measures it; nullptr: nothing does
    };
    void Called(const Call& call);
    /// nullptr: the next submission cannot be measured.
    GpuTimes::Slot* TakeSlot();
    /// It measures nothing.
    void ReturnSlot(GpuTimes::Slot* slot);
    /// Submissions of this queue are measured.
    bool Measures() const { return times_ != nullptr; }

    /// Writes what the device has done since.
    void Collect();

    /// For who passes the driver a call with more command buffers. Used by one call after the other.
    struct Room {
        std::vector<VkSubmitInfo> infos;
        std::vector<VkSubmitInfo2> infos2;
        std::array<std::vector<VkCommandBuffer>, 2> buffers;
        std::array<std::vector<VkCommandBufferSubmitInfo>, 2> buffers2;
    } room;

  private:
    friend class DeviceTrace;
    struct Unsent {
        Call call;
        uint64_t number;
    };
    void Watch(const Unsent& one);
    void Calibrate(uint64_t now_ns);
    void Send(const Unsent& call, std::string_view reason, uint64_t submissions, uint64_t folded,
              uint64_t asked_buffers);

    DeviceTrace& all_;
    const TraceTrack calls_;
    const TraceTrack gpu_;
    const std::string held_name_;
    std::unique_ptr<GpuTimes> times_;  // nullptr: it cannot
    // Of who collects, one thread at a time.
    GpuClock clock_;
    uint64_t calibrated_ns_ = 0;  // when it was last
    bool calibrates_;
    bool giving_ = false;
    uint64_t gives_since_ns_ = 0;
    uint64_t gives_buffers_ = 0;
    uint64_t held_ = 0;
    std::vector<Unsent> unsent_;  // calls of which the reason is not known yet
    bool full_told_ = false;
    QueueTrace* next_ = nullptr;
};

class DeviceTrace {
  public:
    DeviceTrace(TraceDevice device, std::shared_ptr<TraceWriter> writer, std::shared_ptr<Log> log);
    /// Waits a moment for what is not done; in a child of fork it is not to be destroyed.
    ~DeviceTrace();
    DeviceTrace(const DeviceTrace&) = delete;
    DeviceTrace& operator=(const DeviceTrace&) = delete;

    bool Inherited() const { return writer_->Inherited(); }

    /// `plain`: it has no flags. Throws std::bad_alloc.
    QueueTrace* AddQueue(uint32_t family, bool plain);
    /// No timestamps of this submission, said once.
    void NotUnderstood();

    /// What the calling thread did, as a slice of it.
    void ThreadSlice(std::string_view name, uint64_t begin_ns, uint64_t end_ns,
                     std::string_view arguments = {}) noexcept;
    /// Writes what the device has done since, on all queues.
    void Collect() noexcept;

    void Allocated(VkDeviceMemory memory, uint64_t bytes) noexcept;
    void Freed(VkDeviceMemory memory) noexcept;
    /// How much of it serves nobody. Written when it changed.
    void Idle(uint64_t bytes) noexcept;

    /// What was in the driver's place in the dispatch table.
    struct Below {
        PFN_vkQueueSubmit QueueSubmit = nullptr;
        PFN_vkQueueSubmit2 QueueSubmit2 = nullptr;
        PFN_vkAllocateMemory AllocateMemory = nullptr;
        PFN_vkFreeMemory FreeMemory = nullptr;
    } below;

  private:
    friend class QueueTrace;
    void Count(std::string_view what, std::string_view unit, uint64_t value);
    // Memory that is short costs events.
    template <class Body>
    void Safely(Body body) noexcept {
        try {
            body();
        } catch (const std::exception&) {
            // An event is missing.
        }
    }

    const TraceDevice device_;
    const std::shared_ptr<TraceWriter> writer_;
    const std::shared_ptr<Log> log_;
    const std::string prefix_;
    std::atomic<QueueTrace*> queues_{nullptr};  // a list that only grows
    std::atomic<uint32_t> queue_count_{0};
    std::atomic_flag not_understood_told_ = ATOMIC_FLAG_INIT;

    HandleMap<VkDeviceMemory, uint64_t> sizes_;
    std::atomic<uint64_t> allocations_{0};
    std::atomic<uint64_t> bytes_{0};
    std::atomic<uint64_t> idle_{0};
};

/// From its making to its end: a slice of the calling thread.
class TracedWait {
  public:
    TracedWait(DeviceTrace* trace, const char* name) : trace_(trace), name_(name), begin_ns_(trace ? NowNs() : 0) {}
    ~TracedWait() {
        if (trace_) [[unlikely]]
            End();
    }
    TracedWait(const TracedWait&) = delete;
    TracedWait& operator=(const TracedWait&) = delete;

  private:
    [[gnu::cold, gnu::noinline]] void End() noexcept;

    DeviceTrace* const trace_;
    const char* const name_;
    const uint64_t begin_ns_;
};

}  // namespace kronos
