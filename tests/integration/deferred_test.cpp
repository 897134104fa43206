// SPDX-License-Identifier: Apache-2.0
// One-time recordings that the driver gets no sooner than with their submission, as part of one of the layer's command
// buffers: which, and that nobody can tell.
#include <cstdlib>
#include <functional>
#include <vector>

#include "fusion_fixture.h"

namespace {

using layered::Asked;
using layered::Device;
using layered::Did;
using layered::Driver;
using layered::FusionTest;
using layered::SettingMap;

constexpr VkCommandBufferUsageFlags kOnce = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;

class DeferredTest : public FusionTest {
  protected:
    // From then on submissions come in crowds: what is recorded for one submission waits for it.
    void StartCrowd(const SettingMap& more = {}, const std::vector<const char*>& extensions = {},
                    const void* next = nullptr) {
        Watch();
        Start(layered::With(layered::kFused, more), extensions, next);
        mock.OpenGate(VK_NULL_HANDLE);
        mock.OpenGate(device->queue);
        Crowd();
    }
    void Crowd() {
        SubmitEach(NumberedTo(4));
        EXPECT_EQ(InOrder(Done(), 4), 1u);
        begun = mock.Calls("vkBeginCommandBuffer");
    }
    // Of the driver, since the last time.
    uint64_t Begun() {
        return mock.Calls("vkBeginCommandBuffer") - std::exchange(begun, mock.Calls("vkBeginCommandBuffer"));
    }
    static void Nothing(VkCommandBuffer) {}
    static void Barriers(VkCommandBuffer buffer, int count) {
        for (int i = 0; i < count; ++i) vkCmdPipelineBarrier(buffer, 1, 1, 0, 0, nullptr, 0, nullptr, 0, nullptr);
    }

    uint64_t begun = 0;
};

TEST_F(DeferredTest, TheDriverGetsThemAsOneWithTheirSubmission) {
    StartCrowd();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(5, kOnce);
    EXPECT_EQ(Begun(), 0u);
    SubmitEach(buffers);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 5), 1u);
    for (const VkCommandBuffer buffer : buffers) EXPECT_NE(buffer, done[0].in);
    EXPECT_EQ(Begun(), 1u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "streams_deferred"), 5u);
    EXPECT_EQ(Did(summary, "streams_held"), 9u);
    EXPECT_EQ(Did(summary, "buffers_fused"), 9u);
    EXPECT_EQ(Asked(summary, "recordings"), 9u);
    EXPECT_EQ(Driver(summary, "recordings"), 4u + 1u + 1u);
    EXPECT_EQ(Asked(summary, "dispatches"), 9u);
    EXPECT_EQ(Driver(summary, "dispatches"), 4u + 4u + 5u);
}

TEST_F(DeferredTest, OneAloneToo) {
    StartCrowd();
    const VkCommandBuffer buffer = Numbered(1, kOnce);
    SubmitEach({buffer});
    EXPECT_NE(Done().at(0).in, buffer);
    EXPECT_EQ(Begun(), 1u);
    EXPECT_EQ(Did(Ended(), "buffers_fused"), 4u) << "those of the crowd";
}

TEST_F(DeferredTest, BesideOthersTheyKeepTheirOrder) {
    StartCrowd();
    const VkCommandBuffer secondary = device->MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Device::Record(secondary, 0);
    std::vector<VkCommandBuffer> buffers;
    for (uint32_t i = 1; i <= 8; ++i) {
        buffers.push_back(device->MakeBuffer());
        // Every third stays what it is; the others are of both kinds.
        Record(
            buffers.back(), i,
            [&](VkCommandBuffer buffer) {
                if (i % 3 == 0) vkCmdExecuteCommands(buffer, 1, &secondary);
            },
            i % 2 ? kOnce : 0);
    }
    SubmitEach(buffers);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 8), 5u);
    EXPECT_EQ(done.at(2).in, buffers[2]);
    EXPECT_EQ(done.at(5).in, buffers[5]);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "streams_deferred"), 3u) << "1, 5 and 7";
}

TEST_F(DeferredTest, WithoutACrowdTheDriverGetsThemWhenTheyEnd) {
    StartFused({{"submits", "busy"}});
    for (int i = 0; i < 3; ++i) {
        const VkCommandBuffer buffer = Numbered(1, kOnce);
        EXPECT_EQ(Begun(), 1u);
        SubmitEach({buffer});
        EXPECT_EQ(Done().at(0).in, buffer);
    }
    EXPECT_EQ(Did(Ended(), "streams_deferred"), 0u);
}

