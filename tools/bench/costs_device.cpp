// SPDX-License-Identifier: Apache-2.0
// Instance, device, queues, kernel, and the objects that live as long as they do.
#include "costs_device.h"

#include <vulkan/vk_enum_string_helper.h>
#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <chrono>

#include "spin_spv.h"

namespace kronos::bench {

void Must(VkResult result, const char* what) {
    if (result != VK_SUCCESS) throw CostError(std::string(what) + " failed: " + string_VkResult(result));
}

double Now() {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Device::Device(const std::string& wanted) {
    try {
        auto application = vku::InitStruct<VkApplicationInfo>();
        application.pApplicationName = "kronos-driver-costs";
        application.apiVersion = VK_API_VERSION_1_3;
        auto info = vku::InitStruct<VkInstanceCreateInfo>();
        info.pApplicationInfo = &application;
        Must(vkCreateInstance(&info, nullptr, &instance_), "vkCreateInstance");
        Choose(wanted);
        Create();
        MakeKernel();
    } catch (...) {
        Destroy();  // the destructor of a half-made object does not run
        throw;
    }
}

Device::~Device() { Destroy(); }

void Device::Destroy() {
    if (device_) vkDeviceWaitIdle(device_);
    for (auto it = last_in_first_out_.rbegin(); it != last_in_first_out_.rend(); ++it) (*it)();
    if (device_) vkDestroyDevice(device_, nullptr);
    if (instance_) vkDestroyInstance(instance_, nullptr);
}

void Device::Choose(const std::string& wanted) {
    uint32_t count = 0;
    Must(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
    std::vector<VkPhysicalDevice> handles(count);
    Must(vkEnumeratePhysicalDevices(instance_, &count, handles.data()), "vkEnumeratePhysicalDevices");
    std::string listed;
    for (uint32_t i = 0; i < count; ++i) {
        VkPhysicalDeviceProperties properties;
        vkGetPhysicalDeviceProperties(handles[i], &properties);
        listed += (i ? ", " : "") + std::to_string(i) + " = " + properties.deviceName;
        const bool is_cpu = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
        const bool named = wanted == std::to_string(i) ||
                           (!wanted.empty() && std::string(properties.deviceName).find(wanted) != std::string::npos);
        if (wanted.empty() ? !physical_ || (!is_cpu && properties_.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU)
                           : named && !physical_) {
            physical_ = handles[i];
            properties_ = properties;
        }
    }
    if (!physical_) throw CostError("no such device; there is " + (listed.empty() ? "none" : listed));
    if (properties_.apiVersion < VK_API_VERSION_1_2)
        throw CostError(std::string(properties_.deviceName) + " is older than Vulkan 1.2");
    vkGetPhysicalDeviceMemoryProperties(physical_, &memory_);
    driver_ = vku::InitStruct<VkPhysicalDeviceDriverProperties>();
    auto more = vku::InitStruct<VkPhysicalDeviceProperties2>(&driver_);
    vkGetPhysicalDeviceProperties2(physical_, &more);
}

void Device::Create() {
    const bool has_13 = properties_.apiVersion >= VK_API_VERSION_1_3;
    auto have_13 = vku::InitStruct<VkPhysicalDeviceVulkan13Features>();
    auto have_12 = vku::InitStruct<VkPhysicalDeviceVulkan12Features>(has_13 ? &have_13 : nullptr);
    auto have = vku::InitStruct<VkPhysicalDeviceFeatures2>(&have_12);
    vkGetPhysicalDeviceFeatures2(physical_, &have);
    timeline_ = have_12.timelineSemaphore;
    synchronization2_ = has_13 && have_13.synchronization2;
    auto want_13 = vku::InitStruct<VkPhysicalDeviceVulkan13Features>();
    want_13.synchronization2 = synchronization2_;
    auto want_12 = vku::InitStruct<VkPhysicalDeviceVulkan12Features>(has_13 ? &want_13 : nullptr);
    want_12.timelineSemaphore = timeline_;

    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical_, &count, families.data());
    family_ = compute_only_family_ = count;
    for (uint32_t i = count; i-- > 0;) {
        const VkQueueFlags flags = families[i].queueFlags;
        if (flags & VK_QUEUE_COMPUTE_BIT) family_ = i;
    }
    for (uint32_t i = count; i-- > 0;) {
        const VkQueueFlags flags = families[i].queueFlags;
        if (i != family_ && (flags & VK_QUEUE_COMPUTE_BIT) && !(flags & VK_QUEUE_GRAPHICS_BIT))
            compute_only_family_ = i;
    }
    if (family_ == count) throw CostError(std::string(properties_.deviceName) + " has no compute queue");
    const float priorities[4] = {1, 1, 1, 1};
    std::vector<VkDeviceQueueCreateInfo> queues;
    for (uint32_t family : {family_, compute_only_family_}) {
        if (family == count) continue;
        auto queue = vku::InitStruct<VkDeviceQueueCreateInfo>();
        queue.queueFamilyIndex = family;
        queue.queueCount = std::min(families[family].queueCount, 4U);
        queue.pQueuePriorities = priorities;
        queues.push_back(queue);
    }
    auto info = vku::InitStruct<VkDeviceCreateInfo>(&want_12);
    info.queueCreateInfoCount = static_cast<uint32_t>(queues.size());
    info.pQueueCreateInfos = queues.data();
    Must(vkCreateDevice(physical_, &info, nullptr, &device_), "vkCreateDevice");
    for (const VkDeviceQueueCreateInfo& made : queues) {
        for (uint32_t i = 0; i < made.queueCount; ++i) {
            VkQueue queue = VK_NULL_HANDLE;
            vkGetDeviceQueue(device_, made.queueFamilyIndex, i, &queue);
            (made.queueFamilyIndex == family_ ? queues_ : compute_only_queues_).push_back(queue);
        }
    }
}

void Device::MakeKernel() {
    // The kernel's buffer is used by queues of two families at once, which take different slots.
    const uint32_t families[2] = {family_, compute_only_family_};
    auto buffer = vku::InitStruct<VkBufferCreateInfo>();
    buffer.size = VkDeviceSize{kSlots} * kGroups * kGroupSize * sizeof(uint32_t);
    buffer.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    if (!compute_only_queues_.empty()) {
        buffer.sharingMode = VK_SHARING_MODE_CONCURRENT;
        buffer.queueFamilyIndexCount = 2;
        buffer.pQueueFamilyIndices = families;
    }
    Must(vkCreateBuffer(device_, &buffer, nullptr, &buffer_), "vkCreateBuffer");
    last_in_first_out_.emplace_back([this] { vkDestroyBuffer(device_, buffer_, nullptr); });
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device_, buffer_, &needs);
    uint32_t type = 0;
    while (!(needs.memoryTypeBits >> type & 1U)) ++type;
    for (uint32_t i = type; i < memory_.memoryTypeCount; ++i) {
        const bool local = memory_.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
        if (local && (needs.memoryTypeBits >> i & 1U)) {
            type = i;
            break;
        }
    }
    VkDeviceMemory memory = Allocate(type, needs.size);
    last_in_first_out_.emplace_back([this, memory] { vkFreeMemory(device_, memory, nullptr); });
    Must(vkBindBufferMemory(device_, buffer_, memory, 0), "vkBindBufferMemory");

    VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
                                            nullptr};
    auto set_layout_info = vku::InitStruct<VkDescriptorSetLayoutCreateInfo>();
    set_layout_info.bindingCount = 1;
    set_layout_info.pBindings = &binding;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    Must(vkCreateDescriptorSetLayout(device_, &set_layout_info, nullptr, &set_layout), "vkCreateDescriptorSetLayout");
    last_in_first_out_.emplace_back([this, set_layout] { vkDestroyDescriptorSetLayout(device_, set_layout, nullptr); });
    VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 8};
    auto layout_info = vku::InitStruct<VkPipelineLayoutCreateInfo>();
    layout_info.setLayoutCount = 1;
    layout_info.pSetLayouts = &set_layout;
    layout_info.pushConstantRangeCount = 1;
    layout_info.pPushConstantRanges = &range;
    Must(vkCreatePipelineLayout(device_, &layout_info, nullptr, &layout_), "vkCreatePipelineLayout");
    last_in_first_out_.emplace_back([this] { vkDestroyPipelineLayout(device_, layout_, nullptr); });

    VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1 + kSlotSets};
    auto pool_info = vku::InitStruct<VkDescriptorPoolCreateInfo>();
    pool_info.maxSets = 1 + kSlotSets;
    pool_info.poolSizeCount = 1;
    pool_info.pPoolSizes = &size;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    Must(vkCreateDescriptorPool(device_, &pool_info, nullptr, &pool), "vkCreateDescriptorPool");
    last_in_first_out_.emplace_back([this, pool] { vkDestroyDescriptorPool(device_, pool, nullptr); });
    auto set_info = vku::InitStruct<VkDescriptorSetAllocateInfo>();
    set_info.descriptorPool = pool;
    set_info.descriptorSetCount = 1;
    set_info.pSetLayouts = &set_layout;
    const auto new_set = [&](VkDeviceSize offset, VkDeviceSize bytes) {
        VkDescriptorSet set = VK_NULL_HANDLE;
        Must(vkAllocateDescriptorSets(device_, &set_info, &set), "vkAllocateDescriptorSets");
        const VkDescriptorBufferInfo range = {buffer_, offset, bytes};
        auto write = vku::InitStruct<VkWriteDescriptorSet>();
        write.dstSet = set;
        write.descriptorCount = 1;
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &range;
        vkUpdateDescriptorSets(device_, 1, &write, 0, nullptr);
        return set;
    };
    set_ = new_set(0, VK_WHOLE_SIZE);
    constexpr VkDeviceSize kSlotBytes = VkDeviceSize{kGroups} * kGroupSize * sizeof(uint32_t);
    for (uint32_t i = 0; i < kSlotSets; ++i) slot_sets_.push_back(new_set(i * kSlotBytes, kSlotBytes));

    auto module_info = vku::InitStruct<VkShaderModuleCreateInfo>();
    module_info.codeSize = sizeof kSpinSpirv;
    module_info.pCode = kSpinSpirv;
    VkShaderModule module = VK_NULL_HANDLE;
    Must(vkCreateShaderModule(device_, &module_info, nullptr, &module), "vkCreateShaderModule");
    auto pipeline_info = vku::InitStruct<VkComputePipelineCreateInfo>();
    pipeline_info.stage = vku::InitStruct<VkPipelineShaderStageCreateInfo>();
    pipeline_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline_info.stage.module = module;
    pipeline_info.stage.pName = "main";
    pipeline_info.layout = layout_;
    const VkResult made = vkCreateComputePipelines(device_, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &pipeline_);
    vkDestroyShaderModule(device_, module, nullptr);
    Must(made, "vkCreateComputePipelines");
    last_in_first_out_.emplace_back([this] { vkDestroyPipeline(device_, pipeline_, nullptr); });
}

