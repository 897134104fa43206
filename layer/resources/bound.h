// SPDX-License-Identifier: Apache-2.0
// What a command buffer has bound for compute while it records, and what a dispatch therefore touches: sections
// "Descriptor Set Binding", "Push Descriptor Updates" and "Dynamic Offsets".
//
// Threads: one for each command buffer, externally synchronized as recording is. No locks, and no allocations once the
// sets of a recording have been seen. What is bound must live until it is bound no more, as the program must see to
// anyway: a set that is freed or a pipeline that is destroyed makes the recording invalid.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "resources/facts.h"

namespace kronos {

class Resources;

/// What a dispatch touches, without saying it: of two dispatches with the same, both touch the same bytes.
struct BoundContent {
    /// What is bound to sets of higher numbers has none.
    static constexpr size_t kMostSets = 4;
    uint64_t pipeline = 0;                      ///< 0: none that is known
    std::array<uint64_t, kMostSets> sets = {};  ///< 0: nothing that is known, or nothing that the pipeline uses
    bool operator==(const BoundContent&) const = default;

    /// In what stands for pushed descriptors: those of one push of the recording.
    static constexpr uint64_t kPush = uint64_t{1} << 63;
};

/// A bind of sets, as the commands say it: by reference, for spans on the stack would be read before they are there.
struct SetBind {
    VkPipelineLayout layout = VK_NULL_HANDLE;
    uint32_t first = 0;
    std::span<const VkDescriptorSet> sets;
    std::span<const uint32_t> offsets;
    const DescriptorSet* const* found = nullptr;  ///< what is known of the sets, nullptr of one; nullptr: to be found

    /// nullptr: nothing is known of it.
    const DescriptorSet* Set(const Resources& resources, size_t i) const;
    /// One set without offsets, which is what most commands bind.
    bool IsPlain() const { return sets.size() == 1 && offsets.empty(); }
};

class BoundState {
  public:
    /// Sets of higher numbers are not known.
    static constexpr uint32_t kMostSets = 32;

    explicit BoundState(const Resources& resources) : resources_(&resources) {}

    /// Nothing is bound: at vkBeginCommandBuffer, and after commands that leave what is bound undefined or bind what is
    /// not tracked, as vkCmdExecuteCommands and vkCmdBindShadersEXT do.
    void Clear() noexcept;
    /// All of these: other bind points than compute are passed over.
    void BindPipeline(VkPipelineBindPoint bind_point, VkPipeline pipeline) noexcept;
    /// `layout` may be VK_NULL_HANDLE: what counts is what the sets were allocated with.
    void BindSets(VkPipelineBindPoint bind_point, const SetBind& bind) noexcept;
    void PushDescriptors(VkPipelineBindPoint bind_point, VkPipelineLayout layout, uint32_t set,
                         std::span<const VkWriteDescriptorSet> writes) noexcept;
    void PushDescriptors(VkDescriptorUpdateTemplate update_template, VkPipelineLayout layout, uint32_t set,
                         const void* data) noexcept;

    /// Appends what a dispatch now reads and writes, never less. One access to everything, with kAnyShaderAccess,
    /// stands for all that is not known. Throws std::bad_alloc.
    void DispatchAccesses(std::vector<Access>& accesses) const;
    /// False: there is none, for dynamic offsets and sets of high numbers.
    bool Content(BoundContent& content) const;

  private:
    struct Slot {
        enum class Holds : uint8_t { kUnknown, kSet, kPushed };
        Holds holds = Holds::kUnknown;
        const DescriptorSet* set = nullptr;                   // of kSet
        uint64_t uid = 0;                                     // of its life when it was bound
        std::vector<uint32_t> offsets;                        // of kSet, one for each dynamic descriptor
        std::shared_ptr<const SetLayoutFacts> pushed_layout;  // of what was last pushed
        std::vector<Descriptor> pushed;
        uint64_t pushes = 0;  // of kPushed: the number of the last, of all slots
    };

    void BindSeveral(const SetBind& bind) noexcept;
    Slot* SlotToPush(VkPipelineLayout layout, uint32_t set) noexcept;
    static std::span<const Descriptor> ContentOf(const Slot& slot, const SetLayoutFacts* wanted, bool& known);
    static bool Write(const PipelineUse& use, const Slot& slot, std::span<const Descriptor> content, Access*& next);
    bool WriteAll(Access*& next) const;

    const Resources* resources_;
    const PipelineFacts* pipeline_ = nullptr;
    uint32_t used_ = 0;    // slots from here on are unknown
    uint64_t pushes_ = 0;  // never counted down
    std::array<Slot, kMostSets> slots_;
};

}  // namespace kronos
