// SPDX-License-Identifier: Apache-2.0
// The Vulkan headers as every file of the mock driver sees them, and conversions of handles to numbers.
// Stateless: any thread may use it.
#pragma once
#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>
// vk_icd.h needs vulkan.h first.
#include <vulkan/vk_icd.h>

#include <cstdint>

namespace mock {

// Handles are pointers on 64-bit systems, the only ones supported.
static_assert(sizeof(void*) == 8, "the mock driver is for 64-bit systems");

template <typename T>
inline uint64_t FromHandle(T* handle) {
    return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(handle));
}
template <typename T>
inline T ToHandle(uint64_t value) {
    return reinterpret_cast<T>(static_cast<uintptr_t>(value));
}

// The structure of type `type` in a pNext chain, or null.
template <typename T>
inline const T* FindInChain(const void* next, VkStructureType type) {
    for (auto* base = static_cast<const VkBaseInStructure*>(next); base != nullptr; base = base->pNext) {
        if (base->sType == type) return reinterpret_cast<const T*>(base);
    }
    return nullptr;
}

}  // namespace mock
