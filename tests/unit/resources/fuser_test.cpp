// SPDX-License-Identifier: Apache-2.0
// Recordings that the driver has nothing of, on their way to it. Once they were submitted the program may be told so
// by the device before the layer is: what it does to them then must not be mixed up with what they were.
#include "submission/fuser.h"

#include <gtest/gtest.h>

#include <memory>

#include "recording.h"
#include "stream/hold.h"
#include "world.h"

namespace kronos {
namespace {

const VkCommandBuffer kProgram = H<VkCommandBuffer>(1), kLayer = H<VkCommandBuffer>(2);
const Stream*& Known() {
    static const Stream* known = nullptr;
    return known;
}

class FuserTest : public ::testing::Test {
  protected:
    FuserTest() {
        down.CreateCommandPool = [](VkDevice, const VkCommandPoolCreateInfo*, const VkAllocationCallbacks*,
                                    VkCommandPool* made) { return *made = H<VkCommandPool>(3), VK_SUCCESS; };
        down.DestroyCommandPool = [](VkDevice, VkCommandPool, const VkAllocationCallbacks*) {};
        down.AllocateCommandBuffers = [](VkDevice, const VkCommandBufferAllocateInfo*, VkCommandBuffer* made) {
            return *made = kLayer, VK_SUCCESS;
        };
        down.BeginCommandBuffer = [](VkCommandBuffer, const VkCommandBufferBeginInfo*) { return VK_SUCCESS; };
        down.EndCommandBuffer = [](VkCommandBuffer) { return VK_SUCCESS; };
        down.CmdFillBuffer = [](VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t) {};
        policy.on = true;
        policy.set_loader_data = [](VkDevice, void*) { return VK_SUCCESS; };
        policy.resources = &world.resources;
        policy.worth = &worth;
        policy.find = [](VkCommandBuffer buffer) { return buffer == kProgram ? Known() : nullptr; };
        world.Memory(1);
        world.Buffer(1, 1, 0, 1024);
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &kProgram;
        fuser = std::make_unique<Fuser>(down, VK_NULL_HANDLE, 0, nullptr, policy, mutex);
        Defer();
    }
    // As the hooks do it.
    void Defer() {
        recording = std::make_unique<Recording>(
            world.resources, RecorderOptions{.mode = RecorderMode::kHold, .keeps_most = 8, .defers_most = 8});
        recording->Begin(true, true);
        recording->Next(Counter::kCount);
        EXPECT_TRUE(hold::CmdFillBuffer(*recording, H<VkBuffer>(1), 0, VK_WHOLE_SIZE, 7));
        ASSERT_TRUE(recording->Defer(nullptr));
        recording->stream.WaitIn(count);
        Known() = &recording->stream;
    }
    void Fuse() {
        EXPECT_TRUE(Fuser::AnyDeferred(call, policy));
        Batch::Call fused;
        ASSERT_EQ(fuser->Fuse(call, false, 0, fused), VK_SUCCESS);
        ASSERT_EQ(fused.first->commandBufferCount, 1u);
        EXPECT_EQ(fused.first->pCommandBuffers[0], kLayer);
        EXPECT_EQ(count, 1) << "the driver has not got it yet";
    }

    VkuDeviceDispatchTable down{};
    World world;
    StreamWorth worth;
    FusionPolicy policy;
    ForkMutex mutex{LockRank::kFusion};
    DeferredCount count{0};
    std::unique_ptr<Recording> recording;
    std::unique_ptr<Fuser> fuser;
    VkSubmitInfo info = {};
    Batch::Call call = {1, &info, nullptr};
};

TEST_F(FuserTest, WhatWasSubmittedMayBeFreedByThen) {
    Fuse();
    recording.reset();
    fuser->Given(1);
    EXPECT_EQ(count, 0);
}

TEST_F(FuserTest, WhatWasSubmittedMayBeAnotherByThen) {
    Fuse();
    Defer();
    fuser->Given(1);
    EXPECT_EQ(count, 1) << "the new one, which waits";
    Fuse();
    fuser->Given(2);
    EXPECT_EQ(count, 0);
}

TEST_F(FuserTest, WhatWasLostIsNotLookedAt) {
    Fuse();
    recording.reset();
    fuser->Lost();
    EXPECT_EQ(count, 0);
}

TEST_F(FuserTest, WhatWasNotTakenWaitsOn) {
    Fuse();
    fuser->NotGiven();
    EXPECT_EQ(count, 1);
    Fuse();
    fuser->Given(1);
    EXPECT_EQ(count, 0);
    Defer();
    Fuse();
    fuser->NotGiven();
    recording->Forget();
    EXPECT_EQ(count, 0) << "and was given up";
}

int& Freed() {
    static int freed = 0;
    return freed;
}

// A loader that does not take a command buffer of the layer's: it goes back, and the program hears that memory is
// short.
TEST_F(FuserTest, WhatTheLoaderDoesNotTakeIsFreed) {
    Freed() = 0;
    down.FreeCommandBuffers = [](VkDevice, VkCommandPool, uint32_t count, const VkCommandBuffer* buffers) {
        EXPECT_EQ(buffers[0], kLayer);
        Freed() += static_cast<int>(count);
    };
    policy.set_loader_data = [](VkDevice, void*) { return VK_ERROR_OUT_OF_HOST_MEMORY; };
    Fuser refused(down, VK_NULL_HANDLE, 0, nullptr, policy, mutex);
    Batch::Call fused;
    EXPECT_EQ(refused.Fuse(call, false, 0, fused), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(Freed(), 1);
    EXPECT_EQ(count, 1) << "it waits on";
    Fuse();
    fuser->Given(1);
}

// Whoever asks whether holding pays hears of deferred recordings too, when they are recorded.
TEST_F(FuserTest, WhatWasDeferredCountsAsHeld) {
    StreamWorth other;
    for (StreamWorth* one : {&worth, &other})
        for (int64_t i = 1; i < StreamWorth::kFirstHeld; ++i) one->Held({.commands = 1}, 0);
    Fuse();
    // More than any allowance, but for the last of those that are free.
    const auto most = static_cast<uint32_t>(StreamWorth::kFirstLost);
    for (StreamWorth* one : {&worth, &other}) one->Held({.commands = most}, 0);
    EXPECT_FALSE(worth.Hold(0));
    EXPECT_TRUE(other.Hold(0));
    fuser->Given(1);
}

}  // namespace
}  // namespace kronos
