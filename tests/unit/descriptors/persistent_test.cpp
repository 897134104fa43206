// SPDX-License-Identifier: Apache-2.0
// What the driver gets, and when, of sets that persist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "../resources/allocations.h"
#include "layered_device.h"

namespace fake {
namespace {

namespace hook = kronos::hook;
using kronos::Counter;
constexpr VkDescriptorType kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;

class Persistent : public testing::Test {
  protected:
    void Start(const LayeredOptions& options = {}) {
        layer_ = std::make_unique<LayeredDevice>(driver_, options);
        const VkCommandPoolCreateInfo info = {};
        hook::CreateCommandPool(device_, &info, nullptr, &command_pool_);
        layout_ = MakeLayout(2);
        pool_ = MakePool(600);
        for (VkBuffer& buffer : buffers_) buffer = MakeBuffer();
        for (VkCommandBuffer& commands : commands_) commands = MakeCommands();
    }
    void TearDown() override {
        layer_.reset();
        EXPECT_THAT(driver_.faults, testing::IsEmpty());
    }
    VkCommandBuffer MakeCommands() {
        VkCommandBufferAllocateInfo info = {};
        info.commandPool = command_pool_;
        info.commandBufferCount = 1;
        VkCommandBuffer made = VK_NULL_HANDLE;
        hook::AllocateCommandBuffers(device_, &info, &made);
        return made;
    }
    VkDescriptorSetLayout MakeLayout(uint32_t buffers) {
        const VkDescriptorSetLayoutBinding binding = {0, kStorage, buffers, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
        VkDescriptorSetLayoutCreateInfo info = {};
        info.bindingCount = 1;
        info.pBindings = &binding;
        VkDescriptorSetLayout made = VK_NULL_HANDLE;
        hook::CreateDescriptorSetLayout(device_, &info, nullptr, &made);
        return made;
    }
    VkDescriptorPool MakePool(uint32_t sets, VkDescriptorPoolCreateFlags flags = 0) {
        VkDescriptorPoolCreateInfo info = {};
        info.flags = flags;
        info.maxSets = sets;
        VkDescriptorPool made = VK_NULL_HANDLE;
        hook::CreateDescriptorPool(device_, &info, nullptr, &made);
        return made;
    }
    // `next`: of its memory.
    VkBuffer MakeBuffer(const void* next = nullptr) {
        VkBufferCreateInfo info = {};
        info.size = 256;
        VkBuffer made = VK_NULL_HANDLE;
        hook::CreateBuffer(device_, &info, nullptr, &made);
        VkMemoryAllocateInfo allocate = {};
        allocate.pNext = next;
        allocate.allocationSize = 256;
        VkDeviceMemory memory = VK_NULL_HANDLE;
        hook::AllocateMemory(device_, &allocate, nullptr, &memory);
        hook::BindBufferMemory(device_, made, memory, 0);
        return made;
    }
    // Of memory that is not the program's alone.
    VkBuffer MakeSharedBuffer() {
        VkImportMemoryFdInfoKHR import = {};
        import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR;
        return MakeBuffer(&import);
    }
    VkDescriptorSet MakeSet(VkDescriptorPool pool = VK_NULL_HANDLE) {
        VkDescriptorSetAllocateInfo info = {};
        info.descriptorPool = pool ? pool : pool_;
        info.descriptorSetCount = 1;
        info.pSetLayouts = &layout_;
        VkDescriptorSet made = VK_NULL_HANDLE;
        EXPECT_EQ(hook::AllocateDescriptorSets(device_, &info, &made), VK_SUCCESS);
        return made;
    }
    void Write(VkDescriptorSet set, const std::vector<VkBuffer>& buffers, uint32_t element = 0, VkDeviceSize offset = 0,
               const void* next = nullptr) {
        std::vector<VkDescriptorBufferInfo> infos;
        for (const VkBuffer buffer : buffers) infos.push_back({buffer, offset, 64});
        const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                            next,
                                            set,
                                            0,
                                            element,
                                            static_cast<uint32_t>(infos.size()),
                                            kStorage,
                                            nullptr,
                                            infos.data(),
                                            nullptr};
        hook::UpdateDescriptorSets(device_, 1, &write, 0, nullptr);
    }
    void Begin(VkCommandBuffer commands) {
        const VkCommandBufferBeginInfo info = {};
        hook::BeginCommandBuffer(commands, &info);
    }
    void Bind(VkCommandBuffer commands, VkDescriptorSet set) {
        hook::CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, VK_NULL_HANDLE, 0, 1, &set, 0, nullptr);
    }
    // What a dispatch with the set has; it is recorded alone.
    uint64_t BoundFor(VkDescriptorSet set, VkCommandBuffer commands = VK_NULL_HANDLE) {
        if (!commands) commands = commands_[0];
        Begin(commands);
        Bind(commands, set);
        layer_->Dispatch(commands);
        hook::EndCommandBuffer(commands);
        return Driver::Of(commands).dispatches.at(0).at(0);
    }
    const std::vector<Slot>& Holds(uint64_t set) { return driver_.sets.At(set).slots; }
    uint64_t Life(VkBuffer buffer) { return driver_.names.buffers.at(reinterpret_cast<uint64_t>(buffer)); }
    static uint64_t Number(VkDescriptorSet set) { return reinterpret_cast<uint64_t>(set); }
    // So that a set of the layer's has it.
    uint64_t Persist(const std::vector<VkBuffer>& buffers) {
        uint64_t bound = 0;
        for (int i = 0; i < 2; ++i) {
            const VkDescriptorSet set = MakeSet();
            Write(set, buffers);
            bound = BoundFor(set);
            EXPECT_EQ(bound == Number(set), i == 0);
        }
        return bound;
    }

