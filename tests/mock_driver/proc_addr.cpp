// SPDX-License-Identifier: Apache-2.0
// Which command is available where: core versions, enabled extensions and their conditions, from the generated table.
#include <cstring>
#include <functional>

#include "control_state.h"
#include "tables.h"

namespace mock {
namespace {

// One term or parenthesised expression, then any number of `+` (and, binds tighter) and `,` (or).
class DependsParser {
  public:
    DependsParser(const char* text, const std::function<bool(const std::string&)>& has) : p_(text), has_(has) {}
    bool Or() {
        bool value = And();
        while (*p_ == ',') {
            ++p_;
            const bool right = And();
            value = value || right;
        }
        return value;
    }

  private:
    bool And() {
        bool value = Term();
        while (*p_ == '+') {
            ++p_;
            const bool right = Term();
            value = value && right;
        }
        return value;
    }
    bool Term() {
        if (*p_ == '(') {
            ++p_;
            const bool value = Or();
            if (*p_ == ')') ++p_;
            return value;
        }
        const size_t length = std::strcspn(p_, "+,()");
        const std::string name(p_, length);
        p_ += length;
        return name.find("::") != std::string::npos || has_(name);
    }
    const char* p_;
    const std::function<bool(const std::string&)>& has_;
};

bool AnyWay(const CommandInfo& command, uint32_t version, const std::function<bool(const std::string&)>& has) {
    for (uint32_t i = 0; i < command.way_count; ++i) {
        const Way& way = command.ways[i];
        if (way.version != 0 ? way.version > version : !has(way.extension)) continue;
        if (way.depends == nullptr || DependsMet(way.depends, has)) return true;
    }
    return false;
}

// "VK_VERSION_1_2" (or a variant such as VK_BASE_VERSION_1_2) against a version.
bool VersionMet(const std::string& name, uint32_t version) {
    const size_t at = name.find("VERSION_");
    unsigned major = 0;
    unsigned minor = 0;
    return at != std::string::npos && std::sscanf(name.c_str() + at, "VERSION_%u_%u", &major, &minor) == 2 &&
           VK_MAKE_API_VERSION(0, major, minor, 0) <= version;
}

PFN_vkVoidFunction IcdProc(const char* name);

}  // namespace

bool DependsMet(const char* expression, const std::function<bool(const std::string&)>& has) {
    return DependsParser(expression, has).Or();
}

PFN_vkVoidFunction DeviceProc(Device* device, const char* name) {
    const CommandInfo* command = FindCommand(name);
    if (command == nullptr || command->level != Level::kDevice) return nullptr;
    const auto has = [&](const std::string& e) {
        return device->extensions.contains(e) || device->instance->extensions.contains(e) ||
               VersionMet(e, device->api_version);
    };
    return AnyWay(*command, device->api_version, has) ? command->function : nullptr;
}

PFN_vkVoidFunction InstanceProc(Instance* instance, const char* name) {
    if (PFN_vkVoidFunction own = IcdProc(name)) return own;
    const CommandInfo* command = FindCommand(name);
    if (command == nullptr) return nullptr;
    if (command->level == Level::kGlobal || std::strcmp(name, "vkGetInstanceProcAddr") == 0) return command->function;
    if (instance == nullptr) return nullptr;
    uint32_t version = instance->api_version;
    if (command->level == Level::kDevice) {
        // Whatever some device could offer; vkGetDeviceProcAddr is the exact one.
        for (const auto& device : instance->physical_devices) version = std::max(version, device->config.api_version);
    }
    const auto has = [&](const std::string& e) {
        if (instance->extensions.contains(e) || VersionMet(e, version)) return true;
        if (command->level == Level::kInstance) return false;
        for (const auto& device : instance->physical_devices) {
            if (Advertises(*device, e)) return true;
        }
        return false;
    };
    return AnyWay(*command, version, has) ? command->function : nullptr;
}

PFN_vkVoidFunction PhysicalDeviceProc(Instance* instance, const char* name) {
    const CommandInfo* command = FindCommand(name);
    if (command == nullptr || command->level != Level::kPhysicalDevice) return nullptr;
    return InstanceProc(instance, name);
}

}  // namespace mock

extern "C" {

__attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL
vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* pVersion) {
    mock::LoadEnvironment();
    if (*pVersion > 7) *pVersion = 7;
    return VK_SUCCESS;
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetInstanceProcAddr(VkInstance instance, const char* pName) {
    mock::LoadEnvironment();
    return mock::InstanceProc(mock::Of(instance), pName);
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char* pName) {
    return mock::PhysicalDeviceProc(mock::Of(instance), pName);
}

}  // extern "C"

namespace mock {
namespace {

// Since interface version 7 the loader may ask for these by name instead of looking for the symbols.
PFN_vkVoidFunction IcdProc(const char* name) {
    if (std::strcmp(name, "vk_icdNegotiateLoaderICDInterfaceVersion") == 0) {
        return reinterpret_cast<PFN_vkVoidFunction>(vk_icdNegotiateLoaderICDInterfaceVersion);
    }
    if (std::strcmp(name, "vk_icdGetPhysicalDeviceProcAddr") == 0) {
        return reinterpret_cast<PFN_vkVoidFunction>(vk_icdGetPhysicalDeviceProcAddr);
    }
    return nullptr;
}

}  // namespace
}  // namespace mock
