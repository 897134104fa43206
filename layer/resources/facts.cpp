// SPDX-License-Identifier: Apache-2.0
#include "resources/facts.h"

#include <algorithm>
#include <atomic>

namespace kronos {

uint64_t NextUid() {
    static std::atomic<uint64_t> last{MemoryRange::kShared};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

MemoryRange PartOf(const MemoryRange& whole, VkDeviceSize offset, VkDeviceSize size) {
    if (whole.memory <= MemoryRange::kShared) return whole;
    MemoryRange part = whole;
    if (__builtin_add_overflow(whole.begin, offset, &part.begin)) return {};
    if (size != VK_WHOLE_SIZE && __builtin_add_overflow(part.begin, size, &part.end)) return {};
    return part.begin <= part.end ? part : MemoryRange{};
}

const SetBinding* SetLayoutFacts::Search(uint32_t binding) const {
    const auto found = std::lower_bound(bindings.begin(), bindings.end(), binding,
                                        [](const SetBinding& a, uint32_t number) { return a.binding < number; });
    return found != bindings.end() && found->binding == binding ? &*found : nullptr;
}

}  // namespace kronos
