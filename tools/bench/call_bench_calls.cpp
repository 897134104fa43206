// SPDX-License-Identifier: Apache-2.0
// For each hooked command a batch of its calls; vkCmd* and what only command streams need to know of are in files of
// their own. A hooked command that has no function does not link.
#include "call_batch.h"

namespace kronos::bench::call {
namespace {

// Of what takes long: instances and devices.
constexpr size_t kFew = 2;

}  // namespace

// Instances and devices. What a layer does of the first two is not in the loader's way.
double EnumerateInstanceExtensionProperties(Subject&) {
    return Batch(
        [](size_t) {
            uint32_t count = 0;
            vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr);
        },
        kFew);
}
double EnumerateInstanceLayerProperties(Subject&) {
    return Batch(
        [](size_t) {
            uint32_t count = 0;
            vkEnumerateInstanceLayerProperties(&count, nullptr);
        },
        kFew);
}
double GetInstanceProcAddr(Subject& s) {
    return Batch([&](size_t) { vkGetInstanceProcAddr(s.instance, "vkCreateDevice"); });
}
double CreateInstance(Subject& s) {
    BenchDevice made[kFew];
    const double ns = Batch([&](size_t i) { made[i].MakeInstance(s.request); }, kFew);
    for (const BenchDevice& one : made) vkDestroyInstance(one.instance, nullptr);
    return ns;
}
double DestroyInstance(Subject& s) {
    BenchDevice made[kFew];
    for (BenchDevice& one : made) one.MakeInstance(s.request);
    return Batch([&](size_t i) { vkDestroyInstance(made[i].instance, nullptr); }, kFew);
}
double CreateDevice(Subject& s) {
    BenchDevice made[kFew] = {s, s};
    const double ns = Batch([&](size_t i) { made[i].MakeDevice(s.request); }, kFew);
    for (const BenchDevice& one : made) vkDestroyDevice(one.device, nullptr);
    return ns;
}
double DestroyDevice(Subject& s) {
    BenchDevice made[kFew] = {s, s};
    for (BenchDevice& one : made) one.MakeDevice(s.request);
    return Batch([&](size_t i) { vkDestroyDevice(made[i].device, nullptr); }, kFew);
}
double EnumeratePhysicalDevices(Subject& s) {
    return Batch([&](size_t) {
        uint32_t count = 0;
        vkEnumeratePhysicalDevices(s.instance, &count, nullptr);
    });
}
double EnumeratePhysicalDeviceGroups(Subject& s) {
    return Batch([&](size_t) {
        uint32_t count = 0;
        vkEnumeratePhysicalDeviceGroups(s.instance, &count, nullptr);
    });
}
double EnumerateDeviceExtensionProperties(Subject& s) {
    return Batch([&](size_t) {
        uint32_t count = 0;
        vkEnumerateDeviceExtensionProperties(s.physical, nullptr, &count, nullptr);
    });
}
double EnumerateDeviceLayerProperties(Subject& s) {
    return Batch([&](size_t) {
        uint32_t count = 0;
        vkEnumerateDeviceLayerProperties(s.physical, &count, nullptr);
    });
}
double GetPhysicalDeviceMemoryProperties2(Subject& s) {
    const auto function = reinterpret_cast<PFN_vkGetPhysicalDeviceMemoryProperties2>(
        vkGetInstanceProcAddr(s.instance, "vkGetPhysicalDeviceMemoryProperties2"));
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {};
    budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
    VkPhysicalDeviceMemoryProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
    properties.pNext = &budget;
    return Batch([&](size_t) { function(s.physical, &properties); });
}
double GetPhysicalDeviceToolProperties(Subject& s) {
    const auto function = reinterpret_cast<PFN_vkGetPhysicalDeviceToolProperties>(
        vkGetInstanceProcAddr(s.instance, "vkGetPhysicalDeviceToolProperties"));
    return Batch([&](size_t) {
        uint32_t count = 0;
        function(s.physical, &count, nullptr);
    });
}
double GetDeviceProcAddr(Subject& s) {
    return Batch([&](size_t) { s.down.GetDeviceProcAddr(s.device, "vkCmdDispatch"); });
}
double GetDeviceQueue(Subject& s) {
    VkQueue queue = VK_NULL_HANDLE;
    return Batch([&](size_t) { s.down.GetDeviceQueue(s.device, s.family, 0, &queue); });
}
double GetDeviceQueue2(Subject& s) {
    VkQueue queue = VK_NULL_HANDLE;
    auto info = Info<VkDeviceQueueInfo2>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2);
    info.queueFamilyIndex = s.family;
    return Batch([&](size_t) { s.down.GetDeviceQueue2(s.device, &info, &queue); });
}

