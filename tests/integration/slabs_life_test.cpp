// SPDX-License-Identifier: Apache-2.0
// Slabs when something goes wrong or ends: names and data of memory, sparse binds, failing drivers, little memory,
// leaks.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>

#include "../sanitizers/which.h"
#include "slabs_fixture.h"

namespace {

using layered::Did;
using layered::Driver;
using layered::kCoherentType;
using layered::kLocalType;
using layered::kLocalVisibleType;
using layered::kSlabs;
using layered::SlabsTest;
using layered::SlabsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

uint64_t Bits(VkDeviceMemory memory) { return reinterpret_cast<uintptr_t>(memory); }

TEST_F(SlabsTest, NamesTagsAndDataStayInTheLayer) {
    const VkPhysicalDevicePrivateDataFeatures feature = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRIVATE_DATA_FEATURES,
                                                         nullptr, VK_TRUE};
    Start(kSlabs, "{}", {}, &feature);
    const VkDeviceMemory first = Allocate(4096);
    const VkDeviceMemory second = Allocate(4096);
    const VkDeviceMemory real = Allocate(64 << 20);
    const auto set_name = device->Get<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT");
    const auto set_tag = device->Get<PFN_vkSetDebugUtilsObjectTagEXT>("vkSetDebugUtilsObjectTagEXT");
    VkPrivateDataSlotCreateInfo slot_info = {};
    slot_info.sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO;
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreatePrivateDataSlot(device->handle, &slot_info, nullptr, &slot), VK_SUCCESS);
    const auto data = [&](VkDeviceMemory memory) {
        uint64_t value = 99;
        vkGetPrivateData(device->handle, VK_OBJECT_TYPE_DEVICE_MEMORY, Bits(memory), slot, &value);
        return value;
    };
    for (const VkDeviceMemory memory : {first, second, real}) {
        const VkDebugUtilsObjectNameInfoEXT name = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, nullptr,
                                                    VK_OBJECT_TYPE_DEVICE_MEMORY, Bits(memory), "weights"};
        EXPECT_EQ(set_name(device->handle, &name), VK_SUCCESS);
        const VkDebugUtilsObjectTagInfoEXT tag = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT,
                                                  nullptr,
                                                  VK_OBJECT_TYPE_DEVICE_MEMORY,
                                                  Bits(memory),
                                                  1,
                                                  4,
                                                  "tag"};
        EXPECT_EQ(set_tag(device->handle, &tag), VK_SUCCESS);
        EXPECT_EQ(data(memory), 0u);
        EXPECT_EQ(vkSetPrivateData(device->handle, VK_OBJECT_TYPE_DEVICE_MEMORY, Bits(memory), slot, Bits(memory) + 1),
                  VK_SUCCESS);
    }
    for (const VkDeviceMemory memory : {first, second, real}) EXPECT_EQ(data(memory), Bits(memory) + 1);
    EXPECT_EQ(mock.Calls("vkSetDebugUtilsObjectNameEXT"), 1u);
    EXPECT_EQ(mock.Calls("vkSetDebugUtilsObjectTagEXT"), 1u);
    EXPECT_EQ(mock.Calls("vkSetPrivateData"), 1u);
    // A new slot knows nothing, should it have the handle of the old one.
    vkDestroyPrivateDataSlot(device->handle, slot, nullptr);
    EXPECT_EQ(vkCreatePrivateDataSlot(device->handle, &slot_info, nullptr, &slot), VK_SUCCESS);
    EXPECT_EQ(data(first), 0u);
    // Nor does a new memory.
    EXPECT_EQ(vkSetPrivateData(device->handle, VK_OBJECT_TYPE_DEVICE_MEMORY, Bits(first), slot, 5), VK_SUCCESS);
    Free(first);
    const VkDeviceMemory again = Allocate(4096);
    EXPECT_EQ(data(again), 0u);
    vkDestroyPrivateDataSlot(device->handle, slot, nullptr);
    for (const VkDeviceMemory memory : {again, second, real}) Free(memory);
    End();
}

