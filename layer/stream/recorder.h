// SPDX-License-Identifier: Apache-2.0
// One command buffer's recording: the commands, held until it ends, and what they read, write and order.
//
// Owned by the command buffer; externally synchronized, as recording is. No locks; once as many commands as before have
// been recorded, no allocations.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <vector>

#include "resources/bound.h"
#include "resources/resources.h"
#include "stats/counters.h"
#include "stream/barrier_pass.h"
#include "stream/bound_shadow.h"
#include "stream/dispatch_memo.h"
#include "stream/steps.h"
#include "stream/worth.h"
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

enum class RecorderMode : uint8_t {
    kOff,      ///< commands go straight to the driver
    kObserve,  ///< they do, and are analysed
    kHold,     ///< they wait here
};

/// What may change nothing of what is bound.
enum class Redundant : uint8_t { kPipelines, kSets, kConstants, kDescriptors, kCount };

class Recorder {
  public:
    /// `drops`: binds and pushes that change nothing are not given to the driver.
    Recorder(const Resources& resources, RecorderMode mode, bool narrow, bool drops = false)
        : resources_(resources),
          wanted_(mode),
          options_{.narrow = narrow},
          drops_(drops),
          bound_(resources),
          shadow_(resources) {}
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// A new recording; what was held is forgotten. `plain`: it is not inside a render pass.
    void Begin(bool plain) {
        Forget();
        mode_ = plain ? wanted_ : RecorderMode::kOff;
    }
    /// What was held is forgotten, and nothing is recorded until Begin.
    void Forget();
    bool Active() const { return mode_ != RecorderMode::kOff; }
    bool Holding() const { return mode_ == RecorderMode::kHold; }

    /// Analyses, and gives the driver what was held. Then commands go straight to the driver. What the driver got is
    /// added to `counters`, what was decided to `decisions`, if there are any. Does not fail: without memory to
    /// analyse, the driver gets the commands as they are. Returns what was held; nothing if nothing was.
    HeldWork Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                    Counters* decisions) noexcept;

    // For the hooks of commands: each adds its steps, then holds itself. All throw std::bad_alloc; the steps of a
    // command that was not held count for nothing.
    const Resources& resources() const { return resources_; }
    BoundState& bound() { return bound_; }
    Steps& steps() { return steps_; }
    /// What the driver will have bound; nullptr: what changes nothing stays too.
    BoundShadow* shadow() { return drops_ ? &shadow_ : nullptr; }
    /// What came has that effect, which is counted. True: it is not to be held, nor recorded in any other way.
    bool Drops(Redundant what, Effect effect) {
        if (effect == Effect::kUnknown) ++not_followed_;
        if (effect != Effect::kNothing) return false;
        ++dropped_[static_cast<size_t>(what)];
        return true;
    }
    /// So many sets of a bind are not given to the driver.
    void Trimmed(size_t sets) { trimmed_ += static_cast<uint32_t>(sets); }
    /// Of a dispatch with what is bound.
    DispatchMemo::Accesses DispatchAccesses();

    /// What the command that comes next is counted as when the driver gets it; kCount: as nothing.
    void Next(Counter counter) {
        counter_ = counter;
        ++commands_;
    }
    /// Copies what an argument points to. Whoever only observes needs none.
    template <class T>
    const T* Keep(const T* values, size_t count) {
        return Holding() ? arena_.Copy(values, count) : values;
    }
    /// What is bound in place of the sets of the command that comes next; nullptr: they themselves.
    void ChooseSets(const VkDescriptorSet* chosen) { chosen_sets_ = chosen; }
    const VkDescriptorSet* chosen_sets() const { return chosen_sets_; }
    /// Copies those from `first` on, of what is bound in place of `sets`.
    const VkDescriptorSet* KeepSets(const VkDescriptorSet* sets, size_t first, size_t count) {
        return Keep((chosen_sets_ ? chosen_sets_ : sets) + first, count);
    }
    /// Room for what is made rather than copied. Whoever only observes uses it up too.
    template <class T>
    T* KeepNew(size_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        return static_cast<T*>(arena_.Take(count * sizeof(T)));
    }
    template <auto Slot, class... Args>
    HeldCommand* Hold(Args... args) {
        HeldCommand* command = Holding() ? arena_.New<HeldCall<Slot>>(args...) : nullptr;
        KeepSteps();
        if (!command) return nullptr;
        command->counter = counter_;
        command->end_step = kept_steps_;
        *last_ = command;
        last_ = &command->next;
        return command;
    }
    /// The command is all said by its steps, which come before the next command.
    void KeepSteps() { kept_steps_ = Count(); }
    /// A vkCmdPipelineBarrier2 was held: merged barriers are of its form too.
    void SetSecondForm() { second_form_ = true; }

  private:
    uint32_t Count() const { return static_cast<uint32_t>(steps_.steps.size()); }
    void EmitBarrier(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, const Masks& masks,
                     RecordingCounters& counters) const;
    void CountPlan(Counters& counters) const;
    void CountState(Counters& counters) const;

    const Resources& resources_;
    const RecorderMode wanted_;
    const BarrierOptions options_;
    const bool drops_;
    RecorderMode mode_ = RecorderMode::kOff;
    bool second_form_ = false;

    Arena arena_;
    HeldCommand* head_ = nullptr;
    HeldCommand** last_ = &head_;
    uint32_t kept_steps_ = 0;  ///< those after these are of a command that is being recorded
    Counter counter_ = Counter::kCount;
    uint32_t commands_ = 0;  ///< recorded
    const VkDescriptorSet* chosen_sets_ = nullptr;
    Steps steps_;
    BoundState bound_;
    DispatchMemo dispatches_;

    BoundShadow shadow_;
    std::array<uint32_t, static_cast<size_t>(Redundant::kCount)> dropped_ = {};
    uint32_t trimmed_ = 0;
    uint32_t not_followed_ = 0;

    BarrierPass pass_;
    BarrierPlan plan_;
};

}  // namespace kronos
