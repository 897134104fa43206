// SPDX-License-Identifier: Apache-2.0
// Host-visible memory, type by type: flush and invalidate, map, bandwidth from the CPU's side, allocation.
#include <vulkan/vk_enum_string_helper.h>
#include <vulkan/utility/vk_struct_helper.hpp>

#include <cstring>
#include <memory>

#include "costs_groups.h"

namespace kronos::bench {
namespace {

constexpr VkDeviceSize kMiB = VkDeviceSize{1} << 20;
constexpr uint32_t kRanges = 16;
// Types with these flags need a feature that is not enabled here.
constexpr VkMemoryPropertyFlags kNotOurs = VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                           VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
                                           VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;

struct HostType {
    uint32_t index;
    std::string text;
};

std::vector<HostType> HostTypes(const Device& device) {
    std::vector<HostType> types;
    for (uint32_t i = 0; i < device.memory().memoryTypeCount; ++i) {
        const VkMemoryType& type = device.memory().memoryTypes[i];
        if (!(type.propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) || (type.propertyFlags & kNotOurs)) continue;
        std::string text = "type " + std::to_string(i);
        if (type.propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) text += " local";
        if (type.propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) text += " coherent";
        if (type.propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) text += " cached";
        text += " heap " + std::to_string(type.heapIndex);
        types.push_back({i, text});
    }
    return types;
}

// An allocation that is mapped, for as long as this lives.
struct Mapped {
    Mapped(const Device& device, uint32_t type, VkDeviceSize bytes)
        : d(device.get()), memory(device.Allocate(type, bytes)) {
        const VkResult result = vkMapMemory(d, memory, 0, VK_WHOLE_SIZE, 0, &at);
        if (result != VK_SUCCESS) vkFreeMemory(d, memory, nullptr);
        Must(result, "vkMapMemory");
    }
    ~Mapped() { vkFreeMemory(d, memory, nullptr); }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    VkDevice d;
    VkDeviceMemory memory;
    void* at = nullptr;
};

using RangesCall = VkResult (*)(VkDevice, uint32_t, const VkMappedMemoryRange*);

Case Ranges(const std::shared_ptr<Mapped>& mapped, RangesCall call, VkDeviceSize bytes, uint32_t count,
            const std::string& name) {
    return {name, [mapped, call, bytes, count] {
                std::vector<VkMappedMemoryRange> ranges(count, vku::InitStruct<VkMappedMemoryRange>());
                for (uint32_t i = 0; i < count; ++i) {
                    ranges[i].memory = mapped->memory;
                    ranges[i].offset = i * bytes;
                    ranges[i].size = bytes;
                }
                // What is flushed has been written, so that there is something to do.
                std::memset(mapped->at, 1, count * bytes);
                const double start = Now();
                Must(call(mapped->d, count, ranges.data()), "vkFlush or vkInvalidateMappedMemoryRanges");
                return (Now() - start) / count;
            }};
}

}  // namespace

void MeasureRanges(Device& device, Report& report) {
    report.Group("flush and invalidate", "host-visible memory just written by the CPU, ns a range");
    for (const HostType& type : HostTypes(device)) {
        const auto mapped = std::make_shared<Mapped>(device, type.index, 16 * kMiB);
        std::vector<Case> cases;
        for (bool flush : {true, false}) {
            const RangesCall call = flush ? vkFlushMappedMemoryRanges : vkInvalidateMappedMemoryRanges;
            const std::string name = flush ? "flush " : "invalidate ";
            cases.push_back(Ranges(mapped, call, 4096, 1, name + "4 KiB, " + type.text));
            cases.push_back(Ranges(mapped, call, 4096, kRanges, name + "4 KiB, 16 in one call, " + type.text));
            cases.push_back(Ranges(mapped, call, 16 * kMiB, 1, name + "16 MiB, " + type.text));
        }
        report.Measure(cases);
    }
}

void MeasureMemoryTypes(Device& device, Report& report) {
    report.Group("host-visible memory", "each type: allocation and free, map and unmap, memcpy by one CPU thread");
    const auto ordinary = std::make_shared<std::vector<char>>(16 * kMiB, 1);
    for (const HostType& type : HostTypes(device)) {
        std::vector<Case> cases;
        for (const auto& [what, bytes] :
             {std::pair{"4 KiB", VkDeviceSize{4096}}, std::pair{"1 MiB", kMiB}, std::pair{"16 MiB", 16 * kMiB}}) {
            auto freed = std::make_shared<double>(0);
            cases.push_back({std::string("vkAllocateMemory, ") + what + ", " + type.text,
                             [&device, index = type.index, bytes = bytes, freed] {
                                 const double start = Now();
                                 VkDeviceMemory memory = device.Allocate(index, bytes);
                                 const double allocated = Now();
                                 vkFreeMemory(device.get(), memory, nullptr);
                                 *freed = Now() - allocated;
                                 return allocated - start;
                             }});
            cases.push_back({std::string("vkFreeMemory, ") + what + ", " + type.text, [freed] { return *freed; }});
        }
        cases.push_back({"vkMapMemory + vkUnmapMemory, " + type.text,
                         [&device, block = std::make_shared<Mapped>(device, type.index, kMiB)] {
                             vkUnmapMemory(block->d, block->memory);
                             const double start = Now();
                             for (int i = 0; i < 64; ++i) {
                                 Must(vkMapMemory(block->d, block->memory, 0, VK_WHOLE_SIZE, 0, &block->at),
                                      "vkMapMemory");
                                 if (i < 63) vkUnmapMemory(block->d, block->memory);
                             }
                             return (Now() - start) / 64;
                         }});
        const auto mapped = std::make_shared<Mapped>(device, type.index, 16 * kMiB);
        // Uncached memory reads at some 10 MB/s over a bus: read less of it.
        const bool cached = device.memory().memoryTypes[type.index].propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
        const size_t read_bytes = cached ? 16 * kMiB : kMiB / 4;
        cases.push_back({"write 16 MiB, " + type.text,
                         [mapped, ordinary] {
                             const double start = Now();
                             std::memcpy(mapped->at, ordinary->data(), 16 * kMiB);
                             return static_cast<double>(16 * kMiB) / (Now() - start);
                         },
                         "GB/s"});
        cases.push_back({std::string(cached ? "read 16 MiB, " : "read 256 KiB, ") + type.text,
                         [mapped, ordinary, read_bytes] {
                             const double start = Now();
                             std::memcpy(ordinary->data(), mapped->at, read_bytes);
                             return static_cast<double>(read_bytes) / (Now() - start);
                         },
                         "GB/s"});
        report.Measure(cases);
    }
}

}  // namespace kronos::bench
