// SPDX-License-Identifier: Apache-2.0
// Device memory: memory of this process, counted per heap; mapping, flushing, imported host pointers.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "commands.h"
#include "control_state.h"
#include "state.h"

namespace mock {
namespace {

// Big blocks come from the system, which gives pages only when they are touched.
constexpr uint64_t kMapThreshold = 1 << 20;
constexpr uint64_t kAlignment = 4096;

bool Provide(Memory* memory) {
    const uint64_t rounded = (std::max<uint64_t>(memory->size, 1) + kAlignment - 1) & ~(kAlignment - 1);
    if (memory->size < kMapThreshold) {
        memory->data = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded));
        return memory->data != nullptr;
    }
    void* mapped = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    memory->data = static_cast<uint8_t*>(mapped);
    memory->reserved = rounded;
    return true;
}

bool HostVisible(const Memory& memory) {
    return (memory.physical_device->config.types[memory.type_index].propertyFlags &
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0;
}

void CheckRanges(const char* command, VkDevice device, uint32_t count, const VkMappedMemoryRange* ranges) {
    const uint64_t atom = PropertyNumber(Of(device)->physical_device->config, "nonCoherentAtomSize");
    for (uint32_t i = 0; i < count; ++i) {
        const VkMappedMemoryRange& range = ranges[i];
        Memory* memory = Require<Memory>(range.memory, command);
        if (memory == nullptr) continue;
        const std::string name = std::string(command) + ": " + HandleName(Memory::kType, FromHandle(range.memory));
        if (!memory->mapped) {
            Violation(name + " is not mapped");
            continue;
        }
        // Whole: to the end of the mapping, which may lie off the units only where the memory ends too.
        const bool whole = range.size == VK_WHOLE_SIZE;
        const bool inside = range.offset >= memory->map_begin && range.offset <= memory->map_end;
        if (!inside || (!whole && range.size > memory->map_end - range.offset)) {
            Violation(name + ": offset " + std::to_string(range.offset) + " size " +
                      (whole ? "whole" : std::to_string(range.size)) + " is not within the mapped range from " +
                      std::to_string(memory->map_begin) + " to " + std::to_string(memory->map_end));
            continue;
        }
        const uint64_t end = whole ? memory->map_end : range.offset + range.size;
        if (atom != 0 && (range.offset % atom != 0 || (end % atom != 0 && end != memory->size))) {
            Violation(name + ": offset " + std::to_string(range.offset) + " end " + std::to_string(end) +
                      " is not in units of nonCoherentAtomSize " + std::to_string(atom));
        }
    }
}

}  // namespace

Memory::~Memory() {
    if (imported) return;
    if (reserved != 0) {
        munmap(data, reserved);
    } else {
        std::free(data);
    }
}

