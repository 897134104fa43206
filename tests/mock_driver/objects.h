// SPDX-License-Identifier: Apache-2.0
// Handles: the table of live objects with double-free and leak detection, and what dispatchable handles point to.
// The table belongs to the process and is never destroyed. Any thread may call; look-ups take no lock, adding and
// removing take the table's own mutex. An object found stays valid until its handle is destroyed.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "vk_headers.h"

namespace mock {

// What a dispatchable handle points to. The loader owns the first word after creation.
struct Dispatchable {
    uintptr_t loader_magic = ICD_LOADER_MAGIC;
    VkObjectType type = VK_OBJECT_TYPE_UNKNOWN;
    uint32_t id = 0;
    uint64_t table_handle = 0;
    std::atomic<bool> live{false};
};

// What a non-dispatchable handle stands for. Objects without behaviour have none.
struct Object {
    virtual ~Object() = default;
};

struct LiveObject {
    VkObjectType type;
    uint32_t id;
    uint64_t handle;  // as the program sees it
};

// Adds an object; `owner` is the Device or Instance it must not outlive. Returns its handle.
uint64_t AddObject(VkObjectType type, const void* owner, std::shared_ptr<Object> object);
// The handles of the next `count` memories begin with these bits.
void TagMemories(uint16_t bits, uint32_t count);
// Gives a dispatchable object its place in the table and its id.
void AddDispatchable(VkObjectType type, const void* owner, Dispatchable* object);
// Null when `handle` is not live or is of another type.
Object* FindObject(uint64_t handle, VkObjectType type);
std::shared_ptr<Object> FindShared(uint64_t handle, VkObjectType type);
bool IsLive(uint64_t handle, VkObjectType type);
// Removes an object; a handle that is not live is a violation (named with `command`) and gives false.
bool RemoveObject(uint64_t handle, VkObjectType type, const char* command, std::shared_ptr<Object>* object = nullptr);
bool RemoveDispatchable(Dispatchable* object, VkObjectType type, const char* command);
// Calls `visit` for each live object of `owner` (null: of all).
void ForEachLive(const void* owner, const std::function<void(const LiveObject&)>& visit);
// Drops what is left of an owner that was destroyed, after its leaks were reported.
void ForgetOwned(const void* owner);
// "buf#3"; "null" for 0, "buf#?" for one that is not live.
std::string HandleName(VkObjectType type, uint64_t handle);
void ResetObjectIds();
void SetHandleReuse(bool reuse);

// Looks up and reports a violation when the handle is not live.
Object* RequireObject(uint64_t handle, VkObjectType type, const char* command);
template <typename T, typename H>
T* Require(H handle, const char* command) {
    return static_cast<T*>(RequireObject(FromHandle(handle), T::kType, command));
}
template <typename T, typename H>
T* Find(H handle) {
    return static_cast<T*>(FindObject(FromHandle(handle), T::kType));
}
template <typename T, typename H>
std::shared_ptr<T> Shared(H handle) {
    return std::static_pointer_cast<T>(FindShared(FromHandle(handle), T::kType));
}

// Notes that the caller broke a rule of the specification. One line of text; tests read the list.
void Violation(const std::string& text);

}  // namespace mock
