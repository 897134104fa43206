// SPDX-License-Identifier: Apache-2.0
// What the tests of fused command buffers share: dispatches with numbers, and what ran when in which command buffer.
// Owned by one test.
#pragma once

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "submits_fixture.h"

namespace layered {

inline const SettingMap kFused = With(kHeld, {{"submits", "always"}, {"barriers", "on"}, {"fusion", "on"}});

class FusionTest : public SubmitsTest {
  protected:
    struct Ran {
        uint32_t number = 0;
        VkCommandBuffer in = VK_NULL_HANDLE;
    };

    void Watch() {
        mock.OnDispatch([this](const MockDispatch& dispatch) {
            const std::lock_guard lock(mutex);
            ran.push_back({dispatch.group_count[0], dispatch.command_buffer});
        });
    }
    void StartFused(const SettingMap& more = {}) {
        Watch();
        Start(With(kFused, more));
        mock.OpenGate(VK_NULL_HANDLE);
        mock.OpenGate(device->queue);
    }
    /// A dispatch of that number, after what `before` records.
    template <class Before>
    void Record(VkCommandBuffer buffer, uint32_t number, Before before, VkCommandBufferUsageFlags flags = 0) {
        const VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO, nullptr, flags, nullptr};
        EXPECT_EQ(vkBeginCommandBuffer(buffer, &info), VK_SUCCESS);
        before(buffer);
        vkCmdDispatch(buffer, number, 1, 1);
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    }
    VkCommandBuffer Numbered(uint32_t number, VkCommandBufferUsageFlags flags = 0) {
        const VkCommandBuffer made = device->MakeBuffer();
        Record(
            made, number, [](VkCommandBuffer) {}, flags);
        return made;
    }
    /// Behind a push of its number with that layout.
    VkCommandBuffer Pushing(uint32_t number, VkPipelineLayout layout, VkCommandBufferUsageFlags flags = 0) {
        const VkCommandBuffer made = device->MakeBuffer();
        Record(
            made, number,
            [&](VkCommandBuffer buffer) {
                vkCmdPushConstants(buffer, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &number);
            },
            flags);
        return made;
    }
    std::vector<VkCommandBuffer> NumberedTo(uint32_t count, VkCommandBufferUsageFlags flags = 0) {
        std::vector<VkCommandBuffer> made;
        for (uint32_t i = 1; i <= count; ++i) made.push_back(Numbered(i, flags));
        return made;
    }
    void SubmitEach(const std::vector<VkCommandBuffer>& buffers) {
        for (const VkCommandBuffer buffer : buffers) EXPECT_EQ(device->Submit(buffer), VK_SUCCESS);
    }
    /// What ran since the last time, when all is done.
    std::vector<Ran> Done() {
        EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
        const std::lock_guard lock(mutex);
        return std::exchange(ran, {});
    }
    /// They ran in the order of their numbers; returns in how many command buffers.
    static size_t InOrder(const std::vector<Ran>& ran, uint32_t count) {
        EXPECT_EQ(ran.size(), count);
        std::set<VkCommandBuffer> in;
        for (size_t i = 0; i < ran.size(); ++i) {
            EXPECT_EQ(ran[i].number, i + 1);
            in.insert(ran[i].in);
        }
        return in.size();
    }
    VkPipelineLayout MakeLayout() const {
        VkPipelineLayoutCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
        VkPipelineLayout made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreatePipelineLayout(device->handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }

    std::mutex mutex;
    std::vector<Ran> ran;
};

}  // namespace layered