    Driver driver_;
    VkDevice device_ = driver_.device();
    std::unique_ptr<LayeredDevice> layer_;
    VkCommandPool command_pool_ = VK_NULL_HANDLE;
    VkDescriptorSetLayout layout_ = VK_NULL_HANDLE;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
    std::array<VkBuffer, 4> buffers_ = {};
    std::array<VkCommandBuffer, 3> commands_ = {};
};

TEST_F(Persistent, TheSecondTimeAContentIsKept) {
    Start();
    const VkDescriptorSet first = MakeSet();
    Write(first, {buffers_[0], buffers_[1]});
    EXPECT_EQ(driver_.updates, 0u) << "nobody looks yet";
    EXPECT_EQ(BoundFor(first), Number(first));
    EXPECT_EQ(driver_.updates, 1u);
    EXPECT_EQ(BoundFor(first), Number(first));
    const VkDescriptorSet second = MakeSet();
    Write(second, {buffers_[0], buffers_[1]});
    const uint64_t kept = BoundFor(second);
    EXPECT_NE(kept, Number(second));
    EXPECT_EQ(Holds(kept)[1].object, Life(buffers_[1]));
    EXPECT_EQ(driver_.updates, 2u);
    for (int i = 0; i < 20; ++i) {
        const VkDescriptorSet set = MakeSet();
        Write(set, {buffers_[0]});
        Write(set, {buffers_[1]}, 1);
        EXPECT_EQ(BoundFor(set), kept);
    }
    EXPECT_EQ(driver_.updates, 2u);
    // It is there for the first one too, once that is written again.
    Write(first, {buffers_[2]});
    Write(first, {buffers_[0]});
    EXPECT_EQ(BoundFor(first), kept);
    EXPECT_EQ(driver_.updates, 2u);
    EXPECT_EQ(layer_->Did(Counter::kSetsPersisted), 1u);
}

TEST_F(Persistent, NearNeighboursAreOthers) {
    Start();
    const uint64_t kept = Persist({buffers_[0], buffers_[1]});
    const auto other = [&](auto write) {
        const VkDescriptorSet set = MakeSet();
        write(set);
        EXPECT_NE(BoundFor(set), kept);
    };
    other([&](VkDescriptorSet set) { Write(set, {buffers_[1], buffers_[0]}); });
    other([&](VkDescriptorSet set) { Write(set, {buffers_[0], buffers_[1]}, 0, 64); });
    other([&](VkDescriptorSet set) { Write(set, {buffers_[0]}); });
    const VkDescriptorSetLayout before = layout_;
    layout_ = MakeLayout(2);  // alike, but another
    other([&](VkDescriptorSet set) { Write(set, {buffers_[0], buffers_[1]}); });
    layout_ = before;
}

TEST_F(Persistent, AHandleThatIsUsedAgainIsAnother) {
    Start();
    const uint64_t kept = Persist({buffers_[0], buffers_[1]});
    hook::DestroyBuffer(device_, buffers_[1], nullptr);
    const VkBuffer again = MakeBuffer();
    ASSERT_EQ(again, buffers_[1]);
    EXPECT_EQ(layer_->Did(Counter::kSetsForgotten), 1u);
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], again});
    const uint64_t bound = BoundFor(set);
    EXPECT_NE(bound, kept);
    EXPECT_EQ(Holds(bound)[1].object, Life(again));
}