// Section "Resource Descriptors": what follows a bind of the second form is not known.
TEST_F(DeferredTest, ABindThatIsNotHeldEndsTheRecordingToo) {
    StartCrowd({{"stats", "off"}}, {VK_KHR_MAINTENANCE_6_EXTENSION_NAME});
    const VkPipelineLayout layout = MakeLayout();
    for (const bool once : {true, false}) {
        const VkCommandBuffer buffer = device->MakeBuffer();
        Record(
            buffer, 1,
            [&](VkCommandBuffer into) {
                VkPipelineLayoutCreateInfo next = {};
                next.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
                VkBindDescriptorSetsInfo info = {};
                info.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO;
                info.pNext = &next;
                info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
                const auto bind = device->Get<PFN_vkCmdBindDescriptorSets2KHR>("vkCmdBindDescriptorSets2KHR");
                ASSERT_TRUE(bind);
                bind(into, &info);
            },
            once ? kOnce : 0);
        SubmitEach({buffer});
        EXPECT_EQ(Done().at(0).in, buffer);
    }
    vkDestroyPipelineLayout(device->handle, layout, nullptr);
}

TEST_F(DeferredTest, WhatIsOnlyObservedIsBegunAtOnce) {
    StartFused({{"barriers", "observe"}});
    SubmitEach(NumberedTo(4));
    EXPECT_EQ(InOrder(Done(), 4), 4u);
    Begun();
    const VkCommandBuffer buffer = device->MakeBuffer();
    const VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, kOnce, nullptr};
    EXPECT_EQ(vkBeginCommandBuffer(buffer, &info), VK_SUCCESS);
    EXPECT_EQ(Begun(), 1u);
    vkCmdDispatch(buffer, 1, 1, 1);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    SubmitEach({buffer});
    EXPECT_EQ(Done().at(0).in, buffer);
}

TEST_F(DeferredTest, AYoungerPipelineLayoutIsNotKept) {
    StartCrowd({{"stats", "off"}});
    const VkPipelineLayout older = MakeLayout();
    Numbered(1, kOnce);  // and never submitted
    const uint64_t before = mock.Calls("vkDestroyPipelineLayout");
    vkDestroyPipelineLayout(device->handle, older, nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before);
    for (uint64_t i = 1; i <= 3; ++i) {
        vkDestroyPipelineLayout(device->handle, MakeLayout(), nullptr);
        EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before + i);
    }
}

TEST_F(DeferredTest, ACrowdIsForgotten) {
    StartFused({{"submits", "busy"}, {"stats", "off"}});
    mock.CloseGate(device->queue);
    SubmitEach(NumberedTo(40));
    mock.OpenGate(device->queue);
    Done();
    Begun();
    uint32_t deferred = 0;
    for (int i = 0; i < 200; ++i) {
        const VkCommandBuffer buffer = Numbered(1, kOnce);
        deferred += Begun() ? 0 : 1;
        SubmitEach({buffer});
        Done();
        Begun();
    }
    EXPECT_GT(deferred, 0u);
    EXPECT_LT(deferred, 100u);
}

TEST_F(DeferredTest, WhatMaySubmitAgainOrIsLongOrIsSpecialIsRecordedAtOnce) {
    StartCrowd();
    const VkCommandBuffer secondary = device->MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Device::Record(secondary, 0);
    Begun();
    VkDeviceGroupCommandBufferBeginInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_COMMAND_BUFFER_BEGIN_INFO;
    group.deviceMask = 1;
    const std::vector<std::function<void(VkCommandBuffer)>> all = {
        [&](VkCommandBuffer buffer) { Record(buffer, 1, Nothing); },
        [&](VkCommandBuffer buffer) {
            Record(
                buffer, 1, [](VkCommandBuffer into) { Barriers(into, 60); }, kOnce);
        },
        [&](VkCommandBuffer buffer) {
            Record(
                buffer, 1, [&](VkCommandBuffer into) { vkCmdExecuteCommands(into, 1, &secondary); }, kOnce);
        },
        [&](VkCommandBuffer buffer) {
            const VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, &group, kOnce,
                                                    nullptr};
            EXPECT_EQ(vkBeginCommandBuffer(buffer, &begin), VK_SUCCESS);
            vkCmdDispatch(buffer, 1, 1, 1);
            EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
        },
    };
    for (size_t i = 0; i < all.size(); ++i) {
        SCOPED_TRACE(i);
        const VkCommandBuffer buffer = device->MakeBuffer();
        all[i](buffer);
        EXPECT_EQ(Begun(), 1u);
        SubmitEach({buffer});
        const std::vector<Ran> done = Done();
        ASSERT_EQ(done.size(), 1u);
        EXPECT_EQ(done[0].in, buffer);
    }
    EXPECT_EQ(Did(Ended(), "streams_deferred"), 0u);
}

