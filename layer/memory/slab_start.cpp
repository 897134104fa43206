// SPDX-License-Identifier: Apache-2.0
#include "memory/slab_start.h"

#include <vulkan/utility/vk_struct_helper.hpp>

#include <algorithm>
#include <bit>

#include "entry/state.h"
#include "memory/limits.h"
#include "support/extensions.h"
#include "support/formatted.h"
#include "support/handle_bits.h"

namespace kronos {
namespace {

// A driver that allows so many allocations or fewer wants them to be slabs, however fast it makes them.
constexpr uint64_t kFewAllocations = 65536;

// The driver's calls, counted as such.
class DriverSlabs : public SlabDriver {
  public:
    explicit DriverSlabs(Device& device) : device_(device) {}

    bool Make(const MemoryKey& key, Slab& slab) noexcept override {
        VkMemoryAllocateFlagsInfo flags = {};
        flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
        flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
        VkMemoryPriorityAllocateInfoEXT priority = {};
        priority.sType = VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT;
        priority.priority = std::bit_cast<float>(key.priority);
        VkMemoryAllocateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        info.allocationSize = slab.bytes;
        info.memoryTypeIndex = key.type;
        if (key.device_address) info.pNext = &flags;
        if (key.has_priority) {
            priority.pNext = info.pNext;
            info.pNext = &priority;
        }
        VkDeviceMemory memory = VK_NULL_HANDLE;
        if (device_.slabs->allocations.load(std::memory_order_relaxed) >= device_.slab_facts->max_allocations)
            return false;
        if (device_.down.AllocateMemory(device_.handle, &info, nullptr, &memory) != VK_SUCCESS) return false;
        device_.slabs->allocations.fetch_add(1, std::memory_order_relaxed);
        if (device_.recycler) device_.recycler->allocations.fetch_add(1, std::memory_order_relaxed);
        device_.Count(Side::kDriver, Counter::kAllocations);
        device_.Count(Side::kDriver, Counter::kAllocatedBytes, slab.bytes);
        device_.Decided(Counter::kSlabsMade);
        slab.handle = HandleBits(memory);
        if (Map(key, slab)) return true;
        Drop(key, slab);
        return false;
    }
    void Drop(const MemoryKey&, Slab& slab) noexcept override {
        device_.slabs->allocations.fetch_sub(1, std::memory_order_relaxed);
        if (device_.recycler) device_.recycler->allocations.fetch_sub(1, std::memory_order_relaxed);
        device_.Count(Side::kDriver, Counter::kFrees);
        device_.Count(Side::kDriver, Counter::kFreedBytes, slab.bytes);
        device_.Decided(Counter::kSlabsDropped);
        // Which ends its mapping, too.
        device_.down.FreeMemory(device_.handle, HandleFromBits<VkDeviceMemory>(slab.handle), nullptr);
    }
    bool Flush(const Slab& slab, uint64_t offset, uint64_t bytes) noexcept override {
        const VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr,
                                           HandleFromBits<VkDeviceMemory>(slab.handle), offset, bytes};
        device_.Count(Side::kDriver, Counter::kFlushes);
        return device_.down.FlushMappedMemoryRanges(device_.handle, 1, &range) == VK_SUCCESS;
    }
    void Idle() noexcept override {
        // Without a janitor what is empty ages only when something is freed.
        if (!TellJanitor()) device_.idle_owner->GiveBack();
    }
    void Gone(const VirtualMemory& memory) noexcept override {
        if (device_.resources) device_.resources->EndMemory(memory.life);
    }

  private:
    bool Map(const MemoryKey& key, Slab& slab) const {
        slab.data = nullptr;
        if (!device_.slab_facts->options.types[key.type].visible) return true;
        void* data = nullptr;
        device_.Count(Side::kDriver, Counter::kMaps);
        if (device_.down.MapMemory(device_.handle, HandleFromBits<VkDeviceMemory>(slab.handle), 0, VK_WHOLE_SIZE, 0,
                                   &data) != VK_SUCCESS)
            return false;
        slab.data = static_cast<uint8_t*>(data);
        return true;
    }

