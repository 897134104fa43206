// SPDX-License-Identifier: Apache-2.0
// What the driver's command buffer has bound for compute, and so which binds and pushes change nothing: sections
// "Pipeline Layout Compatibility", "Descriptor Set Binding", "Push Constant Updates" and "Push Descriptor Updates".
//
// Only compute is followed: no held command uses what is bound elsewhere, and each bind point has pipeline and sets of
// its own. Push constants are of all stages, and followed for all. Where the specification can be read in two ways,
// what one of them leaves undefined is forgotten. Everything is known by uids and numbers that are never given again,
// and by no handle.
//
// Threads: one for each command buffer, externally synchronized as recording is. No locks, no allocations.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <span>

#include "resources/bound.h"
#include "resources/facts.h"

namespace kronos {

class Resources;

/// What a bind or push does to what is bound.
enum class Effect : uint8_t {
    kChange,
    kNothing,  ///< the driver need not get it
    kUnknown,  ///< something of it is not known or not followed: it must get it, and what it touches is not known any
               ///< more
};

/// Which sets of a bind the driver must get; the others are bound already.
struct SetRun {
    uint32_t first = 0;  ///< of the bind's sets
    uint32_t count = 0;
    uint32_t first_offset = 0;  ///< of the bind's dynamic offsets
    uint32_t offset_count = 0;
};

class BoundShadow {
  public:
    /// Of sets with higher numbers, sets with more dynamic offsets, push constants behind and pushed sets with more
    /// descriptors than that nothing is followed.
    static constexpr uint32_t kMostSets = 8;
    static constexpr uint32_t kMostOffsets = 16;
    static constexpr uint32_t kMostConstants = 256;  // bytes
    static constexpr uint32_t kMostPushed = 32;

    explicit BoundShadow(const Resources& resources) : resources_(&resources) {}

    /// Nothing is bound: at vkBeginCommandBuffer, and after commands that leave what is bound undefined.
    void Clear() noexcept;
    /// After a bind of sets or push of descriptors that is not followed.
    void ForgetSets() noexcept;

    // Each says what the command does, and is what it did from then on. All are of the compute bind point.
    Effect BindPipeline(VkPipeline pipeline) noexcept;
    /// `run`: what is left of it, unless it changes nothing. `chosen`: what is bound in place of its sets, or nullptr;
    /// a handle that is not the program's holds the same until the recording is no more.
    Effect BindSets(const SetBind& bind, SetRun& run, const VkDescriptorSet* chosen = nullptr) noexcept;
    /// `offset` and `size` in bytes.
    Effect PushConstants(VkPipelineLayout layout, VkShaderStageFlags stages, uint32_t offset, uint32_t size,
                         const void* values) noexcept;
    Effect PushDescriptors(VkPipelineLayout layout, uint32_t set,
                           std::span<const VkWriteDescriptorSet> writes) noexcept;
    Effect PushDescriptors(const UpdateTemplate& update_template, VkPipelineLayout layout, uint32_t set,
                           const void* data) noexcept;

  private:
    /// PipelineLayoutFacts::compatible of what a set number was bound with.
    static constexpr uint64_t kNeverBound = 0;
    static constexpr uint64_t kAnyLayout = 1;              ///< one that is not known, or never bound: no uid is 1
    static constexpr uint64_t kChosen = ~uint64_t{0};      ///< Set::content of what is bound in place of the program's
    static constexpr uint64_t kSomeLayout = ~uint64_t{0};  ///< bound, with one that is not known or has no such set

    struct Set {
        uint64_t uid = 0;  ///< 0: not known
        uint64_t content = 0;
        uint32_t offset_count = 0;
        const uint32_t* offsets = nullptr;
    };
    struct Slot {
        enum class Holds : uint8_t { kUnknown, kSet, kPushed };
        uint64_t compatible = kNeverBound;
        Holds holds = Holds::kUnknown;
        uint64_t uid = 0;  // of kSet
        uint64_t content = 0;
        uint32_t offset_count = 0;
        std::array<uint32_t, kMostOffsets> offsets = {};
    };
    /// A pushed descriptor: what it was written from.
    struct Pushed {
        uint64_t object = 0;  ///< uid of buffer or view, 0: not known
        uint64_t sampler = 0;
        uint64_t offset = 0;  ///< or layout of the image
        uint64_t range = 0;
        uint64_t buffer = 0;  ///< handle of `object`, while buffer_changes_ is what it was; 0: to be looked up
        /// Of the same object, whatever its handle.
        bool Same(const Pushed& other) const {
            return object == other.object && sampler == other.sampler && offset == other.offset && range == other.range;
        }
    };

    static void Look(const DescriptorSet* set, std::span<const uint32_t> offsets, uint32_t& taken, bool& countable,
                     Set& found) noexcept;
    Effect BindSet(const PipelineLayoutFacts& layout, uint32_t number, const DescriptorSet* set,
                   VkDescriptorSet chosen) noexcept;
    Pushed Written(const SetBinding& binding, const void* info) const noexcept;
    Effect BindSeveral(const PipelineLayoutFacts* known, const SetBind& bind, SetRun& run,
                       const VkDescriptorSet* chosen) noexcept;
    static bool SameBuffer(const Pushed& before, VkDescriptorType type, const void* info) noexcept;
    template <class Writes, class BuffersOf>
    bool Repeats(VkPipelineLayout layout, uint32_t set, const Writes& writes, BuffersOf buffers_of) const noexcept;
    uint64_t SamplerLife(const SetBinding& binding, VkSampler sampler) const noexcept;
    template <class ForEachWrite>
    Effect Push(VkPipelineLayout layout, uint32_t set, ForEachWrite for_each) noexcept;
    bool KeepsLower(const PipelineLayoutFacts& layout, uint32_t set) const noexcept;
    void Occupy(const PipelineLayoutFacts& layout, uint32_t set) noexcept;
    void ForgetConstants() noexcept;

    const Resources* resources_;
    uint64_t pipeline_ = 0;  ///< its uid, 0: not known
    std::array<Slot, kMostSets> slots_;

    uint64_t constants_ = 0;  ///< PipelineLayoutFacts::constants of all that were pushed
    std::array<uint32_t, kMostConstants / 4> values_ = {};
    std::array<VkShaderStageFlags, kMostConstants / 4> stages_ = {};  ///< that have the value; none: not known

    std::array<Pushed, kMostPushed> pushed_;  ///< of the one slot that holds kPushed
    uint64_t buffer_changes_ = 0;             ///< Resources::BufferChanges() before they were looked up
};

}  // namespace kronos
