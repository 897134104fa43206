// SPDX-License-Identifier: Apache-2.0
// The table of live objects: slots in chunks that are never freed, a handle is generation and index.
#include "objects.h"

#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "tables.h"

namespace mock {
namespace {

struct Slot {
    std::atomic<uint64_t> handle{0};  // 0: free
    std::atomic<VkObjectType> type{VK_OBJECT_TYPE_UNKNOWN};
    std::atomic<uint32_t> id{0};
    uint32_t generation = 0;
    const void* owner = nullptr;
    Dispatchable* dispatchable = nullptr;
    std::shared_ptr<Object> object;
};

constexpr uint32_t kChunkSize = 1024;
constexpr uint32_t kMaxChunks = 65536;

struct Table {
    std::mutex mutex;  // guards everything but look-ups
    std::array<std::atomic<Slot*>, kMaxChunks> chunks{};
    uint32_t used = 0;
    std::vector<uint32_t> free_slots;
    std::map<VkObjectType, uint32_t> next_ids;
    bool reuse = false;
    uint64_t tag = 0;     // of the next memories' handles
    uint32_t to_tag = 0;  // so many
};

Table& TheTable() {
    static Table* table = new Table;
    return *table;
}

Slot* SlotAt(uint32_t index) {
    if (index >= kChunkSize * kMaxChunks) return nullptr;
    Slot* chunk = TheTable().chunks[index / kChunkSize].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &chunk[index % kChunkSize];
}

Slot* FindSlot(uint64_t handle, VkObjectType type) {
    const uint32_t low = static_cast<uint32_t>(handle);
    if (low == 0) return nullptr;
    Slot* slot = SlotAt(low - 1);
    if (slot == nullptr || slot->handle.load(std::memory_order_acquire) != handle) return nullptr;
    return slot->type.load(std::memory_order_relaxed) == type ? slot : nullptr;
}

uint64_t Add(VkObjectType type, const void* owner, std::shared_ptr<Object> object, Dispatchable* dispatchable) {
    Table& table = TheTable();
    std::lock_guard lock(table.mutex);
    uint32_t index = 0;
    if (!table.free_slots.empty()) {
        index = table.free_slots.back();
        table.free_slots.pop_back();
    } else {
        index = table.used++;
        if (index % kChunkSize == 0) {
            table.chunks[index / kChunkSize].store(new Slot[kChunkSize], std::memory_order_release);
        }
    }
    Slot& slot = *SlotAt(index);
    // A handle is never handed out twice unless a test asks for what real drivers do.
    if (!table.reuse || slot.generation == 0) ++slot.generation;
    slot.owner = owner;
    slot.object = std::move(object);
    slot.dispatchable = dispatchable;
    slot.type.store(type, std::memory_order_relaxed);
    slot.id.store(++table.next_ids[type], std::memory_order_relaxed);
    if (dispatchable != nullptr) dispatchable->id = slot.id.load(std::memory_order_relaxed);
    uint64_t handle = (static_cast<uint64_t>(slot.generation) << 32) | (index + 1);
    if (type == VK_OBJECT_TYPE_DEVICE_MEMORY && table.to_tag != 0) {
        --table.to_tag;
        handle = (handle & (~uint64_t{0} >> 16)) | table.tag;
    }
    slot.handle.store(handle, std::memory_order_release);
    return handle;
}

bool Remove(uint64_t handle, VkObjectType type, std::shared_ptr<Object>* object) {
    Table& table = TheTable();
    std::shared_ptr<Object> dead;  // destroyed outside the lock
    std::lock_guard lock(table.mutex);
    Slot* slot = FindSlot(handle, type);
    if (slot == nullptr) return false;
    slot->handle.store(0, std::memory_order_release);
    dead = std::move(slot->object);
    slot->object.reset();
    slot->dispatchable = nullptr;
    table.free_slots.push_back(static_cast<uint32_t>(handle) - 1);
    if (object != nullptr) *object = std::move(dead);
    return true;
}

bool IsDispatchable(VkObjectType type) {
    return type >= VK_OBJECT_TYPE_INSTANCE && type <= VK_OBJECT_TYPE_COMMAND_BUFFER && type != VK_OBJECT_TYPE_SEMAPHORE;
}

}  // namespace

void TagMemories(uint16_t bits, uint32_t count) {
    Table& table = TheTable();
    std::lock_guard lock(table.mutex);
    table.tag = static_cast<uint64_t>(bits) << 48;
    table.to_tag = count;
}

uint64_t AddObject(VkObjectType type, const void* owner, std::shared_ptr<Object> object) {
    return Add(type, owner, std::move(object), nullptr);
}

void AddDispatchable(VkObjectType type, const void* owner, Dispatchable* object) {
    object->loader_magic = ICD_LOADER_MAGIC;
    object->type = type;
    object->table_handle = Add(type, owner, nullptr, object);
    object->live.store(true, std::memory_order_release);
}

Object* FindObject(uint64_t handle, VkObjectType type) {
    Slot* slot = FindSlot(handle, type);
    return slot == nullptr ? nullptr : slot->object.get();
}

std::shared_ptr<Object> FindShared(uint64_t handle, VkObjectType type) {
    Slot* slot = FindSlot(handle, type);
    return slot == nullptr ? nullptr : slot->object;
}

bool IsLive(uint64_t handle, VkObjectType type) { return FindSlot(handle, type) != nullptr; }

Object* RequireObject(uint64_t handle, VkObjectType type, const char* command) {
    Object* object = FindObject(handle, type);
    if (object == nullptr) {
        Violation(std::string(command) + ": " + HandleName(type, handle) + " is not a live " + NameOfType(type).name);
    }
    return object;
}

bool RemoveObject(uint64_t handle, VkObjectType type, const char* command, std::shared_ptr<Object>* object) {
    if (handle == 0) return false;
    if (Remove(handle, type, object)) return true;
    Violation(std::string(command) + ": the " + NameOfType(type).name + " is not live (destroyed twice?)");
    return false;
}

bool RemoveDispatchable(Dispatchable* object, VkObjectType type, const char* command) {
    if (object == nullptr) return false;
    bool expected = true;
    if (object->type != type || !object->live.compare_exchange_strong(expected, false)) {
        Violation(std::string(command) + ": the " + NameOfType(type).name + " is not live (destroyed twice?)");
        return false;
    }
    return Remove(object->table_handle, type, nullptr);
}

void ForEachLive(const void* owner, const std::function<void(const LiveObject&)>& visit) {
    std::vector<LiveObject> found;
    {
        Table& table = TheTable();
        std::lock_guard lock(table.mutex);
        for (uint32_t i = 0; i < table.used; ++i) {
            const Slot& slot = *SlotAt(i);
            const uint64_t handle = slot.handle.load(std::memory_order_relaxed);
            if (handle == 0 || (owner != nullptr && slot.owner != owner)) continue;
            found.push_back({slot.type.load(std::memory_order_relaxed), slot.id.load(std::memory_order_relaxed),
                             slot.dispatchable != nullptr ? FromHandle(slot.dispatchable) : handle});
        }
    }
    for (const LiveObject& object : found) visit(object);
}

void ForgetOwned(const void* owner) {
    ForEachLive(owner, [](const LiveObject& object) {
        if (IsDispatchable(object.type)) {
            RemoveDispatchable(ToHandle<Dispatchable*>(object.handle), object.type, "");
        } else {
            Remove(object.handle, object.type, nullptr);
        }
    });
}

std::string HandleName(VkObjectType type, uint64_t handle) {
    if (handle == 0) return "null";
    const std::string prefix = std::string(NameOfType(type).short_name) + "#";
    if (IsDispatchable(type)) return prefix + std::to_string(ToHandle<Dispatchable*>(handle)->id);
    const Slot* slot = FindSlot(handle, type);
    return slot == nullptr ? prefix + "?" : prefix + std::to_string(slot->id.load(std::memory_order_relaxed));
}

void ResetObjectIds() {
    std::lock_guard lock(TheTable().mutex);
    TheTable().next_ids.clear();
}

void SetHandleReuse(bool reuse) {
    std::lock_guard lock(TheTable().mutex);
    TheTable().reuse = reuse;
}

}  // namespace mock