TEST_F(SlabsTest, OpaqueAddresses) {
    Start();
    const VkDeviceMemory memory = Allocate(4096, kLocalVisibleType, &flags);
    const VkDeviceMemory other = Allocate(4096, kLocalVisibleType, &flags);
    const auto opaque = [&](VkDeviceMemory of) {
        const VkDeviceMemoryOpaqueCaptureAddressInfo info = {
            VK_STRUCTURE_TYPE_DEVICE_MEMORY_OPAQUE_CAPTURE_ADDRESS_INFO, nullptr, of};
        return vkGetDeviceMemoryOpaqueCaptureAddress(device->handle, &info);
    };
    EXPECT_NE(opaque(memory), 0u);
    EXPECT_NE(opaque(memory), opaque(other));
    Free(memory);
    Free(other);
    End();
}

// Sparse binding enabled changes nothing; a sparse bind ends slabs, and what there is is translated.
TEST_F(SlabsTest, SparseBinds) {
    VkPhysicalDeviceFeatures2 features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.features.sparseBinding = VK_TRUE;
    features.features.sparseResidencyBuffer = VK_TRUE;
    Start(kSlabs, "{}", {}, &features);
    const VkDeviceMemory first = Allocate(65536);
    const VkDeviceMemory memory = Allocate(65536);
    EXPECT_TRUE(IsTagged(memory));
    const VkBuffer buffer = MakeBuffer(131072, VK_BUFFER_CREATE_SPARSE_BINDING_BIT);
    VkSparseMemoryBind bind = {0, 65536, memory, 0, 0};
    const VkSparseBufferMemoryBindInfo buffer_bind = {buffer, 1, &bind};
    VkBindSparseInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO;
    info.bufferBindCount = 1;
    info.pBufferBinds = &buffer_bind;
    EXPECT_EQ(vkQueueBindSparse(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_THAT(Texts("vkQueueBindSparse").back(), HasSubstr("memory=mem#1"));
    EXPECT_THAT(Texts("vkQueueBindSparse").back(), HasSubstr("memoryOffset=65536"));
    EXPECT_EQ(bind.memory, memory);  // the program's structures are its own
    EXPECT_THAT(LogLines("bound sparsely"), SizeIs(1));
    const VkDeviceMemory later = Allocate(65536);
    EXPECT_FALSE(IsTagged(later));
    // Unbinding names no memory.
    bind.memory = VK_NULL_HANDLE;
    EXPECT_EQ(vkQueueBindSparse(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    Destroy(buffer);
    for (const VkDeviceMemory one : {first, memory, later}) Free(one);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_kept"), 1u);
    EXPECT_EQ(Did(summary, "slabs_refused_ended"), 1u);
}

// A program of all that touches memory. Whatever the driver refuses once, nothing may fail but what failed there.
class FailingTest : public SlabsTest {
  protected:
    struct Outcome {
        int failures = 0;
        int rounds = 0;
    };
    Outcome Run() {
        Outcome outcome;
        std::vector<VkDeviceMemory> memories;
        std::vector<VkBuffer> buffers;
        const auto must = [&](VkResult result) {
            outcome.failures += result != VK_SUCCESS;
            return result == VK_SUCCESS;
        };
        for (uint32_t i = 0; i < 24; ++i, ++outcome.rounds) {
            VkDeviceMemory memory = VK_NULL_HANDLE;
            if (!must(TryAllocate(memory, 1'000'000 + i, i % 2 ? kLocalVisibleType : kCoherentType, &flags))) continue;
            memories.push_back(memory);
            buffers.push_back(MakeAddressed(5000));
            if (!must(vkBindBufferMemory(device->handle, buffers.back(), memory, 65536))) continue;
            void* data = nullptr;
            if (!must(vkMapMemory(device->handle, memory, 0, VK_WHOLE_SIZE, 0, &data))) continue;
            EXPECT_EQ(AddressOf(buffers.back()), static_cast<uint8_t*>(data) + 65536);
            std::memset(data, static_cast<int>(i), 1'000'000);
            const VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory, 0,
                                               VK_WHOLE_SIZE};
            must(vkFlushMappedMemoryRanges(device->handle, 1, &range));
        }
        for (const VkDeviceMemory memory : memories) Free(memory);
        for (const VkBuffer buffer : buffers) Destroy(buffer);
        return outcome;
    }
};

TEST_F(FailingTest, EachAllocationOnce) {
    for (const char* command : {"vkAllocateMemory", "vkMapMemory"}) {
        for (const VkResult error : {VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY}) {
            const VkResult told = std::string(command) == "vkMapMemory" ? VK_ERROR_MEMORY_MAP_FAILED : error;
            for (uint64_t call = 1; call <= 8; ++call) {
                Start();
                EXPECT_TRUE(mock.Fail(command, call, told));
                const Outcome outcome = Run();
                EXPECT_EQ(outcome.failures, 0) << command << " " << call;
                device.reset();
                instance.reset();
                mock.Reset();
            }
        }
    }
}

TEST_F(FailingTest, WhatTheProgramAsksForFailsForTheProgram) {
    for (const char* command : {"vkBindBufferMemory", "vkFlushMappedMemoryRanges"}) {
        Start();
        EXPECT_TRUE(mock.Fail(command, 3, VK_ERROR_OUT_OF_DEVICE_MEMORY));
        EXPECT_EQ(Run().failures, 1) << command;
        device.reset();
        instance.reset();
        mock.Reset();
    }
}

// All of a heap: empty slabs go back before the program hears of it, and slabs get smaller where there is little.
TEST_F(SlabsTest, NothingFailsThatWouldNotFailWithoutTheLayer) {
    Start(kSlabs, R"({"memoryHeaps": [{"size": 134217728, "deviceLocal": true}],
        "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]})");
    std::vector<VkDeviceMemory> small;
    for (int i = 0; i < 12; ++i) small.push_back(Allocate(1 << 20));
    EXPECT_LT(Made(), 12u);
    for (const VkDeviceMemory memory : small) Free(memory);
    const VkDeviceMemory large = Allocate(126 << 20);
    EXPECT_FALSE(IsTagged(large));
    // Now there are 2 MiB: no whole slab, and no more than that.
    const VkDeviceMemory last = Allocate(1 << 20);
    const VkDeviceMemory very_last = Allocate(1 << 20);
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(none, 1 << 20), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    for (const VkDeviceMemory memory : {large, last, very_last}) Free(memory);
    const nlohmann::json summary = End();
    EXPECT_GE(Did(summary, "slabs_trims"), 1u);
    // Each of the 16 counts once, also where slabs were looked at a second time.
    uint64_t counted = Did(summary, "slabs_served");
    for (const auto& [name, count] : summary["did"].items())
        if (name.starts_with("slabs_refused_")) counted += count.get<uint64_t>();
    EXPECT_EQ(counted, 16u);
}

// Handles of the driver's that look like ours: it is asked for others, but not without end, and not for what can be had
// only once.
TEST_F(SlabsTest, HandlesThatLookLikeOurs) {
    Start();
    constexpr VkDeviceSize kTooLarge = VkDeviceSize{200} << 20;  // for slabs
    const VkDeviceMemory first = Allocate(kTooLarge);
    uint64_t made = Made();
    mock.TagMemories(0x4b52, 3);
    const VkDeviceMemory second = Allocate(kTooLarge);
    EXPECT_FALSE(IsTagged(second));
    EXPECT_EQ(Made(), made + 4);
    EXPECT_EQ(Freed(), 3u);

    made = Made();
    mock.TagMemories(0x4b52, 1000);
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(TryAllocate(none, kTooLarge), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(Made(), made + 8);
    EXPECT_EQ(Freed(), 11u);

    made = Made();
    std::vector<uint8_t> bytes(4096);
    const VkImportMemoryHostPointerInfoEXT imported = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT, nullptr,
                                                       VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
                                                       bytes.data()};
    EXPECT_EQ(TryAllocate(none, bytes.size(), kCoherentType, &imported), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(Made(), made + 1);

    mock.TagMemories(0, 0);
    Free(first);
    Free(second);
    const nlohmann::json summary = End();
    EXPECT_EQ(Driver(summary, "allocations"), Made());
    EXPECT_EQ(Driver(summary, "frees"), Freed());
}

// What is idle in one device serves another, whether either recycles or not, and whatever the other may have.
class OtherDeviceTest : public SlabsTest, public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(OtherDeviceTest, EmptySlabsOfOthersGoBackToo) {
    Start(SlabsWith(GetParam().first, GetParam().second), R"({"addExtensions": ["VK_FAKE_memory"],
        "memoryHeaps": [{"size": 134217728, "deviceLocal": true}],
        "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]})");
    for (const std::vector<const char*>& extensions : {std::vector<const char*>{}, {"VK_FAKE_memory"}}) {
        Free(Allocate(1 << 20));
        EXPECT_EQ(LiveMemories().size(), 1u);
        const layered::Device other(*instance, extensions);
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 128 << 20, 0};
        VkDeviceMemory all = VK_NULL_HANDLE;
        EXPECT_EQ(vkAllocateMemory(other.handle, &info, nullptr, &all), VK_SUCCESS);
        vkFreeMemory(other.handle, all, nullptr);
    }
    device->Destroy();
}

INSTANTIATE_TEST_SUITE_P(Slabs, OtherDeviceTest,
                         ::testing::Values(std::pair("recycle_memory", "off"), std::pair("recycle_memory", "on"),
                                           std::pair("stats", "off")));

// A heap of 128 MiB, all of it used but for an empty slab of 4 MiB, which another thread is just giving back.
class GivingBackTest : public SlabsTest {
  protected:
    void FillButForASlab() {
        Start(kSlabs, R"({"memoryHeaps": [{"size": 134217728, "deviceLocal": true}],
            "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]},
                            {"heap": 0, "flags": ["hostVisible", "hostCoherent"]}]})");
        Free(Allocate(1 << 20));
        filler = Allocate(124 << 20);
        EXPECT_EQ(LiveMemories().size(), 2u);
    }
    // More than half of the slab that would be made for this type: the driver is asked for it at once.
    void GiveBack() { other = Allocate(3 << 20, kCoherentType); }
    void End() {
        Free(filler);
        Free(other);
        SlabsTest::End();
    }
    VkDeviceMemory filler = VK_NULL_HANDLE;
    VkDeviceMemory other = VK_NULL_HANDLE;
};

TEST_F(GivingBackTest, WhatAnotherThreadGivesBackIsWaitedFor) {
    FillButForASlab();
    std::atomic<bool> inside{false};
    std::atomic<bool> returned{false};
    const uint64_t made = Made();
    mock.OnFree([&](VkDeviceMemory) {
        inside = true;
        // Behind the other's own are two slabs that are too large, and the memory itself.
        while (Made() < made + 4) std::this_thread::yield();
        // Time for a thread that does not wait.
        for (int i = 0; i < 10'000 && !returned; ++i) std::this_thread::yield();
    });
    std::thread giving([&] { GiveBack(); });
    while (!inside) std::this_thread::yield();
    const VkDeviceMemory memory = Allocate(1 << 20);
    returned = true;
    giving.join();
    mock.OnFree(nullptr);
    EXPECT_FALSE(IsTagged(memory));
    Free(memory);
    End();
}

// In a forked child nobody gives it back: nor is it waited for.
TEST_F(GivingBackTest, NotInAChildOfAFork) {
    FillButForASlab();
    std::atomic<bool> inside{false};
    std::atomic<bool> forked{false};
    mock.OnFree([&](VkDeviceMemory) {
        inside = true;
        while (!forked) std::this_thread::yield();
    });
    std::thread giving([&] { GiveBack(); });
    while (!inside) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);                // rather than wait for ever
#ifndef KRONOS_ADDRESS_SANITIZER  // its allocator, GCC 12's at least, does not bear a fork with threads
        VkDeviceMemory none = VK_NULL_HANDLE;
        EXPECT_EQ(TryAllocate(none, 1 << 20), VK_ERROR_OUT_OF_DEVICE_MEMORY);
#endif
        _exit(HasFailure() ? 1 : 7);
    }
    forked = true;
    giving.join();
    mock.OnFree(nullptr);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    End();
}