namespace impl {

VkResult vkAllocateMemory(VkDevice device, const VkMemoryAllocateInfo* pAllocateInfo, const VkAllocationCallbacks*,
                          VkDeviceMemory* pMemory) {
    Device* d = Of(device);
    PhysicalDevice* physical = d->physical_device;
    const DeviceConfig& config = physical->config;
    if (pAllocateInfo->memoryTypeIndex >= config.types.size()) {
        Violation("vkAllocateMemory: no memory type " + std::to_string(pAllocateInfo->memoryTypeIndex));
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    if (pAllocateInfo->allocationSize == 0) Violation("vkAllocateMemory: size 0");
    if (pAllocateInfo->allocationSize > PropertyNumber(config, "maxMemoryAllocationSize")) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    if (d->allocations.fetch_add(1) >= PropertyNumber(config, "maxMemoryAllocationCount")) {
        --d->allocations;
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    const uint32_t heap = config.types[pAllocateInfo->memoryTypeIndex].heapIndex;
    const auto* import = FindInChain<VkImportMemoryHostPointerInfoEXT>(
        pAllocateInfo->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    const uint64_t charged = import != nullptr ? 0 : pAllocateInfo->allocationSize;
    if (physical->heap_used[heap].fetch_add(charged) + charged > config.heaps[heap].size) {
        physical->heap_used[heap] -= charged;
        --d->allocations;
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    auto memory = std::make_shared<Memory>();
    memory->physical_device = physical;
    memory->size = pAllocateInfo->allocationSize;
    memory->type_index = pAllocateInfo->memoryTypeIndex;
    if (import != nullptr) {
        memory->imported = true;
        memory->data = static_cast<uint8_t*>(import->pHostPointer);
    } else if (!Provide(memory.get())) {
        physical->heap_used[heap] -= charged;
        --d->allocations;
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *pMemory = ToHandle<VkDeviceMemory>(AddObject(Memory::kType, d, std::move(memory)));
    return VK_SUCCESS;
}

void vkFreeMemory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks*) {
    if (g_watch_frees.load(std::memory_order_relaxed)) [[unlikely]]
        CallFreeCallback(memory);
    std::shared_ptr<Object> object;
    if (!RemoveObject(FromHandle(memory), Memory::kType, "vkFreeMemory", &object)) return;
    const auto* m = static_cast<Memory*>(object.get());
    if (!m->imported) {
        m->physical_device->heap_used[m->physical_device->config.types[m->type_index].heapIndex] -= m->size;
    }
    --Of(device)->allocations;
}

VkResult vkMapMemory(VkDevice, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size, VkMemoryMapFlags,
                     void** ppData) {
    Memory* m = Require<Memory>(memory, "vkMapMemory");
    if (m == nullptr) return VK_ERROR_MEMORY_MAP_FAILED;
    const std::string name = "vkMapMemory: " + HandleName(Memory::kType, FromHandle(memory));
    if (!HostVisible(*m)) {
        Violation(name + " is not host visible");
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    if (offset >= m->size || (size != VK_WHOLE_SIZE && size > m->size - offset)) {
        Violation(name + ": the range ends beyond the memory");
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    if (m->mapped.exchange(true)) Violation(name + " is mapped already");
    m->map_begin = offset;
    m->map_end = size == VK_WHOLE_SIZE ? m->size : offset + size;
    *ppData = m->data + offset;
    return VK_SUCCESS;
}

VkResult vkMapMemory2(VkDevice device, const VkMemoryMapInfo* pMemoryMapInfo, void** ppData) {
    return vkMapMemory(device, pMemoryMapInfo->memory, pMemoryMapInfo->offset, pMemoryMapInfo->size,
                       pMemoryMapInfo->flags, ppData);
}

void vkUnmapMemory(VkDevice, VkDeviceMemory memory) {
    Memory* m = Require<Memory>(memory, "vkUnmapMemory");
    if (m != nullptr && !m->mapped.exchange(false)) {
        Violation("vkUnmapMemory: " + HandleName(Memory::kType, FromHandle(memory)) + " is not mapped");
    }
}

VkResult vkUnmapMemory2(VkDevice device, const VkMemoryUnmapInfo* pMemoryUnmapInfo) {
    vkUnmapMemory(device, pMemoryUnmapInfo->memory);
    return VK_SUCCESS;
}

VkResult vkFlushMappedMemoryRanges(VkDevice device, uint32_t memoryRangeCount,
                                   const VkMappedMemoryRange* pMemoryRanges) {
    CheckRanges("vkFlushMappedMemoryRanges", device, memoryRangeCount, pMemoryRanges);
    return VK_SUCCESS;
}

VkResult vkInvalidateMappedMemoryRanges(VkDevice device, uint32_t memoryRangeCount,
                                        const VkMappedMemoryRange* pMemoryRanges) {
    CheckRanges("vkInvalidateMappedMemoryRanges", device, memoryRangeCount, pMemoryRanges);
    return VK_SUCCESS;
}

VkResult vkGetMemoryHostPointerPropertiesEXT(VkDevice device, VkExternalMemoryHandleTypeFlagBits, const void*,
                                             VkMemoryHostPointerPropertiesEXT* pMemoryHostPointerProperties) {
    const auto& types = Of(device)->physical_device->config.types;
    pMemoryHostPointerProperties->memoryTypeBits = 0;
    for (uint32_t i = 0; i < types.size(); ++i) {
        if (types[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) {
            pMemoryHostPointerProperties->memoryTypeBits |= 1U << i;
        }
    }
    return VK_SUCCESS;
}

uint64_t vkGetDeviceMemoryOpaqueCaptureAddress(VkDevice, const VkDeviceMemoryOpaqueCaptureAddressInfo* pInfo) {
    const Memory* m = Require<Memory>(pInfo->memory, "vkGetDeviceMemoryOpaqueCaptureAddress");
    return m == nullptr ? 0 : reinterpret_cast<uintptr_t>(m->data);
}

}  // namespace impl
}  // namespace mock
