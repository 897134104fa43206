// SPDX-License-Identifier: Apache-2.0
// Names, tags and private data that the program gives to objects which may have another life: noted, and passed on.
// Any thread; Vulkan synchronizes names and tags externally for the object, and the layer with what it records again.
#include "entry/hooks.h"
#include "entry/state.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

enum class Mark { kName, kOther };
enum class Marked { kFence, kMemory, kElse };

template <class State>
void Set(State* state, Mark mark) {
    if (state) (mark == Mark::kName ? state->named : state->marked).store(true, std::memory_order_relaxed);
}

void Note(const Device& device, Marked kind, uint64_t handle, Mark mark) {
    if (kind == Marked::kFence && device.fences) Set(device.fences->Find(HandleFromBits<VkFence>(handle)), mark);
    if (kind == Marked::kMemory) Set(device.memories.Find(HandleFromBits<VkDeviceMemory>(handle)), mark);
}

Marked KindOf(VkObjectType type) {
    return type == VK_OBJECT_TYPE_FENCE           ? Marked::kFence
           : type == VK_OBJECT_TYPE_DEVICE_MEMORY ? Marked::kMemory
                                                  : Marked::kElse;
}

Marked KindOf(VkDebugReportObjectTypeEXT type) {
    return type == VK_DEBUG_REPORT_OBJECT_TYPE_FENCE_EXT           ? Marked::kFence
           : type == VK_DEBUG_REPORT_OBJECT_TYPE_DEVICE_MEMORY_EXT ? Marked::kMemory
                                                                   : Marked::kElse;
}

// Of memory that the driver does not know: nobody below is told.
bool IsVirtual(const Device& device, Marked kind, uint64_t handle) {
    return kind == Marked::kMemory && device.slabs && device.slabs->Find(handle);
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

// VK_EXT_debug_utils: a name can be taken away again, by an empty one.
VKAPI_ATTR VkResult VKAPI_CALL SetDebugUtilsObjectNameEXT(VkDevice handle, const VkDebugUtilsObjectNameInfoEXT* info) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(info->objectType), info->objectHandle)) return VK_SUCCESS;
    Note(device, KindOf(info->objectType), info->objectHandle, Mark::kName);
    const auto lock = LockFusion(device);
    return device.down.SetDebugUtilsObjectNameEXT(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL SetDebugUtilsObjectTagEXT(VkDevice handle, const VkDebugUtilsObjectTagInfoEXT* info) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(info->objectType), info->objectHandle)) return VK_SUCCESS;
    Note(device, KindOf(info->objectType), info->objectHandle, Mark::kOther);
    const auto lock = LockFusion(device);
    return device.down.SetDebugUtilsObjectTagEXT(handle, info);
}

// VK_EXT_debug_marker: nothing says how a name is taken away.
VKAPI_ATTR VkResult VKAPI_CALL DebugMarkerSetObjectNameEXT(VkDevice handle,
                                                           const VkDebugMarkerObjectNameInfoEXT* info) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(info->objectType), info->object)) return VK_SUCCESS;
    Note(device, KindOf(info->objectType), info->object, Mark::kOther);
    const auto lock = LockFusion(device);
    return device.down.DebugMarkerSetObjectNameEXT(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL DebugMarkerSetObjectTagEXT(VkDevice handle, const VkDebugMarkerObjectTagInfoEXT* info) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(info->objectType), info->object)) return VK_SUCCESS;
    Note(device, KindOf(info->objectType), info->object, Mark::kOther);
    const auto lock = LockFusion(device);
    return device.down.DebugMarkerSetObjectTagEXT(handle, info);
}

VKAPI_ATTR VkResult VKAPI_CALL SetPrivateData(VkDevice handle, VkObjectType type, uint64_t object,
                                              VkPrivateDataSlot slot, uint64_t data) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(type), object))
        return Guarded(device.log.get(), "vkSetPrivateData", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
            device.slabs->SetData(object, HandleBits(slot), data);
            return VK_SUCCESS;
        });
    Note(device, KindOf(type), object, Mark::kOther);
    return device.down.SetPrivateData(handle, type, object, slot, data);
}

VKAPI_ATTR void VKAPI_CALL GetPrivateData(VkDevice handle, VkObjectType type, uint64_t object, VkPrivateDataSlot slot,
                                          uint64_t* data) {
    const Device& device = DeviceOf(handle);
    if (IsVirtual(device, KindOf(type), object))
        *data = device.slabs->Data(object, HandleBits(slot));
    else
        device.down.GetPrivateData(handle, type, object, slot, data);
}

VKAPI_ATTR void VKAPI_CALL DestroyPrivateDataSlot(VkDevice handle, VkPrivateDataSlot slot,
                                                  const VkAllocationCallbacks* allocator) {
    const Device& device = DeviceOf(handle);
    if (device.slabs && slot) device.slabs->ForgetSlot(HandleBits(slot));
    device.down.DestroyPrivateDataSlot(handle, slot, allocator);
}

}  // namespace kronos::hook
