// SPDX-License-Identifier: Apache-2.0
// The results layer: a hook for every command that returns a VkResult, and the loader's contract (interface version 2).
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../layer_link.h"
#include "results.h"

#define RESULTS_EXPORT extern "C" __attribute__((visibility("default")))

namespace results {
namespace {

enum class Level : uint8_t { Instance, Device };
enum class Id : uint32_t;

struct Hooked {
    std::string_view name;
    Level level;
    Id id;
    PFN_vkVoidFunction (*hook)();
};

#include "results.inc"

constexpr size_t kCommands = static_cast<size_t>(Id::Count);

// What lies below one instance or one device; immutable once registered.
struct Chain {
    PFN_vkGetInstanceProcAddr get_instance_proc = nullptr;
    PFN_GetPhysicalDeviceProcAddr get_physical_device_proc = nullptr;
    PFN_vkGetDeviceProcAddr get_device_proc = nullptr;
    PFN_vkDestroyInstance destroy_instance = nullptr;
    PFN_vkDestroyDevice destroy_device = nullptr;
    PFN_vkCreateDevice create_device = nullptr;
    PFN_vkEnumerateDeviceExtensionProperties extensions = nullptr;
    std::array<PFN_vkVoidFunction, kCommands> next{};
};

// By dispatch key: the first word of every dispatchable handle, shared by all children of an instance or a device.
struct State {
    std::shared_mutex mutex;
    std::unordered_map<const void*, std::unique_ptr<Chain>> chains;
    std::unordered_map<VkShaderModule, std::vector<uint32_t>> modules;
    std::vector<VkDevice> devices;
    std::atomic<bool> wait_before_errors{false};
    std::array<std::atomic<uint64_t>, static_cast<size_t>(Canonical::Count)> calls{};
    std::atomic<ResultsSeen> seen{nullptr};
    std::atomic<ResultsPipeline> pipeline{nullptr};
    // Set before the program begins.
    Canonical answered = Canonical::Count;
    uint64_t answered_call = 0;
    VkResult answer = VK_SUCCESS;
};

// Never destroyed: programs call Vulkan from their own exit handlers.
State& TheState() {
    static auto* const state = new State;
    return *state;
}

const void* KeyOf(const void* handle) { return *static_cast<void* const*>(handle); }

// The chain stays valid while the handle does, which the program must see to.
const Chain& ChainOf(const void* handle) {
    State& state = TheState();
    const std::shared_lock lock(state.mutex);
    const auto found = state.chains.find(KeyOf(handle));
    if (found != state.chains.end()) return *found->second;
    std::fprintf(stderr, "the results layer: %p is neither of a living instance nor of a living device; aborting\n",
                 handle);
    std::abort();
}

void Register(const void* handle, std::unique_ptr<Chain> chain) {
    State& state = TheState();
    const std::unique_lock lock(state.mutex);
    state.chains[KeyOf(handle)] = std::move(chain);
}

// The key may belong to a new object as soon as this one is gone.
std::unique_ptr<Chain> Unregister(const void* handle) {
    State& state = TheState();
    const std::unique_lock lock(state.mutex);
    auto node = state.chains.extract(KeyOf(handle));
    return std::move(node.mapped());
}

PFN_vkVoidFunction Next(const void* handle, Id id) { return ChainOf(handle).next[static_cast<size_t>(id)]; }

// Counts the call. True: it is the one that is answered here.
bool Asked(Canonical command, VkResult* result) {
    State& state = TheState();
    const uint64_t call = ++state.calls[static_cast<size_t>(command)];
    if (command != state.answered || call != state.answered_call) return false;
    *result = state.answer;
    return true;
}

bool Allowed(const ResultsCommand& command, VkResult result) {
    // Section "Return Codes": any command may return these two.
    if (result == VK_ERROR_UNKNOWN || result == VK_ERROR_VALIDATION_FAILED_EXT) return true;
    for (uint32_t i = 0; i < command.good_count; ++i)
        if (command.good[i] == result) return true;
    for (uint32_t i = 0; i < command.bad_count; ++i)
        if (command.bad[i] == result) return true;
    return false;
}

// Of programs with one thread. One call that fails is followed by others that do not.
void WaitForDevices() {
    std::vector<VkDevice> devices;
    {
        const std::shared_lock lock(TheState().mutex);
        devices = TheState().devices;
    }
    for (const VkDevice device : devices) {
        const auto wait = reinterpret_cast<PFN_vkDeviceWaitIdle>(Next(device, Id::vkDeviceWaitIdle));
        for (int i = 0; i < 3 && wait(device) != VK_SUCCESS; ++i) {
        }
    }
}

// With more than one thread in the same command the number of the call may be a later one's.
VkResult Saw(Canonical command, VkResult result) {
    if (result == VK_SUCCESS) return result;
    State& state = TheState();
    const ResultsCommand& facts = kCanonicals[static_cast<size_t>(command)];
    if ((result < 0 || result == VK_TIMEOUT) && state.wait_before_errors) WaitForDevices();
    if (const ResultsSeen seen = state.seen)
        seen(&facts, state.calls[static_cast<size_t>(command)], result, Allowed(facts, result));
    return result;
}

void Note_vkCreateShaderModule(VkDevice, const VkShaderModuleCreateInfo* info, const VkAllocationCallbacks*,
                               VkShaderModule* module) {
    State& state = TheState();
    const std::unique_lock lock(state.mutex);
    state.modules[*module].assign(info->pCode, info->pCode + info->codeSize / sizeof(uint32_t));
}

void Note_vkCreateComputePipelines(VkDevice, VkPipelineCache, uint32_t count, const VkComputePipelineCreateInfo* infos,
                                   const VkAllocationCallbacks*, VkPipeline* pipelines) {
    State& state = TheState();
    const ResultsPipeline note = state.pipeline;
    const std::shared_lock lock(state.mutex);
    for (uint32_t i = 0; i < count && note != nullptr; ++i) {
        const auto module = state.modules.find(infos[i].stage.module);
        if (module == state.modules.end()) continue;
        note(pipelines[i], module->second.data(), module->second.size(), infos[i].stage.pSpecializationInfo);
    }
}

const Hooked* Find(std::string_view name) {
    static const auto* const all = [] {
        auto* const map = new std::unordered_map<std::string_view, const Hooked*>;
        for (const Hooked& hooked : kHooked) (*map)[hooked.name] = &hooked;
        return map;
    }();
    const auto found = all->find(name);
    return found == all->end() ? nullptr : found->second;
}

template <typename Function>
PFN_vkVoidFunction Erase(Function function) {
    return reinterpret_cast<PFN_vkVoidFunction>(function);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                              VkInstance* instance) {
    VkResult result = VK_SUCCESS;
    if (Asked(Canonical::vkCreateInstance, &result)) return Saw(Canonical::vkCreateInstance, result);
    auto* const link = FindLink<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (link == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    auto chain = std::make_unique<Chain>();
    chain->get_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    chain->get_physical_device_proc = link->u.pLayerInfo->pfnNextGetPhysicalDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const auto create =
        reinterpret_cast<PFN_vkCreateInstance>(chain->get_instance_proc(VK_NULL_HANDLE, "vkCreateInstance"));
    if (create == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    result = create(info, allocator, instance);
    if (result != VK_SUCCESS) return Saw(Canonical::vkCreateInstance, result);

    const auto below = [&](const char* name) { return chain->get_instance_proc(*instance, name); };
    for (const Hooked& hooked : kHooked) {
        if (hooked.level != Level::Instance) continue;
        PFN_vkVoidFunction& next = chain->next[static_cast<size_t>(hooked.id)];
        next = below(hooked.name.data());
        if (next == nullptr && chain->get_physical_device_proc != nullptr)
            next = chain->get_physical_device_proc(*instance, hooked.name.data());
    }
    chain->destroy_instance = reinterpret_cast<PFN_vkDestroyInstance>(below("vkDestroyInstance"));
    chain->create_device = reinterpret_cast<PFN_vkCreateDevice>(below("vkCreateDevice"));
    chain->extensions =
        reinterpret_cast<PFN_vkEnumerateDeviceExtensionProperties>(below("vkEnumerateDeviceExtensionProperties"));
    Register(*instance, std::move(chain));
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator) {
    if (instance != VK_NULL_HANDLE) Unregister(instance)->destroy_instance(instance, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator, VkDevice* device) {
    VkResult result = VK_SUCCESS;
    if (Asked(Canonical::vkCreateDevice, &result)) return Saw(Canonical::vkCreateDevice, result);
    auto* const link = FindLink<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    auto chain = std::make_unique<Chain>();
    chain->get_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    result = ChainOf(physical).create_device(physical, info, allocator, device);
    if (result != VK_SUCCESS) return Saw(Canonical::vkCreateDevice, result);
    for (const Hooked& hooked : kHooked) {
        if (hooked.level == Level::Device)
            chain->next[static_cast<size_t>(hooked.id)] = chain->get_device_proc(*device, hooked.name.data());
    }
    chain->destroy_device = reinterpret_cast<PFN_vkDestroyDevice>(chain->get_device_proc(*device, "vkDestroyDevice"));
    Register(*device, std::move(chain));
    const std::unique_lock lock(TheState().mutex);
    TheState().devices.push_back(*device);
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
    if (device == VK_NULL_HANDLE) return;
    const std::unique_ptr<Chain> chain = Unregister(device);
    {
        const std::unique_lock lock(TheState().mutex);
        std::erase(TheState().devices, device);
    }
    chain->destroy_device(device, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char* layer,
                                                                  uint32_t* count, VkExtensionProperties* properties) {
    if (layer != nullptr && std::string_view(layer) == RESULTS_LAYER_NAME) {
        *count = 0;
        return VK_SUCCESS;
    }
    constexpr Canonical kMe = Canonical::vkEnumerateDeviceExtensionProperties;
    VkResult result = VK_SUCCESS;
    if (!Asked(kMe, &result)) result = ChainOf(physical).extensions(physical, layer, count, properties);
    return Saw(kMe, result);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name);

// Of the commands that are written by hand; null for others.
PFN_vkVoidFunction ByHand(std::string_view name) {
    if (name == "vkCreateInstance") return Erase(&CreateInstance);
    if (name == "vkDestroyInstance") return Erase(&DestroyInstance);
    if (name == "vkCreateDevice") return Erase(&CreateDevice);
    if (name == "vkDestroyDevice") return Erase(&DestroyDevice);
    if (name == "vkEnumerateDeviceExtensionProperties") return Erase(&EnumerateDeviceExtensionProperties);
    if (name == "vkGetDeviceProcAddr") return Erase(&GetDeviceProcAddr);
    return nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name) {
    const PFN_vkVoidFunction below = ChainOf(device).get_device_proc(device, name);
    if (below == nullptr) return nullptr;
    if (std::string_view(name) == "vkDestroyDevice" || std::string_view(name) == "vkGetDeviceProcAddr")
        return ByHand(name);
    const Hooked* const hooked = Find(name);
    return hooked != nullptr && hooked->level == Level::Device ? hooked->hook() : below;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance, const char* name) {
    if (std::string_view(name) == "vkGetInstanceProcAddr") return Erase(&GetInstanceProcAddr);
    if (const PFN_vkVoidFunction mine = ByHand(name)) return mine;
    if (instance == VK_NULL_HANDLE) return nullptr;
    const Hooked* const hooked = Find(name);
    // As Khronos' layers do: whether a device has a command is for GetDeviceProcAddr to say.
    if (hooked != nullptr && hooked->level == Level::Device) return hooked->hook();
    const Chain& chain = ChainOf(instance);
    if (hooked == nullptr) return chain.get_instance_proc(instance, name);
    return chain.next[static_cast<size_t>(hooked->id)] == nullptr ? nullptr : hooked->hook();
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetPhysicalDeviceProcAddr(VkInstance instance, const char* name) {
    const Chain& chain = ChainOf(instance);
    if (chain.get_physical_device_proc == nullptr) return nullptr;
    const PFN_vkVoidFunction below = chain.get_physical_device_proc(instance, name);
    if (below == nullptr) return nullptr;
    if (const PFN_vkVoidFunction mine = ByHand(name)) return mine;
    const Hooked* const hooked = Find(name);
    return hooked != nullptr && hooked->level == Level::Instance ? hooked->hook() : below;
}

}  // namespace
}  // namespace results

RESULTS_EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* negotiated) {
    if (negotiated->loaderLayerInterfaceVersion < 2) return VK_ERROR_INITIALIZATION_FAILED;
    negotiated->loaderLayerInterfaceVersion = 2;
    negotiated->pfnGetInstanceProcAddr = results::GetInstanceProcAddr;
    negotiated->pfnGetDeviceProcAddr = results::GetDeviceProcAddr;
    negotiated->pfnGetPhysicalDeviceProcAddr = results::GetPhysicalDeviceProcAddr;
    return VK_SUCCESS;
}

RESULTS_EXPORT void resultsWatch(ResultsSeen seen, ResultsPipeline pipeline) {
    results::TheState().seen = seen;
    results::TheState().pipeline = pipeline;
}

RESULTS_EXPORT void resultsWaitBeforeErrors(int on) { results::TheState().wait_before_errors = on != 0; }

RESULTS_EXPORT int resultsAnswer(const char* command, uint64_t call, VkResult result) {
    results::State& state = results::TheState();
    for (size_t i = 0; i < state.calls.size(); ++i) {
        if (std::string_view(command) != results::kCanonicals[i].name) continue;
        state.answered = static_cast<results::Canonical>(i);
        state.answered_call = call;
        state.answer = result;
        return 1;
    }
    return 0;
}

RESULTS_EXPORT const ResultsCommand* resultsCommands(uint32_t* count) {
    *count = static_cast<uint32_t>(results::Canonical::Count);
    return results::kCanonicals;
}
