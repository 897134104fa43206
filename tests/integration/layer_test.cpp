// SPDX-License-Identifier: Apache-2.0
// The layer between the real loader and the mock driver: entry points, lifecycles, counters, frames.
#include <gmock/gmock.h>
#include <vulkan/vk_layer.h>

#include <fstream>
#include <set>
#include <thread>

#include "layered.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Driver;
using layered::Instance;
using layered::LayerTest;
using layered::ScratchFile;
using ::testing::IsEmpty;

// The names in commands.def, in order.
std::vector<std::string> HookedDeviceCommands() {
    std::vector<std::string> names;
    std::ifstream list(KRONOS_COMMANDS_DEF);
    for (std::string line; std::getline(list, line);) {
        if (line.starts_with("COUNTED(")) names.push_back("vk" + line.substr(8, line.find(',') - 8));
        if (line.starts_with("PASSED(")) names.push_back("vk" + line.substr(7, line.find(',') - 7));
        for (const char* scope : {"COMMAND(Device, ", "COMMAND(Queue, ", "COMMAND(CommandBuffer, "})
            if (line.starts_with(scope))
                names.push_back(
                    "vk" + line.substr(std::strlen(scope), line.find(',', std::strlen(scope)) - std::strlen(scope)));
    }
    return names;
}

