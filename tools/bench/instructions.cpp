// SPDX-License-Identifier: Apache-2.0
// What tools/bench/instructions counts under callgrind: the calls between entering and leaving CountedCalls, on one
// thread, on the mock driver, with whatever layers the environment gives. usage: kronos-instructions
// record|submit|alloc|wait CALLS
#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

void Must(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "kronos-instructions: %s failed (%d)\n", what, result);
    std::exit(1);
}

struct Subject {
    VkInstance instance = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    VkFence signalled = VK_NULL_HANDLE;
};

Subject Make() {
    Subject made;
    VkInstanceCreateInfo instance_info = {};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    Must(vkCreateInstance(&instance_info, nullptr, &made.instance), "vkCreateInstance");
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    const VkResult result = vkEnumeratePhysicalDevices(made.instance, &count, &physical);
    if (result != VK_INCOMPLETE) Must(result, "vkEnumeratePhysicalDevices");
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {};
    queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo device_info = {};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    Must(vkCreateDevice(physical, &device_info, nullptr, &made.device), "vkCreateDevice");
    vkGetDeviceQueue(made.device, 0, 0, &made.queue);
    VkCommandPoolCreateInfo pool_info = {};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    Must(vkCreateCommandPool(made.device, &pool_info, nullptr, &made.pool), "vkCreateCommandPool");
    VkCommandBufferAllocateInfo buffer_info = {};
    buffer_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffer_info.commandPool = made.pool;
    buffer_info.commandBufferCount = 1;
    Must(vkAllocateCommandBuffers(made.device, &buffer_info, &made.buffer), "vkAllocateCommandBuffers");
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    Must(vkBeginCommandBuffer(made.buffer, &begin), "vkBeginCommandBuffer");
    VkFenceCreateInfo fence_info = {};
    fence_info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    fence_info.flags = VK_FENCE_CREATE_SIGNALED_BIT;
    Must(vkCreateFence(made.device, &fence_info, nullptr, &made.signalled), "vkCreateFence");
    return made;
}

void Record(const Subject& subject) {
    static const VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT,
                                            VK_ACCESS_SHADER_READ_BIT};
    static const uint32_t constants[4] = {};
    vkCmdPushConstants(subject.buffer, VK_NULL_HANDLE, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof constants, constants);
    vkCmdDispatch(subject.buffer, 1, 1, 1);
    vkCmdPipelineBarrier(subject.buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0,
                         1, &barrier, 0, nullptr, 0, nullptr);
}

void Submit(const Subject& subject) {
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &subject.buffer;
    Must(vkQueueSubmit(subject.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
}

void Alloc(const Subject& subject) {
    VkMemoryAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.allocationSize = 4096;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Must(vkAllocateMemory(subject.device, &info, nullptr, &memory), "vkAllocateMemory");
    vkFreeMemory(subject.device, memory, nullptr);
}

// Of a fence that is signalled: how long another thread takes would not be the same twice.
void Wait(const Subject& subject) {
    Must(vkWaitForFences(subject.device, 1, &subject.signalled, VK_TRUE, UINT64_MAX), "vkWaitForFences");
}

using Call = void (*)(const Subject&);

Call Find(std::string_view name) {
    if (name == "record") return Record;
    if (name == "submit") return Submit;
    if (name == "alloc") return Alloc;
    if (name == "wait") return Wait;
    return nullptr;
}

}  // namespace

extern "C" __attribute__((noinline)) void CountedCalls(Call call, const Subject* subject, long calls) {
    for (long i = 0; i < calls; ++i) call(*subject);
}

int main(int argc, char** argv) {
    const Call call = argc == 3 ? Find(argv[1]) : nullptr;
    const long calls = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 0;
    if (!call || calls < 1) {
        std::fprintf(stderr, "usage: kronos-instructions record|submit|alloc|wait CALLS\n");
        return 2;
    }
    const Subject subject = Make();
    if (call != Record) Must(vkEndCommandBuffer(subject.buffer), "vkEndCommandBuffer");
    for (int i = 0; i < 16; ++i) call(subject);  // symbols are resolved, tables have grown
    CountedCalls(call, &subject, calls);
    if (call == Record) Must(vkEndCommandBuffer(subject.buffer), "vkEndCommandBuffer");
    Must(vkDeviceWaitIdle(subject.device), "vkDeviceWaitIdle");
    vkDestroyFence(subject.device, subject.signalled, nullptr);
    vkDestroyCommandPool(subject.device, subject.pool, nullptr);
    vkDestroyDevice(subject.device, nullptr);
    vkDestroyInstance(subject.instance, nullptr);
}