TEST_F(Persistent, WhatIsDestroyedBeforeItIsNeededIsNotWritten) {
    Start();
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    hook::DestroyBuffer(device_, buffers_[1], nullptr);
    const uint64_t bound = BoundFor(set);
    EXPECT_EQ(bound, Number(set));
    EXPECT_EQ(Holds(bound)[0].object, Life(buffers_[0]));
    EXPECT_FALSE(Holds(bound)[1].written);
}

TEST_F(Persistent, NothingIsMadeOfWhatWasDestroyed) {
    Start();
    const VkDescriptorSet first = MakeSet(), second = MakeSet();
    for (const VkDescriptorSet set : {first, second}) Write(set, {buffers_[0], buffers_[1]});
    hook::DestroyBuffer(device_, buffers_[1], nullptr);
    EXPECT_EQ(BoundFor(first), Number(first));
    EXPECT_EQ(BoundFor(second), Number(second)) << "though it is the second time";
    EXPECT_EQ(layer_->Did(Counter::kSetsPersisted), 0u);
}

TEST_F(Persistent, WhatIsWrittenStaysInItsBinding) {
    Start();
    const std::array<VkDescriptorSetLayoutBinding, 2> bindings = {
        VkDescriptorSetLayoutBinding{0, kStorage, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr},
        VkDescriptorSetLayoutBinding{1, kStorage, 2, VK_SHADER_STAGE_COMPUTE_BIT, nullptr}};
    VkDescriptorSetLayoutCreateInfo info = {};
    info.bindingCount = 2;
    info.pBindings = bindings.data();
    hook::CreateDescriptorSetLayout(device_, &info, nullptr, &layout_);
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[0], buffers_[0]});
    EXPECT_EQ(BoundFor(set), Number(set));
    // The only element of the first, and the second of the next.
    Write(set, {buffers_[1]});
    Write(set, {buffers_[2]}, 2);
    EXPECT_EQ(BoundFor(set), Number(set));
    EXPECT_EQ(Holds(Number(set))[0].object, Life(buffers_[1]));
    EXPECT_EQ(Holds(Number(set))[1].object, Life(buffers_[0]));
    EXPECT_EQ(Holds(Number(set))[2].object, Life(buffers_[2]));
}

TEST_F(Persistent, AResetPoolOfCommandBuffersKeepsNothing) {
    Start({.most_per_layout = 1});
    const uint64_t kept = Persist({buffers_[0], buffers_[1]});
    const auto bind_other = [&] {
        const VkDescriptorSet set = MakeSet();
        Write(set, {buffers_[2], buffers_[3]});
        return BoundFor(set, commands_[1]);
    };
    for (int i = 0; i < 3; ++i) EXPECT_NE(bind_other(), kept) << "its recording has it";
    hook::ResetCommandPool(device_, command_pool_, 0);
    EXPECT_EQ(bind_other(), kept);
    EXPECT_EQ(Holds(kept)[0].object, Life(buffers_[2]));
}