// MangoHud 0.6.8 asks so, from above, and cannot create a device without an answer.
TEST_F(LayerTest, LayersAboveGetCreateDeviceWithoutAnInstance) {
    const Instance instance(true, ToFile());
    void* library = dlopen(KRONOS_LAYER_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
    ASSERT_NE(library, nullptr) << dlerror();
    VkNegotiateLayerInterface negotiation = {LAYER_NEGOTIATE_INTERFACE_STRUCT, nullptr, 2, nullptr, nullptr, nullptr};
    const auto negotiate = reinterpret_cast<PFN_vkNegotiateLoaderLayerInterfaceVersion>(
        dlsym(library, "vkNegotiateLoaderLayerInterfaceVersion"));
    ASSERT_EQ(negotiate(&negotiation), VK_SUCCESS);
    EXPECT_NE(negotiation.pfnGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateDevice"), nullptr);
    EXPECT_EQ(negotiation.pfnGetInstanceProcAddr(VK_NULL_HANDLE, "vkQueueSubmit"), nullptr);
    EXPECT_EQ(negotiation.pfnGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateSampler"), nullptr);
    dlclose(library);
}

// Section "Loader and Layer Interface" of the loader's documentation: each side says the newest that it knows.
TEST_F(LayerTest, OtherVersionsOfTheInterfaceToTheLoader) {
    const Instance instance(true, ToFile());
    void* library = dlopen(KRONOS_LAYER_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto negotiate = reinterpret_cast<PFN_vkNegotiateLoaderLayerInterfaceVersion>(
        dlsym(library, "vkNegotiateLoaderLayerInterfaceVersion"));
    VkNegotiateLayerInterface newer = {LAYER_NEGOTIATE_INTERFACE_STRUCT, nullptr, 7, nullptr, nullptr, nullptr};
    ASSERT_EQ(negotiate(&newer), VK_SUCCESS);
    EXPECT_EQ(newer.loaderLayerInterfaceVersion, 2u);
    // Older loaders ask so for all commands of physical devices, newer ones for those that they do not know.
    const auto ask = newer.pfnGetPhysicalDeviceProcAddr;
    ASSERT_NE(ask, nullptr);
    constexpr const char* kTools = "vkGetPhysicalDeviceToolProperties";
    EXPECT_EQ(ask(instance.handle, kTools), newer.pfnGetInstanceProcAddr(instance.handle, kTools));
    EXPECT_EQ(ask(instance.handle, "vkQueueSubmit"), nullptr);
    EXPECT_EQ(ask(instance.handle, "vkGetPhysicalDeviceNothing"), nullptr);
    VkNegotiateLayerInterface older = newer;
    older.loaderLayerInterfaceVersion = 1;
    EXPECT_EQ(negotiate(&older), VK_ERROR_INITIALIZATION_FAILED);
    older = newer;
    older.sType = LAYER_NEGOTIATE_UNINTIALIZED;
    EXPECT_EQ(negotiate(&older), VK_ERROR_INITIALIZATION_FAILED);
    dlclose(library);
}

TEST_F(LayerTest, WhatIsOffIsNotHooked) {
    const Instance without(false), off(true, {{"preset", "observe"}, {"stats", "off"}}),
        on(true, ToFile(layered::kAllOn));
    const Device plain(without), silent(off), counting(on);
    const std::vector<std::string> names = HookedDeviceCommands();
    ASSERT_GT(names.size(), 60u);
    const std::set<std::string> always = {"vkGetDeviceProcAddr", "vkDestroyDevice"};
    for (const std::string& name : names) {
        const auto below = plain.Get<PFN_vkVoidFunction>(name.c_str());
        const auto silent_pointer = silent.Get<PFN_vkVoidFunction>(name.c_str());
        const auto counting_pointer = counting.Get<PFN_vkVoidFunction>(name.c_str());
        EXPECT_EQ(counting_pointer == nullptr, below == nullptr) << name;
        // The loader answers itself for commands that it must see; those say nothing of the layer.
        const bool loaders_own = below && plain.Get<PFN_vkVoidFunction>(name.c_str()) ==
                                              reinterpret_cast<PFN_vkVoidFunction>(dlsym(RTLD_DEFAULT, name.c_str()));
        // Of these it hands out pointers of its own.
        const bool debug_utils = name.starts_with("vkSetDebugUtilsObject");
        if (always.contains(name) || !below || loaders_own || debug_utils) continue;
        EXPECT_EQ(silent_pointer, below) << name << ": off must hand out the pointer from below";
        if (name != "vkGetDeviceQueue" && name != "vkGetDeviceQueue2" && name != "vkAllocateCommandBuffers") {
            EXPECT_NE(counting_pointer, below) << name << ": on must be hooked";
        }
    }
    for (const char* unhooked : {"vkCreateQueryPool", "vkGetImageSubresourceLayout", "vkGetPipelineCacheData"})
        EXPECT_EQ(counting.Get<PFN_vkVoidFunction>(unhooked), plain.Get<PFN_vkVoidFunction>(unhooked)) << unhooked;
    // Where commands are held, those that are not must be seen.
    for (const char* outside : {"vkCmdDraw", "vkCmdSetViewport", "vkCmdBeginRenderPass"}) {
        EXPECT_NE(counting.Get<PFN_vkVoidFunction>(outside), plain.Get<PFN_vkVoidFunction>(outside)) << outside;
        EXPECT_EQ(silent.Get<PFN_vkVoidFunction>(outside), plain.Get<PFN_vkVoidFunction>(outside)) << outside;
    }
}

TEST_F(LayerTest, NullBelowIsNullAbove) {
    const Instance old(true, ToFile(), VK_API_VERSION_1_1);
    const Device device(old);
    for (const char* name : {"vkQueueSubmit2", "vkQueueSubmit2KHR", "vkCmdPipelineBarrier2", "vkWaitSemaphores",
                             "vkCmdPushDescriptorSetKHR", "vkQueuePresentKHR", "vkNoSuchCommand"})
        EXPECT_EQ(device.Get<PFN_vkVoidFunction>(name), nullptr) << name;
    EXPECT_NE(device.Get<PFN_vkVoidFunction>("vkQueueSubmit"), nullptr);
    EXPECT_NE(device.Get<PFN_vkVoidFunction>("vkCmdDispatchBase"), nullptr) << "core in 1.1";
}

TEST_F(LayerTest, AnAliasReachesTheDriverUnderItsOwnName) {
    const Instance old(true, ToFile(), VK_API_VERSION_1_1);
    VkPhysicalDeviceSynchronization2Features features = layered::Synchronization2();
    Device device(old, {VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME}, &features);
    ASSERT_EQ(device.result, VK_SUCCESS);
    const auto submit = device.Get<PFN_vkQueueSubmit2KHR>("vkQueueSubmit2KHR");
    ASSERT_NE(submit, nullptr);
    VkSubmitInfo2 info = {};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
    EXPECT_EQ(submit(device.queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device.queue), VK_SUCCESS);
    EXPECT_EQ(mock.Count("vkQueueSubmit2KHR", 0), 1u);
    EXPECT_EQ(mock.Count("vkQueueSubmit2", 0), 0u);
    device.Destroy();
    EXPECT_EQ(Asked(Summary(), "submits"), 1u);
}

TEST_F(LayerTest, ToolPropertiesListTheLayerLast) {
    const Instance without(false), with(true, ToFile());
    const auto list = [](const Instance& instance, uint32_t room, VkResult expected) {
        const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceToolProperties>(
            vkGetInstanceProcAddr(instance.handle, "vkGetPhysicalDeviceToolProperties"));
        std::vector<VkPhysicalDeviceToolProperties> tools(room + 1);  // never empty: data() must not be null
        for (auto& tool : tools) tool.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TOOL_PROPERTIES;
        EXPECT_EQ(get(instance.Physical(), &room, tools.data()), expected);
        tools.resize(room);
        return tools;
    };
    const size_t below = list(without, 8, VK_SUCCESS).size();
    const auto above = list(with, 8, VK_SUCCESS);
    ASSERT_EQ(above.size(), below + 1);
    EXPECT_STREQ(above.back().name, "Kronos");
    EXPECT_STREQ(above.back().layer, "VK_LAYER_KRONOS_compute");
    EXPECT_EQ(list(with, static_cast<uint32_t>(below), VK_INCOMPLETE).size(), below);
    uint32_t count = 0;
    EXPECT_EQ(vkGetPhysicalDeviceToolProperties(with.Physical(), &count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, below + 1);
}

TEST_F(LayerTest, ExtensionQueriesOfItsOwnNameOnly) {
    const Instance with(true, ToFile());
    uint32_t own = 99;
    EXPECT_EQ(vkEnumerateDeviceExtensionProperties(with.Physical(), "VK_LAYER_KRONOS_compute", &own, nullptr),
              VK_SUCCESS);
    EXPECT_EQ(own, 0u);
    const Instance without(false);
    uint32_t a = 0, b = 0;
    EXPECT_EQ(vkEnumerateDeviceExtensionProperties(with.Physical(), nullptr, &a, nullptr), VK_SUCCESS);
    EXPECT_EQ(vkEnumerateDeviceExtensionProperties(without.Physical(), nullptr, &b, nullptr), VK_SUCCESS);
    EXPECT_EQ(a, b);
}

TEST_F(LayerTest, AThousandInstancesAndDevices) {
    constexpr size_t kTimes = 1000 / KRONOS_TEST_SHARE;
    for (size_t i = 0; i < kTimes; ++i) {
        const Instance instance(true, ToFile());
        ASSERT_EQ(instance.result, VK_SUCCESS);
        const Device device(instance);
        ASSERT_EQ(device.result, VK_SUCCESS);
        const VkCommandBuffer buffer = device.MakeBuffer();
        Device::Record(buffer, 1);
        ASSERT_EQ(device.Submit(buffer), VK_SUCCESS);
        ASSERT_EQ(vkQueueWaitIdle(device.queue), VK_SUCCESS);
    }
    const auto summaries = file.Lines("summary");
    ASSERT_EQ(summaries.size(), kTimes);
    for (const auto& summary : summaries) EXPECT_EQ(Asked(summary, "dispatches"), 1u);
}

TEST_F(LayerTest, DevicesOfSeveralInstancesAreKeptApart) {
    const Instance first(true, ToFile()), second(true, ToFile());
    Device a(first), b(first), c(second);
    Device::Record(a.MakeBuffer(), 1);
    Device::Record(b.MakeBuffer(), 2);
    Device::Record(c.MakeBuffer(), 3);
    b.Destroy();
    Device::Record(a.MakeBuffer(), 10);
    a.Destroy();
    c.Destroy();
    const auto summaries = file.Lines("summary");
    ASSERT_EQ(summaries.size(), 3u);
    EXPECT_EQ(Asked(summaries[0], "dispatches"), 2u);
    EXPECT_EQ(Asked(summaries[1], "dispatches"), 11u);
    EXPECT_EQ(Asked(summaries[2], "dispatches"), 3u);
}

TEST_F(LayerTest, EightThreadsRecordOnEightCommandBuffers) {
    const Instance instance(true, ToFile());
    Device device(instance);
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 8; ++t) {
        threads.emplace_back([&device, t] {
            const VkCommandPool pool = device.MakePool();
            for (uint32_t round = 0; round < 50; ++round) {
                const VkCommandBuffer buffer = device.MakeBuffer(pool);
                Device::Record(buffer, t + 1);
                if (round % 2) vkFreeCommandBuffers(device.handle, pool, 1, &buffer);
            }
            vkDestroyCommandPool(device.handle, pool, nullptr);
        });
    }
    for (auto& thread : threads) thread.join();
    device.Destroy();
    const auto summary = Summary();
    EXPECT_EQ(Asked(summary, "dispatches"), 50u * 36u);
    EXPECT_EQ(Driver(summary, "dispatches"), 50u * 36u);
    EXPECT_EQ(Asked(summary, "recordings"), 400u);
    EXPECT_EQ(mock.Calls("vkCmdDispatch"), 50u * 36u);
}

TEST_F(LayerTest, EightThreadsCreateAndDestroyEverything) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([this] {
            for (int i = 0; i < 10; ++i) {
                const Instance instance(true, ToFile());
                const Device device(instance);
                Device::Record(device.MakeBuffer(), 1);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(file.Lines("summary").size(), 80u);
}

TEST_F(LayerTest, ARecordingThatNeverEndsIsCountedAllTheSame) {
    const Instance instance(true, ToFile());
    Device device(instance);
    const VkCommandBuffer left_open = device.MakeBuffer(), begun_again = device.MakeBuffer(),
                          freed = device.MakeBuffer();
    Device::Begin(left_open);
    vkCmdDispatch(left_open, 1, 1, 1);
    Device::Begin(begun_again);
    vkCmdDispatch(begun_again, 1, 1, 1);
    EXPECT_EQ(vkResetCommandBuffer(begun_again, 0), VK_SUCCESS);
    Device::Record(begun_again, 2);
    Device::Begin(freed);
    vkCmdDispatch(freed, 1, 1, 1);
    vkFreeCommandBuffers(device.handle, device.pool, 1, &freed);
    device.Destroy();
    EXPECT_EQ(Asked(Summary(), "dispatches"), 5u);
}

TEST_F(LayerTest, DispatchesAreCountedEachTimeTheyAreSubmitted) {
    const Instance instance(true, ToFile());
    Device device(instance);
    const VkCommandBuffer secondary = device.MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Device::Record(secondary, 3);
    const VkCommandBuffer primary = device.MakeBuffer();
    Device::Begin(primary);
    vkCmdDispatch(primary, 1, 1, 1);
    const VkCommandBuffer twice[] = {secondary, secondary};
    vkCmdExecuteCommands(primary, 1, twice);
    EXPECT_EQ(vkEndCommandBuffer(primary), VK_SUCCESS);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(device.Submit(primary), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device.queue), VK_SUCCESS);
    }
    device.Destroy();
    const auto summary = Summary();
    EXPECT_EQ(Asked(summary, "dispatches"), 4u);
    EXPECT_EQ(Asked(summary, "dispatches_submitted"), 20u);
    EXPECT_EQ(Asked(summary, "secondaries"), 1u);
    EXPECT_EQ(Asked(summary, "command_buffers"), 5u);
}

TEST_F(LayerTest, MemoryIsCountedInBytesAndFailuresAreNot) {
    const Instance instance(true, ToFile({{"slabs", "off"}}));
    Device device(instance);
    VkMemoryAllocateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.allocationSize = 4096;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    ASSERT_EQ(vkAllocateMemory(device.handle, &info, nullptr, &memory), VK_SUCCESS);
    ASSERT_EQ(mock.Fail("vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY), 1);
    VkDeviceMemory none = VK_NULL_HANDLE;
    EXPECT_EQ(vkAllocateMemory(device.handle, &info, nullptr, &none), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    vkFreeMemory(device.handle, memory, nullptr);
    vkFreeMemory(device.handle, VK_NULL_HANDLE, nullptr);
    device.Destroy();
    const auto summary = Summary();
    EXPECT_EQ(Asked(summary, "allocations"), 1u);
    EXPECT_EQ(Asked(summary, "allocated_bytes"), 4096u);
    EXPECT_EQ(Asked(summary, "frees"), 1u);
    EXPECT_EQ(Asked(summary, "freed_bytes"), 4096u);
}

TEST_F(LayerTest, ErrorsPassThroughUnchanged) {
    const Instance instance(true, ToFile());
    ASSERT_EQ(mock.Fail("vkCreateDevice", 1, VK_ERROR_TOO_MANY_OBJECTS), 1);
    EXPECT_EQ(Device(instance).result, VK_ERROR_TOO_MANY_OBJECTS);
    ASSERT_EQ(mock.Fail("vkCreateInstance", 1, VK_ERROR_OUT_OF_HOST_MEMORY), 1);
    EXPECT_LT(Instance(true, ToFile()).result, VK_SUCCESS);
    mock.ClearFailures();
    Device device(instance);
    ASSERT_EQ(device.result, VK_SUCCESS) << "after a failure everything still works";
    ASSERT_EQ(mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY), 1);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 1);
    EXPECT_EQ(device.Submit(buffer), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    ASSERT_EQ(mock.Fail("vkQueueWaitIdle", 1, VK_ERROR_DEVICE_LOST), 1);
    EXPECT_EQ(vkQueueWaitIdle(device.queue), VK_ERROR_DEVICE_LOST);
}

VkFence MakeFence(const Device& device) {
    VkFenceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    VkFence fence = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateFence(device.handle, &info, nullptr, &fence), VK_SUCCESS);
    return fence;
}

TEST_F(LayerTest, AWaitThatHadWorkEndsAFrame) {
    const Instance instance(true, ToFile());
    Device device(instance);
    const VkFence fence = MakeFence(device);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 2);
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(device.Submit(buffer, fence), VK_SUCCESS);
        ASSERT_EQ(vkWaitForFences(device.handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);
        ASSERT_EQ(vkWaitForFences(device.handle, 1, &fence, VK_TRUE, UINT64_MAX), VK_SUCCESS);  // had none
        ASSERT_EQ(vkResetFences(device.handle, 1, &fence), VK_SUCCESS);
    }
    ASSERT_EQ(vkDeviceWaitIdle(device.handle), VK_SUCCESS);
    vkDestroyFence(device.handle, fence, nullptr);
    device.Destroy();
    const auto frames = file.Lines("frame");
    ASSERT_EQ(frames.size(), 4u) << "three waits that had work, and the end";
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(frames[static_cast<size_t>(i)]["closed_by"], "wait");
        EXPECT_EQ(Asked(frames[static_cast<size_t>(i)], "dispatches_submitted"), 2u);
    }
    EXPECT_EQ(Asked(frames[0], "dispatches"), 2u);
    EXPECT_EQ(Asked(frames[1], "dispatches"), 0u);
    EXPECT_EQ(frames[3]["closed_by"], "end");
}

TEST_F(LayerTest, AWaitThatTimesOutEndsNoFrame) {
    const Instance instance(true, ToFile());
    Device device(instance);
    const VkFence fence = MakeFence(device);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 1);
    mock.CloseGate(VK_NULL_HANDLE);
    ASSERT_EQ(device.Submit(buffer, fence), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(device.handle, 1, &fence, VK_TRUE, 0), VK_TIMEOUT);
    EXPECT_EQ(vkGetFenceStatus(device.handle, fence), VK_NOT_READY);
    mock.OpenGate(VK_NULL_HANDLE);
    mock.WaitCompleted(device.queue, 1);
    EXPECT_EQ(vkGetFenceStatus(device.handle, fence), VK_SUCCESS);  // the poll that sees the end is the wait
    vkDestroyFence(device.handle, fence, nullptr);
    device.Destroy();
    const auto frames = file.Lines("frame");
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0]["closed_by"], "wait");
    EXPECT_EQ(Asked(frames[0], "waits"), 1u);
    EXPECT_EQ(Asked(frames[0], "polls"), 2u);
}

