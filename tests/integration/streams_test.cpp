// SPDX-License-Identifier: Apache-2.0
// Command buffers that are held until they end: what the driver gets, and when.
#include <cstddef>
#include <set>

#include "layered.h"

namespace {

using layered::Device;
using layered::Did;
using layered::Driver;
using layered::Instance;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const layered::SettingMap kHeld = {{"barriers", "on"}};

class StreamsTest : public layered::LayerTest {
  protected:
    void Start(layered::SettingMap settings = kHeld, std::vector<const char*> extensions = {}) {
        mock.SetMode(kMockModeFull);
        instance = std::make_unique<Instance>(true, ToFile(std::move(settings)));
        device = std::make_unique<Device>(*instance, std::move(extensions));
        buffer = device->MakeBuffer();
    }
    nlohmann::json End() {
        device.reset();
        instance.reset();
        return Summary();
    }
    /// The names of the vkCmd* that the driver got.
    std::vector<std::string> Commands() {
        std::vector<std::string> names;
        for (const auto& call : mock.Calls())
            if (call.command.starts_with("vkCmd")) names.push_back(call.command);
        return names;
    }
    VkBuffer MakeBuffer(VkDeviceSize size = 256) {
        VkBufferCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = size;
        info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        VkBuffer made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateBuffer(device->handle, &info, nullptr, &made), VK_SUCCESS);
        VkMemoryRequirements needs = {};
        vkGetBufferMemoryRequirements(device->handle, made, &needs);
        const VkMemoryAllocateInfo allocate = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, needs.size, 0};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        EXPECT_EQ(vkAllocateMemory(device->handle, &allocate, nullptr, &memory), VK_SUCCESS);
        EXPECT_EQ(vkBindBufferMemory(device->handle, made, memory, 0), VK_SUCCESS);
        buffers.emplace_back(made, memory);
        return made;
    }
    void DestroyBuffers() {
        for (const auto& [made, memory] : buffers) {
            vkDestroyBuffer(device->handle, made, nullptr);
            vkFreeMemory(device->handle, memory, nullptr);
        }
        buffers.clear();
    }
    static void Barrier(VkCommandBuffer commands) {
        const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_TRANSFER_WRITE_BIT,
                                        VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &memory, 0,
                             nullptr, 0, nullptr);
    }
    // A command that is not held, twice.
    void GiveUp(const char* barriers) {
        Start({{"barriers", barriers}});
        const VkBuffer a = MakeBuffer();
        for (size_t before = 0; before < 12; before += 6) {
            Device::Begin(buffer);
            Fill(a);
            Barrier(buffer);
            EXPECT_THAT(Commands(), testing::SizeIs(before));
            vkCmdSetDeviceMask(buffer, 1);
            ASSERT_THAT(Commands(), testing::SizeIs(before + 3));
            EXPECT_EQ(Commands()[before], "vkCmdFillBuffer");
            EXPECT_EQ(Commands()[before + 1], "vkCmdPipelineBarrier");
            EXPECT_EQ(Commands()[before + 2], "vkCmdSetDeviceMask");
            Barrier(buffer);
            Barrier(buffer);
            Fill(a);
            EXPECT_THAT(Commands(), testing::SizeIs(before + 6));
            EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
            EXPECT_THAT(Commands(), testing::SizeIs(before + 6));
        }
        DestroyBuffers();
        const nlohmann::json summary = End();
        EXPECT_EQ(Did(summary, "streams_given_up"), 2u);
        EXPECT_EQ(layered::Asked(summary, "barrier_calls"), 6u);
        EXPECT_EQ(Driver(summary, "barrier_calls"), 6u);
    }
    /// Barriers that only what is written twice needs.
    void ExpectToldApart(VkBuffer a, VkBuffer b) {
        const size_t before = Commands().size();
        Device::Begin(buffer);
        Fill(a);
        Barrier(buffer);
        Fill(b);  // the barrier is for work before the command buffer too
        Barrier(buffer);
        vkCmdFillBuffer(buffer, a, 0, 128, 7);
        Barrier(buffer);
        vkCmdFillBuffer(buffer, a, 128, 128, 7);
        Barrier(buffer);
        Fill(b);
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
        const std::vector<std::string> all = Commands();
        EXPECT_THAT(std::vector(all.begin() + static_cast<std::ptrdiff_t>(before), all.end()),
                    ElementsAre("vkCmdFillBuffer", "vkCmdPipelineBarrier", "vkCmdFillBuffer", "vkCmdFillBuffer",
                                "vkCmdFillBuffer", "vkCmdPipelineBarrier", "vkCmdFillBuffer"));
    }
    void Fill(VkBuffer where) const { vkCmdFillBuffer(buffer, where, 0, VK_WHOLE_SIZE, 7); }

    std::unique_ptr<Instance> instance;
    std::unique_ptr<Device> device;
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    std::vector<std::pair<VkBuffer, VkDeviceMemory>> buffers;
};

