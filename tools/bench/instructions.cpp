// SPDX-License-Identifier: Apache-2.0
// What tools/bench/instructions counts under callgrind: the calls between entering and leaving CountedCalls, on one
// thread, on the mock driver, with whatever layers the environment gives. usage: kronos-instructions
// record|submit|alloc|wait CALLS
#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench_device.h"

namespace {

using namespace kronos::bench;

struct Subject : BenchDevice {
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    VkFence signaled = VK_NULL_HANDLE;
};

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
    auto submit = Info<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &subject.buffer;
    Expect(vkQueueSubmit(subject.queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
}

void Alloc(const Subject& subject) {
    auto info = Info<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    info.allocationSize = 4096;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Expect(vkAllocateMemory(subject.device, &info, nullptr, &memory), "vkAllocateMemory");
    vkFreeMemory(subject.device, memory, nullptr);
}

// Of a fence that is signaled: how long another thread takes would not be the same twice.
void Wait(const Subject& subject) {
    Expect(vkWaitForFences(subject.device, 1, &subject.signaled, VK_TRUE, UINT64_MAX), "vkWaitForFences");
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
    Subject subject;
    subject.Make();
    subject.buffer = subject.NewBuffer();
    subject.signaled = subject.NewFence(VK_FENCE_CREATE_SIGNALED_BIT);
    Begin(subject.buffer, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    if (call != Record) End(subject.buffer);
    for (int i = 0; i < 16; ++i) call(subject);  // symbols are resolved, tables have grown
    CountedCalls(call, &subject, calls);
    if (call == Record) End(subject.buffer);
    Expect(vkDeviceWaitIdle(subject.device), "vkDeviceWaitIdle");
    vkDestroyFence(subject.device, subject.signaled, nullptr);
    subject.Destroy();
}