// Command buffers as objects.
namespace {

struct Pools {
    explicit Pools(Subject& subject) : s(subject) {
        info.queueFamilyIndex = s.family;
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    }
    void Create(size_t i) { s.down.CreateCommandPool(s.device, &info, nullptr, &pools[i]); }
    void Destroy(size_t i) { s.down.DestroyCommandPool(s.device, pools[i], nullptr); }
    Subject& s;
    VkCommandPoolCreateInfo info = Info<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
    VkCommandPool pools[kCalls] = {};
};

struct Buffers {
    explicit Buffers(Subject& subject) : s(subject) {
        info.commandPool = s.pool;
        info.commandBufferCount = 1;
    }
    void Allocate(size_t i) { s.down.AllocateCommandBuffers(s.device, &info, &buffers[i]); }
    void Free(size_t i) { s.down.FreeCommandBuffers(s.device, s.pool, 1, &buffers[i]); }
    void Begin(size_t i) { s.down.BeginCommandBuffer(buffers[i], &begin); }
    void End(size_t i) { s.down.EndCommandBuffer(buffers[i]); }
    template <class Body>
    void All(Body body) {
        for (size_t i = 0; i < kCalls; ++i) body(i);
    }
    Subject& s;
    VkCommandBufferAllocateInfo info =
        Info<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    VkCommandBufferBeginInfo begin = Info<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    VkCommandBuffer buffers[kCalls] = {};
};

}  // namespace

double CreateCommandPool(Subject& s) {
    Pools pools(s);
    const double ns = Batch([&](size_t i) { pools.Create(i); });
    for (size_t i = 0; i < kCalls; ++i) pools.Destroy(i);
    return ns;
}
double DestroyCommandPool(Subject& s) {
    Pools pools(s);
    for (size_t i = 0; i < kCalls; ++i) pools.Create(i);
    return Batch([&](size_t i) { pools.Destroy(i); });
}
double ResetCommandPool(Subject& s) {
    Pools pools(s);
    pools.Create(0);
    const double ns = Batch([&](size_t) { s.down.ResetCommandPool(s.device, pools.pools[0], 0); });
    pools.Destroy(0);
    return ns;
}
double AllocateCommandBuffers(Subject& s) {
    Buffers buffers(s);
    const double ns = Batch([&](size_t i) { buffers.Allocate(i); });
    buffers.All([&](size_t i) { buffers.Free(i); });
    return ns;
}
double FreeCommandBuffers(Subject& s) {
    Buffers buffers(s);
    buffers.All([&](size_t i) { buffers.Allocate(i); });
    return Batch([&](size_t i) { buffers.Free(i); });
}
double BeginCommandBuffer(Subject& s) {
    Buffers buffers(s);
    buffers.All([&](size_t i) { buffers.Allocate(i); });
    const double ns = Batch([&](size_t i) { buffers.Begin(i); });
    buffers.All([&](size_t i) { buffers.Free(i); });
    return ns;
}
double EndCommandBuffer(Subject& s) {
    Buffers buffers(s);
    buffers.All([&](size_t i) { buffers.Allocate(i), buffers.Begin(i); });
    const double ns = Batch([&](size_t i) { buffers.End(i); });
    buffers.All([&](size_t i) { buffers.Free(i); });
    return ns;
}
double ResetCommandBuffer(Subject& s) {
    Buffers buffers(s);
    buffers.All([&](size_t i) { buffers.Allocate(i), buffers.Begin(i), buffers.End(i); });
    const double ns = Batch([&](size_t i) { s.down.ResetCommandBuffer(buffers.buffers[i], 0); });
    buffers.All([&](size_t i) { buffers.Free(i); });
    return ns;
}

