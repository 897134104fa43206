// SPDX-License-Identifier: Apache-2.0
#include "memory/recycling.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>

#include "devices/judgement.h"
#include "entry/state.h"
#include "memory/release.h"
#include "support/clock.h"
#include "support/extensions.h"

namespace kronos {
namespace {

// VkPhysicalDeviceMaintenance3Properties, core in 1.1. What every device must allow where it cannot be asked.
uint64_t MaxAllocationBytes(const Device& device, const VkPhysicalDeviceProperties& properties) {
    constexpr uint64_t kLeast = uint64_t{1} << 30;
    const Instance& instance = *device.instance;
    if (std::min(instance.api_version, properties.apiVersion) < VK_API_VERSION_1_1 ||
        !instance.down.GetPhysicalDeviceProperties2)
        return kLeast;
    VkPhysicalDeviceMaintenance3Properties limits = {};
    limits.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
    VkPhysicalDeviceProperties2 query = {};
    query.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    query.pNext = &limits;
    instance.down.GetPhysicalDeviceProperties2(device.physical, &query);
    return limits.maxMemoryAllocationSize;
}

// What the janitor calls.
class DeviceIdle : public IdleOwner {
  public:
    explicit DeviceIdle(Device& device) : device_(device) {}
    bool GiveBack() noexcept override {
        constexpr uint32_t kAtOnce = 256;
        MemoryRecycler& recycler = *device_.recycler;
        IdleChain expired;
        recycler.cache.Expire(NowNs(), recycler.max_age_ns, kAtOnce, expired);
        Release(device_, expired, Counter::kMemoryExpired);
        return recycler.AnyIdle();
    }

  private:
    Device& device_;
};

}  // namespace

bool StartRecycling(Device& device, const VkDeviceCreateInfo& create_info,
                    const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    const auto* group = vku::FindStructInPNextChain<VkDeviceGroupDeviceCreateInfo>(create_info.pNext);
    if (group && group->physicalDeviceCount > 1) {
        device.log->Info("recycle_memory: off, the device is a group of {}", group->physicalDeviceCount);
        return false;
    }
    MemoryFacts facts;
    device.instance->down.GetPhysicalDeviceMemoryProperties(device.physical, &facts.properties);
    facts.max_allocation_bytes = MaxAllocationBytes(device, properties);
    facts.idle_budgets = IdleBudgets(facts.properties, static_cast<uint64_t>(settings.recycle_limit) << 20);
    const auto* placed = vku::FindStructInPNextChain<VkPhysicalDeviceMapMemoryPlacedFeaturesEXT>(create_info.pNext);
    facts.placed_map = placed && placed->memoryMapPlaced;
    facts.priority_changes = Enables(create_info, VK_EXT_PAGEABLE_DEVICE_LOCAL_MEMORY_EXTENSION_NAME);
    const auto* binding =
        vku::FindStructInPNextChain<VkPhysicalDeviceAddressBindingReportFeaturesEXT>(create_info.pNext);
    facts.memory_report = vku::FindStructInPNextChain<VkDeviceDeviceMemoryReportCreateInfoEXT>(create_info.pNext) ||
                          (binding && binding->reportAddressBinding);
    if (facts.memory_report || facts.priority_changes) {
        device.log->Info("recycle_memory: off, {}", facts.memory_report
                                                        ? "the program gets reports of what the driver allocates"
                                                        : "VK_EXT_pageable_device_local_memory lets priorities change");
        return false;
    }
    device.recycler =
        std::make_unique<MemoryRecycler>(facts, properties.limits.maxMemoryAllocationCount, settings.zero_memory,
                                         static_cast<uint64_t>(settings.recycle_seconds) * 1'000'000'000u);
    if (settings.recycle_memory == RecycleMemory::kOn)
        device.recycler->probe.Decide(CostProbe::Verdict::kDear);
    else
        RecallVerdict(*device.log, device.driver_key, kMemoryCost, device.recycler->probe);
    device.idle_owner = std::make_unique<DeviceIdle>(device);
    {
        std::lock_guard lock(device.instance->devices_mutex);
        device.instance->devices.push_back(&device);
    }
    AddToJanitor(device.idle_owner.get());
    return true;
}

void StopRecycling(Device& device) {
    if (device.recycler) {
        if (device.idle_owner) RemoveFromJanitor(device.idle_owner.get());
        {
            std::lock_guard lock(device.instance->devices_mutex);
            std::erase(device.instance->devices, &device);
        }
        IdleChain all = device.recycler->cache.TakeAll();
        Release(device, all, std::nullopt);
    }
    // What the program did not free.
    device.memories.ForEach([](VkDeviceMemory, MemoryState* state) { delete state; });
}

}  // namespace kronos
