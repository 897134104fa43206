// SPDX-License-Identifier: Apache-2.0
#include "trace/gpu_clock.h"

#include <algorithm>
#include <cmath>

namespace kronos {

GpuClock::GpuClock(uint32_t valid_bits, double period_ns)
    : mask_(valid_bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << valid_bits) - 1), period_ns_(period_ns) {}

// Since the first one that was asked for. Those that come one after the other lie closer than half of what the bits can
// tell apart; should they not, Place moves them to where they belong.
int64_t GpuClock::Nanoseconds(uint64_t ticks) {
    ticks &= mask_;
    if (!began_) last_ticks_ = ticks;
    began_ = true;
    const uint64_t ahead = (ticks - last_ticks_) & mask_;
    elapsed_ += ahead > mask_ / 2 ? -static_cast<int64_t>((last_ticks_ - ticks) & mask_) : static_cast<int64_t>(ahead);
    last_ticks_ = ticks;
    return std::llround(static_cast<double>(elapsed_) * period_ns_);
}

void GpuClock::Calibrate(uint64_t ticks, uint64_t at_ns) {
    offset_ns_ = static_cast<int64_t>(at_ns) - Nanoseconds(ticks);
    placed_ = true;
}

GpuClock::Span GpuClock::Place(uint64_t begin_ticks, uint64_t end_ticks, uint64_t not_before_ns,
                               uint64_t not_after_ns) {
    const int64_t begin = Nanoseconds(begin_ticks);
    const int64_t end = std::max(Nanoseconds(end_ticks), begin);
    // What is known of the offset from this one alone. The first one began with its call, for all that is known.
    const int64_t least = static_cast<int64_t>(not_before_ns) - begin;
    const int64_t most = static_cast<int64_t>(not_after_ns) - end;
    if (placed_ && least <= most)
        offset_ns_ = std::clamp(offset_ns_, least, most);
    else
        offset_ns_ = least;  // it is the first, or the units are not quite as long as they are said to be
    placed_ = true;
    Span span;
    span.begin_ns = std::max(static_cast<uint64_t>(begin + offset_ns_), last_end_ns_);
    span.end_ns = std::max(static_cast<uint64_t>(end + offset_ns_), span.begin_ns);
    last_end_ns_ = span.end_ns;
    return span;
}

}  // namespace kronos
