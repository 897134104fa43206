// SPDX-License-Identifier: Apache-2.0
// Instances: creation, settings, destruction, and what the layer answers about itself.
#include <vulkan/vk_layer.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "devices/rules.h"
#include "entry/enumerate.h"
#include "entry/hooks.h"
#include "entry/proc_addr.h"
#include "entry/state.h"
#include "kronos/version.h"
#include "settings/read.h"
#include "support/process.h"

namespace kronos {
namespace {

constexpr const char* kLayerName = "VK_LAYER_KRONOS_compute";

VkLayerInstanceCreateInfo* LinkInfo(const VkInstanceCreateInfo* create_info) {
    for (auto* next = static_cast<const VkBaseInStructure*>(create_info->pNext); next; next = next->pNext) {
        auto* info = reinterpret_cast<const VkLayerInstanceCreateInfo*>(next);
        if (next->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO && info->function == VK_LAYER_LINK_INFO)
            return const_cast<VkLayerInstanceCreateInfo*>(info);  // the loader's, made to be advanced
    }
    return nullptr;
}

void StartDevices(Instance& state) {
    const auto variable = [](const char* name) { return static_cast<const char*>(std::getenv(name)); };
    const bool secure = ProcessIsSecure();
    std::vector<std::string> problems;
    state.device_rules = RulesOf(
        state.settings, ProgramName(), [&](const char* name) { return secure ? nullptr : variable(name); }, problems);
    if (!secure)
        for (std::string& line : LateVariables(variable)) problems.push_back(std::move(line));
    for (const std::string& problem : problems) state.log->Warn("{}", problem);
    if (!state.device_rules.Nothing()) state.gates |= kGateDevices;
}

std::unique_ptr<Instance> ReadState(const VkInstanceCreateInfo* create_info) {
    auto state = std::make_unique<Instance>();
    if (create_info->pApplicationInfo && create_info->pApplicationInfo->apiVersion)
        state->api_version = create_info->pApplicationInfo->apiVersion;
    ResolvedSettings resolved = ReadSettings(create_info, ProcessIsSecure());
    state->settings = std::move(resolved.settings);
    state->log = Log::Create(state->settings.log_level, state->settings.log_file);
    for (const std::string& problem : resolved.problems) state->log->Warn("{}", problem);
    state->log->Info("Kronos {} in {}, settings:", kVersion, ProgramName());
    for (const EffectiveSetting& setting : resolved.effective) state->log->Info("  {}", setting.Line());
    const Settings& settings = state->settings;
    if (settings.stats != Stats::kOff) state->gates |= kGateStats;
    if (settings.waits != Waits::kOff) state->gates |= kGateWaits;
    if (settings.recycle_fences != RecycleFences::kOff) state->gates |= kGateFences;
    if (settings.recycle_memory != RecycleMemory::kOff) state->gates |= kGateMemory;
    if (settings.slabs != Slabs::kOff) state->gates |= kGateSlabs;
    if (!settings.trace_file.empty()) state->gates |= kGateTrace;
    // What is only observed is for the statistics.
    if (settings.barriers == Barriers::kOn || settings.barriers == Barriers::kAuto ||
        (settings.barriers == Barriers::kObserve && settings.stats != Stats::kOff))
        state->gates |= kGateStream;
    if (settings.descriptors != Descriptors::kOff) state->gates |= kGateSets;
    if (settings.submits != Submits::kOff) state->gates |= kGateHeldSubmits;
    StartDevices(*state);
    return state;
}

std::vector<VkLayerProperties> OwnLayer() {
    VkLayerProperties own = {};
    std::strncpy(own.layerName, kLayerName, sizeof own.layerName - 1);
    std::strncpy(own.description, "Kronos: makes unmodified Vulkan compute programs fast", sizeof own.description - 1);
    own.specVersion = VK_HEADER_VERSION_COMPLETE;
    own.implementationVersion = 1;
    return {own};
}

}  // namespace
}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* create_info,
                                              const VkAllocationCallbacks* allocator, VkInstance* instance) {
    VkLayerInstanceCreateInfo* link = LinkInfo(create_info);
    if (!link || !link->u.pLayerInfo) return VK_ERROR_INITIALIZATION_FAILED;
    const PFN_vkGetInstanceProcAddr next = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    const PFN_GetPhysicalDeviceProcAddr next_physical = link->u.pLayerInfo->pfnNextGetPhysicalDeviceProcAddr;
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(next(VK_NULL_HANDLE, "vkCreateInstance"));
    if (!create) return VK_ERROR_INITIALIZATION_FAILED;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;

    std::unique_ptr<Instance> state;
    const VkResult ready = Guarded(nullptr, "vkCreateInstance", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        state = ReadState(create_info);
        return VK_SUCCESS;
    });
    if (ready != VK_SUCCESS) return ready;
    const VkResult result = create(create_info, allocator, instance);
    if (result != VK_SUCCESS) return result;

    state->handle = *instance;
    state->allocates = allocator != nullptr;
    state->next_physical_device_proc_addr = next_physical;
    // All pointers are fetched now: before loader 1.3.251 `next`, called later, begins at the top of the chain again.
    vkuInitInstanceDispatchTable(*instance, &state->down, next);
    state->down.GetInstanceProcAddr = next;
    // What the helper leaves to the layer, for it is not needed by most.
    state->down.CreateDevice = reinterpret_cast<PFN_vkCreateDevice>(next(*instance, "vkCreateDevice"));
    return Guarded(state->log.get(), "vkCreateInstance", VK_ERROR_OUT_OF_HOST_MEMORY, [&] {
        ShareSlots(state->down, *instance, next, state->api_version);
        const PFN_vkDestroyInstance destroy = state->down.DestroyInstance;
        try {
            registry.instances.Insert(DispatchKey(*instance), state.get());
        } catch (...) {
            destroy(*instance, allocator);
            throw;
        }
        static_cast<void>(state.release());  // the registry holds it now
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator) {
    if (!instance) return;
    // Out of the registry first: once destroyed below, the same address may be another thread's new instance.
    const std::unique_ptr<Instance> state(registry.instances.Erase(DispatchKey(instance)));
    if (!state) return;
    // A program that leaks its devices destroys them so; nothing of ours may call them any more.
    for (Device* device : state->devices) RemoveFromJanitor(device->idle_owner.get());
    for (Submissions* submissions : state->submitting) submissions->Stop();
    state->down.DestroyInstance(instance, allocator);
}

// VK_EXT_layer_settings is obeyed without being offered; manifest/generate.py says why.
VKAPI_ATTR VkResult VKAPI_CALL EnumerateInstanceExtensionProperties(const char* layer, uint32_t* count,
                                                                    VkExtensionProperties*) {
    if (!layer || std::strcmp(layer, kLayerName) != 0) return VK_ERROR_LAYER_NOT_PRESENT;
    *count = 0;
    return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateInstanceLayerProperties(uint32_t* count, VkLayerProperties* properties) {
    return Guarded(nullptr, "vkEnumerateInstanceLayerProperties", VK_ERROR_OUT_OF_HOST_MEMORY,
                   [&] { return Enumerate(OwnLayer(), count, properties); });
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceLayerProperties(VkPhysicalDevice, uint32_t* count,
                                                              VkLayerProperties* properties) {
    return Guarded(nullptr, "vkEnumerateDeviceLayerProperties", VK_ERROR_OUT_OF_HOST_MEMORY,
                   [&] { return Enumerate(OwnLayer(), count, properties); });
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char* layer,
                                                                  uint32_t* count, VkExtensionProperties* properties) {
    if (layer && std::strcmp(layer, kLayerName) == 0) {
        *count = 0;
        return VK_SUCCESS;
    }
    return InstanceOf(physical).down.EnumerateDeviceExtensionProperties(physical, layer, count, properties);
}

// Section "Tooling information": a tool appends itself to what is below.
VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceToolProperties(VkPhysicalDevice physical, uint32_t* count,
                                                               VkPhysicalDeviceToolProperties* tools) {
    const Instance& state = InstanceOf(physical);
    const auto below = state.down.GetPhysicalDeviceToolProperties;
    const uint32_t room = *count;
    if (!tools) {
        const VkResult result = below(physical, count, nullptr);
        if (result == VK_SUCCESS) ++*count;
        return result;
    }
    uint32_t others = 0;
    VkResult result = below(physical, &others, nullptr);
    if (result != VK_SUCCESS) return result;
    uint32_t given = std::min(room, others);
    result = below(physical, &given, tools);
    *count = given;
    if (result < VK_SUCCESS) return result;
    if (given < others || room <= given) return VK_INCOMPLETE;
    VkPhysicalDeviceToolProperties& own = tools[given];
    const auto copy = [](auto& field, const char* text) {
        std::memset(field, 0, sizeof field);
        std::strncpy(field, text, sizeof field - 1);
    };
    copy(own.name, "Kronos");
    copy(own.version, kVersion);
    own.purposes = VK_TOOL_PURPOSE_PROFILING_BIT | VK_TOOL_PURPOSE_MODIFYING_FEATURES_BIT;
    copy(own.description, "Makes unmodified Vulkan compute programs fast");
    copy(own.layer, kLayerName);
    *count = given + 1;
    return VK_SUCCESS;
}

}  // namespace kronos::hook