TEST_F(SlabsTest, BudgetTellsWhatTheProgramUses) {
    Start();
    const auto used = [&] {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {};
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
        VkPhysicalDeviceMemoryProperties2 properties = {};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
        properties.pNext = &budget;
        vkGetPhysicalDeviceMemoryProperties2(device->physical, &properties);
        return budget.heapUsage[0];
    };
    EXPECT_EQ(used(), 0u);
    const VkDeviceMemory memory = Allocate(10'000);
    const VkDeviceMemory real = Allocate(64 << 20);
    EXPECT_EQ(used(), 10'000u + (64u << 20));
    Free(memory);
    Free(real);
    EXPECT_EQ(used(), 0u);
    End();
}

TEST_F(SlabsTest, LeaksGoWithTheDevice) {
    Start();
    for (int i = 0; i < 3; ++i) Allocate(4096, i % 2 ? kCoherentType : kLocalType);
    End();
    EXPECT_EQ(Freed(), 2u);
    EXPECT_THAT(LogLines("3 memories that it had not freed"), SizeIs(1));
}

TEST_F(SlabsTest, EmptySlabsGoBackAfterAWhile) {
    Start(SlabsWith("recycle_seconds", "1"));
    Free(Allocate(4096));
    EXPECT_EQ(Made(), 1u);
    AwaitFreed(1);
    Free(Allocate(4096));
    EXPECT_EQ(Made(), 2u);
    End();
}

// As much as recycle_limit, or 5 % of the heap if that is less.
class IdleSlabsTest : public SlabsTest, public ::testing::WithParamInterface<std::tuple<const char*, uint64_t, int>> {};

TEST_P(IdleSlabsTest, KeepToTheSettingAndToTheirHeap) {
    const auto [limit, heap, idle] = GetParam();
    Start(SlabsWith("recycle_limit", limit), R"({"memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}],
        "memoryHeaps": [{"deviceLocal": true, "size": )" +
                                                 std::to_string(heap << 20) + "}]}");
    std::vector<VkDeviceMemory> memories;
    for (int i = 0; i < 6; ++i) memories.push_back(Allocate(2 << 20));
    EXPECT_EQ(Made(), 3u);
    for (const VkDeviceMemory memory : memories) Free(memory);
    EXPECT_EQ(static_cast<int>(LiveMemories().size()), idle);
    End();
}

INSTANTIATE_TEST_SUITE_P(Slabs, IdleSlabsTest,
                         ::testing::Values(std::tuple("0", 1024, 0), std::tuple("3", 1024, 0), std::tuple("4", 1024, 1),
                                           std::tuple("8", 1024, 2), std::tuple("256", 1024, 3),
                                           std::tuple("256", 160, 2)));

TEST_F(SlabsTest, GuardTellsWhoWroteBeyondTheEnd) {
    Start(SlabsWith("slab_guard", "true"));
    const VkDeviceMemory good = Allocate(5000, kCoherentType);
    const VkDeviceMemory bad = Allocate(5000, kCoherentType);
    std::memset(Map(good), 1, 5000);
    std::memset(Map(bad), 1, 5003);
    Free(good);
    EXPECT_THAT(LogLines("slab_guard"), Not(::testing::Contains(HasSubstr("written beyond"))));
    Free(bad);
    EXPECT_THAT(LogLines("memory of 5000 bytes was written beyond its end"), SizeIs(1));
    EXPECT_EQ(Did(End(), "slabs_overruns"), 1u);
}

TEST_F(SlabsTest, ASecondLifeIsZeroWhereThatIsAskedFor) {
    Start(SlabsWith("zero_memory", "host"));
    const VkDeviceMemory first = Allocate(9000, kCoherentType);
    std::memset(Map(first), 7, 9000);
    Free(first);
    const VkDeviceMemory second = Allocate(9000, kCoherentType);
    const auto* data = static_cast<const uint8_t*>(Map(second));
    EXPECT_TRUE(std::all_of(data, data + 9000, [](uint8_t byte) { return byte == 0; }));
    Free(second);
    EXPECT_EQ(Made(), 1u);
    End();
}

// Every feature beside slabs: the analysis of streams tells memories apart by the program's handles.
TEST_F(SlabsTest, WithAllOtherFeatures) {
    Start(layered::kAllOn);
    const VkDeviceMemory memory = Allocate(65536, kLocalVisibleType, &flags);
    EXPECT_TRUE(IsTagged(memory));
    const VkBuffer from = MakeBuffer(4096);
    EXPECT_EQ(vkBindBufferMemory(device->handle, from, memory, 0), VK_SUCCESS);
    auto* data = static_cast<uint8_t*>(Map(memory));
    const VkCommandBuffer commands = device->MakeBuffer();
    layered::Device::Begin(commands);
    vkCmdFillBuffer(commands, from, 0, 4096, 0x07070707);
    EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
    EXPECT_EQ(device->Submit(commands), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    EXPECT_TRUE(std::all_of(data, data + 4096, [](uint8_t byte) { return byte == 7; }));
    Destroy(from);
    Free(memory);
    End();
}

// Threads that allocate, bind, map, write and free, through the loader.
TEST_F(SlabsTest, ThreadsNeverShareAByte) {
    Start(SlabsWith("slab_guard", "true"));
    mock.SetMode(kMockModeCounts);
    constexpr int kThreads = 32;
    constexpr int kRounds = 400;
    std::atomic<int> strange{0};
    const auto work = [&](uint64_t number) {
        struct Owned {
            VkDeviceMemory memory;
            VkBuffer buffer;
            std::span<uint8_t> bytes;
            uint8_t mark;
        };
        std::mt19937_64 random(number);
        std::vector<Owned> live;
        const auto free_one = [&](size_t index) {
            std::swap(live[index], live.back());
            const Owned& one = live.back();
            if (AddressOf(one.buffer) != one.bytes.data() ||
                !std::all_of(one.bytes.begin(), one.bytes.end(), [&](uint8_t byte) { return byte == one.mark; }))
                ++strange;
            Destroy(one.buffer);
            Free(one.memory);
            live.pop_back();
        };
        for (int round = 0; round < kRounds; ++round) {
            if (live.size() == 10 || (!live.empty() && random() % 2)) {
                free_one(random() % live.size());
                continue;
            }
            const VkDeviceSize size = 64 * (1 + random() % 400);
            const VkDeviceMemory memory = Allocate(size, random() % 2 ? kCoherentType : kLocalVisibleType, &flags);
            const VkBuffer buffer = MakeAddressed(size);
            EXPECT_EQ(vkBindBufferMemory(device->handle, buffer, memory, 0), VK_SUCCESS);
            live.push_back(
                {memory, buffer, {static_cast<uint8_t*>(Map(memory)), size}, static_cast<uint8_t>(random())});
            std::ranges::fill(live.back().bytes, live.back().mark);
        }
        while (!live.empty()) free_one(live.size() - 1);
    };
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(strange, 0);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_overruns"), 0u);
    EXPECT_EQ(Driver(summary, "allocations"), Driver(summary, "frees"));
}

}  // namespace