// Submission and waits.
double QueueSubmit(Subject& s) {
    auto info = Info<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
    info.commandBufferCount = 1;
    info.pCommandBuffers = &s.lost_buffer;
    return Batch([&](size_t) { s.lost_down.QueueSubmit(s.lost.queue, 1, &info, VK_NULL_HANDLE); });
}
double QueueSubmit2(Subject& s) {
    auto buffer = Info<VkCommandBufferSubmitInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO);
    buffer.commandBuffer = s.lost_buffer;
    auto info = Info<VkSubmitInfo2>(VK_STRUCTURE_TYPE_SUBMIT_INFO_2);
    info.commandBufferInfoCount = 1;
    info.pCommandBufferInfos = &buffer;
    return Batch([&](size_t) { s.lost_down.QueueSubmit2(s.lost.queue, 1, &info, VK_NULL_HANDLE); });
}
double QueueBindSparse(Subject& s) {
    const auto info = Info<VkBindSparseInfo>(VK_STRUCTURE_TYPE_BIND_SPARSE_INFO);
    return Batch([&](size_t) { s.lost_down.QueueBindSparse(s.lost.queue, 1, &info, VK_NULL_HANDLE); });
}
double QueuePresentKHR(Subject& s) { return Zeros(s.lost_down.QueuePresentKHR, s.lost.queue); }
double QueueWaitIdle(Subject& s) { return Zeros(s.down.QueueWaitIdle, s.queue); }
double DeviceWaitIdle(Subject& s) { return Zeros(s.down.DeviceWaitIdle, s.device); }
double WaitForFences(Subject& s) {
    return Batch([&](size_t) { s.down.WaitForFences(s.device, 1, &s.signaled, VK_TRUE, UINT64_MAX); });
}
double GetFenceStatus(Subject& s) {
    return Batch([&](size_t) { static_cast<void>(s.down.GetFenceStatus(s.device, s.unsignaled)); });
}
double CreateFence(Subject& s) {
    const auto info = Info<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
    VkFence fences[kCalls] = {};
    const double ns = Batch([&](size_t i) { s.down.CreateFence(s.device, &info, nullptr, &fences[i]); });
    for (const VkFence fence : fences) s.down.DestroyFence(s.device, fence, nullptr);
    return ns;
}
double DestroyFence(Subject& s) {
    const auto info = Info<VkFenceCreateInfo>(VK_STRUCTURE_TYPE_FENCE_CREATE_INFO);
    VkFence fences[kCalls] = {};
    for (VkFence& fence : fences) s.down.CreateFence(s.device, &info, nullptr, &fence);
    return Batch([&](size_t i) { s.down.DestroyFence(s.device, fences[i], nullptr); });
}
double ResetFences(Subject& s) {
    return Batch([&](size_t) { s.down.ResetFences(s.device, 1, &s.unsignaled); });
}
double WaitSemaphores(Subject& s) {
    const uint64_t value = 0;
    auto info = Info<VkSemaphoreWaitInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO);
    info.semaphoreCount = 1;
    info.pSemaphores = &s.timeline;
    info.pValues = &value;
    return Batch([&](size_t) { s.down.WaitSemaphores(s.device, &info, UINT64_MAX); });
}
double GetSemaphoreCounterValue(Subject& s) {
    uint64_t value = 0;
    return Batch([&](size_t) { s.down.GetSemaphoreCounterValue(s.device, s.timeline, &value); });
}

