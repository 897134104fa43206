// SPDX-License-Identifier: Apache-2.0
// The symbols that the loader looks for; nothing else leaves the library (layer.map).
#include <vulkan/vk_layer.h>

#include "entry/hooks.h"
#include "entry/proc_addr.h"

namespace kronos {
namespace {

constexpr uint32_t kInterfaceVersion = 2;

// The loader asks for physical-device commands apart, so that ones it does not know itself reach the right layer.
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetPhysicalDeviceProcAddr(VkInstance instance, const char* name) {
    const Instance& state = InstanceOf(instance);
    const PFN_vkVoidFunction below =
        state.next_physical_device_proc_addr ? state.next_physical_device_proc_addr(instance, name) : nullptr;
    const Hook* found = FindHook(name);
    if (!found || found->scope != Scope::kPhysicalDevice || !(found->gate & state.gates)) return below;
    // The next link answers only for commands it knows; those of core versions are in GetInstanceProcAddr's answer.
    return below || state.down.GetInstanceProcAddr(instance, name) ? found->function : nullptr;
}

}  // namespace
}  // namespace kronos

extern "C" __attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* negotiated) {
    if (!negotiated || negotiated->sType != LAYER_NEGOTIATE_INTERFACE_STRUCT) return VK_ERROR_INITIALIZATION_FAILED;
    // Older loaders look for exported entry points, of which there are none.
    if (negotiated->loaderLayerInterfaceVersion < kronos::kInterfaceVersion) return VK_ERROR_INITIALIZATION_FAILED;
    if (negotiated->loaderLayerInterfaceVersion > kronos::kInterfaceVersion)
        negotiated->loaderLayerInterfaceVersion = kronos::kInterfaceVersion;
    negotiated->pfnGetInstanceProcAddr = kronos::hook::GetInstanceProcAddr;
    negotiated->pfnGetDeviceProcAddr = kronos::hook::GetDeviceProcAddr;
    negotiated->pfnGetPhysicalDeviceProcAddr = kronos::GetPhysicalDeviceProcAddr;
    return VK_SUCCESS;
}