TEST_F(Persistent, RecordingsKeepWhatTheyHave) {
    Start({.most_per_layout = 2});
    std::vector<uint64_t> kept;
    for (uint32_t i = 0; i < 2; ++i) {
        const uint64_t set = Persist({buffers_[i], buffers_[3]});
        kept.push_back(set);
        // Its own recording, which stays.
        const VkDescriptorSet again = MakeSet();
        Write(again, {buffers_[i], buffers_[3]});
        EXPECT_EQ(BoundFor(again, commands_[1 + i]), set);
    }
    // No room: the program's own set serves.
    for (int i = 0; i < 3; ++i) {
        const VkDescriptorSet set = MakeSet();
        Write(set, {buffers_[2], buffers_[3]});
        EXPECT_EQ(BoundFor(set), Number(set));
    }
    EXPECT_EQ(Driver::Of(commands_[1]).dispatches[0][0], kept[0]);
    EXPECT_EQ(Holds(kept[0])[0].object, Life(buffers_[0]));
    // Once its recording is no more, the one that was not used for longest is used again.
    hook::ResetCommandBuffer(commands_[2], 0);
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[2], buffers_[3]});
    EXPECT_EQ(BoundFor(set), kept[1]);
    EXPECT_EQ(layer_->Did(Counter::kSetsEvicted), 1u);
    EXPECT_EQ(Holds(kept[1])[0].object, Life(buffers_[2]));
    hook::FreeCommandBuffers(device_, command_pool_, 1, &commands_[1]);
    hook::ResetCommandPool(device_, command_pool_, 0);
    EXPECT_NE(Persist({buffers_[1], buffers_[2]}), 0u);
    EXPECT_EQ(layer_->Did(Counter::kSetsEvicted), 2u);
    EXPECT_EQ((*layer_)->persistent->Count(), 2u);
}

TEST_F(Persistent, TheLeastRecentlyUsedGoesFirst) {
    Start({.most_per_layout = 2});
    const uint64_t a = Persist({buffers_[0], buffers_[1]});
    const uint64_t b = Persist({buffers_[1], buffers_[1]});
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    EXPECT_EQ(BoundFor(set), a);
    EXPECT_EQ(Persist({buffers_[2], buffers_[2]}), b);
    Write(set, {buffers_[2]});
    Write(set, {buffers_[0]});
    EXPECT_EQ(BoundFor(set), a);
}

TEST_F(Persistent, ALayoutThatIsDestroyedTakesItsSetsWithIt) {
    Start();
    const size_t pools = driver_.pools.size();
    const uint64_t kept = Persist({buffers_[0], buffers_[1]});
    const VkDescriptorSet last = MakeSet();
    Write(last, {buffers_[0], buffers_[1]});
    EXPECT_EQ(driver_.pools.size(), pools + 1);
    hook::DestroyDescriptorSetLayout(device_, layout_, nullptr);
    // The recording has it still, and the program's set nothing else to be.
    EXPECT_EQ(driver_.pools.size(), pools + 1);
    EXPECT_EQ(Driver::Of(commands_[0]).dispatches[0][0], kept);
    EXPECT_EQ(BoundFor(last), Number(last));
    EXPECT_EQ(Holds(Number(last))[0].object, Life(buffers_[0]));
    layout_ = MakeLayout(2);
    hook::ResetCommandBuffer(commands_[0], 0);
    Persist({buffers_[0], buffers_[2]});
    EXPECT_EQ(driver_.pools.size(), pools + 1) << "the one is gone, the other new";
    hook::ResetCommandBuffer(commands_[0], 0);
    hook::DestroyDescriptorSetLayout(device_, layout_, nullptr);
    EXPECT_EQ(driver_.pools.size(), pools);
    EXPECT_EQ((*layer_)->persistent->Count(), 0u);
}

TEST_F(Persistent, WhatIsNotUnderstoodIsWrittenAtOnce) {
    Start();
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    EXPECT_EQ(driver_.updates, 0u);
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    Write(set, {buffers_[2]}, 1, 0, &unknown);
    EXPECT_EQ(driver_.updates, 2u) << "what waited, and the write itself";
    EXPECT_EQ(Holds(Number(set))[0].object, Life(buffers_[0]));
    EXPECT_EQ(Holds(Number(set))[1].object, Life(buffers_[2]));
    EXPECT_EQ(layer_->Did(Counter::kSetsDirect), 1u);
    Write(set, {buffers_[3]}, 1);
    EXPECT_EQ(driver_.updates, 3u);
    EXPECT_EQ(BoundFor(set), Number(set));
    EXPECT_EQ(driver_.updates, 3u);
}

