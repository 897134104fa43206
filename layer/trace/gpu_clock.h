// SPDX-License-Identifier: Apache-2.0
// What timestamps of one queue are in the layer's time. Pure. Externally synchronized.
//
// A device's clock counts in its own units from a beginning of its own, and only so many bits of it are written
// (VkPhysicalDeviceLimits::timestampPeriod, VkQueueFamilyProperties::timestampValidBits, section "Timestamp Queries").
// Where the device can show both clocks at one time (VK_EXT_calibrated_timestamps), that says how they belong together.
// Else each submission does: it did not begin before its call, nor end after it was seen to have ended.
#pragma once

#include <cstdint>

namespace kronos {

class GpuClock {
  public:
    /// `valid_bits`: 1 to 64. `period_ns`: of one unit.
    GpuClock(uint32_t valid_bits, double period_ns);

    /// The device's clock showed `ticks` when the layer's showed `at_ns`.
    void Calibrate(uint64_t ticks, uint64_t at_ns);

    struct Span {
        uint64_t begin_ns = 0;
        uint64_t end_ns = 0;
    };
    /// Of the next submission of the queue, in its order: between these two times, and not before the end of the one
    /// before.
    Span Place(uint64_t begin_ticks, uint64_t end_ticks, uint64_t not_before_ns, uint64_t not_after_ns);

  private:
    int64_t Nanoseconds(uint64_t ticks);

    const uint64_t mask_;
    const double period_ns_;
    bool began_ = false;
    uint64_t last_ticks_ = 0;  // as it was written
    int64_t elapsed_ = 0;      // units since the first one; what was written may have begun again at 0
    bool placed_ = false;
    int64_t offset_ns_ = 0;  // of the layer's clock to those units
    uint64_t last_end_ns_ = 0;
};

}  // namespace kronos
