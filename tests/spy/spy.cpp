// SPDX-License-Identifier: Apache-2.0
// The spy layer: a counting thunk for every command of the registry, and the loader's contract (interface version 2).
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "../layer_link.h"
#include "counters.h"
#include "derived.h"
#include "memories.h"
#include "redundant.h"

#define SPY_EXPORT extern "C" __attribute__((visibility("default")))

namespace spy {
namespace {

constexpr size_t kCommands = static_cast<size_t>(Id::Count);

// What lies below one instance or one device; immutable once registered.
struct Chain {
    PFN_vkGetInstanceProcAddr get_instance_proc = nullptr;
    PFN_GetPhysicalDeviceProcAddr get_physical_device_proc = nullptr;
    PFN_vkGetDeviceProcAddr get_device_proc = nullptr;
    std::array<PFN_vkVoidFunction, kCommands> next{};

    template <typename Pfn>
    Pfn Next(Id id) const {
        return reinterpret_cast<Pfn>(next[static_cast<size_t>(id)]);
    }
};

// By dispatch key: the first word of every dispatchable handle, shared by all children of an instance or a device.
struct Registry {
    std::shared_mutex mutex;
    std::unordered_map<void*, std::unique_ptr<Chain>> chains;
};

// Never destroyed: programs call Vulkan from their own exit handlers.
Registry& Chains() {
    static Registry* const registry = new Registry;
    return *registry;
}

void* KeyOf(const void* handle) { return *static_cast<void* const*>(handle); }

const Chain* FindChain(const void* handle) {
    Registry& registry = Chains();
    const std::shared_lock lock(registry.mutex);
    const auto found = registry.chains.find(KeyOf(handle));
    return found == registry.chains.end() ? nullptr : found->second.get();
}

// The chain stays valid while the handle does, which the program must see to.
const Chain& ChainOf(const void* handle) {
    const Chain* const chain = FindChain(handle);
    if (chain == nullptr) {
        std::fprintf(stderr, SPY_LAYER_NAME ": %p: neither of a living instance nor of a living device; aborting\n",
                     handle);
        std::abort();
    }
    return *chain;
}

void Register(const void* handle, std::unique_ptr<Chain> chain) {
    Registry& registry = Chains();
    const std::unique_lock lock(registry.mutex);
    registry.chains[KeyOf(handle)] = std::move(chain);
}

std::unique_ptr<Chain> Unregister(void* key) {
    Registry& registry = Chains();
    const std::unique_lock lock(registry.mutex);
    auto node = registry.chains.extract(key);
    return node.empty() ? nullptr : std::move(node.mapped());
}

size_t LiveDevices() {
    Registry& registry = Chains();
    const std::shared_lock lock(registry.mutex);
    return static_cast<size_t>(std::count_if(registry.chains.begin(), registry.chains.end(), [](const auto& entry) {
        return entry.second->get_device_proc != nullptr;
    }));
}

enum class Level : uint8_t { Instance, Device };

template <Id id, Id canonical, Level level, typename Pfn>
struct Thunk;

template <Id id, Id canonical, Level level, typename R, typename First, typename... Rest>
struct Thunk<id, canonical, level, R(VKAPI_PTR*)(First, Rest...)> {
    static VKAPI_ATTR R VKAPI_CALL Call(First first, Rest... rest) {
        const auto next = ChainOf(first).template Next<R(VKAPI_PTR*)(First, Rest...)>(id);
        CountCall(id);
        if constexpr (requires { &Memories<canonical>::Look; }) Memories<canonical>::Look(first, rest...);
        if constexpr (level == Level::Device) NoteOrder(id);
        if constexpr (PlainCounter(canonical).has_value()) Add(*PlainCounter(canonical));
        // Only their existence is asked here, so that a wrong signature does not compile.
        if constexpr (requires { &Derived<canonical>::Before; }) Derived<canonical>::Before(first, rest...);
        if constexpr (std::is_same_v<First, VkDevice>) NoteDeviceCall();
        if constexpr (std::is_same_v<First, VkCommandBuffer> && !LeavesState(canonical)) ForgetState(first);
        if constexpr (canonical == Id::vkCmdPipelineBarrier || canonical == Id::vkCmdPipelineBarrier2)
            if (Drops() == Dropped::Barriers) return;
        if constexpr (canonical == Id::vkUpdateDescriptorSets || canonical == Id::vkUpdateDescriptorSetWithTemplate)
            if (Drops() == Dropped::Updates) return;
        if constexpr (std::is_void_v<R>) {
            next(first, rest...);
            if constexpr (requires { &Derived<canonical>::After; }) Derived<canonical>::After(first, rest...);
        } else {
            const R result = next(first, rest...);
            if constexpr (requires { &Derived<canonical>::After; }) Derived<canonical>::After(result, first, rest...);
            return result;
        }
    }
};

struct Command {
    Id id;
    Level level;
    PFN_vkVoidFunction thunk;
};

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                              VkInstance* instance);
VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator);
VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator, VkDevice* device);
VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator);
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name);
VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char* layer,
                                                                  uint32_t* count, VkExtensionProperties* properties);