TEST_F(Persistent, CopiesToSetsThatAreWrittenAtOnce) {
    Start();
    const VkDescriptorPool odd = MakePool(4, VK_DESCRIPTOR_POOL_CREATE_HOST_ONLY_BIT_EXT);
    const VkDescriptorSet from = MakeSet();
    const VkDescriptorSet to = MakeSet(odd);
    const VkDescriptorSet waits = MakeSet();
    Write(from, {buffers_[0], buffers_[1]});
    VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, from, 0, 0, waits, 0, 0, 2};
    hook::UpdateDescriptorSets(device_, 0, nullptr, 1, &copy);
    EXPECT_EQ(driver_.updates, 0u);
    copy.dstSet = to;
    hook::UpdateDescriptorSets(device_, 0, nullptr, 1, &copy);
    EXPECT_EQ(driver_.updates, 2u) << "the source is made real first";
    EXPECT_EQ(Holds(Number(to))[1].object, Life(buffers_[1]));
    EXPECT_EQ(BoundFor(waits), Number(waits));
    EXPECT_EQ(Holds(Number(waits))[1].object, Life(buffers_[1]));
}

TEST_F(Persistent, MemoryThatOthersMayHaveIsWrittenAtOnce) {
    Start();
    const VkBuffer buffer = MakeSharedBuffer();
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffer, buffer});
    EXPECT_EQ(driver_.updates, 1u);
    Write(set, {buffer, buffer});
    EXPECT_EQ(driver_.updates, 1u) << "the shadow knows it all the same";
}

TEST_F(Persistent, WhatWaitedIsNotLostToATemplateThatIsNotUnderstood) {
    Start();
    const VkBaseInStructure unknown = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
    const VkDescriptorUpdateTemplateEntry entry = {0, 1, 1, kStorage, 0, sizeof(VkDescriptorBufferInfo)};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.pNext = &unknown;
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    VkDescriptorUpdateTemplate made = VK_NULL_HANDLE;
    hook::CreateDescriptorUpdateTemplate(device_, &info, nullptr, &made);
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    EXPECT_EQ(driver_.updates, 0u);
    const VkDescriptorBufferInfo other = {buffers_[2], 0, 64};
    hook::UpdateDescriptorSetWithTemplate(device_, set, made, &other);
    EXPECT_EQ(BoundFor(set), Number(set));
    EXPECT_EQ(Holds(Number(set))[0].object, Life(buffers_[0]));
    EXPECT_EQ(Holds(Number(set))[1].object, Life(buffers_[2]));
    hook::DestroyDescriptorUpdateTemplate(device_, made, nullptr);
}

TEST_F(Persistent, SoItIsByTemplateAndInCopies) {
    Start();
    const VkBuffer buffer = MakeSharedBuffer();
    const VkDescriptorUpdateTemplateEntry entry = {0, 0, 2, kStorage, 0, sizeof(VkDescriptorBufferInfo)};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    VkDescriptorUpdateTemplate made = VK_NULL_HANDLE;
    hook::CreateDescriptorUpdateTemplate(device_, &info, nullptr, &made);
    const std::array<VkDescriptorBufferInfo, 2> infos = {VkDescriptorBufferInfo{buffers_[0], 0, 64}, {buffer, 0, 64}};
    const VkDescriptorSet from = MakeSet(), to = MakeSet();
    hook::UpdateDescriptorSetWithTemplate(device_, from, made, infos.data());
    EXPECT_EQ(driver_.updates, 2u) << "what might have waited, and the update itself";
    EXPECT_EQ(Holds(Number(from))[1].object, Life(buffer));
    VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, from, 0, 0, to, 0, 0, 2};
    hook::UpdateDescriptorSets(device_, 0, nullptr, 1, &copy);
    EXPECT_EQ(driver_.updates, 4u);
    EXPECT_EQ(Holds(Number(to))[1].object, Life(buffer));
    hook::DestroyDescriptorUpdateTemplate(device_, made, nullptr);
}

