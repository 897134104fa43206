// SPDX-License-Identifier: Apache-2.0
// Command buffers that stand beside each other in a batch, given to the driver as one of the layer's own: between two
// of them a device may wait for longer than a short one runs. What they do is recorded again, with the barriers that
// all of it needs together; where the same recordings come again, what was recorded before.
//
// Between the command buffers of one batch stands submission order alone (section "Implicit Synchronization
// Guarantees"), which commands of one command buffer have too. Each begins with nothing bound (section "Command Buffer
// Lifecycle"), so that no valid one can tell what was bound before it.
//
// Threads: one object a queue, used with the queue's lock held. While it records, which the program cannot know of, it
// also holds a lock that all queues share: what needs an object for itself, as naming it does, takes that lock.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vk_layer.h>

#include <cstdint>
#include <span>
#include <vector>

#include "resources/resources.h"
#include "stats/counters.h"
#include "stream/barrier_pass.h"
#include "stream/emit.h"
#include "stream/worth.h"
#include "submission/batch.h"
#include "submission/fused_buffers.h"
#include "support/fork_mutex.h"

namespace kronos {

struct FusionPolicy {
    /// Taken for how long a device waits between two command buffers, and for recording a command again. Of an H200
    /// tools/bench/results/h200-driver-costs.txt says 4.1 us, in one submit, and 0.3 (group "fusion").
    static constexpr int64_t kBoundaryNs = 8'000;
    static constexpr int64_t kCommandNs = 300;
    /// A longer recording stays a command buffer of its own, if it is one.
    static constexpr uint32_t kMostCommands = kBoundaryNs / kCommandNs;
    /// A longer one is made one when it ends: recording it with its submission would take the thread that submits, or
    /// the flusher, longer than is gained.
    static constexpr uint32_t kMostDeferred = 2 * kMostCommands;
    /// What may come again is cut behind every recording whose number is a multiple of this: where batches end, which
    /// depends on how fast the device is, must not make each of them another one.
    static constexpr uint64_t kCut = 32;

    bool on = false;
    bool narrow = false;  ///< masks of barriers are narrowed
    bool drops = false;   ///< what is bound already is not bound again
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr;
    const Resources* resources = nullptr;
    /// What a command buffer of the program's holds; nullptr: it stays what it is.
    const Stream* (*find)(VkCommandBuffer) = nullptr;
    StreamWorth* worth = nullptr;  ///< is told what was gained; nullptr: nobody asks
};

class Fuser {
  public:
    /// `counters`: nullptr where nothing is counted. `family`: the queue's.
    Fuser(const VkuDeviceDispatchTable& down, VkDevice device, uint32_t family, Counters* counters,
          const FusionPolicy& policy, ForkMutex& recording);
    /// Nothing is pending by then.
    ~Fuser();
    Fuser(const Fuser&) = delete;
    Fuser& operator=(const Fuser&) = delete;

    /// Whether the driver has nothing of some of its command buffers. Any thread.
    static bool AnyDeferred(const Batch::Call& call, const FusionPolicy& policy);
    /// Whether there is anything to do: what the timeline has reached need not be known otherwise. `any_deferred`: of
    /// some recordings the driver may have nothing. `as_is`: only what has to be replaced is, each by one of its own.
    bool Concerns(const Batch::Call& call, bool as_is, bool any_deferred) const;
    /// What comes after this command buffer came together with it before, and is recorded so.
    bool Expects(VkCommandBuffer last) const;
    /// Sets what the driver is to get instead of `call`; valid until the next one, and as long as `call` is. What
    /// cannot be fused stays as it is; only what the driver has nothing of must be recorded, and where that fails, an
    /// error for want of memory is returned. If not, Given, NotGiven or Lost must follow. `reached`: the value of the
    /// queue's timeline.
    VkResult Fuse(const Batch::Call& call, bool as_is, uint64_t reached, Batch::Call& fused) noexcept;
    /// What Fuse returned was given to the driver, and is done when the timeline has `value`.
    void Given(uint64_t value) noexcept;
    /// It was not.
    void NotGiven() noexcept;
    /// Nobody knows whether it was.
    void Lost() noexcept;

  private:
    template <class Info, class Buffer>
    struct Rewritten {
        std::vector<Info> infos;
        std::vector<Buffer> buffers;
    };

    template <class Info, class Buffer>
    const Info* Rewrite(const Info* infos, uint32_t count, bool as_is, Rewritten<Info, Buffer>& to, uint64_t reached);
    template <class Buffer>
    void EndRun(std::span<const Buffer> run, std::vector<Buffer>& to, uint64_t reached);
    bool IsStale(const Stream& stream) const;
    bool IsCut() const;
    VkCommandBuffer FuseRun(uint64_t reached);
    const FusedBuffer* MakeFused(uint64_t reached, bool once, int64_t gained_ns);
    void CountDeferred();
    const FusedBuffer* Refused(Counter why, uint64_t n = 1) const {
        Decided(why, n);
        return nullptr;
    }
    VkResult Make(FusedBuffer& buffer);
    VkResult Record(VkCommandBuffer buffer, bool once);
    void Decided(Counter decision, uint64_t n = 1) const {
        if (counters_ && n) counters_->Decided(decision, n);
    }

    const VkuDeviceDispatchTable& down_;
    const VkDevice device_;
    const uint32_t family_;
    Counters* const counters_;
    const FusionPolicy policy_;
    ForkMutex& recording_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    FusedBuffers buffers_;

    // Of one call.
    Rewritten<VkSubmitInfo, VkCommandBuffer> first_;
    Rewritten<VkSubmitInfo2, VkCommandBufferSubmitInfo> second_;
    std::vector<const Stream*> run_;
    uint32_t run_commands_ = 0;
    uint32_t run_again_ = 0;     ///< commands in it that the driver has in another command buffer already
    uint32_t run_deferred_ = 0;  ///< recordings in it that it has nothing of
    bool run_stale_ = false;
    /// A deferred recording that the driver is about to get. Once it has been submitted it may be done, and the program
    /// may do anything to it: only the count is looked at then.
    struct Arriving {
        const Stream* stream = nullptr;
        DeferredCount* count = nullptr;
    };
    std::vector<Arriving> arriving_;
    VkResult failed_ = VK_SUCCESS;  ///< to record one of those
    uint64_t fused_ = 0, again_ = 0;
    int64_t gained_ns_ = 0;
    std::vector<uint64_t> recordings_;
    Steps joined_;
    BarrierPass pass_;
    BarrierPlan plan_;
    Repeats repeats_;
    RecordingCounters recorded_;
};

}  // namespace kronos
