// SPDX-License-Identifier: Apache-2.0
#include "resources/compatibility.h"

#include <mutex>
#include <utility>

namespace kronos {
namespace {

// What a definition begins with, so that those of different things are never equal.
enum : uint64_t { kConstants, kLayout, kSet };

}  // namespace

uint64_t LayoutCompatibility::NumberOf(Words definition) {
    const auto found = numbers_.find(definition);
    if (found != numbers_.end()) return found->second;
    const uint64_t number = NextUid();
    if (numbers_.size() < kMost) numbers_.emplace(std::move(definition), number);
    return number;
}

void LayoutCompatibility::Number(PipelineLayoutFacts& layout, VkPipelineLayoutCreateFlags flags) {
    Words ranges = {kConstants};
    for (const VkPushConstantRange& range : layout.push_constants)
        ranges.insert(ranges.end(), {range.stageFlags, range.offset, range.size});
    layout.compatible.reserve(layout.sets.size());

    std::lock_guard lock(mutex_);
    layout.constants = NumberOf(std::move(ranges));
    // Each set's number stands for all that comes before it too.
    uint64_t before = NumberOf({kLayout, flags, layout.constants});
    bool comparable = true;
    for (const auto& set : layout.sets) {
        comparable = comparable && set && !set->definition.empty();
        if (comparable) {
            Words definition = {kSet, before};
            definition.insert(definition.end(), set->definition.begin(), set->definition.end());
            before = NumberOf(std::move(definition));
        } else {
            before = NextUid();
        }
        layout.compatible.push_back(before);
    }
}

}  // namespace kronos
