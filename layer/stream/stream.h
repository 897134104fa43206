// SPDX-License-Identifier: Apache-2.0
// What a recording holds: the commands, and what they read, write and order.
//
// Written by the recorder that owns it, externally synchronized as recording is. Once the recording has ended, and
// until it is begun anew, reset or freed, any thread that submits it may read it.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <atomic>
#include <cstdint>
#include <tuple>

#include "stats/counters.h"
#include "stream/steps.h"
#include "support/arena.h"

namespace kronos {

/// A held command. Its arguments follow it in the arena, with all that they point to.
struct HeldCommand {
    void (*emit)(const VkuDeviceDispatchTable&, VkCommandBuffer, const HeldCommand&) = nullptr;
    HeldCommand* next = nullptr;
    uint32_t end_step = 0;              ///< after its own
    Counter counter = Counter::kCount;  ///< counted when the driver gets it; kCount: nothing is
    uint32_t amount = 1;
};

template <auto Slot>
struct HeldCall;
template <class... Args, void (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...)>
struct HeldCall<Slot> : HeldCommand {
    explicit HeldCall(Args... given) : args(given...) { emit = Emit; }
    static void Emit(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, const HeldCommand& command) {
        std::apply([&](Args... args) { (down.*Slot)(buffer, args...); }, static_cast<const HeldCall&>(command).args);
    }
    std::tuple<Args...> args;
};

/// How many recordings of a device the driver has not got anything of, though they have ended. Any thread.
using DeferredCount = std::atomic<int64_t>;

struct Stream {
    Stream() = default;
    ~Stream() { Forgo(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// The driver has nothing of it, which is counted until it has, or until the recording is no more.
    void WaitIn(DeferredCount& count) {
        ++count;
        waits_in.store(&count, std::memory_order_relaxed);
    }
    /// Nobody waits for the driver to have what it holds any more.
    void Forgo() {
        if (DeferredCount* count = waits_in.exchange(nullptr, std::memory_order_relaxed)) --*count;
    }
    void Clear() {
        Forgo();
        arena.Reset();
        head = nullptr;
        last = &head;
        steps.Clear();
        commands = 0;
        second_form = alone = once = deferred = false;
        layouts = uid = 0;
    }

    Arena arena;  ///< the commands are in it
    HeldCommand* head = nullptr;
    HeldCommand** last = &head;
    Steps steps;
    uint32_t commands = 0;     ///< recorded
    bool second_form = false;  ///< a vkCmdPipelineBarrier2 is in it: merged barriers are of its form too
    bool alone = false;        ///< has to stay a command buffer of its own
    bool once = false;         ///< VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT
    bool deferred = false;     ///< its own command buffer is empty: another one has to be submitted
    uint64_t layouts = 0;      ///< Resources::LayoutsRemoved() when it began
    uint64_t uid = 0;          ///< of a recording that ended and is kept whole, in the order of their ends; 0: of none
    mutable std::atomic<DeferredCount*> waits_in{nullptr};
};

}  // namespace kronos