TEST_F(LayerTest, FramesEveryNSubmits) {
    const Instance instance(true, ToFile({{"frame_submits", "4"}}));
    Device device(instance);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 1);
    for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(device.Submit(buffer), VK_SUCCESS);
        mock.WaitCompleted(device.queue, static_cast<uint64_t>(i) + 1);
    }
    device.Destroy();
    const auto frames = file.Lines("frame");
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_EQ(frames[0]["closed_by"], "submits");
    EXPECT_EQ(Asked(frames[1], "submits"), 4u);
}

TEST_F(LayerTest, AFrameBoundaryEndsFramesAndWaitsNoLongerDo) {
    ASSERT_THAT(mock.Use(R"({"devices": [{"extensions": ["VK_EXT_frame_boundary"]}]})"), IsEmpty());
    const Instance instance(true, ToFile());
    VkPhysicalDeviceFrameBoundaryFeaturesEXT features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FRAME_BOUNDARY_FEATURES_EXT;
    features.frameBoundary = VK_TRUE;
    Device device(instance, {VK_EXT_FRAME_BOUNDARY_EXTENSION_NAME}, &features);
    ASSERT_EQ(device.result, VK_SUCCESS);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 1);
    VkFrameBoundaryEXT boundary = {};
    boundary.sType = VK_STRUCTURE_TYPE_FRAME_BOUNDARY_EXT;
    boundary.flags = VK_FRAME_BOUNDARY_FRAME_END_BIT_EXT;
    for (int frame = 0; frame < 3; ++frame) {
        for (int submit = 0; submit < 2; ++submit) {
            ASSERT_EQ(device.Submit(buffer, VK_NULL_HANDLE, submit == 1 ? &boundary : nullptr), VK_SUCCESS);
            if (frame > 0) {
                ASSERT_EQ(vkQueueWaitIdle(device.queue), VK_SUCCESS);
            } else {
                mock.WaitCompleted(device.queue,
                                   static_cast<uint64_t>(submit) + 1);  // a host wait would end a frame here
            }
        }
    }
    device.Destroy();
    const auto frames = file.Lines("frame");
    ASSERT_EQ(frames.size(), 4u);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(frames[i]["closed_by"], "frame_boundary");
        EXPECT_EQ(Asked(frames[i], "submits"), 2u);
    }
}

TEST_F(LayerTest, SettingsComeFromTheApplicationToo) {
    ::testing::internal::CaptureStderr();
    {
        const Instance instance(true, ToFile({{"log_level", "info"}, {"stats", "summary"}, {"nonsense", "1"}}));
        const Device device(instance);
    }
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, ::testing::HasSubstr("stats = summary (application)"));
    EXPECT_THAT(told, ::testing::HasSubstr("unknown setting 'nonsense'"));
    EXPECT_TRUE(file.Lines("frame").empty());
    EXPECT_EQ(file.Lines("summary").size(), 1u);
}

TEST_F(LayerTest, AForkedChildPassesThroughAndWritesNothing) {
    const Instance instance(true, ToFile());
    Device device(instance);
    const VkCommandBuffer buffer = device.MakeBuffer();
    Device::Record(buffer, 1);
    layered::InAChild([&] {
        Device::Record(buffer, 100);
        // The driver's threads are not in the child either; what can be asked of it is to record and to let go.
        return vkResetCommandBuffer(buffer, 0) == VK_SUCCESS;
    });
    device.Destroy();
    EXPECT_EQ(Asked(Summary(), "dispatches"), 1u);
}

}  // namespace
