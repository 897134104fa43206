// SPDX-License-Identifier: Apache-2.0
// What the functions of hold.h are made of. Externally synchronized, as recording is.
#pragma once

#include "stream/recorder.h"

namespace kronos::hold {

/// Accesses that are added between its making and Done are those of one action.
class Action {
  public:
    explicit Action(Recorder& recorder)
        : recorder_(recorder), first_(static_cast<uint32_t>(recorder.steps().accesses.size())) {}

    /// Section "Buffers": `size` may be VK_WHOLE_SIZE.
    void Touch(VkBuffer buffer, VkDeviceSize offset, VkDeviceSize size, Kinds kinds) {
        const BufferFacts* facts = recorder_.resources().FindBuffer(buffer);
        recorder_.steps().accesses.push_back(facts ? Access{PartOf(facts->where, offset, size), kinds}
                                                   : Everywhere(kinds));
    }
    void Touch(VkImage image, Kinds kinds) {
        const ImageFacts* facts = recorder_.resources().FindImage(image);
        recorder_.steps().accesses.push_back(facts ? Access{facts->where, kinds} : Everywhere(kinds));
    }
    void Done() {
        Steps& steps = recorder_.steps();
        steps.steps.push_back(
            {StepKind::kAction, first_, static_cast<uint32_t>(steps.accesses.size()) - first_, first_});
    }

  private:
    Recorder& recorder_;
    const uint32_t first_;
};

/// A dispatch with what is bound, as an action of its own.
inline void AddDispatch(Recorder& recorder) {
    const DispatchMemo::Accesses accesses = recorder.DispatchAccesses();
    recorder.steps().steps.push_back({StepKind::kAction, accesses.first, accesses.count, accesses.first});
}

inline void AddStep(Recorder& recorder, StepKind kind) { recorder.steps().steps.push_back({.kind = kind}); }

/// No structure of the array has anything behind it.
template <class Structure>
bool Plain(const Structure* structures, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i)
        if (structures[i].pNext) return false;
    return true;
}

/// A copy with its arrays; nullptr: it has structures behind it that are not known.
const VkDependencyInfo* KeepDependency(Recorder& recorder, const VkDependencyInfo& info);

}  // namespace kronos::hold