TEST_F(DeferredTest, WhatCannotBeHeldIsTheDriversFromThereOn) {
    StartCrowd();
    const VkCommandBuffer buffer = device->MakeBuffer();
    Record(
        buffer, 2,
        [&](VkCommandBuffer into) {
            vkCmdDispatch(into, 1, 1, 1);
            EXPECT_EQ(mock.Calls("vkBeginCommandBuffer"), begun);
            vkCmdSetDeviceMask(into, 1);
            EXPECT_EQ(Begun(), 1u);
        },
        kOnce);
    SubmitEach({buffer});
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 2), 1u);
    EXPECT_EQ(done.at(0).in, buffer);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "streams_given_up"), 1u);
    EXPECT_EQ(Did(summary, "streams_deferred"), 0u);
}

TEST_F(DeferredTest, WhatIsNeverSubmittedIsForgotten) {
    StartCrowd();
    const std::vector<VkCommandBuffer> buffers = NumberedTo(3, kOnce);
    EXPECT_EQ(vkResetCommandBuffer(buffers[0], 0), VK_SUCCESS);
    Record(buffers[1], 1, Nothing, kOnce);
    EXPECT_EQ(Begun(), 0u);
    SubmitEach({buffers[1], buffers[2]});
    std::vector<Ran> done = Done();
    ASSERT_EQ(done.size(), 2u);
    EXPECT_EQ(done[0].number, 1u);
    EXPECT_EQ(done[1].number, 3u);
    // A layout that none of them can name any more goes at once.
    const uint64_t before = mock.Calls("vkDestroyPipelineLayout");
    vkDestroyPipelineLayout(device->handle, MakeLayout(), nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before + 1);
    Numbered(4, kOnce);
    EXPECT_EQ(Begun(), 1u) << "of the two that were submitted";
}

// Section "Object Lifetime": a pipeline layout may be destroyed once no command buffer that uses it records.
TEST_F(DeferredTest, APipelineLayoutLivesUntilItWasNamed) {
    StartCrowd();
    const VkPipelineLayout layout = MakeLayout();
    std::vector<VkCommandBuffer> buffers;
    for (uint32_t i = 1; i <= 3; ++i) buffers.push_back(Pushing(i, layout, kOnce));
    const uint64_t before = mock.Calls("vkDestroyPipelineLayout");
    vkDestroyPipelineLayout(device->handle, layout, nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before);
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 3), 1u);
    // That must not go on for ever.
    Begun();
    Numbered(1, kOnce);
    EXPECT_EQ(Begun(), 1u);
    vkDestroyPipelineLayout(device->handle, MakeLayout(), nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before + 2) << "the first one too";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "deferrals_layouts"), 1u);
    EXPECT_EQ(Did(summary, "fusions_layouts"), 0u);
}

TEST_F(DeferredTest, APipelineLayoutGoesAtOnceWhereTheirPoolWasReset) {
    StartCrowd();
    const VkPipelineLayout layout = MakeLayout();
    for (uint32_t i = 1; i <= 3; ++i) Pushing(i, layout, kOnce);
    EXPECT_EQ(vkResetCommandPool(device->handle, device->pool, 0), VK_SUCCESS);
    const uint64_t before = mock.Calls("vkDestroyPipelineLayout");
    vkDestroyPipelineLayout(device->handle, layout, nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before + 1);
    EXPECT_EQ(Begun(), 0u);
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "streams_deferred"), 3u);
    EXPECT_EQ(Did(summary, "deferrals_layouts"), 0u);
}

