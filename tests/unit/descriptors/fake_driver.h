// SPDX-License-Identifier: Apache-2.0
// A driver that keeps what its descriptor sets hold and which of them its command buffers bind, and uses handles again
// at once. It says what the layer does to it that a program must not do. One thread; one at a time.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

#include <map>
#include <string>
#include <vector>

#include "slots.h"

namespace fake {

/// What a handle of the loader's kind points to: its dispatch table's address comes first.
struct Dispatchable {
    void* table = nullptr;
};

struct Pool {
    uint32_t most = 0;
    std::vector<uint64_t> sets;
};

/// Sets bound when a dispatch was recorded, by number; 0: none.
using Bound = std::vector<uint64_t>;

struct Commands : Dispatchable {
    Bound bound = Bound(4);
    std::vector<Bound> dispatches;
    bool pending = false;
};

class Driver {
  public:
    Driver();
    ~Driver();
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    static Driver& Get();

    VkDevice device() { return reinterpret_cast<VkDevice>(&device_); }
    static Commands& Of(VkCommandBuffer buffer) { return *reinterpret_cast<Commands*>(buffer); }

    void Complain(const std::string& fault) { faults.push_back(fault); }
    bool InUse(uint64_t set) const;
    uint64_t NewHandle();
    void FreeHandle(uint64_t handle) { free_.push_back(handle); }
    void FreeSet(uint64_t set);

    Objects objects;
    Names names;
    Sets sets;
    std::map<uint64_t, SetLayout> layouts;
    std::map<uint64_t, Pool> pools;
    std::map<uint64_t, std::vector<VkDescriptorUpdateTemplateEntry>> templates;
    std::vector<Commands*> commands;
    std::map<uint64_t, uint64_t> memories, images;  ///< lives
    std::vector<std::string> faults;
    uint64_t updates = 0;  ///< calls
    uint64_t allocated = 0;

    VkuDeviceDispatchTable table{};

  private:
    Dispatchable device_;
    int table_address_ = 0;
    uint64_t last_ = 0x1000;
    std::vector<uint64_t> free_;
};

}  // namespace fake
