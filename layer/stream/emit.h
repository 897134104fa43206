// SPDX-License-Identifier: Apache-2.0
// Gives the driver what recordings hold, and joins several of them into one command buffer.
//
// Threads: any, with streams that nobody changes meanwhile. The command buffer is externally synchronized.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <span>

#include "stats/counters.h"
#include "stream/barrier_pass.h"
#include "stream/repeats.h"
#include "stream/stream.h"

namespace kronos {

/// The steps of recordings that follow each other, with a seam between each two: a barrier for everything, if what
/// comes after it conflicts with what comes before. The specification puts none there, and valid programs bring their
/// own; but drivers wait between command buffers, and many a program has never run without that. Throws std::bad_alloc;
/// then `joined` is of no use.
void Join(std::span<const Stream* const> streams, Steps& joined);

/// Gives `buffer` the commands of `streams`, one recording behind the other. `joined`: the steps of the only one, or
/// what Join made of several. `plan`: the barriers, of those steps; nullptr: they stay where the program put them.
/// `repeats`: what repeats itself is left out; nullptr: nothing is. What the driver got is added to `counters`.
void Emit(std::span<const Stream* const> streams, const Steps& joined, const BarrierPlan* plan, Repeats* repeats,
          const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters);

}  // namespace kronos
