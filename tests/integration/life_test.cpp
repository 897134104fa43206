// SPDX-License-Identifier: Apache-2.0
// Programs that are odd in how they live: many devices, small stacks, signals, structures that cannot be written.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "layered.h"

namespace {

using layered::Device;
using layered::Instance;
using layered::kAllOn;
using layered::LayerTest;

class LifeTest : public LayerTest {
  public:
    // One of most things that programs of compute do, with results looked at by the mock driver's rules.
    void Work(const Device& device) const {
        const VkMemoryAllocateInfo memory_info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 4096, 1};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        ASSERT_EQ(vkAllocateMemory(device.handle, &memory_info, nullptr, &memory), VK_SUCCESS);
        VkBufferCreateInfo buffer_info = {};
        buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        buffer_info.size = 1024;
        buffer_info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        VkBuffer buffer = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateBuffer(device.handle, &buffer_info, nullptr, &buffer), VK_SUCCESS);
        ASSERT_EQ(vkBindBufferMemory(device.handle, buffer, memory, 0), VK_SUCCESS);
        const VkCommandBuffer commands = device.MakeBuffer();
        Device::Begin(commands);
        vkCmdFillBuffer(commands, buffer, 0, VK_WHOLE_SIZE, 7);
        const VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_TRANSFER_WRITE_BIT,
                                         VK_ACCESS_HOST_READ_BIT};
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
                             nullptr, 0, nullptr);
        ASSERT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
        const VkFence fence = device.MakeFence();
        ASSERT_EQ(device.Submit(commands, fence), VK_SUCCESS);
        ASSERT_EQ(vkWaitForFences(device.handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        void* data = nullptr;
        ASSERT_EQ(vkMapMemory(device.handle, memory, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
        EXPECT_EQ(*static_cast<const uint32_t*>(data), 7u);
        vkUnmapMemory(device.handle, memory);
        vkDestroyFence(device.handle, fence, nullptr);
        vkFreeCommandBuffers(device.handle, device.pool, 1, &commands);
        vkDestroyBuffer(device.handle, buffer, nullptr);
        vkFreeMemory(device.handle, memory, nullptr);
    }
};

size_t EntriesOf(const char* folder) {
    const std::filesystem::directory_iterator entries(folder);
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

// What the process holds. The sanitizers' allocators say nothing of bytes.
struct Held {
    size_t files = EntriesOf("/proc/self/fd");
    size_t threads = EntriesOf("/proc/self/task");
    size_t bytes = mallinfo2().uordblks;
};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Frames that are not written yet, and what is kept for later, are bounded.
constexpr size_t kSlackBytes = size_t{256} << 10;

TEST_F(LifeTest, TenThousandDevicesLeaveNothing) {
    // What loader and driver keep of a device is theirs.
    const auto grown = [&](bool layer, size_t times) {
        const Instance instance(layer, ToFile(kAllOn));
        std::optional<Held> before;
        for (size_t i = 0; i < times; ++i) {
            // Of each the layer may remember something the first time.
            if (i == times / 10) before.emplace();
            const Device device(instance);
            EXPECT_EQ(device.result, VK_SUCCESS);
            if (i % 100 == 0) Work(device);
        }
        const Held after;
        EXPECT_LE(after.files, before->files);
        EXPECT_LE(after.threads, before->threads + 1) << "the layer's threads end when nothing is to be done";
        return after.bytes - before->bytes;
    };
    constexpr size_t kTimes = 10'000 / KRONOS_TEST_SHARE;
    const size_t without = grown(false, kTimes / 10);
    EXPECT_LE(grown(true, kTimes), without * 10 + kSlackBytes);
}

TEST_F(LifeTest, TwoHundredInstancesAtOnce) {
    std::vector<std::unique_ptr<Instance>> instances;
    std::vector<std::unique_ptr<Device>> devices;
    for (int i = 0; i < 200; ++i) {
        instances.push_back(std::make_unique<Instance>(true, ToFile(kAllOn)));
        ASSERT_EQ(instances.back()->result, VK_SUCCESS);
        devices.push_back(std::make_unique<Device>(*instances.back()));
        ASSERT_EQ(devices.back()->result, VK_SUCCESS);
    }
    for (const auto& device : devices) ASSERT_NO_FATAL_FAILURE(Work(*device));
    devices.clear();
    EXPECT_EQ(file.Lines("summary").size(), 200u);
}

TEST_F(LifeTest, ThreadsOfSmallStacks) {
    struct Given {
        const LifeTest* test;
        const Instance* instance;
        void Run() const {
            const Device device(*instance);
            ASSERT_EQ(device.result, VK_SUCCESS);
            for (int i = 0; i < 5; ++i) test->Work(device);
        }
    };
    const Instance instance(true, ToFile(kAllOn));
    const Given given{this, &instance};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    // Frames are several times as large under the sanitizers.
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, size_t{64 << 10} * (KRONOS_TEST_SHARE == 1 ? 1 : 16)), 0);
    for (int i = 0; i < 4; ++i) {
        pthread_t thread;
        ASSERT_EQ(pthread_create(
                      &thread, &attributes,
                      [](void* argument) -> void* {
                          static_cast<const Given*>(argument)->Run();
                          return nullptr;
                      },
                      const_cast<Given*>(&given)),
                  0);
        pthread_join(thread, nullptr);
    }
    pthread_attr_destroy(&attributes);
}

std::atomic<uint64_t> signals{0};

TEST_F(LifeTest, SignalsAreNothingToIt) {
    // Without SA_RESTART: whatever sleeps is woken with EINTR.
    struct sigaction action = {}, before = {};
    action.sa_handler = [](int) { signals.fetch_add(1, std::memory_order_relaxed); };
    ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
    itimerval every = {};
    every.it_interval.tv_usec = every.it_value.tv_usec = 500;
    ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
    {
        const Instance instance(true, ToFile(kAllOn));
        const Device device(instance);
        ASSERT_EQ(device.result, VK_SUCCESS);
        while (signals < 100 && !HasFatalFailure()) Work(device);
    }
    every = {};
    EXPECT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
    EXPECT_EQ(sigaction(SIGALRM, &before, nullptr), 0);
}

// A structure in a page of its own that cannot be written once it is made.
template <class T>
class ReadOnly {
  public:
    explicit ReadOnly(const T& value)
        : page_(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        std::memcpy(page_, &value, sizeof value);
        EXPECT_EQ(mprotect(page_, kPage, PROT_READ), 0);
    }
    ~ReadOnly() { munmap(page_, kPage); }
    ReadOnly(const ReadOnly&) = delete;
    ReadOnly& operator=(const ReadOnly&) = delete;
    const T* operator&() const { return static_cast<const T*>(page_); }  // NOLINT(google-runtime-operator)

  private:
    static constexpr size_t kPage = 4096;
    static_assert(sizeof(T) <= kPage);
    void* page_;
};

TEST_F(LifeTest, StructuresThatCannotBeWritten) {
    const Instance instance(true, ToFile(kAllOn));
    const Device device(instance);
    ASSERT_EQ(device.result, VK_SUCCESS);
    const ReadOnly<VkMemoryAllocateFlagsInfo> flags(
        {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO, nullptr, VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT, 0});
    const ReadOnly<VkMemoryAllocateInfo> memory_info({VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &flags, 4096, 0});
    VkDeviceMemory memory = VK_NULL_HANDLE;
    ASSERT_EQ(vkAllocateMemory(device.handle, &memory_info, nullptr, &memory), VK_SUCCESS);
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = 1024;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    const ReadOnly<VkBufferCreateInfo> buffer_info(info);
    VkBuffer buffer = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateBuffer(device.handle, &buffer_info, nullptr, &buffer), VK_SUCCESS);
    const ReadOnly<VkBindBufferMemoryInfo> bind(
        {VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, memory, 0});
    ASSERT_EQ(vkBindBufferMemory2(device.handle, 1, &bind), VK_SUCCESS);

    const VkCommandBuffer commands = device.MakeBuffer();
    const ReadOnly<VkCommandBufferBeginInfo> begin(
        {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT, nullptr});
    ASSERT_EQ(vkBeginCommandBuffer(commands, &begin), VK_SUCCESS);
    const ReadOnly<VkBufferMemoryBarrier2> barrier(
        {VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2, nullptr, VK_PIPELINE_STAGE_2_CLEAR_BIT,
         VK_ACCESS_2_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_2_COPY_BIT, VK_ACCESS_2_TRANSFER_READ_BIT,
         VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED, buffer, 0, VK_WHOLE_SIZE});
    const ReadOnly<VkDependencyInfo> dependency(
        {VK_STRUCTURE_TYPE_DEPENDENCY_INFO, nullptr, 0, 0, nullptr, 1, &barrier, 0, nullptr});
    vkCmdFillBuffer(commands, buffer, 0, VK_WHOLE_SIZE, 7);
    vkCmdPipelineBarrier2(commands, &dependency);
    ASSERT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);

    const ReadOnly<VkCommandBuffer> handle(commands);
    const VkFence fence = device.MakeFence();
    const ReadOnly<VkFence> fences(fence);
    for (int i = 0; i < 2; ++i) {
        VkSubmitInfo submit = {};
        submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        submit.commandBufferCount = i == 0;
        submit.pCommandBuffers = &handle;
        const ReadOnly<VkSubmitInfo> submits(submit);
        ASSERT_EQ(vkQueueSubmit(device.queue, 1, &submits, fence), VK_SUCCESS);
        ASSERT_EQ(vkWaitForFences(device.handle, 1, &fences, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        ASSERT_EQ(vkResetFences(device.handle, 1, &fences), VK_SUCCESS);
    }
    vkDestroyFence(device.handle, fence, nullptr);
    vkDestroyBuffer(device.handle, buffer, nullptr);
    vkFreeMemory(device.handle, memory, nullptr);
}

// Hours of a service in little time: KRONOS_SOAK_ROUNDS=2000000, as many waits as it makes in 8 hours at 70 a second.
TEST_F(LifeTest, Soak) {
    const Instance instance(true, ToFile({{"waits", "on"},
                                          {"recycle_fences", "on"},
                                          {"recycle_memory", "on"},
                                          {"barriers", "on"},
                                          {"descriptors", "on"},
                                          {"submits", "always"},
                                          {"virtual_fences", "on"},
                                          {"fusion", "on"},
                                          {"slabs", "on"},
                                          {"stats", "summary"}}));
    const Device device(instance);
    ASSERT_EQ(device.result, VK_SUCCESS);
    const uint64_t rounds = FromEnvironment("KRONOS_SOAK_ROUNDS", 20'000 / KRONOS_TEST_SHARE);
    std::optional<Held> before;
    for (uint64_t i = 0; i < rounds; ++i) {
        if (i == rounds / 10) before.emplace();
        ASSERT_NO_FATAL_FAILURE(Work(device));
    }
    const Held after;
    EXPECT_LE(after.files, before->files);
    EXPECT_LE(after.threads, before->threads);
    EXPECT_LE(after.bytes, before->bytes + kSlackBytes);
}

}  // namespace