VkFence Device::Fence() {
    const auto info = vku::InitStruct<VkFenceCreateInfo>();
    VkFence fence = VK_NULL_HANDLE;
    Must(vkCreateFence(device_, &info, nullptr, &fence), "vkCreateFence");
    last_in_first_out_.emplace_back([this, fence] { vkDestroyFence(device_, fence, nullptr); });
    return fence;
}

VkEvent Device::Event() {
    const auto info = vku::InitStruct<VkEventCreateInfo>();
    VkEvent event = VK_NULL_HANDLE;
    Must(vkCreateEvent(device_, &info, nullptr, &event), "vkCreateEvent");
    last_in_first_out_.emplace_back([this, event] { vkDestroyEvent(device_, event, nullptr); });
    return event;
}

VkSemaphore Device::Semaphore(VkSemaphoreType kind) {
    auto type = vku::InitStruct<VkSemaphoreTypeCreateInfo>();
    type.semaphoreType = kind;
    const auto info = vku::InitStruct<VkSemaphoreCreateInfo>(&type);
    VkSemaphore semaphore = VK_NULL_HANDLE;
    Must(vkCreateSemaphore(device_, &info, nullptr, &semaphore), "vkCreateSemaphore");
    last_in_first_out_.emplace_back([this, semaphore] { vkDestroySemaphore(device_, semaphore, nullptr); });
    return semaphore;
}

