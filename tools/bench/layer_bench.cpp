// SPDX-License-Identifier: Apache-2.0
// Times submits and recorded dispatches of a plain Vulkan program, whatever layers the environment gives it, and prints
// JSON for tools/bench/overhead. It knows no layer; it only tells which libraries of layers are in its memory.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "bench_device.h"
#include "layer_bench_spv.h"

namespace {

using namespace kronos::bench;

constexpr int kBatches = 21;
constexpr int kSubmits = 400;
constexpr int kDispatches = 4000;

struct Program : BenchDevice {
    VkCommandBuffer submitted = VK_NULL_HANDLE;
    VkCommandBuffer recorded = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkShaderModule shader = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
};

void MakePipeline(Program& program) {
    const VkPushConstantRange constants = {VK_SHADER_STAGE_COMPUTE_BIT, 0, 16};
    auto layout_info = Info<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
    layout_info.pushConstantRangeCount = 1;
    layout_info.pPushConstantRanges = &constants;
    Expect(vkCreatePipelineLayout(program.device, &layout_info, nullptr, &program.layout), "vkCreatePipelineLayout");
    auto shader_info = Info<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
    shader_info.codeSize = sizeof kLayerBenchSpirv;
    shader_info.pCode = kLayerBenchSpirv;
    Expect(vkCreateShaderModule(program.device, &shader_info, nullptr, &program.shader), "vkCreateShaderModule");
    auto pipeline_info = Info<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
    pipeline_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline_info.stage.module = program.shader;
    pipeline_info.stage.pName = "main";
    pipeline_info.layout = program.layout;
    Expect(vkCreateComputePipelines(program.device, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &program.pipeline),
           "vkCreateComputePipelines");
}

// Nanoseconds of one of `count`, and of its part of the end, a batch each; the first batch warms up and is left out.
template <class Body, class Finish, class After>
std::vector<double> Time(int count, Body body, Finish finish, After after) {
    std::vector<double> ns;
    for (int batch = -1; batch < kBatches; ++batch) {
        const auto before = std::chrono::steady_clock::now();
        for (int i = 0; i < count; ++i) body();
        finish();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
        after();
        if (batch >= 0) ns.push_back(took.count() / count);
    }
    return ns;
}

std::vector<double> TimeSubmits(const Program& program) {
    // The same empty command buffer is pending many times.
    Begin(program.submitted, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    End(program.submitted);
    auto submit = Info<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &program.submitted;
    return Time(
        kSubmits, [&] { Expect(vkQueueSubmit(program.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit"); }, [] {},
        [&] { Expect(vkQueueWaitIdle(program.queue), "vkQueueWaitIdle"); });
}

// `ended`: the end of the recording is timed too. Layers may keep until then what they are given.
std::vector<double> TimeDispatches(const Program& program, bool ended) {
    const uint32_t constants[4] = {};
    auto begin = [&] {
        Begin(program.recorded);
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
            if (ended) End(program.recorded);
        },
        [&] {
            if (!ended) End(program.recorded);
            begin();
        });
    End(program.recorded);
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
    program.Make();
    program.submitted = program.NewBuffer();
    program.recorded = program.NewBuffer();
    MakePipeline(program);
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(program.physical, &properties);
    const nlohmann::ordered_json document = {{"device", properties.deviceName},
                                             {"submit", TimeSubmits(program)},
                                             {"dispatch", TimeDispatches(program, false)},
                                             {"recording", TimeDispatches(program, true)},
                                             {"libraries", Libraries()}};
    vkDestroyPipeline(program.device, program.pipeline, nullptr);
    vkDestroyShaderModule(program.device, program.shader, nullptr);
    vkDestroyPipelineLayout(program.device, program.layout, nullptr);
    program.Destroy();
    // Layers may write on standard output too: ours is the last line.
    std::printf("\n%s\n", document.dump().c_str());
}
