// SPDX-License-Identifier: Apache-2.0
// Facts from the structures that objects are created from. A structure, flag or type that is not listed makes the
// object one that is not understood. Pure; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include "resources/facts.h"

namespace kronos {

/// Nobody but this allocation has its bytes: it is neither imported nor exported, and all its structures are known.
bool OwnMemory(const VkMemoryAllocateInfo& info);

/// All without memory yet.
BufferFacts JudgeBuffer(const VkBufferCreateInfo& info);
ImageFacts JudgeImage(const VkImageCreateInfo& info);

/// The binding takes `memory` as it is: no device groups, planes or swapchains. `next`: of VkBind*MemoryInfo.
bool PlainBind(const void* next);
/// The view shows its buffer or image as it is. `next`: of the view's creation.
bool PlainView(const void* next);

/// Section "Descriptor Set Layout". Throws std::bad_alloc.
SetLayoutFacts JudgeSetLayout(const VkDescriptorSetLayoutCreateInfo& info);

SamplerFacts JudgeSampler(const VkSamplerCreateInfo& info);
/// Its sets are allocated, written and bound in the usual ways alone.
bool PlainPool(const VkDescriptorPoolCreateInfo& info);

/// How many descriptors or bytes the last binding of set `index` has. False: it cannot be told.
bool VariableCount(const VkDescriptorSetAllocateInfo& info, uint32_t index, uint32_t& count);

}  // namespace kronos
