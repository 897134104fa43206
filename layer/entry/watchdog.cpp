// SPDX-License-Identifier: Apache-2.0
// After an error of the layer's own: nothing is optimised any more, in whatever state it is. Each feature ends in the
// way that it has for other reasons: what is held goes to the driver, what is known stays known.
#include "entry/state.h"

namespace kronos {

void StandAside(Device& device) noexcept {
    if (device.stands_aside.exchange(true)) return;
    if (device.submissions) {
        device.submissions->StopHolding(Counter::kSubmitsWatchdog);
        device.submissions->StopDeferring(Counter::kDeferralsWatchdog);
    }
    if (device.resources && device.resources->HoldsSets()) {
        device.resources->HoldSets(false);
        device.Decided(Counter::kSetsGivenUp);
    }
    if (device.waits) device.waits->Stop();
    if (device.fences) device.fences->ended.store(true, std::memory_order_relaxed);
    if (device.recycler) device.recycler->ended.store(true, std::memory_order_relaxed);
    if (device.slabs) device.slabs->ended.store(true, std::memory_order_relaxed);
    device.Decided(Counter::kWatchdog);
    Guarded(device.log.get(), "watchdog", false, [&] {
        device.log->Error(
            "watchdog: after an error of the layer's own nothing is optimised any more on this device; "
            "watchdog = false goes on all the same");
        return true;
    });
}

}  // namespace kronos