// Fences that are shared; names, tags and private data.
double ImportFenceFdKHR(Subject& s) {
    auto info = Info<VkImportFenceFdInfoKHR>(VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR);
    info.fence = s.unsignaled;
    info.fd = -1;
    return Batch([&](size_t) { s.down.ImportFenceFdKHR(s.device, &info); });
}
double GetFenceFdKHR(Subject& s) {
    int fd = -1;
    auto info = Info<VkFenceGetFdInfoKHR>(VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR);
    info.fence = s.unsignaled;
    return Batch([&](size_t) { s.down.GetFenceFdKHR(s.device, &info, &fd); });
}
double AcquireNextImageKHR(Subject& s) { return Zeros(s.down.AcquireNextImageKHR, s.device); }
double AcquireNextImage2KHR(Subject& s) { return Zeros(s.down.AcquireNextImage2KHR, s.device); }
double SetDebugUtilsObjectNameEXT(Subject& s) {
    auto info = Info<VkDebugUtilsObjectNameInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT);
    info.objectType = VK_OBJECT_TYPE_DEVICE;
    info.objectHandle = reinterpret_cast<uint64_t>(s.device);
    return Batch([&](size_t) { s.down.SetDebugUtilsObjectNameEXT(s.device, &info); });
}
double SetDebugUtilsObjectTagEXT(Subject& s) {
    auto info = Info<VkDebugUtilsObjectTagInfoEXT>(VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT);
    info.objectType = VK_OBJECT_TYPE_DEVICE;
    info.objectHandle = reinterpret_cast<uint64_t>(s.device);
    return Batch([&](size_t) { s.down.SetDebugUtilsObjectTagEXT(s.device, &info); });
}
double DebugMarkerSetObjectNameEXT(Subject& s) { return Zeros(s.down.DebugMarkerSetObjectNameEXT, s.device); }
double DebugMarkerSetObjectTagEXT(Subject& s) { return Zeros(s.down.DebugMarkerSetObjectTagEXT, s.device); }
double SetPrivateData(Subject& s) {
    return Batch([&](size_t) {
        s.down.SetPrivateData(s.device, VK_OBJECT_TYPE_DEVICE, reinterpret_cast<uint64_t>(s.device), s.slot, 1);
    });
}
double GetPrivateData(Subject& s) {
    uint64_t data = 0;
    return Batch([&](size_t) {
        s.down.GetPrivateData(s.device, VK_OBJECT_TYPE_DEVICE, reinterpret_cast<uint64_t>(s.device), s.slot, &data);
    });
}
// Of none, which is nothing to do.
double DestroyPrivateDataSlot(Subject& s) {
    return Batch([&](size_t) { s.down.DestroyPrivateDataSlot(s.device, VK_NULL_HANDLE, nullptr); });
}

// Descriptors and memory.
// Each changes all that the set holds.
double UpdateDescriptorSets(Subject& s) {
    const std::array<KernelWrites, 2> writes = {s.WritesOf(s.set, 0), s.WritesOf(s.set, 1)};
    return Batch([&](size_t i) { s.down.UpdateDescriptorSets(s.device, kBindings, writes[i % 2].data(), 0, nullptr); });
}
double UpdateDescriptorSetWithTemplate(Subject& s) {
    return Batch([&](size_t) { s.down.UpdateDescriptorSetWithTemplate(s.device, s.set, s.update_template, s.ranges); });
}
double ResetDescriptorPool(Subject& s) {
    const double ns = Batch([&](size_t) { s.down.ResetDescriptorPool(s.device, s.set_pool, 0); });
    s.NewSet();
    return ns;
}

