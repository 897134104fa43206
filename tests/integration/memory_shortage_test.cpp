// SPDX-License-Identifier: Apache-2.0
// Memory that runs short: what fits without the layer fits with it.
#include <atomic>
#include <thread>

#include "layered.h"

namespace {

using layered::Device;
using layered::Did;
using layered::Instance;

constexpr VkDeviceSize kMiB = VkDeviceSize{1} << 20;
const layered::SettingMap kRecycle = {
    {"recycle_memory", "on"}, {"waits", "off"}, {"recycle_fences", "off"}, {"slabs", "off"}};

class ShortageTest : public layered::LayerTest {
  protected:
    ShortageTest() {
        mock.Use(R"({"devices": [{"limits": {"maxMemoryAllocationCount": 4096},
            "memoryHeaps": [{"size": 1073741824, "deviceLocal": true}],
            "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]}]})");
    }
    // VK_NULL_HANDLE: there is no more.
    static VkDeviceMemory Allocate(const Device& device, VkDeviceSize bytes) {
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, bytes, 0};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        return vkAllocateMemory(device.handle, &info, nullptr, &memory) == VK_SUCCESS ? memory : VK_NULL_HANDLE;
    }
    static void Free(const Device& device, const std::vector<VkDeviceMemory>& all) {
        for (const VkDeviceMemory memory : all) vkFreeMemory(device.handle, memory, nullptr);
    }
    static std::vector<VkDeviceMemory> AsManyAsFit(const Device& device, VkDeviceSize bytes) {
        std::vector<VkDeviceMemory> all;
        while (const VkDeviceMemory memory = Allocate(device, bytes)) all.push_back(memory);
        return all;
    }
};

TEST_F(ShortageTest, AHeapIsFilledAsFarWithRoundedSizesAsWithout) {
    for (const VkDeviceSize bytes : {41 * kMiB, 33 * kMiB, 5 * kMiB + 1}) {
        size_t fit[2] = {};
        for (const bool layer : {false, true}) {
            const Instance instance(layer, layer ? ToFile(kRecycle) : layered::SettingMap{});
            const Device device(instance);
            const std::vector<VkDeviceMemory> all = AsManyAsFit(device, bytes);
            fit[layer] = all.size();
            Free(device, all);
        }
        // Rounding may be lost up to a 64th of the heap.
        EXPECT_GE(fit[1] + 16 * kMiB / bytes + 1, fit[0]) << bytes;
    }
}

TEST_F(ShortageTest, WhatIsIdleInOneDeviceServesAnother) {
    const Instance instance(true, ToFile(kRecycle));
    const Device one(instance);
    const Device other(instance);
    Free(one, {Allocate(one, 48 * kMiB)});
    const VkDeviceMemory all = Allocate(other, 1024 * kMiB);
    EXPECT_NE(all, VK_NULL_HANDLE);
    Free(other, {all});
}

TEST_F(ShortageTest, TwoThreadsThatRunShortAtOnceAreBothServed) {
    const Instance instance(true, ToFile(kRecycle));
    const Device device(instance);
    const VkDeviceMemory most = Allocate(device, (1024 - 48) * kMiB);
    for (int round = 0; round < 100; ++round) {
        std::vector<VkDeviceMemory> small;
        for (int i = 0; i < 48; ++i) small.push_back(Allocate(device, kMiB));
        Free(device, small);
        std::atomic<int> ready{0};
        std::vector<VkDeviceMemory> got(2);
        const auto allocate = [&](size_t i) {
            for (++ready; ready < 2;) std::this_thread::yield();
            got[i] = Allocate(device, 20 * kMiB);
            EXPECT_NE(got[i], VK_NULL_HANDLE) << round;
        };
        std::thread thread(allocate, 0);
        allocate(1);
        thread.join();
        Free(device, got);
    }
    Free(device, {most});
}

TEST_F(ShortageTest, WhatIsIdleDoesNotCountAgainstTheLimit) {
    mock.Use(R"({"devices": [{"limits": {"maxMemoryAllocationCount": 64}}]})");
    const Instance instance(true, ToFile(kRecycle));
    const Device device(instance);
    Free(device, {Allocate(device, 4096), Allocate(device, 8192)});
    std::vector<VkDeviceMemory> live;
    for (int i = 0; i < 64; ++i) {
        live.push_back(Allocate(device, 65536));
        EXPECT_NE(live.back(), VK_NULL_HANDLE);
    }
    // The driver was never asked for one too many.
    EXPECT_EQ(mock.Calls("vkAllocateMemory"), 66u);
    Free(device, live);
}

}  // namespace
