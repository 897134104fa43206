// SPDX-License-Identifier: Apache-2.0
// A program that ends in one of the ways that programs end: exit_program WAY
//   return      the device is never destroyed
//   handlers    submits and destroys everything from exit handlers, some after the layer's own last work
//   destructor  the same from a destructor of a static object made before the first Vulkan call
//   abrupt      _exit with the device alive
//   thread      exit while another thread still submits
//   fork        a child makes a device of its own; then both return
// On the way it allocates and frees memory.
#include <sys/wait.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

struct State {
    VkInstance instance = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
} state;

void Must(VkResult result) {
    if (result == VK_SUCCESS) return;
    std::fprintf(stderr, "a Vulkan call failed: %d\n", result);
    _exit(2);
}

void Create() {
    VkInstanceCreateInfo instance_info = {};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    Must(vkCreateInstance(&instance_info, nullptr, &state.instance));
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    vkEnumeratePhysicalDevices(state.instance, &count, &physical);
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {};
    queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo device_info = {};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    Must(vkCreateDevice(physical, &device_info, nullptr, &state.device));
    vkGetDeviceQueue(state.device, 0, 0, &state.queue);
}

void AllocateAndFree(uint32_t count) {
    std::vector<VkDeviceMemory> memories(count);
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 5000, 0};
    for (VkDeviceMemory& memory : memories) Must(vkAllocateMemory(state.device, &info, nullptr, &memory));
    for (const VkDeviceMemory memory : memories) vkFreeMemory(state.device, memory, nullptr);
}

void Work() {
    AllocateAndFree(3);
    VkSubmitInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    Must(vkQueueSubmit(state.queue, 1, &info, VK_NULL_HANDLE));
    Must(vkQueueWaitIdle(state.queue));
}

void Destroy() {
    vkDestroyDevice(state.device, nullptr);
    vkDestroyInstance(state.instance, nullptr);
}

bool destroy_in_destructor = false;
struct Guard {
    ~Guard() {
        if (!destroy_in_destructor) return;
        Work();
        Destroy();
    }
};

}  // namespace

// Runs when all exit handlers have run.
[[gnu::destructor(101)]] static void Last() {
    if (destroy_in_destructor && state.device == VK_NULL_HANDLE) _exit(3);
}

int main(int argc, char** argv) {
    const char* way = argc > 1 ? argv[1] : "";
    static Guard guard;
    if (std::strcmp(way, "handlers") == 0) {
        std::atexit([] {
            Work();
            Destroy();
        });
        Create();
        Work();
        std::atexit([] { Work(); });
        return 0;
    }
    Create();
    Work();
    if (std::strcmp(way, "return") == 0) return 0;
    if (std::strcmp(way, "destructor") == 0) {
        destroy_in_destructor = true;
        return 0;
    }
    if (std::strcmp(way, "abrupt") == 0) _exit(0);
    if (std::strcmp(way, "fork") == 0) {
        const pid_t child = fork();
        if (child == 0) {
            Create();
            AllocateAndFree(3);  // no work: sanitizers do not bear threads of such children
            AllocateAndFree(3);
            Destroy();
            return 0;
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return 4;
        Work();
        return 0;
    }
    if (std::strcmp(way, "thread") == 0) {
        static std::atomic<int> rounds{0};
        std::thread([] {
            for (;;) {
                Work();
                ++rounds;
            }
        }).detach();
        while (rounds < 3) std::this_thread::yield();
        std::exit(0);
    }
    std::fprintf(stderr, "unknown way to end: '%s'\n", way);
    return 1;
}
