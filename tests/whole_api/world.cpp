// SPDX-License-Identifier: Apache-2.0
// Calls, and what is told of them: to the driver's record which call its next lines belong to, to standard output the
// results.
#include "world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>

namespace whole_api {

const Command* FindCommand(const std::string& name) {
    for (uint32_t i = 0; i < kCommandCount; ++i)
        if (name == kCommands[i].name) return &kCommands[i];
    return nullptr;
}

int FindStruct(const std::string& name) {
    for (uint32_t i = 0; i < kStructCount; ++i)
        if (name == kStructs[i].name) return static_cast<int>(i);
    return -1;
}

int Call::Find(const char* parameter) const {
    for (uint32_t i = 0; i < command->parameter_count; ++i)
        if (std::strcmp(parameter, command->parameters[i].name) == 0) return static_cast<int>(i);
    return -1;
}

int World::TypeOf(const std::string& name) {
    for (uint32_t i = 0; i < kHandleCount; ++i)
        if (name == kHandleNames[i]) return static_cast<int>(i);
    throw std::logic_error("no handle type " + name);
}

uint64_t World::Nth(int type, size_t n) const {
    const auto& pool = pools_[static_cast<size_t>(type)];
    return n < pool.size() ? pool[n] : 0;
}

void World::Remove(int type, uint64_t handle) {
    auto& pool = pools_[static_cast<size_t>(type)];
    pool.erase(std::remove(pool.begin(), pool.end(), handle), pool.end());
}

PFN_vkVoidFunction World::Look(const Command& command) const {
    if (command.level == Level::kGlobal) return instance_proc(VK_NULL_HANDLE, command.name);
    if (std::strcmp(command.name, "vkDestroyDevice") == 0)
        return instance_proc(instance, command.name);  // of any device
    // The loader's own are not asked of the device.
    // The loader has functions that no driver stands behind.
    const bool there = std::any_of(command.ways, command.ways + command.way_count, [&](const Way& way) {
        const auto is = [&](const char* name) { return std::strcmp(name, way.extension) == 0; };
        return way.extension ? std::any_of(instance_extensions.begin(), instance_extensions.end(), is) ||
                                   std::any_of(device_extensions.begin(), device_extensions.end(), is)
                             : way.version <= api_version;
    });
    if (!there) return nullptr;
    if (command.level == Level::kInstance || command.level == Level::kPhysicalDevice)
        return instance_proc(instance, command.name);
    const auto device_proc = reinterpret_cast<PFN_vkGetDeviceProcAddr>(instance_proc(instance, "vkGetDeviceProcAddr"));
    if (std::strcmp(command.name, "vkGetDeviceProcAddr") == 0) return reinterpret_cast<PFN_vkVoidFunction>(device_proc);
    return device ? device_proc(device, command.name) : nullptr;
}

bool World::Has(const char* name) {
    const Command* command = FindCommand(name);
    return command && Look(*command);
}

// What a create command made is there for others.
void World::Keep(const Call& call, VkResult result) {
    const Command& command = *call.command;
    const std::string name = command.name;
    const bool makes = name.starts_with("vkCreate") || name.starts_with("vkAllocate");
    if (result < 0 || (!makes && !name.starts_with("vkGetDeviceQueue"))) return;
    if (name == "vkCreateDevice" || name == "vkCreateInstance") return;
    const Field& last = command.parameters[command.parameter_count - 1];
    if (last.kind != Kind::kHandle || last.pointers != 1 || last.is_const) return;
    const auto* handles = As<const uint64_t*>(call.slots[command.parameter_count - 1]);
    for (; handles && *handles; ++handles) {
        if (!makes && First(last.index)) return;
        Add(last.index, *handles);
        if (makes) created.push_back({last.index, *handles});
    }
}

VkResult World::Run(const char* name, const Change& change) {
    const Command* command = FindCommand(name);
    if (!command) throw std::logic_error(std::string("no command ") + name);
    const PFN_vkVoidFunction function = Look(*command);
    if (!function) {
        std::printf("absent %s\n", name);
        return VK_ERROR_UNKNOWN;
    }
    Call call;
    call.command = command;
    FillArguments(&call);
    if (change) change(call);
    std::string line = std::to_string(++calls) + " " + name;
    if (chains.on >= 0) {
        line += std::string(" ") + kStructs[chains.on].name;
        for (const int extender : chains.extenders) line += std::string("+") + kStructs[extender].name;
    }
    note(line);
    const uint64_t number = command->call(function, call.slots.data());
    const auto result = command->has_result ? As<VkResult>(number) : VK_SUCCESS;
    if (command->has_result)
        std::printf("%s = %d%s\n", line.c_str(), result, OutputsText(call).c_str());
    else
        std::printf("%s = %s%s\n", line.c_str(), number ? "some" : "none", OutputsText(call).c_str());
    Keep(call, result);
    // A layer that keeps a pointer to the program's memory finds it gone.
    arena.Clear();
    return result;
}

}  // namespace whole_api
