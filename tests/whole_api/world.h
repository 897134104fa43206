// SPDX-License-Identifier: Apache-2.0
// A program that calls the whole API: its objects, the arguments it builds, and what it tells of each call. One
// thread's.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tables.h"

namespace whole_api {

/// Which structures are chained while arguments are built.
struct Chains {
    int on = -1;                 // the structure of kStructs that has them in its pNext
    std::vector<int> extenders;  // these, in this order
    bool anywhere = false;       // instead: random ones wherever the registry allows some
};

/// Memory of one call's arguments, zeroed.
class Arena {
  public:
    void* Take(size_t size);
    template <typename T>
    T* Take(size_t count = 1) {
        return static_cast<T*>(Take(sizeof(T) * count));
    }
    void Clear() { blocks_.clear(); }

  private:
    std::vector<std::unique_ptr<uint64_t[]>> blocks_;
};

/// The arguments of a call, 8 bytes each.
struct Call {
    const Command* command = nullptr;
    std::vector<uint64_t> slots;
    int Find(const char* parameter) const;  // -1: there is none
    template <typename T>
    T Get(const char* parameter) const {
        return As<T>(slots.at(static_cast<size_t>(Find(parameter))));
    }
    template <typename T>
    void Set(const char* parameter, T value) {
        slots.at(static_cast<size_t>(Find(parameter))) = Number(value);
    }
};

struct Object {
    int type;
    uint64_t handle;
};

class World {
  public:
    explicit World(uint64_t seed) : random_(seed) {}
    uint32_t Random(uint32_t below) { return static_cast<uint32_t>(random_() % below); }

    /// The first object of this type that is not destroyed, or 0.
    uint64_t First(int type) const {
        return pools_[static_cast<size_t>(type)].empty() ? 0 : pools_[static_cast<size_t>(type)].front();
    }
    uint64_t Nth(int type, size_t n) const;
    template <typename T>
    T First(const char* type) const {
        const uint64_t handle = First(TypeOf(type));
        return As<T>(handle);
    }
    template <typename T>
    T Nth(const char* type, size_t n) const {
        const uint64_t handle = Nth(TypeOf(type), n);
        return As<T>(handle);
    }
    void Add(int type, uint64_t handle) { pools_[static_cast<size_t>(type)].push_back(handle); }
    void Remove(int type, uint64_t handle);
    static int TypeOf(const std::string& name);

    /// Builds arguments, calls, tells the driver's record and standard output. `change` is last to see the arguments.
    /// Returns the result, or VK_ERROR_UNKNOWN where the command is not there.
    using Change = std::function<void(Call&)>;
    VkResult Run(const char* command, const Change& change = nullptr);
    bool Has(const char* command);

    // builder.cpp
    void FillStruct(const Struct& type, void* memory);
    void FillArguments(Call* call);
    std::string Text(const Field& field, const uint8_t* memory, uint64_t count) const;
    std::string OutputsText(const Call& call) const;

    // fixes.cpp: what the registry does not say of valid values.
    void FixStruct(const Struct& type, void* memory);
    void FixArguments(Call* call);

    Chains chains;
    Arena arena;
    std::vector<Object> created;
    PFN_vkGetInstanceProcAddr instance_proc = nullptr;
    std::function<void(const std::string&)> note;  // a line for the driver's record
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    uint32_t api_version = VK_API_VERSION_1_4;
    std::vector<const char*> instance_extensions, device_extensions;
    VkCommandBuffer to_submit = VK_NULL_HANDLE;
    VkSemaphore timeline = VK_NULL_HANDLE;
    uint64_t timeline_value = 0;
    VkDescriptorUpdateTemplate push_template = VK_NULL_HANDLE;
    size_t fresh = 0;  // the number of a buffer or image that is not bound yet
    VkCommandBuffer recording = VK_NULL_HANDLE, secondary = VK_NULL_HANDLE;
    bool allocators = false;  // whether the program has allocation callbacks
    uint64_t calls = 0;

  private:
    PFN_vkVoidFunction Look(const Command& command) const;
    void FillField(const Field& field, const Field* siblings, uint32_t sibling_count, uint8_t* base,
                   const Struct* owner);
    void FillElement(const Field& field, uint8_t* at);
    uint64_t CountFor(const Field& field, const Field* siblings, const uint8_t* base) const;
    const void* Chain(const std::vector<int>& extenders);
    void Keep(const Call& call, VkResult result);

    std::mt19937_64 random_;
    std::vector<std::vector<uint64_t>> pools_ = std::vector<std::vector<uint64_t>>(kHandleCount);
    bool in_chain_ = false;
};

const Command* FindCommand(const std::string& name);
int FindStruct(const std::string& name);

}  // namespace whole_api
