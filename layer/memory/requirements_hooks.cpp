// SPDX-License-Identifier: Apache-2.0
// What resources need of memory, as the program asks for it: what it allocates afterwards is to suffice. Any thread; no
// locks.
#include "entry/hooks.h"
#include "entry/state.h"

namespace kronos {
namespace {

void Expect(const Device& device, const VkMemoryRequirements& needed) {
    if (device.slabs) device.slabs->Expect(needed.alignment, needed.size);
}

}  // namespace
}  // namespace kronos

// Section "Resource Memory Association".
namespace kronos::hook {

VKAPI_ATTR void VKAPI_CALL GetBufferMemoryRequirements(VkDevice handle, VkBuffer buffer, VkMemoryRequirements* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetBufferMemoryRequirements(handle, buffer, needed);
    Expect(device, *needed);
}

VKAPI_ATTR void VKAPI_CALL GetImageMemoryRequirements(VkDevice handle, VkImage image, VkMemoryRequirements* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetImageMemoryRequirements(handle, image, needed);
    Expect(device, *needed);
}

VKAPI_ATTR void VKAPI_CALL GetBufferMemoryRequirements2(VkDevice handle, const VkBufferMemoryRequirementsInfo2* info,
                                                        VkMemoryRequirements2* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetBufferMemoryRequirements2(handle, info, needed);
    Expect(device, needed->memoryRequirements);
}

VKAPI_ATTR void VKAPI_CALL GetImageMemoryRequirements2(VkDevice handle, const VkImageMemoryRequirementsInfo2* info,
                                                       VkMemoryRequirements2* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetImageMemoryRequirements2(handle, info, needed);
    Expect(device, needed->memoryRequirements);
}

VKAPI_ATTR void VKAPI_CALL GetDeviceBufferMemoryRequirements(VkDevice handle,
                                                             const VkDeviceBufferMemoryRequirements* info,
                                                             VkMemoryRequirements2* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetDeviceBufferMemoryRequirements(handle, info, needed);
    Expect(device, needed->memoryRequirements);
}

VKAPI_ATTR void VKAPI_CALL GetDeviceImageMemoryRequirements(VkDevice handle,
                                                            const VkDeviceImageMemoryRequirements* info,
                                                            VkMemoryRequirements2* needed) {
    const Device& device = DeviceOf(handle);
    device.down.GetDeviceImageMemoryRequirements(handle, info, needed);
    Expect(device, needed->memoryRequirements);
}

}  // namespace kronos::hook