std::vector<VkCommandBuffer> Device::CommandBuffers(uint32_t family, uint32_t count) {
    auto pool_info = vku::InitStruct<VkCommandPoolCreateInfo>();
    pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool_info.queueFamilyIndex = family;
    VkCommandPool pool = VK_NULL_HANDLE;
    Must(vkCreateCommandPool(device_, &pool_info, nullptr, &pool), "vkCreateCommandPool");
    last_in_first_out_.emplace_back([this, pool] { vkDestroyCommandPool(device_, pool, nullptr); });
    auto info = vku::InitStruct<VkCommandBufferAllocateInfo>();
    info.commandPool = pool;
    info.commandBufferCount = count;
    std::vector<VkCommandBuffer> buffers(count);
    Must(vkAllocateCommandBuffers(device_, &info, buffers.data()), "vkAllocateCommandBuffers");
    return buffers;
}

void Device::Record(VkCommandBuffer commands, const std::function<void(VkCommandBuffer)>& record) {
    const auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
    Must(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    record(commands);
    Must(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
}

void Device::BindKernel(VkCommandBuffer commands) const {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &set_, 0, nullptr);
}

void Device::BindSlot(VkCommandBuffer commands, uint32_t slot) const {
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &slot_sets_[slot], 0, nullptr);
}