TEST_F(StreamsTest, WaitUntilTheCommandBufferEnds) {
    Start();
    const VkBuffer a = MakeBuffer();
    Device::Begin(buffer);
    Fill(a);
    EXPECT_THAT(Commands(), ElementsAre());
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer"));
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "streams_held"), 1u);
    EXPECT_EQ(Driver(summary, "transfers"), 1u);
}

// Two buffers of one slab, which the driver has in one memory.
TEST_F(StreamsTest, BuffersInMemoryOfSlabsAreToldApart) {
    Start({{"barriers", "on"}, {"slabs", "on"}});
    for (int life = 0; life < 2; ++life) {
        const VkBuffer a = MakeBuffer();
        ExpectToldApart(a, MakeBuffer());
        DestroyBuffers();
    }
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "slabs_served"), 4u);
    EXPECT_EQ(Did(summary, "barriers_write_write"), 2u);
}

// One that is no part of a slab unless the driver has no memory left.
TEST_F(StreamsTest, BuffersInMemoryOfSlabsForWantOfOtherAreToldApart) {
    Start({{"barriers", "on"}, {"slabs", "on"}, {"recycle_memory", "off"}});
    const VkBuffer a = MakeBuffer();
    EXPECT_TRUE(mock.Fail("vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY));
    ExpectToldApart(a, MakeBuffer(VkDeviceSize{3} << 20));
    DestroyBuffers();
    EXPECT_EQ(Did(End(), "slabs_served"), 2u);
}

TEST_F(StreamsTest, HaveTheBarriersThatTheirDataNeeds) {
    Start();
    const VkBuffer a = MakeBuffer();
    const VkBuffer b = MakeBuffer();
    Device::Begin(buffer);
    Fill(a);
    Barrier(buffer);
    Barrier(buffer);
    Fill(b);  // of other memory, but the first barrier is for work before the command buffer too
    Barrier(buffer);
    Fill(a);
    Barrier(buffer);
    Fill(b);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    // The first two are one, which orders both buffers; the others are one, before the first command that needs it.
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer", "vkCmdPipelineBarrier", "vkCmdFillBuffer", "vkCmdFillBuffer",
                                        "vkCmdPipelineBarrier", "vkCmdFillBuffer"));
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(layered::Asked(summary, "barrier_calls"), 4u);
    EXPECT_EQ(Driver(summary, "barrier_calls"), 2u);
    EXPECT_EQ(Did(summary, "barriers_earlier"), 1u);
    EXPECT_EQ(Did(summary, "barriers_write_write"), 1u);
    EXPECT_EQ(Did(summary, "barriers_end"), 0u);
}

TEST_F(StreamsTest, ThatGainNothingAreRecordedAsTheyAreFromThenOn) {
    Start({{"barriers", "auto"}});
    const VkBuffer a = MakeBuffer();
    // Each costs more than may be lost at once, and its time is seconds.
    mock.SetMode(kMockModeOff);
    for (int i = 0; i < 2; ++i) {
        Device::Begin(buffer);
        for (int j = 0; j < 100'000; ++j) Fill(a);
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    }
    mock.SetMode(kMockModeFull);
    Device::Begin(buffer);
    Fill(a);
    Barrier(buffer);
    Barrier(buffer);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer", "vkCmdPipelineBarrier", "vkCmdPipelineBarrier"));
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "streams_held"), 2u);
    EXPECT_EQ(Did(summary, "streams_direct"), 1u);
    EXPECT_EQ(Driver(summary, "barrier_calls"), 2u);
}

TEST_F(StreamsTest, ThatAreOnlyObservedAreAsTheyWereRecorded) {
    Start({{"barriers", "observe"}});
    const VkBuffer a = MakeBuffer();
    Device::Begin(buffer);
    Fill(a);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer"));
    Barrier(buffer);
    Barrier(buffer);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer", "vkCmdPipelineBarrier", "vkCmdPipelineBarrier"));
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Driver(summary, "barrier_calls"), 2u);
    EXPECT_EQ(Did(summary, "streams_observed"), 1u);
    EXPECT_EQ(Did(summary, "barriers_recorded"), 2u);
    EXPECT_EQ(Did(summary, "barriers_end"), 1u);
}

TEST_F(StreamsTest, EndAtACommandThatIsNotHeld) { GiveUp("on"); }

// The buffer is then one whose commands are only counted, until it is held again.
TEST_F(StreamsTest, EndAtACommandThatIsNotHeldWhereSomeAreNotHeldAtAll) { GiveUp("auto"); }

