// SPDX-License-Identifier: Apache-2.0
// What a hooked call costs above the call alone, in nanoseconds: the same calls through the loader's device pointers on
// three devices of the mock driver in one process, in turn: without the layer, with it counting, and with statistics
// off.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "mock_control.h"

namespace {

constexpr int kRounds = 31;
constexpr int kCalls = 100'000;

void Must(VkResult result, const char* what) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "kronos-call-bench: %s failed (%d)\n", what, result);
    std::exit(1);
}

struct Subject {
    VkInstance instance = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;

    template <class Function>
    Function Pointer(const char* name) const {
        return reinterpret_cast<Function>(vkGetDeviceProcAddr(device, name));
    }
};

void Destroy(const Subject& subject) {
    vkDestroyFence(subject.device, subject.fence, nullptr);
    vkDestroyCommandPool(subject.device, subject.pool, nullptr);
    vkDestroyDevice(subject.device, nullptr);
    vkDestroyInstance(subject.instance, nullptr);
}

Subject Make(bool layer, const char* stats) {
    Subject made;
    const char* layer_name = "VK_LAYER_KRONOS_compute";
    const char* quiet = "off";
    const char* nowhere = "/dev/null";
    const VkLayerSettingEXT rows[] = {{layer_name, "stats", VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &stats},
                                      {layer_name, "log_level", VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &quiet},
                                      {layer_name, "stats_file", VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &nowhere}};
    const VkLayerSettingsCreateInfoEXT settings = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, nullptr, 3, rows};
    VkInstanceCreateInfo instance_info = {};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pNext = layer ? &settings : nullptr;
    instance_info.enabledLayerCount = layer ? 1 : 0;
    instance_info.ppEnabledLayerNames = &layer_name;
    Must(vkCreateInstance(&instance_info, nullptr, &made.instance), "vkCreateInstance");
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    vkEnumeratePhysicalDevices(made.instance, &count, &physical);
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
    VkCommandPoolCreateInfo pool_info = {};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    Must(vkCreateCommandPool(made.device, &pool_info, nullptr, &made.pool), "vkCreateCommandPool");
    VkCommandBufferAllocateInfo buffer_info = {};
    buffer_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffer_info.commandPool = made.pool;
    buffer_info.commandBufferCount = 1;
    Must(vkAllocateCommandBuffers(made.device, &buffer_info, &made.buffer), "vkAllocateCommandBuffers");
    VkFenceCreateInfo fence_info = {};
    fence_info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    Must(vkCreateFence(made.device, &fence_info, nullptr, &made.fence), "vkCreateFence");
    return made;
}

struct Case {
    const char* name;
    /// Makes kCalls calls on a subject.
    std::function<void(const Subject&)> calls;
};

// The driver keeps what is recorded: a recording is begun anew for each round.
template <class Function, class... Args>
Case Recorded(const char* name, Args... args) {
    return {name, [=](const Subject& subject) {
                const auto function = subject.Pointer<Function>(name);
                for (int i = 0; i < kCalls; ++i) function(subject.buffer, args...);
            }};
}

template <class T>
T Median(std::vector<T> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main() {
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_LAYER_PATH", KRONOS_EXPLICIT_MANIFESTS, 1);
    unsetenv("VK_INSTANCE_LAYERS");
    mock::Driver mock;
    mock.SetMode(kMockModeOff);
    const std::vector<Subject> subjects = {Make(false, ""), Make(true, "frames"), Make(true, "off")};

    static const VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT,
                                            VK_ACCESS_SHADER_READ_BIT};
    static const uint32_t constants[4] = {};
    const std::vector<Case> cases = {
        Recorded<PFN_vkCmdDispatch>("vkCmdDispatch", 1u, 1u, 1u),
        Recorded<PFN_vkCmdPipelineBarrier>(
            "vkCmdPipelineBarrier", VkPipelineStageFlags{VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT},
            VkPipelineStageFlags{VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT}, VkDependencyFlags{0}, 1u, &barrier, 0u,
            static_cast<const VkBufferMemoryBarrier*>(nullptr), 0u, static_cast<const VkImageMemoryBarrier*>(nullptr)),
        Recorded<PFN_vkCmdPushConstants>("vkCmdPushConstants", VkPipelineLayout{VK_NULL_HANDLE},
                                         VkShaderStageFlags{VK_SHADER_STAGE_COMPUTE_BIT}, 0u, 16u,
                                         static_cast<const void*>(constants)),
        {"vkGetFenceStatus",
         [](const Subject& subject) {
             const auto function = subject.Pointer<PFN_vkGetFenceStatus>("vkGetFenceStatus");
             for (int i = 0; i < kCalls; ++i) static_cast<void>(function(subject.device, subject.fence));
         }},
        {"vkUpdateDescriptorSets (0 writes)",
         [](const Subject& subject) {
             const auto function = subject.Pointer<PFN_vkUpdateDescriptorSets>("vkUpdateDescriptorSets");
             for (int i = 0; i < kCalls; ++i) function(subject.device, 0, nullptr, 0, nullptr);
         }},
        {"vkCmdSetLineWidth (not hooked)",
         [](const Subject& subject) {
             const auto function = subject.Pointer<PFN_vkCmdSetLineWidth>("vkCmdSetLineWidth");
             for (int i = 0; i < kCalls; ++i) function(subject.buffer, 1.0f);
         }},
    };
    std::printf(
        "ns a call, medians of %d rounds of %d calls, in turn, mock driver; 'above' is with the layer minus alone,\n"
        "paired round by round, with its quartiles\n\n",
        kRounds, kCalls);
    std::printf("%-36s %8s %10s %18s %10s %12s\n", "call", "alone", "counting", "above", "stats=off", "above");
    for (const Case& test : cases) {
        std::vector<std::vector<double>> ns(subjects.size());
        for (int round = -1; round < kRounds; ++round) {
            for (size_t i = 0; i < subjects.size(); ++i) {
                VkCommandBufferBeginInfo begin = {};
                begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
                Must(vkBeginCommandBuffer(subjects[i].buffer, &begin), "vkBeginCommandBuffer");
                const auto before = std::chrono::steady_clock::now();
                test.calls(subjects[i]);
                const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
                Must(vkEndCommandBuffer(subjects[i].buffer), "vkEndCommandBuffer");
                if (round >= 0) ns[i].push_back(took.count() / kCalls);  // the first round warms up
            }
        }
        std::vector<double> above[3];
        for (size_t i = 1; i < 3; ++i) {
            for (size_t round = 0; round < kRounds; ++round) above[i].push_back(ns[i][round] - ns[0][round]);
            std::sort(above[i].begin(), above[i].end());
        }
        std::printf("%-36s %8.1f %10.1f %6.1f (%4.1f..%4.1f) %10.1f %12.1f\n", test.name, Median(ns[0]), Median(ns[1]),
                    Median(above[1]), above[1][kRounds / 4], above[1][kRounds * 3 / 4], Median(ns[2]),
                    Median(above[2]));
    }
    for (const Subject& subject : subjects) Destroy(subject);

    // Start-up: an instance and a device made and destroyed, the loader's own work included in both.
    std::vector<double> us[2];
    for (int round = -1; round < kRounds; ++round) {
        for (const bool layer : {false, true}) {
            const auto before = std::chrono::steady_clock::now();
            Destroy(Make(layer, "frames"));
            const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - before;
            if (round >= 0) us[layer].push_back(took.count());
        }
    }
    std::printf("\ninstance + device, made and destroyed: %.0f us alone, %.0f us with the layer, %.0f us above\n",
                Median(us[0]), Median(us[1]), Median(us[1]) - Median(us[0]));
}