// Section "Host Memory": whoever destroys such a layout later could not call its callbacks.
TEST_F(DeferredTest, APipelineLayoutWithCallbacksIsNotKept) {
    StartCrowd();
    Numbered(1, kOnce);  // ended before, and never submitted
    const VkCommandBuffer recording = device->MakeBuffer();
    const VkCommandBufferBeginInfo begin = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, kOnce, nullptr};
    EXPECT_EQ(vkBeginCommandBuffer(recording, &begin), VK_SUCCESS);
    EXPECT_EQ(Begun(), 0u);
    VkAllocationCallbacks callbacks = {};
    callbacks.pfnAllocation = [](void*, size_t bytes, size_t, VkSystemAllocationScope) { return std::malloc(bytes); };
    callbacks.pfnReallocation = [](void*, void* old, size_t bytes, size_t, VkSystemAllocationScope) {
        return std::realloc(old, bytes);
    };
    callbacks.pfnFree = [](void*, void* memory) { std::free(memory); };
    VkPipelineLayoutCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreatePipelineLayout(device->handle, &info, &callbacks, &layout), VK_SUCCESS);
    const uint32_t value = 1;
    vkCmdPushConstants(recording, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &value);
    vkCmdDispatch(recording, 1, 1, 1);
    EXPECT_EQ(vkEndCommandBuffer(recording), VK_SUCCESS);
    EXPECT_EQ(Begun(), 1u) << "it may name one: it has to be recorded before that goes";
    const uint64_t before = mock.Calls("vkDestroyPipelineLayout");
    vkDestroyPipelineLayout(device->handle, layout, &callbacks);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), before + 1);
    SubmitEach({recording});
    EXPECT_EQ(Done().at(0).in, recording);
    EXPECT_EQ(Did(Ended(), "deferrals_layouts"), 1u);
}

TEST_F(DeferredTest, AtTheEndOfTheDeviceNoPipelineLayoutIsLeft) {
    StartCrowd({{"stats", "off"}});
    const uint64_t made = mock.Calls("vkCreatePipelineLayout"), gone = mock.Calls("vkDestroyPipelineLayout");
    const VkPipelineLayout layout = MakeLayout();
    Numbered(1, kOnce);
    vkDestroyPipelineLayout(device->handle, layout, nullptr);
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout"), gone);
    End();
    EXPECT_EQ(mock.Calls("vkDestroyPipelineLayout") - gone, mock.Calls("vkCreatePipelineLayout") - made);
}

// What nobody knows the meaning of goes to the driver as it is, but for the command buffers that it has nothing of.
TEST_F(DeferredTest, WhatTheLayerDoesNotKnowIsSubmittedWithOthersInTheirPlaces) {
    StartCrowd();
    const std::vector<VkCommandBuffer> buffers = {Numbered(1, kOnce), Numbered(2), Numbered(3, kOnce),
                                                  Numbered(4, kOnce)};
    EXPECT_EQ(Begun(), 1u);
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    const uint32_t masks[] = {1, 1, 1, 1};
    group.commandBufferCount = 4;
    group.pCommandBufferDeviceMasks = masks;
    VkSubmitInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.pNext = &group;
    info.commandBufferCount = 4;
    info.pCommandBuffers = buffers.data();
    EXPECT_EQ(vkQueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 4), 4u) << "as many as the masks are for";
    EXPECT_EQ(done.at(1).in, buffers[1]);
    EXPECT_EQ(Begun(), 3u);
    Numbered(1, kOnce);
    EXPECT_EQ(Begun(), 1u) << "when those are done is not known: no more of them";
    const nlohmann::json summary = Ended();
    EXPECT_EQ(Did(summary, "deferrals_unknown"), 1u);
    EXPECT_EQ(Driver(summary, "command_buffers"), 1u + 4u) << "the crowd, and these";
    EXPECT_EQ(Driver(summary, "submits"), 2u);
    EXPECT_EQ(Did(summary, "streams_deferred"), 3u);
}