TEST_F(StreamsTest, ThatAreResetNeverReachTheDriver) {
    Start();
    const VkBuffer a = MakeBuffer();
    for (const bool pool : {false, true}) {
        Device::Begin(buffer);
        Fill(a);
        EXPECT_EQ(pool ? vkResetCommandPool(device->handle, device->pool, 0) : vkResetCommandBuffer(buffer, 0),
                  VK_SUCCESS);
    }
    Device::Begin(buffer);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_THAT(Commands(), ElementsAre());
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(layered::Asked(summary, "transfers"), 2u);
    EXPECT_EQ(Driver(summary, "transfers"), 0u);
}

// A reset of a pool has to do only with what was recorded since the one before, and is still there.
TEST_F(StreamsTest, OfAPoolEndWithItsReset) {
    Start();
    const VkBuffer a = MakeBuffer();
    std::vector<VkCommandBuffer> others(20);
    for (VkCommandBuffer& other : others) other = device->MakeBuffer();
    const auto record = [&](VkCommandBuffer commands, bool ended) {
        Device::Begin(commands);
        vkCmdFillBuffer(commands, a, 0, VK_WHOLE_SIZE, 7);
        const VkResult result = ended ? vkEndCommandBuffer(commands) : VK_SUCCESS;
        EXPECT_EQ(result, VK_SUCCESS);
    };
    for (int round = 0; round < 3; ++round) {
        record(others[0], false);
        record(others[1], true);
        record(others[1], false);  // which resets it
        record(others[2 + round], false);
        vkFreeCommandBuffers(device->handle, device->pool, 1, &others[2 + round]);
        EXPECT_EQ(vkResetCommandPool(device->handle, device->pool, 0), VK_SUCCESS);
        // What was recorded before is gone.
        others.push_back(device->MakeBuffer());
        for (VkCommandBuffer commands : {others[0], others[1], others.back()}) {
            Device::Begin(commands);
            EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
        }
        EXPECT_THAT(Commands(), testing::SizeIs(round + 1));
    }
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(layered::Asked(summary, "transfers"), 12u);
    EXPECT_EQ(Driver(summary, "transfers"), 3u);
    EXPECT_EQ(layered::Asked(summary, "recordings"), 21u);
}

// Where nothing is held a handle is looked up in another place, which must not name the one that had it before.
TEST_F(StreamsTest, ThatAreFreedLeaveTheirHandlesToOthers) {
    Start({{"barriers", "off"}});
    const VkBuffer a = MakeBuffer();
    uint64_t recorded = 0;
    for (const bool pools : {false, true}) {
        // Until the driver gives one again.
        std::set<VkCommandBuffer> handles;
        for (bool again = false; !again && recorded < 10'000;) {
            const VkCommandPool pool = pools ? device->MakePool() : device->pool;
            const VkCommandBuffer commands = device->MakeBuffer(pool);
            again = !handles.insert(commands).second;
            Device::Begin(commands);
            vkCmdFillBuffer(commands, a, 0, VK_WHOLE_SIZE, 7);
            EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
            ++recorded;
            if (pools)
                vkDestroyCommandPool(device->handle, pool, nullptr);
            else
                vkFreeCommandBuffers(device->handle, pool, 1, &commands);
        }
    }
    EXPECT_LT(recorded, 10'000u) << "the driver gives no handle again";
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(layered::Asked(summary, "transfers"), recorded);
    EXPECT_EQ(Driver(summary, "transfers"), recorded);
}

TEST_F(StreamsTest, KeepTransitionsWhereTheyAre) {
    Start();
    const VkBuffer a = MakeBuffer();
    VkImageCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = VK_FORMAT_R8G8B8A8_UNORM;
    info.extent = {4, 4, 1};
    info.mipLevels = info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    VkImage image = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateImage(device->handle, &info, nullptr, &image), VK_SUCCESS);
    VkImageMemoryBarrier transition = {};
    transition.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
    transition.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    transition.newLayout = VK_IMAGE_LAYOUT_GENERAL;
    transition.srcQueueFamilyIndex = transition.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    transition.image = image;
    transition.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    Device::Begin(buffer);
    Barrier(buffer);
    vkCmdPipelineBarrier(buffer, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 0,
                         nullptr, 1, &transition);
    Fill(a);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdPipelineBarrier", "vkCmdPipelineBarrier", "vkCmdFillBuffer"));
    EXPECT_THAT(mock.Calls(), testing::Contains(testing::Field(&mock::Driver::Call::text, HasSubstr("newLayout=1"))));
    vkDestroyImage(device->handle, image, nullptr);
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "barriers_fixed"), 1u);
    EXPECT_EQ(Did(summary, "barriers_hard"), 1u);
}

