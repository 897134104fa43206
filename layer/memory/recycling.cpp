// SPDX-License-Identifier: Apache-2.0
#include "memory/recycling.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <array>

#include "devices/judgement.h"
#include "entry/state.h"
#include "memory/limits.h"
#include "memory/release.h"
#include "memory/slab_start.h"
#include "support/clock.h"
#include "support/extensions.h"

namespace kronos {
namespace {

// What the statistics ask.
class DeviceLevels : public LevelSource {
  public:
    explicit DeviceLevels(const Device& device) : device_(device) {}
    MemoryLevels Levels() const override {
        std::array<HeapLevels, VK_MAX_MEMORY_HEAPS> heaps;
        for (uint32_t heap = 0; heap < VK_MAX_MEMORY_HEAPS; ++heap) {
            heaps[heap].heap = heap;
            if (!device_.recycler) continue;
            heaps[heap].idle = device_.recycler->cache.IdleBlocks(heap);
            heaps[heap].idle_bytes = device_.recycler->cache.IdleBytes(heap);
        }
        if (device_.slabs) {
            for (const SlabReport& pool : device_.slabs->Report()) {
                HeapLevels& heap = heaps[device_.slab_facts->options.types[pool.key.type].heap];
                heap.slabs += pool.use.slabs;
                heap.slab_bytes += pool.use.bytes;
                heap.slab_live_bytes += pool.live_bytes;
                heap.slab_idle_bytes += pool.use.idle_bytes;
            }
        }
        MemoryLevels levels;
        for (const HeapLevels& heap : heaps)
            if (heap.Any()) levels.push_back(heap);
        return levels;
    }

  private:
    const Device& device_;
};

// What the janitor calls.
class DeviceIdle : public IdleOwner {
  public:
    explicit DeviceIdle(Device& device) : device_(device) {}
    bool GiveBack() noexcept override {
        constexpr uint32_t kAtOnce = 256;
        bool idle = false;
        if (device_.recycler) {
            MemoryRecycler& recycler = *device_.recycler;
            IdleChain expired;
            recycler.cache.Expire(NowNs(), recycler.max_age_ns, kAtOnce, expired);
            Release(device_, expired, Counter::kMemoryExpired);
            idle = recycler.AnyIdle();
        }
        if (device_.slabs) {
            device_.slabs->GiveBack(NowNs(), device_.slab_facts->age_ns);
            idle = device_.slabs->AnyIdle() || idle;
        }
        return idle;
    }

  private:
    Device& device_;
};

}  // namespace

bool StartRecycling(Device& device, const VkDeviceCreateInfo& create_info,
                    const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    if (settings.recycle_memory == RecycleMemory::kOff) {
        if (device.foresight) device.foresight->memory = std::make_unique<RecycleForecast>();
        return false;
    }
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
    return true;
}

void LookAfterIdle(Device& device) {
    device.idle_owner = std::make_unique<DeviceIdle>(device);
    {
        std::lock_guard lock(device.instance->devices_mutex);
        device.instance->devices.push_back(&device);
    }
    AddToJanitor(device.idle_owner.get());
    if (!device.stats) return;
    device.levels = std::make_unique<DeviceLevels>(device);
    device.stats->SetLevels(device.levels.get());
}

void StopRecycling(Device& device) {
    if (device.stats) device.stats->SetLevels(nullptr);
    if (device.idle_owner) {
        RemoveFromJanitor(device.idle_owner.get());
        std::lock_guard lock(device.instance->devices_mutex);
        std::erase(device.instance->devices, &device);
    }
    StopSlabs(device);
    if (device.recycler) {
        IdleChain all = device.recycler->cache.TakeAll();
        Release(device, all, std::nullopt);
    }
    // What the program did not free.
    device.memories.ForEach([](VkDeviceMemory, MemoryState* state) { delete state; });
}

}  // namespace kronos
