// SPDX-License-Identifier: Apache-2.0
// Times submits and recorded dispatches of a plain Vulkan program, whatever layers the environment gives it, and prints
// JSON for tools/bench/overhead. It knows no layer; it only tells which libraries of layers are in its memory.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "layer_bench_spv.h"

namespace {

constexpr int kBatches = 21;
constexpr int kSubmits = 400;
constexpr int kDispatches = 4000;

void Must(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "kronos-layer-bench: %s failed (%d)\n", what, result);
    std::exit(1);
}

struct Program {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer submitted = VK_NULL_HANDLE;
    VkCommandBuffer recorded = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkShaderModule shader = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
};

uint32_t ComputeFamily(VkPhysicalDevice physical) {
    uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
    for (uint32_t i = 0; i < count; ++i) {
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) return i;
    }
    std::fprintf(stderr, "kronos-layer-bench: the device has no compute queue\n");
    std::exit(1);
}

void MakeDevice(Program& program) {
    VkApplicationInfo application = {};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_1;
    VkInstanceCreateInfo instance_info = {};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pApplicationInfo = &application;
    Must(vkCreateInstance(&instance_info, nullptr, &program.instance), "vkCreateInstance");
    uint32_t count = 1;
    const VkResult result = vkEnumeratePhysicalDevices(program.instance, &count, &program.physical);
    if (result != VK_INCOMPLETE) Must(result, "vkEnumeratePhysicalDevices");
    if (count == 0) Must(VK_ERROR_INITIALIZATION_FAILED, "finding a device");
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {};
    queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue_info.queueFamilyIndex = ComputeFamily(program.physical);
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo device_info = {};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    Must(vkCreateDevice(program.physical, &device_info, nullptr, &program.device), "vkCreateDevice");
    vkGetDeviceQueue(program.device, queue_info.queueFamilyIndex, 0, &program.queue);
    VkCommandPoolCreateInfo pool_info = {};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool_info.queueFamilyIndex = queue_info.queueFamilyIndex;
    Must(vkCreateCommandPool(program.device, &pool_info, nullptr, &program.pool), "vkCreateCommandPool");
    VkCommandBuffer buffers[2] = {};
    VkCommandBufferAllocateInfo buffer_info = {};
    buffer_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffer_info.commandPool = program.pool;
    buffer_info.commandBufferCount = 2;
    Must(vkAllocateCommandBuffers(program.device, &buffer_info, buffers), "vkAllocateCommandBuffers");
    program.submitted = buffers[0];
    program.recorded = buffers[1];
}

void MakePipeline(Program& program) {
    const VkPushConstantRange constants = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 16};
    VkPipelineLayoutCreateInfo layout_info = {};
    layout_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layout_info.pushConstantRangeCount = 1;
    layout_info.pPushConstantRanges = &constants;
    Must(vkCreatePipelineLayout(program.device, &layout_info, nullptr, &program.layout), "vkCreatePipelineLayout");
    VkShaderModuleCreateInfo shader_info = {};
    shader_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    shader_info.codeSize = sizeof kLayerBenchSpirv;
    shader_info.pCode = kLayerBenchSpirv;
    Must(vkCreateShaderModule(program.device, &shader_info, nullptr, &program.shader), "vkCreateShaderModule");
    VkComputePipelineCreateInfo pipeline_info = {};
    pipeline_info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    pipeline_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline_info.stage.module = program.shader;
    pipeline_info.stage.pName = "main";
    pipeline_info.layout = program.layout;
    Must(vkCreateComputePipelines(program.device, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &program.pipeline),
         "vkCreateComputePipelines");
}

void Begin(VkCommandBuffer buffer, VkCommandBufferUsageFlags flags) {
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = flags;
    Must(vkBeginCommandBuffer(buffer, &begin), "vkBeginCommandBuffer");
}

// Nanoseconds of one of `count`, a batch each; the first batch warms up and is left out.
template <class Body, class After>
std::vector<double> Time(int count, Body body, After after) {
    std::vector<double> ns;
    for (int batch = -1; batch < kBatches; ++batch) {
        const auto before = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) body();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
        after();
        if (batch >= 0) ns.push_back(took.count() / count);
    }
    return ns;
}

std::vector<double> TimeSubmits(const Program& program) {
    // The same empty command buffer is pending many times.
    Begin(program.submitted, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    Must(vkEndCommandBuffer(program.submitted), "vkEndCommandBuffer");
    VkSubmitInfo submit = {};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &program.submitted;
    return Time(
        kSubmits, [&] { Must(vkQueueSubmit(program.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit"); },
        [&] { Must(vkQueueWaitIdle(program.queue), "vkQueueWaitIdle"); });
}

std::vector<double> TimeDispatches(const Program& program) {
    const uint32_t constants[4] = {};
    auto begin = [&] {
        Begin(program.recorded, 0);
        vkCmdBindPipeline(program.recorded, VK_PIPELINE_BIND_POINT_COMPUTE, program.pipeline);
    };
    begin();
    std::vector<double> ns = Time(
        kDispatches,
        [&] {
            vkCmdPushConstants(program.recorded, program.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof constants,
                               constants);
            vkCmdDispatch(program.recorded, 1, 1, 1);
        },
        [&] {
            Must(vkEndCommandBuffer(program.recorded), "vkEndCommandBuffer");
            begin();
        });
    Must(vkEndCommandBuffer(program.recorded), "vkEndCommandBuffer");
    return ns;
}

// Every library in this process's memory, by name: whether a layer was there is told by its library.
std::set<std::string> Libraries() {
    std::set<std::string> names;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const size_t slash = line.rfind('/');
        if (slash != std::string::npos && line.find(".so", slash) != std::string::npos)
            names.insert(line.substr(slash + 1));
    }
    return names;
}

}  // namespace

int main() {
    Program program;
    MakeDevice(program);
    MakePipeline(program);
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(program.physical, &properties);
    const nlohmann::ordered_json document = {{"device", properties.deviceName},
                                             {"submit", TimeSubmits(program)},
                                             {"dispatch", TimeDispatches(program)},
                                             {"libraries", Libraries()}};
    vkDestroyPipeline(program.device, program.pipeline, nullptr);
    vkDestroyShaderModule(program.device, program.shader, nullptr);
    vkDestroyPipelineLayout(program.device, program.layout, nullptr);
    vkDestroyCommandPool(program.device, program.pool, nullptr);
    vkDestroyDevice(program.device, nullptr);
    vkDestroyInstance(program.instance, nullptr);
    // Layers may write on standard output too: ours is the last line.
    std::printf("\n%s\n", document.dump().c_str());
}