namespace {

struct Allocations {
    explicit Allocations(Subject& subject) : s(subject) {
        info.allocationSize = 4096;
        info.memoryTypeIndex = s.host_visible;
    }
    void Allocate(size_t i) { s.down.AllocateMemory(s.device, &info, nullptr, &memory[i]); }
    void Free(size_t i) { s.down.FreeMemory(s.device, memory[i], nullptr); }
    Subject& s;
    VkMemoryAllocateInfo info = Info<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    VkDeviceMemory memory[kCalls] = {};
};

// All are mapped, then all unmapped: what is asked for is told.
template <class Map, class Unmap>
double Maps(Subject& s, bool tell_map, Map map, Unmap unmap) {
    Allocations all(s);
    for (size_t i = 0; i < kCalls; ++i) all.Allocate(i);
    const double map_ns = Batch([&](size_t i) { map(all.memory[i]); });
    const double unmap_ns = Batch([&](size_t i) { unmap(all.memory[i]); });
    for (size_t i = 0; i < kCalls; ++i) all.Free(i);
    return tell_map ? map_ns : unmap_ns;
}

double Maps1(Subject& s, bool tell_map) {
    void* data = nullptr;
    return Maps(
        s, tell_map, [&](VkDeviceMemory memory) { s.down.MapMemory(s.device, memory, 0, VK_WHOLE_SIZE, 0, &data); },
        [&](VkDeviceMemory memory) { s.down.UnmapMemory(s.device, memory); });
}

double Maps2(Subject& s, bool tell_map) {
    void* data = nullptr;
    auto map = Info<VkMemoryMapInfo>(VK_STRUCTURE_TYPE_MEMORY_MAP_INFO);
    map.size = VK_WHOLE_SIZE;
    auto unmap = Info<VkMemoryUnmapInfo>(VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO);
    return Maps(
        s, tell_map,
        [&](VkDeviceMemory memory) {
            map.memory = memory;
            s.down.MapMemory2(s.device, &map, &data);
        },
        [&](VkDeviceMemory memory) {
            unmap.memory = memory;
            s.down.UnmapMemory2(s.device, &unmap);
        });
}

VkMappedMemoryRange Whole(const Subject& s) {
    auto range = Info<VkMappedMemoryRange>(VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE);
    range.memory = s.memory;
    range.size = VK_WHOLE_SIZE;
    return range;
}

}  // namespace

double AllocateMemory(Subject& s) {
    Allocations all(s);
    const double ns = Batch([&](size_t i) { all.Allocate(i); });
    for (size_t i = 0; i < kCalls; ++i) all.Free(i);
    return ns;
}
double FreeMemory(Subject& s) {
    Allocations all(s);
    for (size_t i = 0; i < kCalls; ++i) all.Allocate(i);
    return Batch([&](size_t i) { all.Free(i); });
}
double MapMemory(Subject& s) { return Maps1(s, true); }
double UnmapMemory(Subject& s) { return Maps1(s, false); }
double MapMemory2(Subject& s) { return Maps2(s, true); }
double UnmapMemory2(Subject& s) { return Maps2(s, false); }
double FlushMappedMemoryRanges(Subject& s) {
    const VkMappedMemoryRange range = Whole(s);
    return Batch([&](size_t) { s.down.FlushMappedMemoryRanges(s.device, 1, &range); });
}
double InvalidateMappedMemoryRanges(Subject& s) {
    const VkMappedMemoryRange range = Whole(s);
    return Batch([&](size_t) { s.down.InvalidateMappedMemoryRanges(s.device, 1, &range); });
}
double GetDeviceMemoryOpaqueCaptureAddress(Subject& s) {
    auto info =
        Info<VkDeviceMemoryOpaqueCaptureAddressInfo>(VK_STRUCTURE_TYPE_DEVICE_MEMORY_OPAQUE_CAPTURE_ADDRESS_INFO);
    info.memory = Whole(s).memory;
    return Batch([&](size_t) { s.down.GetDeviceMemoryOpaqueCaptureAddress(s.device, &info); });
}

}  // namespace kronos::bench::call
