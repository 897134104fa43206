// SPDX-License-Identifier: Apache-2.0
// Keeps the content of descriptor sets as updates and copies change it: section "Descriptor Set Updates".
//
// Threads: as Vulkan demands, the set that is written is externally synchronized. No locks, no allocations.
#pragma once

#include <vulkan/vulkan_core.h>

#include <span>

#include "resources/facts.h"

namespace kronos {

class Resources;

/// What an update makes of the set that it is for.
enum class Change : uint8_t {
    kNone,     ///< it holds already, as far as the driver can tell, what is written
    kKnown,    ///< something else, all of which is known
    kLoose,    ///< the same, but the driver must get it now: what is written may end, and nobody would know
    kUnknown,  ///< what is not understood
};

/// What is kept of a set. Where the identities are not kept, a change is never kNone.
struct SetContent {
    std::span<Descriptor> descriptors;
    std::span<Identity> identities;
    std::span<uint64_t> words;
};
inline SetContent ContentOf(DescriptorSet& set) { return {set.descriptors, set.identities, set.words}; }

/// What is not understood becomes Descriptor::State::kUnknown, and its identity unknown. `layout` is that of `content`,
/// and understood.
Change WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, const SetContent& content,
                        const VkWriteDescriptorSet& write) noexcept;
/// `data` as vkUpdateDescriptorSetWithTemplate has it.
Change WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, const SetContent& content,
                        const UpdateTemplate& update_template, const void* data) noexcept;
/// The update is for descriptors of one type that the set has, so that it changes these and nothing else.
bool Fits(const SetLayoutFacts& layout, const VkWriteDescriptorSet& write) noexcept;
bool Fits(const SetLayoutFacts& layout, const UpdateTemplate* update_template) noexcept;
bool Fits(const DescriptorSet* source, const DescriptorSet& destination, const VkCopyDescriptorSet& copy) noexcept;

/// `source`: nullptr if it is not known.
Change CopyDescriptors(const DescriptorSet* source, DescriptorSet& destination,
                       const VkCopyDescriptorSet& copy) noexcept;

}  // namespace kronos
