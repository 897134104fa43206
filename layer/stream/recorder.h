// SPDX-License-Identifier: Apache-2.0
// One recording of a command buffer: the commands, held until it ends, and what they read, write and order.
//
// Used by one command buffer at a time, and when that has been recorded by another one of its pool; externally
// synchronized, as recording is. No locks; once as many commands as before have been recorded, no allocations.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "resources/bound.h"
#include "resources/resources.h"
#include "stats/counters.h"
#include "stream/barrier_pass.h"
#include "stream/bound_shadow.h"
#include "stream/dispatch_memo.h"
#include "stream/stream.h"
#include "stream/worth.h"

namespace kronos {

enum class RecorderMode : uint8_t {
    kOff,      ///< commands go straight to the driver
    kObserve,  ///< they do, and are analysed
    kHold,     ///< they wait here
};

/// What may change nothing of what is bound.
enum class Redundant : uint8_t { kPipelines, kSets, kConstants, kDescriptors, kCount };

struct RecorderOptions {
    RecorderMode mode = RecorderMode::kOff;
    bool narrow = false;      ///< masks of barriers are narrowed
    bool drops = false;       ///< binds and pushes that change nothing are not given to the driver
    uint32_t keeps_most = 0;  ///< recordings that are held, of no more commands, stay known once they have ended
    uint32_t defers_most =
        0;  ///< and of those, of no more commands, the driver need not get any before they are submitted
};

class Recorder {
  public:
    Recorder(const Resources& resources, const RecorderOptions& options)
        : resources_(resources), options_(options), bound_(resources), shadow_(resources) {}
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// A new recording, into `stream`, which nothing else uses; what that held is forgotten. `plain`: it is not inside
    /// a render pass. `once`: it is submitted once at most.
    void Begin(Stream& stream, bool plain, bool once = false);
    /// What was held is forgotten, and nothing is recorded until Begin.
    void Forget();
    bool Active() const { return mode_ != RecorderMode::kOff; }
    bool Holding() const { return mode_ == RecorderMode::kHold; }

    /// Analyses, and gives the driver what was held. Then commands go straight to the driver. What the driver got is
    /// added to `counters`, what was decided to `decisions`, if there are any. Does not fail: without memory to
    /// analyse, the driver gets the commands as they are. Returns what was held; nothing if nothing was. `ended`: the
    /// recording is whole.
    HeldWork Finish(const VkuDeviceDispatchTable& down, VkCommandBuffer buffer, RecordingCounters& counters,
                    Counters* decisions, bool ended) noexcept;

    /// The recording is whole, and the driver has nothing of it: it gets the commands with the submission, in a command
    /// buffer of the layer's. False: they must be its own now, and Finish must follow. What was decided is added to
    /// `decisions`.
    bool Defer(Counters* decisions);

    // For the hooks of commands: each adds its steps, then holds itself. All throw std::bad_alloc; the steps of a
    // command that was not held count for nothing.
    const Resources& resources() const { return resources_; }
    BoundState& bound() { return bound_; }
    Steps& steps() { return stream_->steps; }
    /// What the driver will have bound; nullptr: what changes nothing stays too.
    BoundShadow* shadow() { return options_.drops ? &shadow_ : nullptr; }
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
        ++stream_->commands;
    }
    /// Copies what an argument points to. Whoever only observes needs none.
    template <class T>
    const T* Keep(const T* values, size_t count) {
        return Holding() ? stream_->arena.Copy(values, count) : values;
    }
    /// What is bound in place of the sets of the command that comes next; nullptr: they themselves. `found`: as
    /// SetBind::found.
    void ChooseSets(const VkDescriptorSet* chosen, const DescriptorSet* const* found = nullptr) {
        chosen_sets_ = chosen;
        found_sets_ = found;
    }
    const VkDescriptorSet* chosen_sets() const { return chosen_sets_; }
    const DescriptorSet* const* found_sets() const { return found_sets_; }
    /// Copies those from `first` on, of what is bound in place of `sets`.
    const VkDescriptorSet* KeepSets(const VkDescriptorSet* sets, size_t first, size_t count) {
        return Keep((chosen_sets_ ? chosen_sets_ : sets) + first, count);
    }
    /// Room for what is made rather than copied. Whoever only observes uses it up too.
    template <class T>
    T* KeepNew(size_t count) {
        static_assert(std::is_trivially_copyable_v<T>);
        return static_cast<T*>(stream_->arena.Take(count * sizeof(T)));
    }
    template <auto Slot, class... Args>
    HeldCommand* Hold(Args... args) {
        HeldCommand* command = Holding() ? stream_->arena.New<HeldCall<Slot>>(args...) : nullptr;
        KeepSteps();
        if (!command) return nullptr;
        command->counter = counter_;
        command->end_step = kept_steps_;
        *stream_->last = command;
        stream_->last = &command->next;
        return command;
    }
    /// The command is all said by its steps, which come before the next command.
    void KeepSteps() { kept_steps_ = Count(); }
    /// A vkCmdPipelineBarrier2 was held: merged barriers are of its form too.
    void SetSecondForm() { stream_->second_form = true; }
    /// What was recorded has to stay a command buffer of its own.
    void SetAlone() { stream_->alone = true; }

  private:
    uint32_t Count() const { return static_cast<uint32_t>(stream_->steps.steps.size()); }
    void ForgetState();
    void CountState(Counters& counters) const;

    const Resources& resources_;
    const RecorderOptions options_;
    RecorderMode mode_ = RecorderMode::kOff;

    Stream* stream_ = nullptr;  ///< nullptr: nothing is recorded
    uint32_t kept_steps_ = 0;   ///< those after these are of a command that is being recorded
    Counter counter_ = Counter::kCount;
    const VkDescriptorSet* chosen_sets_ = nullptr;
    const DescriptorSet* const* found_sets_ = nullptr;
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
