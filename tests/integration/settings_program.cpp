// SPDX-License-Identifier: Apache-2.0
// Makes an instance with one setting given by VkLayerSettingsCreateInfoEXT: kronos_settings_program [KEY TYPE VALUE]
// TYPE: string, bool, int32, uint32, int64. Without arguments an instance without settings.
#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

int main(int argc, char** argv) {
    if (argc != 1 && argc != 4) {
        std::fprintf(stderr, "usage: kronos_settings_program [KEY string|bool|int32|uint32|int64 VALUE]\n");
        return 2;
    }
    VkLayerSettingEXT setting = {};
    const char* text = argc == 4 ? argv[3] : "";
    const long long number = std::strtoll(text, nullptr, 10);
    const VkBool32 truth = std::strcmp(text, "true") == 0;
    const auto narrow = static_cast<int32_t>(number);
    const auto positive = static_cast<uint32_t>(number);
    const auto wide = static_cast<int64_t>(number);
    if (argc == 4) {
        const std::string type = argv[2];
        setting = {"VK_LAYER_KRONOS_compute", argv[1], VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &text};
        if (type == "bool") {
            setting.type = VK_LAYER_SETTING_TYPE_BOOL32_EXT;
            setting.pValues = &truth;
        } else if (type == "int32") {
            setting.type = VK_LAYER_SETTING_TYPE_INT32_EXT;
            setting.pValues = &narrow;
        } else if (type == "uint32") {
            setting.type = VK_LAYER_SETTING_TYPE_UINT32_EXT;
            setting.pValues = &positive;
        } else if (type == "int64") {
            setting.type = VK_LAYER_SETTING_TYPE_INT64_EXT;
            setting.pValues = &wide;
        } else if (type != "string") {
            std::fprintf(stderr, "no type %s\n", argv[2]);
            return 2;
        }
    }
    const VkLayerSettingsCreateInfoEXT given = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, nullptr, 1, &setting};
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pNext = argc == 4 ? &given : nullptr;
    VkInstance instance = VK_NULL_HANDLE;
    const VkResult result = vkCreateInstance(&info, nullptr, &instance);
    if (result != VK_SUCCESS) {
        std::fprintf(stderr, "vkCreateInstance: %d\n", result);
        return 1;
    }
    vkDestroyInstance(instance, nullptr);
    return 0;
}
