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
#include "devices/facts.h"
#include "layout.h"
#include "probe.h"
#include "vulkan_loader.h"

namespace kronos::command {
namespace {

using nlohmann::json;

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

bool LibraryIsMapped() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.ends_with(std::string("/") + kLibraryName)) return true;
    }
    return false;
}

json Tools(const OpenedInstance& vk, VkPhysicalDevice device, uint32_t api) {
    json tools = json::array();
    const auto get = [&](const char* name) {
        return reinterpret_cast<PFN_vkGetPhysicalDeviceToolProperties>(vk.get(vk.handle, name));
    };
    auto list = api >= VK_API_VERSION_1_3 ? get("vkGetPhysicalDeviceToolProperties") : nullptr;
    if (!list) list = get("vkGetPhysicalDeviceToolPropertiesEXT");
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

void ListDevices(const OpenedInstance& vk, json& answer) {
    std::vector<VkPhysicalDevice> handles;
    answer["enumerate"] = string_VkResult(PhysicalDevices(vk, handles));
    for (VkPhysicalDevice handle : handles) {
        VkPhysicalDeviceProperties properties;
        vk.table.GetPhysicalDeviceProperties(handle, &properties);
        answer["devices"].push_back({{"name", properties.deviceName},
                                     {"type", TypeText(properties.deviceType)},
                                     {"api", VersionText(properties.apiVersion)}});
        // The first device tells whether the layer is there; on the others it would be the same.
        if (answer.contains("tools")) continue;
        answer["tools"] = Tools(vk, handle, properties.apiVersion);
        answer["device"] =
            string_VkResult(TryDevice(vk, handle, [&] { answer["library_loaded"] = LibraryIsMapped(); }));
    }
}

json AskVulkan() {
    json answer = {{"devices", json::array()}};
    const OpenedInstance vk = OpenInstance("kronos doctor");
    if (!vk.loader_failure.empty()) {
        answer["loader_error"] = vk.loader_failure;
        return answer;
    }
    Dl_info where;
    if (dladdr(reinterpret_cast<void*>(vk.get), &where) && where.dli_fname) answer["loader_path"] = where.dli_fname;
    answer["loader_version"] = VersionText(vk.loader_version);
    answer["instance"] = string_VkResult(vk.result);
    if (vk.result != VK_SUCCESS) return answer;
    answer["library_loaded"] = LibraryIsMapped();
    ListDevices(vk, answer);
    vk.table.DestroyInstance(vk.handle, nullptr);
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
