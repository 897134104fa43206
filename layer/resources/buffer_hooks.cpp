// SPDX-License-Identifier: Apache-2.0
// Buffers, images, their views, samplers and memory, known to command streams. Any thread; no locks but those of
// Resources.
#include "entry/hooks.h"
#include "entry/state.h"
#include "memory/virtual_memory.h"
#include "resources/remember.h"

namespace kronos {
namespace {

// What the buffer occupies: stores out of bounds may go so far, by the device's features or by a pipeline's.
VkDeviceSize Required(const Device& device, VkBuffer buffer) {
    VkMemoryRequirements requirements = {};
    device.down.GetBufferMemoryRequirements(device.handle, buffer, &requirements);
    return requirements.size;
}

// What the image occupies, or 0 for one that may not be asked so, or need not.
VkDeviceSize Required(const Device& device, VkImage image) {
    const ImageFacts* facts = device.resources->FindImage(image);
    if (!facts || !facts->plain) return 0;
    VkMemoryRequirements requirements = {};
    device.down.GetImageMemoryRequirements(device.handle, image, &requirements);
    return requirements.size;
}

// Of memory that the program binds to.
uint64_t LifeOf(const Device& device, VkDeviceMemory memory) {
    const VirtualMemory* found = FindVirtual(device, memory);
    return found ? found->life : device.resources->FindMemory(memory);
}

template <class Bind, class Command>
VkResult BindBelow(const Device& device, uint32_t count, const Bind* binds, Command command) {
    if (!device.slabs) return command(device.handle, count, binds);
    return Guarded(device.log.get(), "slabs", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        const BindsBelow<Bind> below(device, {binds, count});
        return below.fits() ? command(device.handle, count, below.data()) : VK_ERROR_OUT_OF_DEVICE_MEMORY;
    });
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL CreateBuffer(VkDevice handle, const VkBufferCreateInfo* info,
                                            const VkAllocationCallbacks* allocator, VkBuffer* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateBuffer(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateBuffer", [&](Resources& resources) { resources.AddBuffer(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyBuffer(VkDevice handle, VkBuffer buffer, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyBuffer", [&](Resources& resources) { resources.RemoveBuffer(buffer); });
    device.down.DestroyBuffer(handle, buffer, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory(VkDevice handle, VkBuffer buffer, VkDeviceMemory memory,
                                                VkDeviceSize offset) {
    Device& device = DeviceOf(handle);
    VirtualMemory* const found = FindVirtual(device, memory);
    VkMemoryRequirements requirements = {};
    if (found || device.resources) device.down.GetBufferMemoryRequirements(handle, buffer, &requirements);
    VkDeviceMemory below = memory;
    VkDeviceSize offset_below = offset;
    if (found && !PlaceVirtual(device, *found, requirements.alignment, below, offset_below))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkResult result = device.down.BindBufferMemory(handle, buffer, below, offset_below);
    if (result == VK_SUCCESS && device.resources) {
        const VkBindBufferMemoryInfo bind = {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, memory,
                                             offset};
        device.resources->BindBuffer(bind, requirements.size, LifeOf(device, memory));
    }
    return result;
}

// Should any fail, nobody knows which: all stay without memory.
VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory2(VkDevice handle, uint32_t count, const VkBindBufferMemoryInfo* binds) {
    Device& device = DeviceOf(handle);
    const VkResult result = BindBelow<VkBindBufferMemoryInfo>(device, count, binds, device.down.BindBufferMemory2);
    if (result == VK_SUCCESS && device.resources)
        for (uint32_t i = 0; i < count; ++i)
            device.resources->BindBuffer(binds[i], Required(device, binds[i].buffer), LifeOf(device, binds[i].memory));
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateBufferView(VkDevice handle, const VkBufferViewCreateInfo* info,
                                                const VkAllocationCallbacks* allocator, VkBufferView* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateBufferView(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateBufferView", [&](Resources& resources) { resources.AddBufferView(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyBufferView(VkDevice handle, VkBufferView view,
                                             const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyBufferView", [&](Resources& resources) { resources.RemoveBufferView(view); });
    device.down.DestroyBufferView(handle, view, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateImage(VkDevice handle, const VkImageCreateInfo* info,
                                           const VkAllocationCallbacks* allocator, VkImage* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateImage(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateImage", [&](Resources& resources) { resources.AddImage(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyImage(VkDevice handle, VkImage image, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyImage", [&](Resources& resources) { resources.RemoveImage(image); });
    device.down.DestroyImage(handle, image, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory(VkDevice handle, VkImage image, VkDeviceMemory memory,
                                               VkDeviceSize offset) {
    Device& device = DeviceOf(handle);
    VkDeviceMemory below = memory;
    VkDeviceSize offset_below = offset;
    if (VirtualMemory* found = FindVirtual(device, memory);
        found && !PlaceVirtual(device, *found, AlignmentOf(device, image), below, offset_below))
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkResult result = device.down.BindImageMemory(handle, image, below, offset_below);
    if (result == VK_SUCCESS && device.resources) {
        const VkBindImageMemoryInfo bind = {VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, nullptr, image, memory, offset};
        device.resources->BindImage(bind, Required(device, image), LifeOf(device, memory));
    }
    return result;
}

// Should any fail, nobody knows which: all stay without memory.
VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory2(VkDevice handle, uint32_t count, const VkBindImageMemoryInfo* binds) {
    Device& device = DeviceOf(handle);
    const VkResult result = BindBelow<VkBindImageMemoryInfo>(device, count, binds, device.down.BindImageMemory2);
    if (result == VK_SUCCESS && device.resources)
        for (uint32_t i = 0; i < count; ++i)
            device.resources->BindImage(binds[i], Required(device, binds[i].image), LifeOf(device, binds[i].memory));
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateImageView(VkDevice handle, const VkImageViewCreateInfo* info,
                                               const VkAllocationCallbacks* allocator, VkImageView* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateImageView(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateImageView", [&](Resources& resources) { resources.AddImageView(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyImageView(VkDevice handle, VkImageView view, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyImageView", [&](Resources& resources) { resources.RemoveImageView(view); });
    device.down.DestroyImageView(handle, view, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSampler(VkDevice handle, const VkSamplerCreateInfo* info,
                                             const VkAllocationCallbacks* allocator, VkSampler* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateSampler(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateSampler", [&](Resources& resources) { resources.AddSampler(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroySampler(VkDevice handle, VkSampler sampler, const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroySampler", [&](Resources& resources) { resources.RemoveSampler(sampler); });
    device.down.DestroySampler(handle, sampler, allocator);
}

}  // namespace kronos::hook
