// SPDX-License-Identifier: Apache-2.0
// Submissions of the program that wait to be given to the driver together, and how they become one call. Pure.
// Externally synchronized. No allocations once as much as before waits.
#pragma once

#include <vulkan/vulkan.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kronos {

/// What may stand in the way of holding a submission, as far as the submission itself says it.
struct SubmissionFacts {
    bool understood = true;  ///< no structure and no flag that the layer does not know
    uint32_t waits = 0;      ///< semaphores
    uint32_t signals = 0;
    uint32_t buffers = 0;
};
/// Section "Command Buffer Submission": understood are the structures themselves and VkTimelineSemaphoreSubmitInfo.
SubmissionFacts FactsOf(std::span<const VkSubmitInfo> infos);
SubmissionFacts FactsOf(std::span<const VkSubmitInfo2> infos);

/// Batches in the order of the program, all of one form. A batch that waits for nothing is folded into the one before
/// it, where that neither waits nor signals: between them stands submission order alone, which the command buffers of
/// one batch have too (section "Implicit Synchronization Guarantees"), and what the second signals covers all that is
/// earlier in submission order as it is (section "Semaphore Signaling").
class Batch {
  public:
    /// A place between two of the command buffers (or batches) that wait.
    struct Mark {
        uint32_t infos = 0;  ///< begun before it
        uint32_t waits = 0, buffers = 0, signals = 0;
        bool operator==(const Mark&) const = default;
    };

    /// At the end; copied with all that they point to. They must be understood, and of the form of those that wait.
    /// Throws std::bad_alloc, and then nothing was added.
    void Append(std::span<const VkSubmitInfo> infos);
    void Append(std::span<const VkSubmitInfo2> infos);

    bool Empty() const { return infos_.empty(); }
    bool Second() const { return second_; }  ///< of vkQueueSubmit2; meaningless when empty
    size_t infos() const { return infos_.size(); }
    size_t buffers() const { return buffers_.size(); }
    size_t submissions() const { return submissions_; }  ///< appended since Clear
    size_t folded() const { return folded_; }            ///< batches that became part of the one before, since Clear
    bool EndsWithSignal() const { return !infos_.empty() && SignalsOf(infos_.size() - 1) != 0; }
    /// The last command buffer; VK_NULL_HANDLE: there is none.
    VkCommandBuffer LastBuffer() const { return buffers_.empty() ? VK_NULL_HANDLE : buffers_.back().commandBuffer; }
    Mark End() const;
    void Clear();

    /// As the driver takes it: `first` or `second` has `count` elements, the other is nullptr.
    struct Call {
        uint32_t count = 0;
        const VkSubmitInfo* first = nullptr;
        const VkSubmitInfo2* second = nullptr;
    };
    /// Semaphore and value that the last batch of a call signals too; VK_NULL_HANDLE: none.
    struct OwnSignal {
        VkSemaphore semaphore = VK_NULL_HANDLE;
        uint64_t value = 0;
    };
    /// What is between two marks; valid until the next call of anything here. Does not fail.
    Call Between(const Mark& from, const Mark& to, const OwnSignal& own);
    /// The place after the next command buffer after `mark`, and after what its batch signals if it is its last.
    Mark Next(const Mark& mark) const;

  private:
    // Where the parts of a batch end in the arrays; they begin where those of the one before end.
    struct Info {
        uint32_t waits, buffers, signals;
    };
    Info Begin(size_t info) const { return info ? infos_[info - 1] : Info{0, 0, 0}; }
    uint32_t SignalsOf(size_t info) const { return infos_[info].signals - Begin(info).signals; }
    void Reserve(size_t infos, const SubmissionFacts& facts);
    void EndInfo(uint32_t waits);
    void MakeFirstForm();

    bool second_ = false;
    size_t folded_ = 0;
    size_t submissions_ = 0;
    size_t used_ = 0;                  // of the room
    std::array<size_t, 2> room_ = {};  // that each array has at least, by form
    std::vector<Info> infos_;
    std::vector<VkSemaphoreSubmitInfo> waits_;
    std::vector<VkCommandBufferSubmitInfo> buffers_;
    std::vector<VkSemaphoreSubmitInfo> signals_;

    // For the driver, made anew by each call of Between; as much room as the above need, and one signal more.
    std::vector<VkSubmitInfo2> calls_;
    std::vector<VkSemaphoreSubmitInfo> last_signals_;
    struct FirstForm {
        std::vector<VkSubmitInfo> infos;
        std::vector<VkTimelineSemaphoreSubmitInfo> values;
        std::vector<VkSemaphore> semaphores;
        std::vector<uint64_t> semaphore_values;
        std::vector<VkPipelineStageFlags> stages;
        std::vector<VkCommandBuffer> buffers;
    } first_;
};

}  // namespace kronos
