// SPDX-License-Identifier: Apache-2.0
// Idle memory: how much of it there may be, what the program is told of it, when it goes back to the driver, and what
// becomes of it when processes fork and devices end.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>

#include "../sanitizers/which.h"
#include "memory_fixture.h"

namespace {

using layered::Asked;
using layered::Did;
using layered::Driver;
using layered::Instance;
using layered::kCoherentType;
using layered::kLocalType;
using layered::kRecycleMemory;
using layered::MemoryTest;
using layered::Recycling;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kOneHeapOf10MiB =
    R"({"memoryHeaps": [{"size": 10485760}], "memoryTypes": [{"heap": 0, "flags": ["deviceLocal"]}]})";

class IdleMemoryTest : public MemoryTest {
  protected:
    // Leaves so many allocations of one class idle.
    void LeaveIdle(const layered::Device& of, size_t count, VkDeviceSize bytes = 4096) {
        std::vector<VkDeviceMemory> memories(count);
        const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, bytes, kLocalType};
        for (VkDeviceMemory& memory : memories)
            EXPECT_EQ(vkAllocateMemory(of.handle, &info, nullptr, &memory), VK_SUCCESS);
        for (const VkDeviceMemory memory : memories) vkFreeMemory(of.handle, memory, nullptr);
    }
    std::vector<uint64_t> HeapUsage() const {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {};
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
        VkPhysicalDeviceMemoryProperties2 properties = {};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
        properties.pNext = &budget;
        vkGetPhysicalDeviceMemoryProperties2(device->physical, &properties);
        return {budget.heapUsage, budget.heapUsage + properties.memoryProperties.memoryHeapCount};
    }
    // Allocates and frees at random; after each step, what is idle must keep to `most_bytes`.
    void KeepTo(uint64_t most_bytes, uint64_t largest) {
        constexpr int kSteps = 2000;
        constexpr size_t kMostLive = 12;
        std::mt19937_64 random(4);
        std::map<VkDeviceMemory, uint64_t> class_bytes;
        std::vector<VkDeviceMemory> live;
        uint64_t most_seen = 0;
        for (int step = 0; step < kSteps; ++step) {
            if (live.size() < kMostLive && random() % 2) {
                // A size that is its class's.
                const uint64_t bytes = (4 + random() % 4) << (10 + random() % largest);
                live.push_back(Allocate(bytes));
                class_bytes[live.back()] = bytes;
            } else if (!live.empty()) {
                std::swap(live[random() % live.size()], live.back());
                Free(live.back());
                live.pop_back();
            }
            uint64_t idle = 0;
            for (const VkDeviceMemory memory : LiveMemories()) idle += class_bytes.at(memory);
            for (const VkDeviceMemory memory : live) idle -= class_bytes.at(memory);
            ASSERT_LE(idle, most_bytes) << step;
            most_seen = std::max(most_seen, idle);
        }
        EXPECT_GT(most_seen, most_bytes / 2);
        for (const VkDeviceMemory memory : live) Free(memory);
        const uint64_t freed = Freed();
        const nlohmann::json summary = End();
        EXPECT_GT(Did(summary, "memory_evicted"), 0u);
        EXPECT_EQ(Did(summary, "memory_evicted") + Did(summary, "memory_full"), freed);
        EXPECT_EQ(Driver(summary, "frees"), Made());
        EXPECT_EQ(Driver(summary, "freed_bytes"), Driver(summary, "allocated_bytes"));
        EXPECT_EQ(Asked(summary, "freed_bytes"), Asked(summary, "allocated_bytes"));
    }
};

TEST_F(IdleMemoryTest, KeepsToItsShareOfASmallHeap) {
    Start(kRecycleMemory, kOneHeapOf10MiB);
    KeepTo(10485760 / 20, 6);
}

TEST_F(IdleMemoryTest, KeepsToTheSetting) {
    Start(Recycling("recycle_limit", "1"));
    KeepTo(uint64_t{1} << 20, 7);
}

TEST_F(IdleMemoryTest, IsGivenUpForYoungerOnes) {
    Start(kRecycleMemory, kOneHeapOf10MiB);  // 512 KiB may be idle
    const VkDeviceMemory oldest = Allocate(200 << 10);
    const VkDeviceMemory middle = Allocate(200 << 10);
    const VkDeviceMemory newest = Allocate(200 << 10);
    for (const VkDeviceMemory memory : {oldest, middle, newest}) Free(memory);
    EXPECT_EQ(Freed(), 1u);
    EXPECT_EQ(LiveMemories(), (std::set{middle, newest}));
    EXPECT_EQ(Did(End(), "memory_evicted"), 1u);
}

