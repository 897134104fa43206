// SPDX-License-Identifier: Apache-2.0
// The child's side of a probe. The loader is opened, not linked, so that this also runs where there is none.
#include <dlfcn.h>
#include <unistd.h>
#include <vulkan/vk_enum_string_helper.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "devices.h"
#include "layout.h"
#include "probe.h"

namespace kronos::command {
namespace {

using nlohmann::json;

std::string VersionText(uint32_t version) {
    return std::to_string(VK_API_VERSION_MAJOR(version)) + "." + std::to_string(VK_API_VERSION_MINOR(version)) + "." +
           std::to_string(VK_API_VERSION_PATCH(version));
}

const char* TypeText(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return "discrete GPU";
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return "integrated GPU";
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return "virtual GPU";
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return "CPU";
        default:
            return "other";
    }
}

// The functions of one instance; each may be missing.
class Functions {
  public:
    VkInstance instance() const { return instance_; }
    Functions(PFN_vkGetInstanceProcAddr get, VkInstance instance) : get_(get), instance_(instance) {}
    template <typename Pfn>
    Pfn Get(const char* name) const {
        return reinterpret_cast<Pfn>(get_(instance_, name));
    }

  private:
    PFN_vkGetInstanceProcAddr get_;
    VkInstance instance_;  // null: only the global functions
};

bool LibraryIsMapped() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.ends_with(std::string("/") + kLibraryName)) return true;
    }
    return false;
}

json Tools(const Functions& vk, VkPhysicalDevice device, uint32_t api) {
    json tools = json::array();
    auto list = api >= VK_API_VERSION_1_3
                    ? vk.Get<PFN_vkGetPhysicalDeviceToolProperties>("vkGetPhysicalDeviceToolProperties")
                    : nullptr;
    if (!list) list = vk.Get<PFN_vkGetPhysicalDeviceToolProperties>("vkGetPhysicalDeviceToolPropertiesEXT");
    if (!list) return tools;
    uint32_t count = 0;
    if (list(device, &count, nullptr) < 0) return tools;
    std::vector<VkPhysicalDeviceToolProperties> properties(count, vku::InitStruct<VkPhysicalDeviceToolProperties>());
    if (list(device, &count, properties.data()) < 0) return tools;
    properties.resize(std::min<size_t>(count, properties.size()));
    for (const VkPhysicalDeviceToolProperties& tool : properties) {
        tools.push_back({{"name", tool.name}, {"layer", tool.layer}, {"version", tool.version}});
    }
    return tools;
}

// A device as most programs make it: one queue, nothing else.
std::string CreateDevice(const Functions& vk, VkPhysicalDevice physical, json& answer) {
    auto create = vk.Get<PFN_vkCreateDevice>("vkCreateDevice");
    auto get_device_proc = vk.Get<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr");
    if (!create || !get_device_proc) return "the loader has no vkCreateDevice";
    float priority = 1.0F;
    auto queue = vku::InitStruct<VkDeviceQueueCreateInfo>();
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    auto info = vku::InitStruct<VkDeviceCreateInfo>();
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    VkDevice device = VK_NULL_HANDLE;
    VkResult result = create(physical, &info, nullptr, &device);
    if (result == VK_SUCCESS) {
        answer["library_loaded"] = LibraryIsMapped();
        auto destroy = reinterpret_cast<PFN_vkDestroyDevice>(get_device_proc(device, "vkDestroyDevice"));
        if (destroy) destroy(device, nullptr);
    }
    return string_VkResult(result);
}

void ListDevices(const Functions& vk, json& answer) {
    auto enumerate = vk.Get<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
    auto get_properties = vk.Get<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties");
    std::vector<VkPhysicalDevice> handles;
    uint32_t count = 0;
    VkResult result = enumerate(vk.instance(), &count, nullptr);
    if (result == VK_SUCCESS) {
        handles.resize(count);
        result = enumerate(vk.instance(), &count, handles.data());
        handles.resize(std::min<size_t>(count, handles.size()));
    }
    answer["enumerate"] = string_VkResult(result);
    if (result < 0) return;
    for (VkPhysicalDevice handle : handles) {
        VkPhysicalDeviceProperties properties;
        get_properties(handle, &properties);
        answer["devices"].push_back({{"name", properties.deviceName},
                                     {"type", TypeText(properties.deviceType)},
                                     {"api", VersionText(properties.apiVersion)}});
        // The first device tells whether the layer is there; on the others it would be the same.
        if (answer.contains("tools")) continue;
        answer["tools"] = Tools(vk, handle, properties.apiVersion);
        answer["device"] = CreateDevice(vk, handle, answer);
    }
}

json AskVulkan() {
    json answer = {{"devices", json::array()}};
    void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        answer["loader_error"] = dlerror();
        return answer;
    }
    auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"));
    if (!get) {
        answer["loader_error"] = "libvulkan.so.1 does not export vkGetInstanceProcAddr";
        return answer;
    }
    Dl_info where;
    if (dladdr(reinterpret_cast<void*>(get), &where) && where.dli_fname) answer["loader_path"] = where.dli_fname;
    Functions global(get, VK_NULL_HANDLE);
    uint32_t version = VK_API_VERSION_1_0;
    if (auto enumerate_version = global.Get<PFN_vkEnumerateInstanceVersion>("vkEnumerateInstanceVersion"))
        enumerate_version(&version);
    answer["loader_version"] = VersionText(version);

    auto application = vku::InitStruct<VkApplicationInfo>();
    application.pApplicationName = "kronos doctor";
    application.apiVersion = std::min(version, static_cast<uint32_t>(VK_API_VERSION_1_3));
    auto info = vku::InitStruct<VkInstanceCreateInfo>();
    info.pApplicationInfo = &application;
    VkInstance instance = VK_NULL_HANDLE;
    auto create = global.Get<PFN_vkCreateInstance>("vkCreateInstance");
    VkResult result = create ? create(&info, nullptr, &instance) : VK_ERROR_INITIALIZATION_FAILED;
    answer["instance"] = string_VkResult(result);
    if (result != VK_SUCCESS) return answer;
    Functions vk(get, instance);
    answer["library_loaded"] = LibraryIsMapped();
    ListDevices(vk, answer);
    vk.Get<PFN_vkDestroyInstance>("vkDestroyInstance")(instance, nullptr);
    return answer;
}

json AskLibrary(const std::string& file) {
    json answer = json::object();
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        answer["error"] = dlerror();
    } else {
        answer["negotiates"] = dlsym(library, "vkNegotiateLoaderLayerInterfaceVersion") != nullptr;
    }
    return answer;
}

}  // namespace

void AnswerProbe(const std::string& what, const std::string& file) {
    const json answer = what == "library"   ? AskLibrary(file)
                        : what == "devices" ? AnswerDevices(file)
                        : what == "seen"    ? AnswerSeen()
                        : what == "links"   ? AnswerLinks()
                                            : AskVulkan();
    std::string text = answer.dump(-1, ' ', false, json::error_handler_t::replace);
    size_t written = 0;
    while (written < text.size()) {
        ssize_t n = write(3, text.data() + written, text.size() - written);
        if (n <= 0) _exit(1);
        written += static_cast<size_t>(n);
    }
    // Exit handlers belong to drivers here; what they do is not the question.
    _exit(0);
}

}  // namespace kronos::command
