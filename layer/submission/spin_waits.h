// SPDX-License-Identifier: Apache-2.0
// Waits of the program that poll before they block. One object a device, owned by the device's state.
//
// Threads: any, without locks. A wait site that another thread is just learning from is used as it is and not taught.
#pragma once

#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "stats/counters.h"
#include "submission/spin_allowance.h"
#include "submission/spin_budget.h"
#include "support/clock.h"

namespace kronos {

/// What one wait did, for the counters. Plain data.
struct WaitReport {
    Counter decision = Counter::kWaitsForwarded;
    uint64_t polls = 0;    ///< times the driver was asked whether it is over; counted by whoever asks
    uint64_t spin_ns = 0;  ///< time between the first poll and the last
    bool blocked = false;  ///< the driver's own wait was called
};

class SpinWaits {
  public:
    /// `most_ns`: longest spinning of one wait; `percent`: share of one processor that may be spent spinning.
    SpinWaits(uint64_t most_ns, uint32_t percent);

    enum class Look { kOver, kPending, kFailed };

    /// Waits at `site` (any number that is the same for waits that are alike) for at most `timeout_ns`.
    /// `look()` asks the driver without blocking; after kFailed it is not called again, and the driver's own wait says
    /// what is wrong. `block(remaining_ns)` is the driver's wait. Returns VK_SUCCESS, or what `block` returned.
    template <class LookAt, class Block>
    VkResult Wait(uint64_t site, uint64_t timeout_ns, WaitReport& report, LookAt look, Block block) {
        // What is over at the first look teaches nothing, and is not to cost more than the look.
        report.decision = Counter::kWaitsReady;
        Look seen = look();
        if (seen == Look::kOver) return VK_SUCCESS;
        const uint64_t begin = NowNs();
        Site* learned = SiteOf(site);
        if (seen == Look::kPending) {
            const uint64_t budget = std::min<uint64_t>(learned->budget_ns.load(std::memory_order_relaxed), timeout_ns);
            report.decision = WhyNotSpin(budget, begin);
            if (report.decision == Counter::kWaitsSpun) {
                uint64_t now = begin;
                do {
                    for (int i = 0; i < kPausesBetweenLooks; ++i) Pause();
                    seen = look();
                    now = NowNs();
                } while (seen == Look::kPending && now - begin < budget);
                report.spin_ns = now - begin;
                allowance_.Spent(begin, report.spin_ns);
                if (seen == Look::kPending) report.decision = Counter::kWaitsOverrun;
            }
        }
        if (seen == Look::kOver) {
            Teach(*learned, NowNs() - begin);
            return VK_SUCCESS;
        }
        if (seen == Look::kFailed) report.decision = Counter::kWaitsForwarded;
        report.blocked = true;
        const uint64_t elapsed = NowNs() - begin;
        const uint64_t left = timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - std::min(timeout_ns, elapsed);
        const VkResult result = block(left);
        // A wait that timed out would have taken longer: at least what it took.
        if (result >= VK_SUCCESS) Teach(*learned, NowNs() - begin);
        return result;
    }

    /// Whether a wait at `site` would spin at all.
    bool WouldSpin(uint64_t site) { return SiteOf(site)->budget_ns.load(std::memory_order_relaxed) != 0; }

    /// The driver's wait alone, for as long as it takes; the site learns from it.
    template <class Block>
    VkResult BlockOnly(uint64_t site, WaitReport& report, Block block) {
        const uint64_t begin = NowNs();
        Site* learned = SiteOf(site);
        report.blocked = true;
        if (!learned->budget_ns.load(std::memory_order_relaxed)) report.decision = Counter::kWaitsLong;
        const VkResult result = block();
        if (result == VK_SUCCESS) Teach(*learned, NowNs() - begin);
        return result;
    }

  private:
    // Some hundred nanoseconds: a look costs 15 to 70 on the drivers measured, and spares the other thread of the core.
    static constexpr int kPausesBetweenLooks = 4;
    static constexpr size_t kSites = 64;

    struct alignas(64) Site {
        std::atomic<uint64_t> key{0};
        std::atomic<uint32_t> budget_ns{0};
        std::atomic_flag teaching;
        SpinBudget budget;  // guarded by teaching
    };

    static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("isb" ::: "memory");  // `yield` is a no-op on most; this waits about as long as pause does
#else
        std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
    }
    Site* SiteOf(uint64_t key);
    Counter WhyNotSpin(uint64_t budget_ns, uint64_t now_ns) const;
    static void Teach(Site& site, uint64_t ns);

    const uint64_t most_ns_;
    SpinAllowance allowance_;
    std::array<Site, kSites> sites_;
};

/// How the layer waits on a device, and why, for the log.
struct WaitPolicy {
    bool spin = false;
    const char* why = "";
};
/// `driver_on_cpu`: the device's work is done by the processors that would spin. Pure.
WaitPolicy ChooseWaits(bool off, bool on, bool driver_on_cpu, uint32_t processors, uint64_t most_ns, uint32_t percent);

}  // namespace kronos