    Device& device_;
};

// What images need at most, as far as a few large ones of formats and uses that every device has can tell. What is
// bound later may need more: then what is allocated afterwards suffices for that, and what has been bound before does
// not.
void ExpectImages(const Device& device, const VkPhysicalDeviceLimits& limits) {
    struct Kind {
        VkFormat format;
        VkImageUsageFlags usage;
        VkSampleCountFlagBits samples;
    };
    constexpr VkImageUsageFlags kCopied = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    constexpr Kind kKinds[] = {
        {VK_FORMAT_R8G8B8A8_UNORM, kCopied | VK_IMAGE_USAGE_SAMPLED_BIT, VK_SAMPLE_COUNT_1_BIT},
        {VK_FORMAT_R32_UINT, kCopied | VK_IMAGE_USAGE_STORAGE_BIT, VK_SAMPLE_COUNT_1_BIT},
        {VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, VK_SAMPLE_COUNT_4_BIT},
        {VK_FORMAT_D16_UNORM, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT, VK_SAMPLE_COUNT_4_BIT},
    };
    for (const Kind& kind : kKinds) {
        VkImageCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = kind.format;
        info.extent = {std::min(limits.maxImageDimension2D, 4096u), std::min(limits.maxImageDimension2D, 4096u), 1};
        info.mipLevels = info.arrayLayers = 1;
        info.samples = kind.samples;
        info.usage = kind.usage;
        VkImage image = VK_NULL_HANDLE;
        if (device.down.CreateImage(device.handle, &info, nullptr, &image) != VK_SUCCESS) continue;
        VkMemoryRequirements requirements = {};
        device.down.GetImageMemoryRequirements(device.handle, image, &requirements);
        device.down.DestroyImage(device.handle, image, nullptr);
        device.slabs->Expect(requirements.alignment, requirements.size);
    }
}

// Why the device can have none; empty: it can.
std::string WhyNone(const Device& device, const VkDeviceCreateInfo& create_info,
                    const VkPhysicalDeviceProperties& properties) {
    if (std::string why = WhyNoSlabs(create_info, device.instance->api_version, properties); !why.empty()) return why;
    if (!SlabGranule(properties.limits))
        return "what neighbours in one memory must keep away from each other is too much";
    return {};
}

SlabFacts FactsOf(const Device& device, const VkDeviceCreateInfo& create_info,
                  const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    SlabFacts facts;
    device.instance->down.GetPhysicalDeviceMemoryProperties(device.physical, &facts.properties);
    facts.options.granule = SlabGranule(properties.limits);
    facts.options.idle_budgets = IdleBudgets(facts.properties, static_cast<uint64_t>(settings.recycle_limit) << 20);
    facts.options.guard = settings.slab_guard;
    facts.options.zero = settings.zero_memory;
    facts.options.types = SlabTypes(facts.properties, static_cast<uint64_t>(settings.slab_limit) << 20,
                                    MaxAllocationBytes(device, properties), facts.options.granule);
    const auto* placed = vku::FindStructInPNextChain<VkPhysicalDeviceMapMemoryPlacedFeaturesEXT>(create_info.pNext);
    facts.placed_map = placed && placed->memoryMapPlaced;
    facts.capture_replay = CapturesAddresses(create_info);
    facts.max_allocations = properties.limits.maxMemoryAllocationCount;
    facts.when_dear = settings.slabs == Slabs::kAuto && facts.max_allocations > kFewAllocations;
    facts.age_ns = static_cast<uint64_t>(settings.recycle_seconds) * 1'000'000'000u;
    return facts;
}

}  // namespace

bool StartSlabs(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    const Settings& settings = device.instance->settings;
    std::string why = WhyNone(device, create_info, properties);
    auto facts = std::make_unique<SlabFacts>(FactsOf(device, create_info, properties));
    if (why.empty() && facts->when_dear && settings.recycle_memory == RecycleMemory::kOff)
        why = "with slabs = auto, recycle_memory measures the driver, and is off";
    if (!why.empty()) {
        // Who asked for it is told.
        if (settings.slabs == Slabs::kOn)
            device.log->Warn("slabs: off: {}", why);
        else
            device.log->Info("slabs: off: {}", why);
        return false;
    }
    device.slab_driver = std::make_unique<DriverSlabs>(device);
    device.slabs = std::make_unique<SlabMemory>(facts->options, *device.slab_driver);
    device.slab_facts = std::move(facts);
    ExpectImages(device, properties.limits);
    device.log->Info("slabs: on{}; at most {} MiB each, blocks of {} bytes{}",
                     device.slab_facts->when_dear ? " where the driver is dear"
                     : settings.slabs == Slabs::kAuto
                         ? Format(" as the driver allows {} allocations", device.slab_facts->max_allocations)
                         : "",
                     settings.slab_limit, device.slab_facts->options.granule, settings.slab_guard ? ", guarded" : "");
    return true;
}

void ForeseeSlabs(Device& device, const VkDeviceCreateInfo& create_info, const VkPhysicalDeviceProperties& properties) {
    if (!WhyNone(device, create_info, properties).empty()) return;
    device.foresight->slabs = std::make_unique<SlabForecast>(FactsOf(device, create_info, properties));
}

void StopSlabs(Device& device) {
    if (!device.slabs) return;
    Guarded(device.log.get(), "slabs", false, [&] {
        for (const SlabReport& pool : device.slabs->Report())
            device.log->Info(
                "slabs: type {}{}{}: {} of {} bytes were made; at the end {} of {} bytes, {} of the program's with {} "
                "bytes, {} bytes with their rounding, {} in empty ones, {} free at the most in one piece",
                pool.key.type, pool.key.device_address ? ", with addresses" : "",
                pool.key.has_priority ? Format(", priority {}", std::bit_cast<float>(pool.key.priority)) : "",
                pool.made, pool.made_bytes, pool.use.slabs, pool.use.bytes, pool.use.blocks, pool.live_bytes,
                pool.use.taken_bytes, pool.use.idle_bytes, pool.use.largest_free);
        return true;
    });
    const uint64_t leaked = device.slabs->DropAll();
    if (!leaked) return;
    Guarded(device.log.get(), "slabs", false, [&] {
        device.log->Info("slabs: the program destroyed its device with {} memories that it had not freed", leaked);
        return true;
    });
}

}  // namespace kronos
