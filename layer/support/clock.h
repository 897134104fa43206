// SPDX-License-Identifier: Apache-2.0
// The one clock of the layer. Any thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace kronos {

/// Nanoseconds of the monotonic clock.
inline uint64_t NowNs() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

/// The same clock as the kernel last looked at it: behind by up to a tick (10 ms at most), and read without looking.
inline uint64_t CoarseNowNs() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace kronos
