// SPDX-License-Identifier: Apache-2.0
// What the generated entry points use beyond recording: default creation and destruction, the recording-state check.
// Any thread may call.
#pragma once
#include "recording.h"
#include "state.h"

namespace mock {

template <typename H>
uint64_t CreateGeneric(H parent, VkObjectType type) {
    return AddObject(type, ToHandle<Dispatchable*>(FromHandle(parent)), nullptr);
}

void DestroyByHandle(Command command, VkObjectType type, uint64_t handle);
template <typename H>
void DestroyGeneric(Command command, H, VkObjectType type, uint64_t handle) {
    DestroyByHandle(command, type, handle);
}

void NotRecording(VkCommandBuffer buffer, Command command);
inline void CheckRecording(VkCommandBuffer buffer, Command command) {
    if (Of(buffer)->state != CommandBuffer::State::kRecording) [[unlikely]] {
        NotRecording(buffer, command);
    }
}

}  // namespace mock
