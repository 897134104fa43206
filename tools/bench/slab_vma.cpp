// SPDX-License-Identifier: Apache-2.0
// The Vulkan Memory Allocator on a driver that only counts: its functions are replaced, as it allows.
#if __has_include(<vk_mem_alloc.h>)
#define VMA_STATIC_VULKAN_FUNCTIONS 0
#define VMA_DYNAMIC_VULKAN_FUNCTIONS 0
#define VMA_VULKAN_VERSION 1000000
#define VMA_DEDICATED_ALLOCATION 0
#define VMA_BIND_MEMORY2 0
#define VMA_MEMORY_BUDGET 0
#define VMA_EXTERNAL_MEMORY_WIN32 0
#define VMA_IMPLEMENTATION
#include <vk_mem_alloc.h>
#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>

#include "slab_subjects.h"

namespace slab_bench {
namespace {

// What is given as the device is where the driver counts.
Driver& Of(VkDevice device) { return *reinterpret_cast<Driver*>(device); }

void Properties(VkPhysicalDevice, VkPhysicalDeviceProperties* properties) {
    *properties = {};
    properties->apiVersion = VK_API_VERSION_1_0;
    properties->limits.bufferImageGranularity = 1;
    properties->limits.nonCoherentAtomSize = 64;
    properties->limits.maxMemoryAllocationCount = UINT32_MAX;
}
void MemoryProperties(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties* properties) {
    *properties = {};
    properties->memoryHeapCount = 1;
    properties->memoryHeaps[0] = {kHeapBytes, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    properties->memoryTypeCount = kTypes;
    for (uint32_t i = 0; i < kTypes; ++i) properties->memoryTypes[i] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
}
// Its handle is where its size is.
VkResult Allocate(VkDevice device, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks*,
                  VkDeviceMemory* memory) {
    Of(device).Gave(info->allocationSize);
    *memory = reinterpret_cast<VkDeviceMemory>(new uint64_t{info->allocationSize});
    return VK_SUCCESS;
}
void FreeMemory(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks*) {
    const std::unique_ptr<uint64_t> bytes(reinterpret_cast<uint64_t*>(memory));
    if (bytes) Of(device).GotBack(*bytes);
}
// It asks for these to be there, and has no reason to call them.
template <class Function>
struct NotCalled;
template <class R, class... Arguments>
struct NotCalled<R(VKAPI_PTR*)(Arguments...)> {
    static VKAPI_ATTR R VKAPI_CALL Call(Arguments...) { std::abort(); }
};

void Checked(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "kronos-slab-bench: VMA: %s: %d\n", what, static_cast<int>(result));
    std::exit(1);
}

class Vma : public Subject {
  public:
    Vma() {
        VmaVulkanFunctions functions = {};
        functions.vkGetPhysicalDeviceProperties = Properties;
        functions.vkGetPhysicalDeviceMemoryProperties = MemoryProperties;
        functions.vkAllocateMemory = slab_bench::Allocate;
        functions.vkFreeMemory = FreeMemory;
#define NOT_CALLED(name) functions.name = NotCalled<PFN_##name>::Call
        NOT_CALLED(vkMapMemory);
        NOT_CALLED(vkUnmapMemory);
        NOT_CALLED(vkFlushMappedMemoryRanges);
        NOT_CALLED(vkInvalidateMappedMemoryRanges);
        NOT_CALLED(vkBindBufferMemory);
        NOT_CALLED(vkBindImageMemory);
        NOT_CALLED(vkGetBufferMemoryRequirements);
        NOT_CALLED(vkGetImageMemoryRequirements);
        NOT_CALLED(vkCreateBuffer);
        NOT_CALLED(vkDestroyBuffer);
        NOT_CALLED(vkCreateImage);
        NOT_CALLED(vkDestroyImage);
        NOT_CALLED(vkCmdCopyBuffer);
#undef NOT_CALLED
        VmaAllocatorCreateInfo info = {};
        // It gives them to the functions above.
        info.instance = reinterpret_cast<VkInstance>(this);
        info.physicalDevice = reinterpret_cast<VkPhysicalDevice>(this);
        info.device = reinterpret_cast<VkDevice>(&driver_);
        info.vulkanApiVersion = VK_API_VERSION_1_0;
        info.pVulkanFunctions = &functions;
        Checked(vmaCreateAllocator(&info, &allocator_), "vmaCreateAllocator");
    }
    ~Vma() override { vmaDestroyAllocator(allocator_); }
    void* Allocate(uint8_t type, uint64_t bytes, uint64_t alignment) override {
        const VkMemoryRequirements needs = {bytes, alignment, uint32_t{1} << type};
        VmaAllocationCreateInfo info = {};
        info.memoryTypeBits = uint32_t{1} << type;
        VmaAllocation made = nullptr;
        Checked(vmaAllocateMemory(allocator_, &needs, &info, &made, nullptr), "vmaAllocateMemory");
        return made;
    }
    void Free(void* memory) override { vmaFreeMemory(allocator_, static_cast<VmaAllocation>(memory)); }
    Holes Free() const override {
        VmaTotalStatistics statistics = {};
        vmaCalculateStatistics(allocator_, &statistics);
        const VmaDetailedStatistics& total = statistics.total;
        return {total.unusedRangeCount ? total.unusedRangeSizeMax : 0,
                total.statistics.blockBytes - total.statistics.allocationBytes};
    }

  private:
    VmaAllocator allocator_ = nullptr;
};

}  // namespace

std::unique_ptr<Subject> MakeVma() { return std::make_unique<Vma>(); }

}  // namespace slab_bench

#else
#include "slab_subjects.h"

namespace slab_bench {

std::unique_ptr<Subject> MakeVma() { return nullptr; }

}  // namespace slab_bench
#endif
