// SPDX-License-Identifier: Apache-2.0
// Compiled by wrong_signature.cmake: as it is, which must work; with WRONG, which must not.
#include "entry/hooks.h"

namespace kronos::hook {

#ifdef WRONG
VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkDevice) { return VK_SUCCESS; }
PFN_vkQueueWaitIdle row = static_cast<PFN_vkQueueWaitIdle>(static_cast<VkResult (*)(VkDevice)>(QueueWaitIdle));
#else
VKAPI_ATTR VkResult VKAPI_CALL QueueWaitIdle(VkQueue) { return VK_SUCCESS; }
PFN_vkQueueWaitIdle row = static_cast<PFN_vkQueueWaitIdle>(QueueWaitIdle);
#endif

}  // namespace kronos::hook

#ifdef WRONG_RETURN
namespace kronos::hook {
VKAPI_ATTR void VKAPI_CALL DeviceWaitIdle(VkDevice) {}
}  // namespace kronos::hook
#endif
