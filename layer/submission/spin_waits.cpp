// SPDX-License-Identifier: Apache-2.0
#include "submission/spin_waits.h"

#include <ctime>

#include "support/process.h"

namespace kronos {

SpinWaits::SpinWaits(uint64_t most_ns, uint32_t percent) : most_ns_(most_ns), allowance_(percent) {
    for (Site& site : sites_) {
        site.budget = SpinBudget(most_ns_);
        Tell(site);
    }
}

// What was learned, for waits that are not to wait for a lesson.
void SpinWaits::Tell(Site& site) {
    site.spin_ns.store(site.budget.plan().spin_ns, std::memory_order_relaxed);
    site.sleep_ns.store(site.budget.plan().sleep_ns, std::memory_order_relaxed);
}

void SystemTime::Sleep(uint64_t ns) {
    const timespec time = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

// Places that share a slot take it from each other, and begin to learn anew: rare, and then no worse than at the start.
SpinWaits::Site* SpinWaits::SiteOf(uint64_t key) {
    Site& site = sites_[(key * 0x9E3779B97F4A7C15ull) >> (64 - 6)];
    static_assert(kSites == 1u << 6);
    if (site.key.load(std::memory_order_relaxed) == key) return &site;
    if (!site.teaching.test_and_set(std::memory_order_acquire)) {
        site.budget = SpinBudget(most_ns_);
        Tell(site);
        site.key.store(key, std::memory_order_release);  // whoever reads it reads what was told
        site.teaching.clear(std::memory_order_release);
    }
    return &site;
}

Counter SpinWaits::WhyNotSpin(uint64_t budget_ns, uint64_t now_ns) const {
    if (stopped_.load(std::memory_order_relaxed)) return Counter::kWaitsWatchdog;
    if (!budget_ns) return Counter::kWaitsLong;
    if (ThreadIsRealtime()) return Counter::kWaitsRealtime;
    if (!allowance_.Ask(now_ns)) return Counter::kWaitsShareSpent;
    return Counter::kWaitsSpun;
}

WaitPolicy ChooseWaits(bool off, bool on, bool driver_on_cpu, uint32_t processors, uint64_t most_ns, uint32_t percent) {
    if (off) return {false, "off by setting"};
    if (!most_ns || !percent) return {false, "no time is allowed for spinning"};
    if (on) return {true, "on by setting"};
    if (processors < 2) return {false, "there is one processor, and spinning would keep it from others"};
    if (driver_on_cpu) return {false, "the device is a processor, and spinning would keep it from working"};
    return {true, "a blocked thread is woken late"};
}

}  // namespace kronos
