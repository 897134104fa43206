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
#include <type_traits>

#include "stats/counters.h"
#include "submission/spin_allowance.h"
#include "submission/spin_budget.h"
#include "support/clock.h"
#include "support/pause.h"

namespace kronos {

/// What one wait did, for the counters. Plain data.
struct WaitReport {
    Counter decision = Counter::kWaitsForwarded;
    uint64_t polls = 0;    ///< times the driver was asked whether it is over; counted by whoever asks
    uint64_t spin_ns = 0;  ///< time between the first poll and the last
    bool blocked = false;  ///< the driver's own wait was called
};

/// What a wait is measured and slept by.
struct SystemTime {
    static uint64_t Now() { return NowNs(); }
    /// Until `ns` later, as the operating system has it; shorter when a signal comes.
    static void Sleep(uint64_t ns);
    static void Pause() { kronos::Pause(); }
};

class SpinWaits {
  public:
    /// `most_ns`: longest spinning of one wait; `percent`: share of one processor that may be spent spinning.
    SpinWaits(uint64_t most_ns, uint32_t percent);

    enum class Look { kOver, kPending, kFailed };

    /// Waits at `site` (any number that is the same for waits that are alike) for at most `timeout_ns`.
    /// `look()` asks the driver without blocking; after kFailed it is not called again, and the driver's own wait says
    /// what is wrong. `block(remaining_ns)` is the driver's wait. Returns VK_SUCCESS, or what `block` returned.
    template <class LookAt, class Block, class Time = SystemTime>
    VkResult Wait(uint64_t site, uint64_t timeout_ns, WaitReport& report, LookAt look, Block block, Time time = {}) {
        // What is over at the first look teaches nothing, and is not to cost more than the look.
        report.decision = Counter::kWaitsReady;
        Look seen = look();
        if (seen == Look::kOver) return VK_SUCCESS;
        const uint64_t begin = time.Now();
        Site* learned = SiteOf(site);
        if (seen == Look::kPending) {
            const uint64_t budget = std::min<uint64_t>(learned->spin_ns.load(std::memory_order_relaxed), timeout_ns);
            report.decision = WhyNotSpin(budget, begin);
            if (report.decision == Counter::kWaitsSpun) {
                uint64_t from = begin;
                // Of a place that has just lost its slot to another, or is just taking it, nothing is known.
                const bool own = learned->key.load(std::memory_order_acquire) == site;
                if (const uint32_t sleep = own ? learned->sleep_ns.load(std::memory_order_relaxed) : 0) {
                    // What may time out meanwhile is the driver's.
                    if (timeout_ns < uint64_t{sleep} + uint64_t{2} * SpinBudget::kSleepsLateNs) {
                        report.decision = Counter::kWaitsLong;
                        return LeaveToDriver(timeout_ns, begin, *learned, report, block, time);
                    }
                    time.Sleep(sleep);
                    seen = look();
                    if (seen == Look::kOver) {
                        report.decision = Counter::kWaitsOverslept;
                        Teach(*learned, [&](SpinBudget& known) { known.Overslept(sleep); });
                        return VK_SUCCESS;
                    }
                    report.decision = Counter::kWaitsSlept;
                    from = time.Now();
                }
                uint64_t now = from;
                while (seen == Look::kPending && now - from < budget && now - begin < timeout_ns) {
                    for (int i = 0; i < kPausesBetweenLooks; ++i) time.Pause();
                    seen = look();
                    now = time.Now();
                }
                report.spin_ns = now - from;
                allowance_.Spent(from, report.spin_ns);
                if (seen == Look::kPending) report.decision = Counter::kWaitsOverrun;
            }
        }
        if (seen == Look::kOver) {
            Teach(*learned, time.Now() - begin, false);
            return VK_SUCCESS;
        }
        if (seen == Look::kFailed) report.decision = Counter::kWaitsForwarded;
        return LeaveToDriver(timeout_ns, begin, *learned, report, block, time);
    }

    /// From now on no wait spins.
    void Stop() { stopped_.store(true, std::memory_order_relaxed); }

    /// Whether a wait at `site` would spin at all.
    bool WouldSpin(uint64_t site) {
        if (stopped_.load(std::memory_order_relaxed)) return false;
        return SiteOf(site)->spin_ns.load(std::memory_order_relaxed) != 0;
    }

    /// The driver's wait alone, for as long as it takes; the site learns from it.
    template <class Block>
    VkResult BlockOnly(uint64_t site, WaitReport& report, Block block) {
        const uint64_t begin = NowNs();
        Site* learned = SiteOf(site);
        report.blocked = true;
        if (!learned->spin_ns.load(std::memory_order_relaxed)) report.decision = Counter::kWaitsLong;
        const VkResult result = block();
        if (result == VK_SUCCESS) Teach(*learned, NowNs() - begin, true);
        return result;
    }

  private:
    // Some hundred nanoseconds: a look costs 15 to 70 on the drivers measured, and spares the other thread of the core.
    static constexpr int kPausesBetweenLooks = 4;
    static constexpr size_t kSites = 64;

    struct alignas(64) Site {
        std::atomic<uint64_t> key{0};
        std::atomic<uint32_t> spin_ns{0};
        std::atomic<uint32_t> sleep_ns{0};
        std::atomic_flag teaching;
        SpinBudget budget;  // guarded by teaching
    };

    // The driver's own wait, for what is left of the time since `begin`.
    template <class Driver, class Time>
    VkResult LeaveToDriver(uint64_t timeout_ns, uint64_t begin, Site& site, WaitReport& report, Driver driver,
                           Time time) {
        report.blocked = true;
        const uint64_t elapsed = time.Now() - begin;
        const uint64_t left = timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - std::min(timeout_ns, elapsed);
        const VkResult result = driver(left);
        // A wait that timed out would have taken longer: at least what it took, and more than can be spun for if it
        // took that.
        const uint64_t took = time.Now() - begin;
        if (result >= VK_SUCCESS) Teach(site, result == VK_TIMEOUT && took > most_ns_ ? UINT64_MAX : took, true);
        return result;
    }
    Site* SiteOf(uint64_t key);
    static void Tell(Site& site);
    Counter WhyNotSpin(uint64_t budget_ns, uint64_t now_ns) const;
    template <class Lesson>
    requires std::is_invocable_v<Lesson, SpinBudget&>
    static void Teach(Site& site, Lesson lesson) {
        if (site.teaching.test_and_set(std::memory_order_acquire)) return;
        lesson(site.budget);
        Tell(site);
        site.teaching.clear(std::memory_order_release);
    }
    static void Teach(Site& site, uint64_t ns, bool blocked) {
        Teach(site, [=](SpinBudget& known) { known.Ended(ns, blocked); });
    }

    const uint64_t most_ns_;
    SpinAllowance allowance_;
    std::array<Site, kSites> sites_;
    std::atomic<bool> stopped_{false};
};

/// How the layer waits on a device, and why, for the log.
struct WaitPolicy {
    bool spin = false;
    const char* why = "";
};
/// `driver_on_cpu`: the device's work is done by the processors that would spin. Pure.
WaitPolicy ChooseWaits(bool off, bool on, bool driver_on_cpu, uint32_t processors, uint64_t most_ns, uint32_t percent);

}  // namespace kronos
