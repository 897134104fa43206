// SPDX-License-Identifier: Apache-2.0
// Binds and pushes that change nothing, from the commands to what the driver gets and what is counted.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "recording.h"
#include "state_driver.h"
#include "stream/hold.h"
#include "world.h"

namespace kronos {
namespace {

using model::DriverGot;
using model::DriverTable;
using ::testing::ElementsAre;
using Table = VkuDeviceDispatchTable;

constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;

class DropsTest : public ::testing::Test {
  protected:
    DropsTest() {
        DriverGot().clear();
        world.Memory(1);
        world.Buffer(1, 1, 0, 1024);
        const auto plain = world.SetLayout(1, {{0, kStorage}});
        dynamic = world.SetLayout(2, {{0, kStorageDynamic}});
        const auto pushed = world.SetLayout(3, {{0, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
        layout = world.Layout(1, {plain, dynamic, plain, pushed}, {{VK_SHADER_STAGE_COMPUTE_BIT, 0, 16}});
        pipeline = world.Pipeline(1, layout, Shader({Does(0, Use::kWrite)}));
        const auto pool = world.Pool(1);
        sets = {world.Set(1, pool, plain), world.Set(2, pool, dynamic), world.Set(3, pool, plain),
                world.Set(4, pool, plain)};
        world.Write(sets[0], 0, kStorage, {{H<VkBuffer>(1), 0, VK_WHOLE_SIZE}});
        recorder.Begin(true);
    }
    // As the hooks do it.
    template <auto Slot, class... Args>
    void Do(bool (*hold)(Recorder&, Args...), std::type_identity_t<Args>... args) {
        bool held = false;
        if (recorder.Active()) {
            recorder.Next(Counter::kCount);
            if (hold(recorder, args...))
                held = recorder.Holding();
            else
                End();
        }
        if (!held) (DriverTable().*Slot)(VK_NULL_HANDLE, args...);
    }
    void BindPipeline(VkPipelineBindPoint point = kCompute) {
        Do<&Table::CmdBindPipeline>(hold::CmdBindPipeline, point, pipeline);
    }
    void BindSets(uint32_t first, const std::vector<VkDescriptorSet>& bound, const std::vector<uint32_t>& offsets = {},
                  VkPipelineBindPoint point = kCompute) {
        Do<&Table::CmdBindDescriptorSets>(hold::CmdBindDescriptorSets, point, layout, first,
                                          static_cast<uint32_t>(bound.size()), bound.data(),
                                          static_cast<uint32_t>(offsets.size()), offsets.data());
    }
    void BindSets2(VkShaderStageFlags stages, uint32_t first, const std::vector<VkDescriptorSet>& bound,
                   const std::vector<uint32_t>& offsets = {}) {
        VkBindDescriptorSetsInfo info = {};
        info.stageFlags = stages;
        info.layout = layout;
        info.firstSet = first;
        info.descriptorSetCount = static_cast<uint32_t>(bound.size());
        info.pDescriptorSets = bound.data();
        info.dynamicOffsetCount = static_cast<uint32_t>(offsets.size());
        info.pDynamicOffsets = offsets.data();
        Do<&Table::CmdBindDescriptorSets2>(hold::CmdBindDescriptorSets2, &info);
    }
    void Constants(uint32_t value) {
        Do<&Table::CmdPushConstants>(hold::CmdPushConstants, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &value);
    }
    void Constants2(uint32_t value) {
        VkPushConstantsInfo info = {};
        info.layout = layout;
        info.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
        info.size = 4;
        info.pValues = &value;
        Do<&Table::CmdPushConstants2>(hold::CmdPushConstants2, &info);
    }
    VkWriteDescriptorSet Write() {
        VkWriteDescriptorSet write = {};
        write.descriptorCount = 1;
        write.descriptorType = kStorage;
        write.pBufferInfo = &whole;
        return write;
    }
    void Push(VkPipelineBindPoint point = kCompute) {
        const VkWriteDescriptorSet write = Write();
        Do<&Table::CmdPushDescriptorSet>(hold::CmdPushDescriptorSet, point, layout, 3, 1, &write);
    }
    void Push2(VkShaderStageFlags stages = VK_SHADER_STAGE_COMPUTE_BIT) {
        const VkWriteDescriptorSet write = Write();
        VkPushDescriptorSetInfo info = {};
        info.stageFlags = stages;
        info.layout = layout;
        info.set = 3;
        info.descriptorWriteCount = 1;
        info.pDescriptorWrites = &write;
        Do<&Table::CmdPushDescriptorSet2>(hold::CmdPushDescriptorSet2, &info);
    }
    void Dispatch() { Do<&Table::CmdDispatch>(hold::CmdDispatch, 1, 1, 1); }
    HeldWork End() { return recorder.Finish(DriverTable(), VK_NULL_HANDLE, counters, &decisions, true); }
    /// The letters of what the driver got since the last time.
    std::string Got() {
        std::string letters;
        for (const model::Raw& raw : DriverGot()) letters += raw.letter;
        DriverGot().clear();
        return letters;
    }
    std::vector<uint64_t> Decided() const {
        std::vector<uint64_t> counts;
        for (const Counter counter :
             {Counter::kRedundantPipelines, Counter::kRedundantSets, Counter::kRedundantTrimmed,
              Counter::kRedundantConstants, Counter::kRedundantDescriptors, Counter::kRedundantUnknown})
            counts.push_back(decisions.Sum(Side::kAsked, counter));
        return counts;
    }
    void Everything() {
        BindPipeline();
        BindSets(0, {sets[0], sets[1], sets[2]}, {16});
        Constants(7);
        Push();
        Dispatch();
    }

    World world;
    Recording recorder{world.resources, {.mode = RecorderMode::kHold, .drops = true}};
    RecordingCounters counters;
    Counters decisions;
    VkDescriptorBufferInfo whole = {H<VkBuffer>(1), 0, VK_WHOLE_SIZE};
    VkDescriptorSetLayout dynamic = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
    std::vector<VkDescriptorSet> sets;
};

TEST_F(DropsTest, WhatChangesNothingIsNotGiven) {
    for (int i = 0; i < 3; ++i) Everything();
    EXPECT_THAT(recorder.steps().steps, ::testing::SizeIs(3));
    // Those that are dropped cost no more than to look at them.
    EXPECT_EQ(End().commands, 5u + 2);
    EXPECT_EQ(Got(), "pscdxxx");
    EXPECT_THAT(Decided(), ElementsAre(2, 2, 0, 2, 2, 0));
}

TEST_F(DropsTest, TheOtherFormsAreTheSame) {
    Everything();
    BindSets2(VK_SHADER_STAGE_COMPUTE_BIT, 0, {sets[0], sets[1], sets[2]}, {16});
    Constants2(7);
    Push2();
    EXPECT_EQ(Got(), "");
    Constants2(8);
    Constants(8);
    BindSets2(VK_SHADER_STAGE_COMPUTE_BIT, 0, {sets[3]});
    BindSets(0, {sets[3]});
    End();
    EXPECT_EQ(Got(), "pscdxCS");
    EXPECT_THAT(Decided(), ElementsAre(0, 2, 0, 2, 1, 0));
}

TEST_F(DropsTest, ByTemplate) {
    const auto update = H<VkDescriptorUpdateTemplate>(1);
    const VkDescriptorUpdateTemplateEntry entry = {0, 0, 1, kStorage, 0, 0};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS;
    info.pipelineBindPoint = kCompute;
    info.set = 3;
    world.resources.AddTemplate(update, info);
    for (int i = 0; i < 3; ++i) {
        Do<&Table::CmdPushDescriptorSetWithTemplate>(hold::CmdPushDescriptorSetWithTemplate, update, layout, 3, &whole);
        Push();
    }
    End();
    EXPECT_EQ(Got(), "d");
    EXPECT_THAT(Decided(), ElementsAre(0, 0, 0, 0, 5, 0));
}

TEST_F(DropsTest, OfABindTheDriverGetsTheSetsThatDiffer) {
    BindSets(0, {sets[0], sets[1], sets[2]}, {16});
    BindSets(0, {sets[0], sets[1], sets[2]}, {32});
    BindSets2(VK_SHADER_STAGE_COMPUTE_BIT, 0, {sets[0], sets[1], sets[3]}, {32});
    End();
    const auto of = [](const VkDescriptorSet set) { return HandleBits(set); };
    const uint64_t with = HandleBits(layout);
    ASSERT_THAT(DriverGot(), ::testing::SizeIs(3));
    EXPECT_THAT(DriverGot()[1].words, ElementsAre(kCompute, with, 1, 1, of(sets[1]), 32));
    EXPECT_THAT(DriverGot()[2].words, ElementsAre(VK_SHADER_STAGE_COMPUTE_BIT, with, 2, 1, of(sets[3])));
    EXPECT_THAT(Decided(), ElementsAre(0, 0, 4, 0, 0, 0));
}

// Of what is bound in place of the program's sets, the driver gets those of the sets that differ, as it does of these.
TEST_F(DropsTest, WhatIsBoundInPlaceOfSetsIsTrimmedWithThem) {
    const auto own = [](uint64_t number) { return H<VkDescriptorSet>(50 + number); };
    const std::array<VkDescriptorSet, 3> first = {own(0), own(1), own(2)}, second = {own(0), own(3), own(2)};
    // Looked for by whoever chose, or by the recorder.
    const auto found = [&](size_t i) { return world.resources.FindSet(sets[i]); };
    const std::array<const DescriptorSet*, 3> all = {found(0), found(1), found(2)};
    recorder.ChooseSets(first.data(), all.data());
    BindSets(0, {sets[0], sets[1], sets[2]}, {16});
    recorder.ChooseSets(second.data(), all.data());
    BindSets(0, {sets[0], sets[1], sets[2]}, {16});
    recorder.ChooseSets(second.data());
    BindSets2(VK_SHADER_STAGE_COMPUTE_BIT, 0, {sets[3], sets[1], sets[2]}, {16});
    recorder.ChooseSets(first.data());
    BindSets2(VK_SHADER_STAGE_COMPUTE_BIT, 0, {sets[0], sets[1], sets[2]}, {32});
    recorder.ChooseSets(nullptr);
    End();
    const auto of = [](const VkDescriptorSet set) { return HandleBits(set); };
    const uint64_t with = HandleBits(layout);
    ASSERT_THAT(DriverGot(), ::testing::SizeIs(3));
    EXPECT_THAT(DriverGot()[0].words, ElementsAre(kCompute, with, 0, 3, of(own(0)), of(own(1)), of(own(2)), 16));
    EXPECT_THAT(DriverGot()[1].words, ElementsAre(kCompute, with, 1, 1, of(own(3)), 16));
    EXPECT_THAT(DriverGot()[2].words, ElementsAre(VK_SHADER_STAGE_COMPUTE_BIT, with, 1, 1, of(own(1)), 32));
    EXPECT_THAT(Decided(), ElementsAre(0, 1, 4, 0, 0, 0));
}

// What a dispatch touches is known all the same.
TEST_F(DropsTest, DispatchesTouchWhatIsBound) {
    Everything();
    Everything();
    const Steps& steps = recorder.steps();
    ASSERT_THAT(steps.steps, ::testing::SizeIs(2));
    for (const Step& step : steps.steps) {
        ASSERT_EQ(step.count, 1u);
        EXPECT_EQ(steps.AccessesOf(step)[0].where.end, 1024u);
        EXPECT_EQ(steps.AccessesOf(step)[0].kinds, Of(Kind::kStorageWrite));
    }
}

TEST_F(DropsTest, NothingIsLeftOfAnotherRecording) {
    Everything();
    End();
    recorder.Begin(true);
    Everything();
    // A reset, and nothing ever ended.
    recorder.Forget();
    recorder.Begin(true);
    Everything();
    End();
    EXPECT_EQ(Got(), "pscdxpscdx");
    EXPECT_THAT(Decided(), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST_F(DropsTest, NothingIsLeftBehindSecondaries) {
    Everything();
    const VkCommandBuffer secondary = H<VkCommandBuffer>(2);
    Do<&Table::CmdExecuteCommands>(hold::CmdExecuteCommands, 1, &secondary);
    Everything();
    End();
    EXPECT_EQ(Got(), "pscdxepscdx");
}

// A command that cannot be held: what follows is the driver's at once.
TEST_F(DropsTest, WhatIsNotHeldIsNotDropped) {
    Everything();
    End();
    Everything();
    EXPECT_EQ(Got(), "pscdxpscdx");
    // Nor what is recorded inside a render pass.
    recorder.Begin(false);
    Everything();
    Everything();
    EXPECT_EQ(Got(), "pscdxpscdx");
}

TEST_F(DropsTest, OtherBindPointsAreTheirOwn) {
    constexpr auto kGraphics = VK_PIPELINE_BIND_POINT_GRAPHICS;
    Everything();
    for (int i = 0; i < 2; ++i) {
        BindPipeline(kGraphics);
        BindSets(0, {sets[3]}, {}, kGraphics);
        Push(kGraphics);
        BindSets2(VK_SHADER_STAGE_VERTEX_BIT, 0, {sets[3]});
        Push2(VK_SHADER_STAGE_VERTEX_BIT);
    }
    Everything();
    End();
    EXPECT_EQ(Got(), "pscdxpsdSDpsdSDx");
    EXPECT_THAT(Decided(), ElementsAre(1, 1, 0, 1, 1, 0));
}

TEST_F(DropsTest, BindsForOtherStagesTooAreNotFollowed) {
    constexpr VkShaderStageFlags kBoth = VK_SHADER_STAGE_COMPUTE_BIT | VK_SHADER_STAGE_VERTEX_BIT;
    BindSets(0, {sets[0]});
    for (int i = 0; i < 2; ++i) BindSets2(kBoth, 0, {sets[0]});
    BindSets(0, {sets[0]});
    BindSets(0, {sets[0]});
    Push();
    for (int i = 0; i < 2; ++i) Push2(kBoth);
    Push();
    End();
    EXPECT_EQ(Got(), "sSSsdDDd");
    EXPECT_THAT(Decided(), ElementsAre(0, 1, 0, 0, 0, 4));
}

TEST_F(DropsTest, WhatIsNotKnownIsGivenAndCounted) {
    world.resources.RemovePipeline(pipeline);
    for (int i = 0; i < 2; ++i) BindPipeline();
    world.resources.RemoveBuffer(whole.buffer);
    for (int i = 0; i < 2; ++i) Push();
    world.resources.RemovePipelineLayout(layout);
    for (int i = 0; i < 2; ++i) BindSets(0, {sets[0]});
    for (int i = 0; i < 2; ++i) Constants(7);
    End();
    EXPECT_EQ(Got(), "ppddsscc");
    EXPECT_THAT(Decided(), ElementsAre(0, 0, 0, 0, 0, 8));
}

TEST(Drops, OffAndObserved) {
    for (const bool observed : {false, true}) {
        World world;
        const auto layout = world.Layout(1, {world.SetLayout(1, {{0, kStorage}})});
        const auto pipeline = world.Pipeline(1, layout, Shader({}));
        const auto set = world.Set(1, world.Pool(1), H<VkDescriptorSetLayout>(1));
        Recording recorder(world.resources,
                           {.mode = observed ? RecorderMode::kObserve : RecorderMode::kHold, .drops = observed});
        RecordingCounters counters;
        Counters decisions;
        DriverGot().clear();
        recorder.Begin(true);
        for (int i = 0; i < 3; ++i) {
            // Held, or the driver's at once: all of them.
            EXPECT_TRUE(hold::CmdBindPipeline(recorder, kCompute, pipeline));
            EXPECT_TRUE(hold::CmdBindDescriptorSets(recorder, kCompute, layout, 0, 1, &set, 0, nullptr));
            EXPECT_TRUE(hold::CmdDispatch(recorder, 1, 1, 1));
        }
        EXPECT_EQ(recorder.Finish(DriverTable(), VK_NULL_HANDLE, counters, &decisions, true).commands, 0u);
        std::string letters;
        for (const model::Raw& raw : DriverGot()) letters += raw.letter;
        EXPECT_EQ(letters, observed ? "" : "psxpsxpsx");
        EXPECT_EQ(decisions.Sum(Side::kAsked, Counter::kRedundantPipelines), observed ? 2u : 0u);
        EXPECT_EQ(decisions.Sum(Side::kAsked, Counter::kRedundantSets), observed ? 2u : 0u);
    }
}

}  // namespace
}  // namespace kronos