template <typename Pfn>
PFN_vkVoidFunction Erase(Pfn function) {
    return reinterpret_cast<PFN_vkVoidFunction>(function);
}

const std::unordered_map<std::string_view, Command>& Commands() {
    static const auto* const commands = new std::unordered_map<std::string_view, Command>{
#define SPY_COMMAND(name, canonical, level) \
    {#name, {Id::name, Level::level, Erase(&Thunk<Id::name, Id::canonical, Level::level, PFN_##name>::Call)}},
#include "commands.inc"
#undef SPY_COMMAND
        {"vkCreateInstance", {Id::vkCreateInstance, Level::Instance, Erase(&CreateInstance)}},
        {"vkDestroyInstance", {Id::vkDestroyInstance, Level::Instance, Erase(&DestroyInstance)}},
        {"vkCreateDevice", {Id::vkCreateDevice, Level::Instance, Erase(&CreateDevice)}},
        {"vkDestroyDevice", {Id::vkDestroyDevice, Level::Device, Erase(&DestroyDevice)}},
        {"vkGetDeviceProcAddr", {Id::vkGetDeviceProcAddr, Level::Device, Erase(&GetDeviceProcAddr)}},
        {"vkEnumerateDeviceExtensionProperties",
         {Id::vkEnumerateDeviceExtensionProperties, Level::Instance, Erase(&EnumerateDeviceExtensionProperties)}},
    };
    return *commands;
}

const Command* FindCommand(const char* name) {
    const auto found = Commands().find(name);
    return found == Commands().end() ? nullptr : &found->second;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator,
                                              VkInstance* instance) {
    auto* const link = FindLink<VkLayerInstanceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (link == nullptr || link->u.pLayerInfo == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    auto chain = std::make_unique<Chain>();
    chain->get_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    chain->get_physical_device_proc = link->u.pLayerInfo->pfnNextGetPhysicalDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;

    const auto create =
        reinterpret_cast<PFN_vkCreateInstance>(chain->get_instance_proc(VK_NULL_HANDLE, "vkCreateInstance"));
    if (create == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    CountCall(Id::vkCreateInstance);
    const VkResult result = create(info, allocator, instance);
    if (result != VK_SUCCESS) return result;

    // All at once and now: loaders before 1.3.251 answer with the top of the chain later. Commands of devices are not
    // asked for: each one unknown to the loader would take up a slot of its small table of unknown commands.
    for (const auto& [name, command] : Commands()) {
        if (command.level != Level::Instance) continue;
        PFN_vkVoidFunction& next = chain->next[static_cast<size_t>(command.id)];
        next = chain->get_instance_proc(*instance, name.data());
        // Commands for physical devices that the loader itself does not know.
        if (next == nullptr && chain->get_physical_device_proc != nullptr) {
            next = chain->get_physical_device_proc(*instance, name.data());
        }
    }
    Register(*instance, std::move(chain));
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance, const VkAllocationCallbacks* allocator) {
    if (instance == VK_NULL_HANDLE) return;
    CountCall(Id::vkDestroyInstance);
    // Taken out first: the key may belong to a new instance as soon as this one is gone.
    const auto chain = Unregister(KeyOf(instance));
    chain->Next<PFN_vkDestroyInstance>(Id::vkDestroyInstance)(instance, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator, VkDevice* device) {
    auto* const link = FindLink<VkLayerDeviceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr || link->u.pLayerInfo == nullptr) return VK_ERROR_INITIALIZATION_FAILED;
    auto chain = std::make_unique<Chain>();
    chain->get_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;

    CountCall(Id::vkCreateDevice);
    const VkResult result =
        ChainOf(physical).Next<PFN_vkCreateDevice>(Id::vkCreateDevice)(physical, info, allocator, device);
    if (result != VK_SUCCESS) return result;

    for (const auto& [name, command] : Commands()) {
        if (command.level != Level::Device) continue;
        chain->next[static_cast<size_t>(command.id)] = chain->get_device_proc(*device, name.data());
    }
    Register(*device, std::move(chain));
    return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
    if (device == VK_NULL_HANDLE) return;
    CountCall(Id::vkDestroyDevice);
    const auto chain = Unregister(KeyOf(device));
    ForgetDevice(device);
    chain->Next<PFN_vkDestroyDevice>(Id::vkDestroyDevice)(device, allocator);
    WriteReport();
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensionProperties(VkPhysicalDevice physical, const char* layer,
                                                                  uint32_t* count, VkExtensionProperties* properties) {
    CountCall(Id::vkEnumerateDeviceExtensionProperties);
    if (layer != nullptr && std::string_view(layer) == SPY_LAYER_NAME) {
        *count = 0;
        return VK_SUCCESS;
    }
    return ChainOf(physical).Next<PFN_vkEnumerateDeviceExtensionProperties>(Id::vkEnumerateDeviceExtensionProperties)(
        physical, layer, count, properties);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name) {
    CountCall(Id::vkGetDeviceProcAddr);
    const Chain& chain = ChainOf(device);
    const PFN_vkVoidFunction below = chain.get_device_proc(device, name);
    if (below == nullptr) return nullptr;
    const Command* const command = FindCommand(name);
    return command != nullptr && command->level == Level::Device ? command->thunk : below;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance, const char* name) {
    if (std::string_view(name) == "vkGetInstanceProcAddr") return Erase(&GetInstanceProcAddr);
    const Command* const command = FindCommand(name);
    // The loader asks the uppermost layer for this with an instance that is only about to be made.
    if (command != nullptr && command->id == Id::vkCreateInstance) return command->thunk;
    // Nothing else may be had without an instance.
    if (instance == VK_NULL_HANDLE) return nullptr;
    // As Khronos' layers do: whether a device has a command is for GetDeviceProcAddr to say.
    if (command != nullptr && command->level == Level::Device) return command->thunk;
    const Chain& chain = ChainOf(instance);
    if (command == nullptr) return chain.get_instance_proc(instance, name);
    return chain.next[static_cast<size_t>(command->id)] == nullptr ? nullptr : command->thunk;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetPhysicalDeviceProcAddr(VkInstance instance, const char* name) {
    const Chain& chain = ChainOf(instance);
    if (chain.get_physical_device_proc == nullptr) return nullptr;
    const PFN_vkVoidFunction below = chain.get_physical_device_proc(instance, name);
    if (below == nullptr) return nullptr;
    const Command* const command = FindCommand(name);
    return command != nullptr && command->level == Level::Instance ? command->thunk : below;
}

// Programs that end without destroying their devices are reported here.
[[gnu::destructor]] void ReportAtExit() {
    if (LiveDevices() != 0) WriteReport();
}

}  // namespace
}  // namespace spy

SPY_EXPORT VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* negotiated) {
    if (negotiated == nullptr || negotiated->sType != LAYER_NEGOTIATE_INTERFACE_STRUCT ||
        negotiated->loaderLayerInterfaceVersion < 2) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    negotiated->loaderLayerInterfaceVersion = 2;
    negotiated->pfnGetInstanceProcAddr = spy::GetInstanceProcAddr;
    negotiated->pfnGetDeviceProcAddr = spy::GetDeviceProcAddr;
    negotiated->pfnGetPhysicalDeviceProcAddr = spy::GetPhysicalDeviceProcAddr;
    return VK_SUCCESS;
}