TEST_F(IdleMemoryTest, IsNotTheProgramsUsage) {
    Start(kRecycleMemory, "{}", {VK_EXT_MEMORY_BUDGET_EXTENSION_NAME});
    EXPECT_THAT(HeapUsage(), ElementsAre(0, 0));
    const VkDeviceMemory local = Allocate(5001);
    const VkDeviceMemory host = Allocate(10'000, kCoherentType);
    EXPECT_THAT(HeapUsage(), ElementsAre(5120, 10240));
    Free(local);
    EXPECT_THAT(HeapUsage(), ElementsAre(0, 10240));
    Free(host);
    EXPECT_THAT(HeapUsage(), ElementsAre(0, 0));
    EXPECT_EQ(Freed(), 0u);
    // Other devices of the same physical device count as well.
    layered::Device other(*instance);
    LeaveIdle(other, 3);
    EXPECT_THAT(HeapUsage(), ElementsAre(0, 0));
    const VkDeviceMemory again = Allocate(5001);
    EXPECT_EQ(again, local);
    EXPECT_THAT(HeapUsage(), ElementsAre(5120, 0));
    other.Destroy();
    EXPECT_THAT(HeapUsage(), ElementsAre(5120, 0));
    Free(again);
    device->Destroy();
    EXPECT_EQ(Freed(), Made());
}

TEST_F(IdleMemoryTest, GoesBackAfterAWhileWithoutAnyCall) {
    Start(Recycling("recycle_seconds", "1"));
    LeaveIdle(*device, 3);
    const VkDeviceMemory used = Allocate(5001);
    AwaitFreed(3);
    // What is freed after that is idle again, and looked after again.
    Free(used);
    AwaitFreed(4);
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "memory_expired"), 4u);
    EXPECT_EQ(Driver(summary, "frees"), 4u);
}

TEST_F(IdleMemoryTest, GoesBackOnceWhereDevicesEndMeanwhile) {
    constexpr size_t kDevices = 3;
    constexpr size_t kEach = 200;
    Start(Recycling("recycle_seconds", "1"));
    // The layer's thread is inside the driver until the program destroys devices.
    std::atomic<bool> inside{false};
    std::atomic<bool> destroying{false};
    mock.OnFree([&](VkDeviceMemory) {
        inside = true;
        while (!destroying) std::this_thread::yield();
    });
    std::vector<std::unique_ptr<layered::Device>> devices;
    for (size_t i = 0; i < kDevices; ++i) {
        devices.push_back(std::make_unique<layered::Device>(*instance));
        LeaveIdle(*devices.back(), kEach);
    }
    while (!inside) std::this_thread::yield();
    destroying = true;
    while (!devices.empty()) devices.pop_back();
    EXPECT_EQ(Freed(), kDevices * kEach);
    device->Destroy();
}

TEST_F(IdleMemoryTest, EndsWithItsDevice) {
    Start();
    for (uint64_t i = 1; i <= 50; ++i) {
        layered::Device other(*instance);
        LeaveIdle(other, 10, 5001);
        EXPECT_EQ(Freed(), (i - 1) * 10);
        other.Destroy();
        EXPECT_EQ(Freed(), i * 10);
    }
    device->Destroy();
}

TEST_F(IdleMemoryTest, EndsWithADeviceThatTheProgramLeaks) {
    Start();
    LeaveIdle(*device, 3);
    const VkDeviceMemory leaked = Allocate(4096);
    const VkDeviceMemory unkept = Allocate(uint64_t{65} << 20);
    EXPECT_EQ(LiveMemories().size(), 4u);
    EXPECT_THAT(LiveMemories(), testing::IsSupersetOf({leaked, unkept}));
    device->Destroy();
    EXPECT_EQ(Freed(), 2u);
    // The leaks are the program's, as they would be without the layer.
    EXPECT_THAT(mock.Violations(),
                ElementsAre(testing::AllOf(HasSubstr("vkDestroyDevice"),
                                           testing::ContainsRegex("still has mem#[0-9]+ mem#[0-9]+$"))));
    mock.ClearViolations();
}

TEST_F(IdleMemoryTest, ChildrenOfAForkLeaveItAlone) {
    Start();
    LeaveIdle(*device, 3);
    layered::InAChild([] { return true; });
    LeaveIdle(*device, 3);
    EXPECT_EQ(Made(), 3u);
    EXPECT_EQ(Freed(), 0u);
    EXPECT_EQ(Did(End(), "memory_recycled"), 3u);
}

// Prepares every fork of the process last of all: whether the layer's thread was inside the driver even then.
std::atomic<bool> inside_driver{false};
std::atomic<bool> inside_driver_at_fork{false};
std::atomic<bool> about_to_fork{false};
const int kPreparesLast = pthread_atfork([] { inside_driver_at_fork = inside_driver.load(); }, nullptr, nullptr);

// Had the layer's thread a lock of the driver's, the child could never take it.
TEST_F(IdleMemoryTest, IsNotOnItsWayBackInAFork) {
    ASSERT_EQ(kPreparesLast, 0);
    inside_driver = inside_driver_at_fork = about_to_fork = false;
    Start(Recycling("recycle_seconds", "1"));
    // Behind the layer's, so it prepares first of all.
    ASSERT_EQ(pthread_atfork([] { about_to_fork = true; }, nullptr, nullptr), 0);
    mock.OnFree([&](VkDeviceMemory) {
        inside_driver = true;
        while (!about_to_fork) std::this_thread::yield();
        // Time for a fork that does not wait.
        for (int i = 0; i < 1000 && !inside_driver_at_fork; ++i) std::this_thread::yield();
        inside_driver = false;
    });
    LeaveIdle(*device, 3);
    while (!inside_driver) std::this_thread::yield();
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);                // rather than wait for ever
#ifndef KRONOS_ADDRESS_SANITIZER  // its allocator, GCC 12's at least, does not bear a fork with threads
        {
            const Instance own(true, kRecycleMemory);
            const layered::Device device_of_child(own);
            LeaveIdle(device_of_child, 3);
            LeaveIdle(device_of_child, 3);
        }
#endif
        _exit(HasFailure() ? 1 : 7);
    }
    EXPECT_FALSE(inside_driver_at_fork);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    device->Destroy();
    EXPECT_EQ(Freed(), 3u);
}

}  // namespace
