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

/// What is not understood becomes Descriptor::State::kUnknown. `layout` is that of `descriptors`, and understood.
void WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, std::span<Descriptor> descriptors,
                      const VkWriteDescriptorSet& write) noexcept;
/// `data` as vkUpdateDescriptorSetWithTemplate has it.
void WriteDescriptors(const Resources& resources, const SetLayoutFacts& layout, std::span<Descriptor> descriptors,
                      const UpdateTemplate& update_template, const void* data) noexcept;
/// `source`: nullptr if it is not known.
void CopyDescriptors(const DescriptorSet* source, DescriptorSet& destination, const VkCopyDescriptorSet& copy) noexcept;

}  // namespace kronos
