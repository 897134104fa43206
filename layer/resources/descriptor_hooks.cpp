// SPDX-License-Identifier: Apache-2.0
// Descriptor pools, sets and templates: counted, and known. Any thread; no locks but those of Resources.
#include "entry/hooks.h"
#include "entry/state.h"
#include "resources/judge.h"
#include "resources/remember.h"

namespace kronos {
namespace {

void Advise(const Device& device, const UsedSets& gone) {
    if (gone.once) device.Decided(Counter::kAdviceSetsBoundOnce, gone.once);
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL AllocateDescriptorSets(VkDevice handle, const VkDescriptorSetAllocateInfo* info,
                                                      VkDescriptorSet* sets) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.AllocateDescriptorSets(handle, info, sets);
    if (result != VK_SUCCESS) return result;
    device.Count(Counter::kSetsAllocated, info->descriptorSetCount);
    Remember(device, "vkAllocateDescriptorSets",
             [&](Resources& resources) { resources.AddSets(*info, sets, device.FollowsSets()); });
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL FreeDescriptorSets(VkDevice handle, VkDescriptorPool pool, uint32_t count,
                                                  const VkDescriptorSet* sets) {
    Device& device = DeviceOf(handle);
    if (device.resources) Advise(device, device.resources->RemoveSets(pool, count, sets));
    return device.down.FreeDescriptorSets(handle, pool, count, sets);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDescriptorPool(VkDevice handle, const VkDescriptorPoolCreateInfo* info,
                                                    const VkAllocationCallbacks* allocator, VkDescriptorPool* pool) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateDescriptorPool(handle, info, allocator, pool);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateDescriptorPool",
                 [&](Resources& resources) { resources.AddPool(*pool, PlainPool(*info)); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyDescriptorPool(VkDevice handle, VkDescriptorPool pool,
                                                 const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyDescriptorPool",
             [&](Resources& resources) { Advise(device, resources.RemovePool(pool)); });
    device.down.DestroyDescriptorPool(handle, pool, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetDescriptorPool(VkDevice handle, VkDescriptorPool pool,
                                                   VkDescriptorPoolResetFlags flags) {
    Device& device = DeviceOf(handle);
    device.Count(Counter::kPoolResets);
    if (device.resources) {
        const UsedSets gone = device.resources->ResetPool(pool);
        Advise(device, gone);
        if (gone.once + gone.more) device.Decided(Counter::kAdvicePoolsReset);
    }
    return device.down.ResetDescriptorPool(handle, pool, flags);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDescriptorUpdateTemplate(VkDevice handle,
                                                              const VkDescriptorUpdateTemplateCreateInfo* info,
                                                              const VkAllocationCallbacks* allocator,
                                                              VkDescriptorUpdateTemplate* made) {
    Device& device = DeviceOf(handle);
    const VkResult result = device.down.CreateDescriptorUpdateTemplate(handle, info, allocator, made);
    if (result == VK_SUCCESS)
        Remember(device, "vkCreateDescriptorUpdateTemplate",
                 [&](Resources& resources) { resources.AddTemplate(*made, *info); });
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyDescriptorUpdateTemplate(VkDevice handle, VkDescriptorUpdateTemplate update_template,
                                                           const VkAllocationCallbacks* allocator) {
    Device& device = DeviceOf(handle);
    Remember(device, "vkDestroyDescriptorUpdateTemplate",
             [&](Resources& resources) { resources.RemoveTemplate(update_template); });
    device.down.DestroyDescriptorUpdateTemplate(handle, update_template, allocator);
}

}  // namespace kronos::hook
