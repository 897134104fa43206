// SPDX-License-Identifier: Apache-2.0
// Whether a fence of the program is signaled: by the driver, or by a queue's timeline. Any thread; no locks.
#pragma once

#include "entry/state.h"

namespace kronos {

/// As vkGetFenceStatus, and noted. `state`: what is known of the fence, or nullptr. Adds to `asked` how often the
/// driver was asked for the fence; when it is asked for a timeline, the queue counts that.
inline VkResult StatusOf(const Device& device, VkFence fence, FenceState* state, uint64_t& asked) {
    const uint64_t word = state ? state->word() : 0;
    const FenceState::Phase phase = FenceState::PhaseOf(word);
    if (state && phase == FenceState::kVirtualSignaled) return VK_SUCCESS;
    const bool by_timeline = state && phase == FenceState::kVirtual;
    if (!by_timeline) ++asked;
    const VkResult status =
        by_timeline ? state->timeline()->StatusOf(state->value()) : device.down.GetFenceStatus(device.handle, fence);
    if (state && status == VK_SUCCESS) state->SawSignaled(word);
    return status;
}

}  // namespace kronos