TEST_F(StreamsTest, CopyWhatTheirArgumentsPointTo) {
    Start();
    const VkBuffer a = MakeBuffer();
    const VkBuffer b = MakeBuffer();
    Device::Begin(buffer);
    {
        std::vector<VkBufferCopy> regions = {{0, 0, 4}, {8, 16, 32}};
        std::vector<uint32_t> data = {11, 22, 33, 44};
        vkCmdCopyBuffer(buffer, a, b, 2, regions.data());
        vkCmdUpdateBuffer(buffer, b, 64, 16, data.data());
        regions.assign(2, {1, 1, 1});
        data.assign(4, 0);
    }
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    const auto calls = mock.Calls();
    EXPECT_THAT(calls, testing::Contains(testing::Field(
                           &mock::Driver::Call::text, testing::AllOf(HasSubstr("vkCmdCopyBuffer"), HasSubstr("32")))));
    VkSubmitInfo submit = {};
    EXPECT_EQ(device->Submit(buffer), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device->queue), VK_SUCCESS);
    const auto* bytes = static_cast<const uint32_t*>(mock.BufferData(b));
    EXPECT_THAT(std::vector<uint32_t>(bytes + 16, bytes + 20), ElementsAre(11, 22, 33, 44));
    static_cast<void>(submit);
    DestroyBuffers();
    End();
}

TEST_F(StreamsTest, OfSecondariesAreTheirOwn) {
    Start();
    const VkBuffer a = MakeBuffer();
    const VkCommandBuffer secondary = device->MakeBuffer(VK_NULL_HANDLE, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    Device::Begin(secondary);
    vkCmdFillBuffer(secondary, a, 0, VK_WHOLE_SIZE, 1);
    EXPECT_EQ(vkEndCommandBuffer(secondary), VK_SUCCESS);
    Device::Begin(buffer);
    Fill(a);
    Barrier(buffer);
    vkCmdExecuteCommands(buffer, 1, &secondary);
    Barrier(buffer);
    Fill(a);
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_THAT(Commands(), ElementsAre("vkCmdFillBuffer", "vkCmdFillBuffer", "vkCmdPipelineBarrier",
                                        "vkCmdExecuteCommands", "vkCmdPipelineBarrier", "vkCmdFillBuffer"));
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Driver(summary, "secondaries"), 1u);
    EXPECT_EQ(Did(summary, "barriers_opaque"), 1u);
}

// So many that some of them must be searched for.
class ManyCommandBuffersTest : public StreamsTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(ManyCommandBuffersTest, AreAllHeldOrCounted) {
    Start({{"barriers", GetParam()}});
    const bool held = std::string_view(GetParam()) == "on";
    const VkBuffer a = MakeBuffer();
    constexpr size_t kMany = 500;
    std::vector<VkCommandBuffer> many;
    for (size_t i = 0; i < kMany; ++i) many.push_back(device->MakeBuffer());
    mock.ClearCalls();
    for (const VkCommandBuffer one : many) {
        Device::Begin(one);
        vkCmdFillBuffer(one, a, 0, VK_WHOLE_SIZE, 7);
        Barrier(one);
    }
    EXPECT_EQ(Commands().size(), held ? 0 : 2 * kMany);
    for (const VkCommandBuffer one : many) EXPECT_EQ(vkEndCommandBuffer(one), VK_SUCCESS);
    EXPECT_EQ(Commands().size(), 2 * kMany);
    DestroyBuffers();
    const nlohmann::json summary = End();
    EXPECT_EQ(Driver(summary, "transfers"), kMany);
    EXPECT_EQ(Driver(summary, "barrier_calls"), kMany);
    EXPECT_EQ(Did(summary, "streams_held"), held ? kMany : 0);
}
INSTANTIATE_TEST_SUITE_P(Barriers, ManyCommandBuffersTest, ::testing::Values("on", "off"));

TEST_F(StreamsTest, OfBuffersThatTheLayerDoesNotKnowKeepTheirBarriers) {
    Start();
    // Not bound to memory in a way that is known: sparse.
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT;
    info.size = 256;
    info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    VkBuffer sparse = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateBuffer(device->handle, &info, nullptr, &sparse), VK_SUCCESS);
    const VkBuffer a = MakeBuffer();
    Device::Begin(buffer);
    for (int i = 0; i < 4; ++i) {
        Fill(i % 2 ? sparse : a);
        Barrier(buffer);
    }
    EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkCmdPipelineBarrier"), 4u);
    vkDestroyBuffer(device->handle, sparse, nullptr);
    DestroyBuffers();
    EXPECT_EQ(Did(End(), "barriers_write_write"), 3u);
}

}  // namespace