void Device::Dispatch(VkCommandBuffer commands, uint32_t slot, uint32_t iterations, uint32_t groups) const {
    const uint32_t push[2] = {slot * kGroups * kGroupSize, iterations};
    vkCmdPushConstants(commands, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    vkCmdDispatch(commands, groups, 1, 1);
}

uint32_t Device::FindMemoryType(VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags unwanted) const {
    uint32_t second = VK_MAX_MEMORY_TYPES;
    for (uint32_t i = memory_.memoryTypeCount; i-- > 0;) {
        const VkMemoryPropertyFlags flags = memory_.memoryTypes[i].propertyFlags;
        if ((flags & wanted) != wanted) continue;
        if (second == VK_MAX_MEMORY_TYPES || !(flags & unwanted) ||
            (memory_.memoryTypes[second].propertyFlags & unwanted))
            second = i;
    }
    return second;
}

uint32_t Device::MemoryType(VkMemoryPropertyFlags flags) const {
    for (uint32_t i = 0; i < memory_.memoryTypeCount; ++i) {
        if ((memory_.memoryTypes[i].propertyFlags & flags) == flags) return i;
    }
    throw CostError("no memory type with " + string_VkMemoryPropertyFlags(flags));
}

VkDeviceMemory Device::Allocate(uint32_t type, VkDeviceSize bytes) const {
    auto info = vku::InitStruct<VkMemoryAllocateInfo>();
    info.allocationSize = bytes;
    info.memoryTypeIndex = type;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Must(vkAllocateMemory(device_, &info, nullptr, &memory), "vkAllocateMemory");
    return memory;
}

void Device::SubmitAndSpin(VkQueue queue, const std::vector<VkCommandBuffer>& commands, VkFence fence) const {
    auto submit = vku::InitStruct<VkSubmitInfo>();
    submit.commandBufferCount = static_cast<uint32_t>(commands.size());
    submit.pCommandBuffers = commands.data();
    Must(vkQueueSubmit(queue, 1, &submit, fence), "vkQueueSubmit");
    VkResult status = VK_NOT_READY;
    while (status == VK_NOT_READY) status = vkGetFenceStatus(device_, fence);
    Must(status, "vkGetFenceStatus");
    Must(vkResetFences(device_, 1, &fence), "vkResetFences");
}

}  // namespace kronos::bench