TEST_F(Persistent, ACommandBufferThatIsNotKnownBindsTheProgramsSet) {
    Start();
    Persist({buffers_[0], buffers_[1]});
    Commands unknown;
    unknown.table = reinterpret_cast<Dispatchable*>(device_)->table;
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    Bind(reinterpret_cast<VkCommandBuffer>(&unknown), set);
    EXPECT_EQ(unknown.bound[0], Number(set));
    EXPECT_EQ(Holds(Number(set))[1].object, Life(buffers_[1]));
}

TEST_F(Persistent, TheSteadyStateAllocatesNothing) {
    Start();
    const uint64_t kept = Persist({buffers_[0], buffers_[1]});
    const std::array<VkDescriptorBufferInfo, 2> infos = {VkDescriptorBufferInfo{buffers_[0], 0, 64},
                                                         VkDescriptorBufferInfo{buffers_[1], 0, 64}};
    VkWriteDescriptorSet write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.descriptorCount = infos.size();
    write.descriptorType = kStorage;
    write.pBufferInfo = infos.data();
    uint64_t allocations = 0;
    for (int i = 0; i < 10; ++i) {
        write.dstSet = MakeSet();
        Begin(commands_[0]);
        const uint64_t before = kronos::Allocations();
        hook::UpdateDescriptorSets(device_, 1, &write, 0, nullptr);
        Bind(commands_[0], write.dstSet);
        if (i > 1) allocations += kronos::Allocations() - before;
        layer_->Dispatch(commands_[0]);
        hook::EndCommandBuffer(commands_[0]);
        EXPECT_EQ(Driver::Of(commands_[0]).dispatches.at(0).at(0), kept);
    }
    EXPECT_EQ(allocations, 0u);
}

TEST_F(Persistent, AdviceForProgramsThatUseASetOnce) {
    Start();
    const VkDescriptorPool pool = MakePool(4, VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT);
    const VkDescriptorSet never = MakeSet(pool);
    const VkDescriptorSet once = MakeSet(pool);
    const VkDescriptorSet twice = MakeSet(pool);
    for (const VkDescriptorSet set : {once, twice, twice}) {
        Write(set, {buffers_[0], buffers_[1]});
        BoundFor(set);
    }
    hook::FreeDescriptorSets(device_, pool, 1, &twice);
    hook::FreeDescriptorSets(device_, pool, 1, &never);
    EXPECT_EQ(layer_->Did(Counter::kAdviceSetsBoundOnce), 0u);
    hook::ResetDescriptorPool(device_, pool, 0);
    EXPECT_EQ(layer_->Did(Counter::kAdviceSetsBoundOnce), 1u);
    EXPECT_EQ(layer_->Did(Counter::kAdvicePoolsReset), 1u);
    hook::ResetDescriptorPool(device_, pool, 0);
    MakeSet(pool);
    hook::ResetDescriptorPool(device_, pool, 0);
    EXPECT_EQ(layer_->Did(Counter::kAdvicePoolsReset), 1u) << "nothing was bound";
}

TEST_F(Persistent, AdviceForLargePushConstants) {
    Start();
    driver_.table.CreatePipelineLayout = [](VkDevice, const VkPipelineLayoutCreateInfo*, const VkAllocationCallbacks*,
                                            VkPipelineLayout* made) {
        *made = reinterpret_cast<VkPipelineLayout>(Driver::Get().NewHandle());
        return VK_SUCCESS;
    };
    (*layer_)->down.CreatePipelineLayout = driver_.table.CreatePipelineLayout;
    for (const uint32_t size : {128u, 132u}) {
        const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, size};
        VkPipelineLayoutCreateInfo info = {};
        info.pushConstantRangeCount = 1;
        info.pPushConstantRanges = &range;
        VkPipelineLayout made = VK_NULL_HANDLE;
        hook::CreatePipelineLayout(device_, &info, nullptr, &made);
        EXPECT_EQ(layer_->Did(Counter::kAdvicePushConstants), size > 128 ? 1u : 0u);
    }
}