TEST_F(DeferredTest, OfTheSecondFormToo) {
    VkPhysicalDeviceSynchronization2Features features = layered::Synchronization2();
    StartCrowd({}, {}, &features);
    const std::vector<VkCommandBuffer> buffers = {Numbered(1, kOnce), Numbered(2), Numbered(3, kOnce),
                                                  Numbered(4, kOnce)};
    std::vector<VkCommandBufferSubmitInfo> infos;
    for (const VkCommandBuffer buffer : buffers)
        infos.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 1});
    VkLatencySubmissionPresentIdNV unknown = {};
    unknown.sType = VK_STRUCTURE_TYPE_LATENCY_SUBMISSION_PRESENT_ID_NV;
    VkSubmitInfo2 info = {};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
    info.pNext = &unknown;
    info.commandBufferInfoCount = 4;
    info.pCommandBufferInfos = infos.data();
    EXPECT_EQ(vkQueueSubmit2(device->queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    const std::vector<Ran> done = Done();
    EXPECT_EQ(InOrder(done, 4), 4u);
    EXPECT_EQ(done.at(1).in, buffers[1]);
    EXPECT_EQ(Did(Ended(), "deferrals_unknown"), 1u);
}

TEST_F(DeferredTest, AQueueThatBindsSparselyGetsThemToo) {
    StartCrowd({{"stats", "off"}});
    const std::vector<VkCommandBuffer> buffers = NumberedTo(2, kOnce);
    EXPECT_EQ(vkQueueBindSparse(device->queue, 0, nullptr, VK_NULL_HANDLE), VK_SUCCESS);
    SubmitEach(buffers);
    EXPECT_EQ(InOrder(Done(), 2), 2u);
}

TEST_F(DeferredTest, WithoutMemoryToBeginTheProgramHearsWhenItEnds) {
    StartCrowd({{"stats", "off"}});
    const VkCommandBuffer buffer = device->MakeBuffer();
    for (const bool early : {true, false}) {
        SCOPED_TRACE(early);
        const uint64_t dispatches = mock.Calls("vkCmdDispatch"), masks = mock.Calls("vkCmdSetDeviceMask"),
                       ends = mock.Calls("vkEndCommandBuffer");
        const VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, kOnce, nullptr};
        mock.Fail("vkBeginCommandBuffer", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
        EXPECT_EQ(vkBeginCommandBuffer(buffer, &info), VK_SUCCESS);
        vkCmdDispatch(buffer, 1, 1, 1);
        if (early) {
            vkCmdSetDeviceMask(buffer, 1);
            vkCmdDispatch(buffer, 1, 1, 1);
            vkCmdSetDeviceMask(buffer, 1);
        } else {
            Barriers(buffer, 60);
        }
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_ERROR_OUT_OF_DEVICE_MEMORY);
        mock.ClearFailures();
        EXPECT_EQ(mock.Calls("vkCmdDispatch"), dispatches);
        EXPECT_EQ(mock.Calls("vkCmdSetDeviceMask"), masks);
        EXPECT_EQ(mock.Calls("vkEndCommandBuffer"), ends);
        // It may be begun again.
        Record(buffer, 1, Nothing, kOnce);
        SubmitEach({buffer});
        EXPECT_EQ(InOrder(Done(), 1), 1u);
    }
}

TEST_F(DeferredTest, WithoutMemoryForOneOfTheLayersTheProgramHears) {
    for (const char* command : {"vkAllocateCommandBuffers", "vkBeginCommandBuffer", "vkEndCommandBuffer"}) {
        SCOPED_TRACE(command);
        // With a crowd behind it that the driver had one by one, at an idle queue.
        StartFused({{"submits", "busy"}, {"stats", "off"}});
        mock.CloseGate(device->queue);
        SubmitEach(NumberedTo(2));
        EXPECT_EQ(device->Submit(Numbered(3)), VK_SUCCESS);
        mock.OpenGate(device->queue);
        EXPECT_EQ(InOrder(Done(), 3), 3u);
        const VkCommandBuffer buffer = Numbered(1, kOnce);
        mock.Fail(command, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(device->Submit(buffer), VK_ERROR_OUT_OF_HOST_MEMORY);
        mock.ClearFailures();
        SubmitEach({buffer});
        const std::vector<Ran> done = Done();
        EXPECT_EQ(InOrder(done, 1), 1u);
        EXPECT_NE(done.at(0).in, buffer);
        End();
    }
}

TEST_F(DeferredTest, HeldOnesGoInPiecesWhenTheDriverHasNoMemory) {
    StartCrowd();
    SubmitEach(NumberedTo(3, kOnce));
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(InOrder(Done(), 3), 3u);
    mock.ClearFailures();
    EXPECT_EQ(Did(Ended(), "streams_deferred"), 3u);
}

TEST_F(DeferredTest, HeldOnesThatCannotBeRecordedAreALostDevice) {
    StartCrowd({{"stats", "off"}});
    SubmitEach(NumberedTo(3, kOnce));
    mock.Fail("vkBeginCommandBuffer", 0, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_ERROR_DEVICE_LOST);
    mock.ClearFailures();
    device->Destroy();
    device.reset();
    instance.reset();
}

}  // namespace
