// SPDX-License-Identifier: Apache-2.0
// When the submissions of one queue began and ended on the device: two short command buffers of the layer's own around
// each, which write timestamps (section "Timestamp Queries"). A pair of them is a slot, recorded once and submitted
// again and again, whenever what it measured has been read.
//
// That a slot's timestamps are there an event says, which the second command buffer sets: queries that are reset on the
// device look to the host as they were until the device comes to it.
//
// Threads: Take and Fly for who may submit to the queue. Collect for any thread. mutex_ guards the lists of slots; the
// driver is called without it. In a child of fork none may be called.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vk_layer.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace kronos {

/// What makes slots: the driver's calls. Handles outlive all slots.
struct GpuTimesDriver {
    const VkuDeviceDispatchTable* down = nullptr;
    VkDevice device = VK_NULL_HANDLE;
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr;
};

/// One submission as it was on the device, in its units.
struct GpuTime {
    uint64_t submission = 0;  ///< what Fly was told, and the next two
    uint64_t call_begin_ns = 0;
    uint64_t call_end_ns = 0;
    uint64_t begin_ticks = 0;
    uint64_t end_ticks = 0;
};

class GpuTimes {
  public:
    /// `family`: the queue's; it can write timestamps and reset queries.
    GpuTimes(const GpuTimesDriver& driver, uint32_t family) : driver_(driver), family_(family) {}
    /// Nothing is pending by then, or it is not known whether it is: see Abandon.
    ~GpuTimes();
    GpuTimes(const GpuTimes&) = delete;
    GpuTimes& operator=(const GpuTimes&) = delete;

    struct Slot {
        VkCommandBuffer before = VK_NULL_HANDLE;
        VkCommandBuffer after = VK_NULL_HANDLE;
        VkQueryPool pool = VK_NULL_HANDLE;
        uint32_t query = 0;  // this and the next
        VkEvent event = VK_NULL_HANDLE;
        GpuTime time;  // as far as Fly knows it
    };
    /// A slot that is not pending; nullptr: there are too many, or the driver makes no more.
    Slot* Take() noexcept;
    /// It was submitted, by a call of that number and time. In the order of submissions.
    void Fly(Slot* slot, uint64_t submission, uint64_t begin_ns, uint64_t end_ns) noexcept;
    /// It was not.
    void Return(Slot* slot) noexcept;
    /// Nobody knows what is pending any more: no slot is used again.
    void Abandon() noexcept { abandoned_.store(true, std::memory_order_relaxed); }
    /// The device is lost: no slot is used again, and nothing is pending that keeps what there is from being destroyed
    /// (section "Lost Device").
    void Lose() noexcept { lost_.store(true, std::memory_order_relaxed); }

    /// Calls `visit(GpuTime)` for submissions that are done, in their order. Returns at once when another thread is at
    /// it.
    template <class Visit>
    void Collect(Visit visit) {
        if (collecting_.test_and_set(std::memory_order_acquire)) return;
        GpuTime time;
        while (Slot* slot = Oldest()) {
            if (!Read(*slot, time)) break;
            visit(time);
            Landed(slot);
        }
        collecting_.clear(std::memory_order_release);
    }
    bool AnyFlying();
    /// After Abandon or Lose.
    bool Ended() const { return abandoned_.load(std::memory_order_relaxed) || lost_.load(std::memory_order_relaxed); }
    /// The driver could not make what a slot needs.
    bool Failed() const { return failed_; }

  private:
    static constexpr uint32_t kInPool = 32;   // slots that are made at a time
    static constexpr size_t kMostPools = 32;  // so many submissions may be pending: 1024

    bool MakePool();
    VkResult Record(const Slot& slot) const;
    Slot* Oldest();
    bool Read(const Slot& slot, GpuTime& time);
    void Landed(Slot* slot);

    const GpuTimesDriver driver_;
    const uint32_t family_;
    VkCommandPool commands_ = VK_NULL_HANDLE;
    std::vector<VkQueryPool> pools_;
    std::vector<std::unique_ptr<Slot>> slots_;
    bool failed_ = false;
    std::atomic<bool> abandoned_{false};
    std::atomic<bool> lost_{false};
    std::atomic_flag collecting_ = ATOMIC_FLAG_INIT;

    std::mutex mutex_;
    std::vector<Slot*> idle_;   // has room for all
    std::deque<Slot*> flying_;  // the oldest first
};

}  // namespace kronos
