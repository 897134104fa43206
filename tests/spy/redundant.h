// SPDX-License-Identifier: Apache-2.0
// Binds and pushes that repeat the last one of their kind, with nothing between that could change what it did: counted
// as redundant_binds and redundant_pushes. The simplest rule: whatever it does not find may be redundant all the same.
// Any thread; state is behind one mutex.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <vector>

#include "derived.h"

namespace spy {

/// What takes the place of what: sets that are bound and descriptors that are pushed take each other's.
enum class StateKind : uint8_t { Pipeline, Sets, Constants };

/// A bind or push for a bind point, or a push of constants, with all its arguments as numbers.
void NoteState(VkCommandBuffer commands, StateKind kind, int bind_point, std::vector<uint64_t> words, Counter counter);
/// One that is not compared: the next of its kind is none that repeats it.
void ForgetState(VkCommandBuffer commands, StateKind kind);
/// A command that may change anything that is bound, or a new recording.
void ForgetState(VkCommandBuffer commands);
/// A command buffer that is gone.
void DropState(VkCommandBuffer commands);
/// A device's own command was called: objects may be others, and hold something else.
void NoteDeviceCall();

/// Whether a command leaves alone what is bound, or is compared.
constexpr bool LeavesState(Id canonical) {
    switch (canonical) {
        case Id::vkCmdDispatch:
        case Id::vkCmdDispatchBase:
        case Id::vkCmdDispatchIndirect:
        case Id::vkCmdPipelineBarrier:
        case Id::vkCmdPipelineBarrier2:
        case Id::vkCmdWriteTimestamp:
        case Id::vkCmdWriteTimestamp2:
        case Id::vkCmdBeginQuery:
        case Id::vkCmdEndQuery:
        case Id::vkCmdResetQueryPool:
        case Id::vkCmdBeginDebugUtilsLabelEXT:
        case Id::vkCmdEndDebugUtilsLabelEXT:
        case Id::vkCmdInsertDebugUtilsLabelEXT:
            return true;
        default:
            // Transfers, events, and the binds and pushes themselves.
            return PlainCounter(canonical).has_value();
    }
}

}  // namespace spy
