// SPDX-License-Identifier: Apache-2.0
// Loads the Vulkan loader by itself, lets the layer hold a submission and keep memory, so that its threads have
// something to do, and unloads the loader with all of it alive, while a thread of its own still submits. Ends with 0.
#include <dlfcn.h>
#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdio>
#include <thread>

namespace {

int failures = 0;
void Expect(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "unload_program: %s failed\n", what);
    ++failures;
}

}  // namespace

int main() {
    void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        std::fprintf(stderr, "unload_program: %s\n", dlerror());
        return 1;
    }
    const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
    VkApplicationInfo application = {};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = VK_API_VERSION_1_3;
    VkInstanceCreateInfo instance_info = {};
    instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    instance_info.pApplicationInfo = &application;
    VkInstance instance = VK_NULL_HANDLE;
    const auto create_instance = reinterpret_cast<PFN_vkCreateInstance>(get(nullptr, "vkCreateInstance"));
    if (create_instance(&instance_info, nullptr, &instance) != VK_SUCCESS) return 1;
    const auto of_instance = [&](const char* name) { return get(instance, name); };
    uint32_t count = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    reinterpret_cast<PFN_vkEnumeratePhysicalDevices>(of_instance("vkEnumeratePhysicalDevices"))(instance, &count,
                                                                                                &physical);
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {};
    queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo device_info = {};
    device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    device_info.queueCreateInfoCount = 1;
    device_info.pQueueCreateInfos = &queue_info;
    VkDevice device = VK_NULL_HANDLE;
    if (reinterpret_cast<PFN_vkCreateDevice>(of_instance("vkCreateDevice"))(physical, &device_info, nullptr, &device) !=
        VK_SUCCESS)
        return 1;
    const auto get_device = reinterpret_cast<PFN_vkGetDeviceProcAddr>(of_instance("vkGetDeviceProcAddr"));
    const auto of_device = [&](const char* name) { return get_device(device, name); };
    VkQueue queue = VK_NULL_HANDLE;
    reinterpret_cast<PFN_vkGetDeviceQueue>(of_device("vkGetDeviceQueue"))(device, 0, 0, &queue);
    const auto submit = reinterpret_cast<PFN_vkQueueSubmit>(of_device("vkQueueSubmit"));
    const auto wait_idle = reinterpret_cast<PFN_vkQueueWaitIdle>(of_device("vkQueueWaitIdle"));
    const auto allocate = reinterpret_cast<PFN_vkAllocateMemory>(of_device("vkAllocateMemory"));
    const auto free_memory = reinterpret_cast<PFN_vkFreeMemory>(of_device("vkFreeMemory"));

    const VkMemoryAllocateInfo memory_info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 1 << 20, 0};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Expect(allocate(device, &memory_info, nullptr, &memory) == VK_SUCCESS, "vkAllocateMemory");
    free_memory(device, memory, nullptr);
    std::atomic<uint64_t> submitted{0};
    std::atomic<bool> over{false};
    std::thread thread([&] {
        while (!over) {
            Expect(submit(queue, 0, nullptr, VK_NULL_HANDLE) == VK_SUCCESS, "vkQueueSubmit");
            ++submitted;
        }
        Expect(wait_idle(queue) == VK_SUCCESS, "vkQueueWaitIdle");
    });
    while (submitted < 100) std::this_thread::yield();
    Expect(dlclose(loader) == 0, "dlclose");
    // Commands of a device are the layer's: the loader is not needed for them.
    const uint64_t before = submitted;
    while (submitted < before + 100) std::this_thread::yield();
    over = true;
    thread.join();
    return failures ? 1 : 0;
}
