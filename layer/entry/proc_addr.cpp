// SPDX-License-Identifier: Apache-2.0
#include "entry/proc_addr.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "entry/hooks.h"
#include "entry/recording.h"
#include "stream/hold.h"
#include "support/text.h"

namespace kronos {
namespace {

// A command that is counted, and held or passed on: one function for each, made from its type.
template <auto Slot, Counter kCounter, auto Hold>
struct Passed;
template <class... Args, void (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...), Counter kCounter,
          auto Hold>
struct Passed<Slot, kCounter, Hold> {
    static const char* name;
    static VKAPI_ATTR void VKAPI_CALL Call(VkCommandBuffer handle, Args... args) {
        CommandBuffer* buffer = GlimpseCommandBuffer(handle);
        if (!buffer || Records(*buffer)) return Recorded(handle, args...);
        Pass(*buffer, args...);
    }
    [[gnu::always_inline]] static void Pass(CommandBuffer& buffer, Args... args) {
        if constexpr (kCounter == Counter::kDispatches) ++buffer.dispatches;
        if constexpr (kCounter == Counter::kEventCommands) buffer.events = true;
        if constexpr (kCounter != Counter::kCount) buffer.counters.Add(kCounter);
        (buffer.down->*Slot)(buffer.handle, args...);
    }
    // Apart from the other and with its arguments, so that a command that is only counted need not move them.
    [[gnu::noinline]] static void Recorded(VkCommandBuffer handle, Args... args) {
        CommandBuffer* buffer = FindCommandBuffer(handle);
        if (!buffer) return (DownOfUnknown(handle).*Slot)(handle, args...);
        if (!Records(*buffer) || !HeldBack<Hold>(*buffer, name, kCounter, args...)) return Pass(*buffer, args...);
        if constexpr (kCounter == Counter::kDispatches) ++buffer->dispatches;
        if constexpr (kCounter == Counter::kEventCommands) buffer->events = true;
        if constexpr (kCounter != Counter::kCount) buffer->counters.Add(Side::kAsked, kCounter, 1);
    }
};
template <class... Args, void (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...), Counter kCounter,
          auto Hold>
const char* Passed<Slot, kCounter, Hold>::name = nullptr;

// A command that ends the recording: it may do anything.
template <auto Slot>
struct Outside;
template <class Result, class... Args, Result (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...)>
struct Outside<Slot> {
    static const char* name;
    static void EndRecording(CommandBuffer& buffer, std::atomic_flag& told) {
        if (Records(buffer)) GiveUp(buffer, name, told);
    }
    static VKAPI_ATTR Result VKAPI_CALL Call(VkCommandBuffer handle, Args... args) {
        static std::atomic_flag told;
        CommandBuffer* buffer = FindCommandBuffer(handle);
        if (!buffer) [[unlikely]]
            return (DownOfUnknown(handle).*Slot)(handle, args...);
        EndRecording(*buffer, told);
        // Another command buffer whose state the command reads, as vkCmdPreprocessGeneratedCommandsEXT does.
        [[maybe_unused]] const auto end = [&](auto argument) {
            if constexpr (std::is_same_v<decltype(argument), VkCommandBuffer>)
                if (CommandBuffer* other = FindCommandBuffer(argument)) EndRecording(*other, told);
        };
        (end(args), ...);
        return (buffer->down->*Slot)(handle, args...);
    }
};
template <class Result, class... Args, Result (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...)>
const char* Outside<Slot>::name = nullptr;

template <class Hook>
PFN_vkVoidFunction Named(const char* name) {
    Hook::name = name;
    return reinterpret_cast<PFN_vkVoidFunction>(Hook::Call);
}

#define VERSION_1_0 VK_API_VERSION_1_0
#define VERSION_1_1 VK_API_VERSION_1_1
#define VERSION_1_2 VK_API_VERSION_1_2
#define VERSION_1_3 VK_API_VERSION_1_3
#define VERSION_1_4 VK_API_VERSION_1_4
#define VERSION_EXT 0
#define TABLE_Global VkuInstanceDispatchTable
#define TABLE_Instance VkuInstanceDispatchTable
#define TABLE_PhysicalDevice VkuInstanceDispatchTable
#define TABLE_Device VkuDeviceDispatchTable
#define TABLE_Queue VkuDeviceDispatchTable
#define TABLE_CommandBuffer VkuDeviceDispatchTable

const Hook kHooks[] = {
#define COMMAND(scope, name, version, gate, ...)                                  \
    {"vk" #name,                                                                  \
     #__VA_ARGS__,                                                                \
     Scope::k##scope,                                                             \
     VERSION_##version,                                                           \
     static_cast<uint32_t>(kGate##gate),                                          \
     reinterpret_cast<PFN_vkVoidFunction>(static_cast<PFN_vk##name>(hook::name)), \
     offsetof(TABLE_##scope, name)},
#define OF_COMMAND_BUFFER(name, version, gate, function, aliases) \
    {"vk" #name,                                                  \
     aliases,                                                     \
     Scope::kCommandBuffer,                                       \
     VERSION_##version,                                           \
     static_cast<uint32_t>(gate),                                 \
     function("vk" #name),                                        \
     offsetof(VkuDeviceDispatchTable, name)},
#define PASS(name, counter) Named<Passed<&VkuDeviceDispatchTable::name, Counter::k##counter, &hold::name>>
#define COUNTED(name, counter, version, gate, ...) \
    OF_COMMAND_BUFFER(name, version, kGate##gate, PASS(name, counter), #__VA_ARGS__)
#define PASSED(name, version, gate, ...) OF_COMMAND_BUFFER(name, version, kGate##gate, PASS(name, Count), #__VA_ARGS__)
#define OUTSIDE(name, version, ...) \
    OF_COMMAND_BUFFER(name, version, kGateStream, Named<Outside<&VkuDeviceDispatchTable::name>>, #__VA_ARGS__)
#include "entry/commands.def"
#include "kronos/outside_commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
#undef OUTSIDE
};

std::vector<std::string> AliasesOf(const Hook& hook) {
    std::vector<std::string> names;
    for (std::string_view rest = hook.aliases; !rest.empty();) {
        const size_t comma = rest.find(',');
        names.push_back("vk" + std::string(Trim(rest.substr(0, comma))));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return names;
}

struct Name {
    std::string name;
    const Hook* hook;
};

// Sorted by name; never destroyed, for programs ask for commands in exit handlers too.
const std::vector<Name>& Names() {
    static const std::vector<Name>& names = *[] {
        auto* made = new std::vector<Name>;
        for (const Hook& hook : kHooks) {
            made->push_back({std::string(hook.name), &hook});
            for (std::string& alias : AliasesOf(hook)) made->push_back({std::move(alias), &hook});
        }
        std::sort(made->begin(), made->end(), [](const Name& a, const Name& b) { return a.name < b.name; });
        return made;
    }();
    return names;
}

template <class Table, class Ask>
void Share(Table& table, bool device_scope, uint32_t version, Ask ask) {
    for (const Hook& hook : kHooks) {
        if (hook.aliases.empty() || IsDeviceScope(hook.scope) != device_scope) continue;
        char* slot = reinterpret_cast<char*>(&table) + hook.slot;
        PFN_vkVoidFunction pointer = nullptr;
        std::memcpy(&pointer, slot, sizeof pointer);
        // A driver may hand out a core command of a version that the program did not ask for; it is not the program's
        // then.
        // And a layer below may know only the alias.
        if (!pointer || hook.core_version == 0 || version < hook.core_version) {
            PFN_vkVoidFunction alias = nullptr;
            for (const std::string& name : AliasesOf(hook))
                if (!alias) alias = ask(name.c_str());
            if (alias) pointer = alias;
        }
        std::memcpy(slot, &pointer, sizeof pointer);
    }
}

}  // namespace

const Hook* FindHook(std::string_view name) {
    const std::vector<Name>& names = Names();
    const auto found = std::lower_bound(names.begin(), names.end(), name,
                                        [](const Name& a, std::string_view b) { return a.name < b; });
    return found != names.end() && found->name == name ? found->hook : nullptr;
}

void ShareSlots(VkuDeviceDispatchTable& table, VkDevice device, PFN_vkGetDeviceProcAddr next, uint32_t version) {
    Share(table, true, version, [&](const char* name) { return next(device, name); });
}

void ShareSlots(VkuInstanceDispatchTable& table, VkInstance instance, PFN_vkGetInstanceProcAddr next,
                uint32_t version) {
    Share(table, false, version, [&](const char* name) { return next(instance, name); });
}

}  // namespace kronos

namespace kronos::hook {

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name) {
    const Device& state = DeviceOf(device);
    const PFN_vkVoidFunction below = state.down.GetDeviceProcAddr(device, name);
    if (!below) return nullptr;
    const Hook* found = FindHook(name);
    return found && IsDeviceScope(found->scope) && (found->gate & state.gates) ? found->function : below;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance, const char* name) {
    const Hook* found = FindHook(name);
    // Before anything else: loaders ask the topmost layer for vkCreateInstance with an instance that is not created
    // yet.
    if (found && found->scope == Scope::kGlobal) return found->function;
    // Layers above ask for vkCreateDevice so, though Vulkan gives them no right to: MangoHud 0.6.8 among them.
    if (!instance) return found && (found->gate & kGateAlways) ? found->function : nullptr;
    const Instance& state = InstanceOf(instance);
    const PFN_vkVoidFunction below = state.down.GetInstanceProcAddr(instance, name);
    if (!below) return nullptr;
    return found && (found->gate & state.gates) ? found->function : below;
}

}  // namespace kronos::hook
