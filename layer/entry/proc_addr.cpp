// SPDX-License-Identifier: Apache-2.0
#include "entry/proc_addr.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <type_traits>

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
        CommandBuffer* buffer = FindPassing(handle);
        if (!buffer) return Recorded(handle, args...);
        Pass(*buffer, handle, args...);
    }
    [[gnu::always_inline]] static void Pass(CommandBuffer& buffer, VkCommandBuffer handle, Args... args) {
        if constexpr (kCounter == Counter::kDispatches) ++buffer.dispatches;
        if constexpr (kCounter == Counter::kEventCommands) buffer.events = true;
        if constexpr (kCounter != Counter::kCount) buffer.counters.Add(kCounter);
        (buffer.down->*Slot)(handle, args...);
    }
    // Apart from the other and with its arguments, so that a command that is only counted need not move them.
    [[gnu::noinline]] static void Recorded(VkCommandBuffer handle, Args... args) {
        CommandBuffer* buffer = FindCommandBuffer(handle);
        if (!buffer) return (DownOfUnknown(handle).*Slot)(handle, args...);
        if (!Records(*buffer) || !HeldBack<Hold>(*buffer, name, kCounter, args...))
            return Pass(*buffer, handle, args...);
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
    // False: the driver is not to get the command.
    static bool EndRecording(CommandBuffer& buffer, std::atomic_flag& told) {
        return !Records(buffer) || GiveUp(buffer, name, told);
    }
    static VKAPI_ATTR Result VKAPI_CALL Call(VkCommandBuffer handle, Args... args) {
        static std::atomic_flag told;
        CommandBuffer* buffer = FindCommandBuffer(handle);
        if (!buffer) [[unlikely]]
            return (DownOfUnknown(handle).*Slot)(handle, args...);
        bool passes = EndRecording(*buffer, told);
        // Another command buffer whose state the command reads, as vkCmdPreprocessGeneratedCommandsEXT does.
        [[maybe_unused]] const auto end = [&](auto argument) {
            if constexpr (std::is_same_v<decltype(argument), VkCommandBuffer>)
                if (CommandBuffer* other = FindCommandBuffer(argument)) passes = EndRecording(*other, told) && passes;
        };
        (end(args), ...);
        return passes ? (buffer->down->*Slot)(handle, args...) : Result();
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

// Calls each(alias), without its "vk", in the order of commands.def.
template <class Each>
void ForEachAlias(const Hook& hook, Each each) {
    for (std::string_view rest = hook.aliases; !rest.empty();) {
        const size_t comma = rest.find(',');
        each(Trim(rest.substr(0, comma)));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
}

constexpr size_t NamesWith(std::string_view aliases) {
    return aliases.empty() ? 1 : 2 + static_cast<size_t>(std::count(aliases.begin(), aliases.end(), ','));
}
constexpr size_t kNamesOfEach[] = {
#define COMMAND(scope, name, version, gate, ...) NamesWith(#__VA_ARGS__),
#define COUNTED(name, counter, version, gate, ...) NamesWith(#__VA_ARGS__),
#define PASSED(name, version, gate, ...) NamesWith(#__VA_ARGS__),
#define OUTSIDE(name, version, ...) NamesWith(#__VA_ARGS__),
#include "entry/commands.def"
#include "kronos/outside_commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
#undef OUTSIDE
};
constexpr size_t kNames = std::accumulate(std::begin(kNamesOfEach), std::end(kNamesOfEach), size_t{0});

struct Name {
    std::string_view name;  // without its "vk"
    const Hook* hook;
};

// Sorted by name. In static storage: who asks for a command cannot be told that there is no memory, and may be an exit
// handler.
const std::array<Name, kNames>& Names() {
    static const std::array<Name, kNames> names = [] {
        std::array<Name, kNames> made = {};
        size_t count = 0;
        for (const Hook& hook : kHooks) {
            made[count++] = {hook.name.substr(2), &hook};
            ForEachAlias(hook, [&](std::string_view alias) { made[count++] = {alias, &hook}; });
        }
        std::sort(made.begin(), made.end(), [](const Name& a, const Name& b) { return a.name < b.name; });
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
            ForEachAlias(hook, [&](std::string_view name) {
                char text[VK_MAX_EXTENSION_NAME_SIZE] = "vk";
                if (!alias && name.copy(text + 2, sizeof text - 3) == name.size()) alias = ask(text);
            });
            if (alias) pointer = alias;
        }
        std::memcpy(slot, &pointer, sizeof pointer);
    }
}

}  // namespace

const Hook* FindHook(std::string_view name) {
    if (!name.starts_with("vk")) return nullptr;
    name.remove_prefix(2);
    const std::array<Name, kNames>& names = Names();
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