// Where sets stay the program's, and nothing was gained from what they hold.
TEST_F(Persistent, WhatNobodyFollowsIsForgotten) {
    Start({.persistent = false});
    kronos::Device& device = **layer_;
    device.descriptors.shadow = false;
    device.worth = std::make_unique<kronos::StreamWorth>();
    uint64_t now = 0;
    const auto follow = [&](bool wanted) {
        now += uint64_t{1} << 58;  // more than makes up for all losses
        for (int i = 0; i < 2 && !wanted; ++i) device.worth->Held({.commands = UINT32_MAX}, now);
        device.worth->Hold(now);
        ASSERT_EQ(device.FollowsSets(), wanted);
    };
    const auto known = [&](VkDescriptorSet set) {
        const kronos::DescriptorSet* found = device.resources->FindSet(set);
        return found && std::ranges::all_of(found->descriptors, [](const kronos::Descriptor& one) {
                   return one.state == kronos::Descriptor::State::kMemory;
               });
    };
    const VkDescriptorUpdateTemplateEntry entry = {0, 0, 2, kStorage, 0, sizeof(VkDescriptorBufferInfo)};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    VkDescriptorUpdateTemplate made = VK_NULL_HANDLE;
    hook::CreateDescriptorUpdateTemplate(device_, &info, nullptr, &made);
    const std::array<VkDescriptorBufferInfo, 2> infos = {VkDescriptorBufferInfo{buffers_[2], 0, 64},
                                                         {buffers_[3], 0, 64}};
    const VkDescriptorSet set = MakeSet(), other = MakeSet();
    Write(other, {buffers_[2], buffers_[3]});
    const VkCopyDescriptorSet copy = {VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET, nullptr, other, 0, 0, set, 0, 0, 2};
    const std::array<std::function<void()>, 3> updates = {
        [&] {
            Write(set, {buffers_[2], buffers_[3]});
        },
        [&] { hook::UpdateDescriptorSets(device_, 0, nullptr, 1, &copy); },
        [&] { hook::UpdateDescriptorSetWithTemplate(device_, set, made, infos.data()); }};
    for (const auto& update : updates) {
        follow(true);
        Write(set, {buffers_[0], buffers_[1]});
        EXPECT_TRUE(known(set));
        follow(false);
        EXPECT_TRUE(known(set)) << "nothing has changed yet";
        update();
        EXPECT_FALSE(known(set));
        EXPECT_EQ(Holds(Number(set))[1].object, Life(buffers_[3])) << "the driver gets it all the same";
        follow(true);
        update();
        EXPECT_TRUE(known(set));
    }
    EXPECT_TRUE(known(other));
    // Of a pool whose sets come and go the new ones are not looked at.
    follow(false);
    EXPECT_NE(device.resources->FindSet(MakeSet()), nullptr);
    hook::ResetDescriptorPool(device_, pool_, 0);
    EXPECT_EQ(device.resources->FindSet(MakeSet()), nullptr);
    follow(true);
    EXPECT_NE(device.resources->FindSet(MakeSet()), nullptr);
    hook::DestroyDescriptorUpdateTemplate(device_, made, nullptr);
}

TEST_F(Persistent, IsGivenUpWhereNothingComesAgain) {
    Start({.judge = true});
    uint64_t written = 0;
    for (uint32_t i = 0; !layer_->Did(Counter::kSetsGivenUp) && i < 10'000; ++i) {
        hook::ResetDescriptorPool(device_, pool_, 0);
        const VkDescriptorSet set = MakeSet();
        Write(set, {buffers_[0], buffers_[1]}, 0, i + 1);
        BoundFor(set);
        ++written;
    }
    EXPECT_EQ(layer_->Did(Counter::kSetsGivenUp), 1u);
    const uint64_t updates = driver_.updates;
    const VkDescriptorSet set = MakeSet();
    Write(set, {buffers_[0], buffers_[1]});
    EXPECT_EQ(driver_.updates, updates + 1) << "at once, without waiting";
    EXPECT_EQ(BoundFor(set), Number(set));
    EXPECT_EQ(written, updates);
}

}  // namespace
}  // namespace fake
