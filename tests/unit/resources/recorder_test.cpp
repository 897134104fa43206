// SPDX-License-Identifier: Apache-2.0
// Recorders without a driver: what they remember of dispatches, what they allocate, and what the driver gets when
// memory runs out.
#include "stream/recorder.h"

#include <algorithm>
#include <array>
#include <new>

#include "allocations.h"
#include "recording.h"
#include "stream/hold.h"
#include "world.h"

namespace kronos {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using Table = VkuDeviceDispatchTable;

constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;
constexpr VkPipelineStageFlags kStage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;

/// What the driver gets: a letter for each command. Its room is made before anything is counted.
class Driver {
  public:
    static std::string& Got() {
        static std::string got;
        return got;
    }
    static const Table& Down() {
        static const Table table = [] {
            Table made = {};
            made.CmdBindPipeline = Says<'p', VkPipelineBindPoint, VkPipeline>;
            made.CmdBindDescriptorSets = Says<'s', VkPipelineBindPoint, VkPipelineLayout, uint32_t, uint32_t,
                                              const VkDescriptorSet*, uint32_t, const uint32_t*>;
            made.CmdPushDescriptorSet =
                Says<'P', VkPipelineBindPoint, VkPipelineLayout, uint32_t, uint32_t, const VkWriteDescriptorSet*>;
            made.CmdPushConstants = Says<'c', VkPipelineLayout, VkShaderStageFlags, uint32_t, uint32_t, const void*>;
            made.CmdDispatch = Says<'d', uint32_t, uint32_t, uint32_t>;
            made.CmdDispatchIndirect = Says<'i', VkBuffer, VkDeviceSize>;
            made.CmdFillBuffer = Says<'f', VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t>;
            made.CmdCopyBuffer = Says<'k', VkBuffer, VkBuffer, uint32_t, const VkBufferCopy*>;
            made.CmdWriteTimestamp = Says<'t', VkPipelineStageFlagBits, VkQueryPool, uint32_t>;
            made.CmdPipelineBarrier = Says<'|', VkPipelineStageFlags, VkPipelineStageFlags, VkDependencyFlags, uint32_t,
                                           const VkMemoryBarrier*, uint32_t, const VkBufferMemoryBarrier*, uint32_t,
                                           const VkImageMemoryBarrier*>;
            made.CmdPipelineBarrier2 = Says<'|', const VkDependencyInfo*>;
            return made;
        }();
        return table;
    }

  private:
    template <char letter, class... Args>
    static VKAPI_ATTR void VKAPI_CALL Says(VkCommandBuffer, Args...) {
        Got().push_back(letter);
    }
};

class RecorderTest : public ::testing::Test {
  protected:
    explicit RecorderTest(bool drops = false)
        : recorder(world.resources, {.mode = RecorderMode::kHold, .drops = drops, .keeps_most = 16}) {
        Driver::Got().clear();
        Driver::Got().reserve(1 << 16);
        world.Memory(1);
        for (uint64_t i = 1; i <= 4; ++i) world.Buffer(i, 1, i * 1024, 1024);
        const auto bound = world.SetLayout(1, {{0, kStorage}, {1, kStorage}});
        const auto pushed = world.SetLayout(2, {{0, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
        layout = world.Layout(1, {bound, pushed});
        copies = world.Pipeline(1, layout, Shader({Does(0, Use::kRead), Does(1, Use::kWrite)}));
        fills = world.Pipeline(2, layout, Shader({Does(0, Use::kWrite, 0, 1)}));
        const auto pool = world.Pool(1);
        for (uint64_t i = 0; i < 2; ++i) sets[i] = world.Set(i + 1, pool, bound);
        Write(sets[0], 1, 2);
        Write(sets[1], 3, 4);
    }
    /// From one buffer to another, by their numbers.
    void Write(VkDescriptorSet set, uint64_t from, uint64_t to) {
        world.Write(set, 0, kStorage, {{H<VkBuffer>(from), 0, VK_WHOLE_SIZE}});
        world.Write(set, 1, kStorage, {{H<VkBuffer>(to), 0, VK_WHOLE_SIZE}});
    }

    void Begin() {
        Driver::Got().clear();
        recorder.Begin(true);
    }
    /// As the hooks do it: what is not held the driver gets now.
    template <auto Slot, class... Args>
    void Do(bool (*hold)(Recorder&, Args...), std::type_identity_t<Args>... args) {
        bool held = false;
        if (recorder.Active()) {
            try {
                held = hold(recorder, args...);
            } catch (const std::bad_alloc&) {
                ++failures;
            }
            if (!held) Finish();
        }
        if (!held) (Driver::Down().*Slot)(VK_NULL_HANDLE, args...);
    }
    void Finish() { recorder.Finish(Driver::Down(), VK_NULL_HANDLE, counters, &decisions, true); }
    const std::string& End() {
        Finish();
        return Driver::Got();
    }
    void Bind(VkPipeline pipeline, VkDescriptorSet set) {
        Do<&Table::CmdBindPipeline>(hold::CmdBindPipeline, kCompute, pipeline);
        BindSet(set);
    }
    void BindSet(VkDescriptorSet set) {
        Do<&Table::CmdBindDescriptorSets>(hold::CmdBindDescriptorSets, kCompute, layout, 0, 1, &set, 0, nullptr);
    }
    void Dispatch() { Do<&Table::CmdDispatch>(hold::CmdDispatch, 1, 1, 1); }
    void Push(uint64_t buffer) {
        const VkDescriptorBufferInfo info = {H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE};
        const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                            nullptr,
                                            VK_NULL_HANDLE,
                                            0,
                                            0,
                                            1,
                                            kStorage,
                                            nullptr,
                                            &info,
                                            nullptr};
        Do<&Table::CmdPushDescriptorSet>(hold::CmdPushDescriptorSet, kCompute, layout, 1, 1, &write);
    }
    void Constants() {
        static constexpr std::array<uint32_t, 4> kConstants{};
        Do<&Table::CmdPushConstants>(hold::CmdPushConstants, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof kConstants,
                                     kConstants.data());
    }
    void Fill(uint64_t buffer) {
        Do<&Table::CmdFillBuffer>(hold::CmdFillBuffer, H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE, 0);
    }
    void Barrier(VkPipelineStageFlags stage = kStage) {
        const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_MEMORY_WRITE_BIT,
                                        VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};
        Do<&Table::CmdPipelineBarrier>(hold::CmdPipelineBarrier, stage, stage, 0, 1, &memory, 0, nullptr, 0, nullptr);
    }
    /// Commands of all kinds, again and again; how many the driver gets.
    size_t RecordMuch() {
        Begin();
        for (int i = 0; i < 200; ++i) {
            Bind(i % 3 ? copies : fills, sets[i % 2]);
            Push(1 + i % 4);
            Constants();
            Dispatch();
            Barrier();
            const VkBufferCopy region = {0, 0, 512};
            Do<&Table::CmdCopyBuffer>(hold::CmdCopyBuffer, H<VkBuffer>(1), H<VkBuffer>(3), 1, &region);
            const VkMemoryBarrier2 memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,   nullptr,
                                             VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_WRITE_BIT,
                                             VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, VK_ACCESS_2_MEMORY_READ_BIT};
            VkDependencyInfo info = {};
            info.memoryBarrierCount = 1;
            info.pMemoryBarriers = &memory;
            Do<&Table::CmdPipelineBarrier2>(hold::CmdPipelineBarrier2, &info);
            if (i % 50 == 49)
                Do<&Table::CmdWriteTimestamp>(hold::CmdWriteTimestamp, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                              H<VkQueryPool>(1), 0);
        }
        return End().size();
    }
    uint64_t Decided(Counter counter) const { return decisions.Sum(Side::kAsked, counter); }

    World world;
    Recording recorder;
    RecordingCounters counters;
    Counters decisions;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkPipeline copies = VK_NULL_HANDLE, fills = VK_NULL_HANDLE;
    std::array<VkDescriptorSet, 2> sets{};
    int failures = 0;
};

// The long way and both short ones: a memory barrier alone is one step, with the masks that it was given.
TEST_F(RecorderTest, AMemoryBarrierIsTheSameStepInBothForms) {
    const Masks masks = {VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, VK_ACCESS_2_SHADER_WRITE_BIT,
                         VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, VK_ACCESS_2_TRANSFER_READ_BIT};
    const VkMemoryBarrier first = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT,
                                   VK_ACCESS_TRANSFER_READ_BIT};
    const VkMemoryBarrier2 second = {VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     nullptr,
                                     masks.source_stages,
                                     masks.source_access,
                                     masks.destination_stages,
                                     masks.destination_access};
    const std::array<VkMemoryBarrier2, 2> twice = {second, second};
    VkDependencyInfo info = {};
    info.memoryBarrierCount = 1;
    info.pMemoryBarriers = &second;
    Begin();
    ASSERT_TRUE(hold::CmdPipelineBarrier(recorder, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                         0, 1, &first, 0, nullptr, 0, nullptr));
    ASSERT_TRUE(hold::CmdPipelineBarrier2(recorder, &info));
    info.memoryBarrierCount = 2;
    info.pMemoryBarriers = twice.data();
    ASSERT_TRUE(hold::CmdPipelineBarrier2(recorder, &info));
    ASSERT_EQ(recorder.stream.steps.barriers.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
        const BarrierStep& barrier = recorder.stream.steps.barriers[i];
        EXPECT_EQ(barrier.masks, masks) << i;
        EXPECT_TRUE(barrier.global) << i;
        EXPECT_FALSE(barrier.uncertain) << i;
        EXPECT_EQ(barrier.range_count, 0u) << i;
        EXPECT_EQ(recorder.stream.steps.steps[i].kind, StepKind::kBarrier) << i;
    }
    EXPECT_TRUE(recorder.stream.second_form);
    End();
}

TEST_F(RecorderTest, DispatchesWithTheSameBoundShareTheirAccesses) {
    Begin();
    for (int i = 0; i < 8; ++i) {
        Bind(copies, sets[i % 2]);
        Dispatch();
        Barrier();
    }
    EXPECT_THAT(recorder.steps().accesses, SizeIs(4));
    // Of the two sets' dispatches one barrier orders those before it; the last is for what comes after.
    EXPECT_EQ(End(), "psdps|dpsdps|dpsdps|dpsdps|d|");
    // Another recording has its own.
    Begin();
    Bind(copies, sets[0]);
    Dispatch();
    EXPECT_THAT(recorder.steps().accesses, SizeIs(2));
    EXPECT_EQ(recorder.steps().AccessesOf(recorder.steps().steps[0])[1].where.begin, 2048u);
    End();
}

// Of valid programs only those that do not use the first content any more do so; still it is not taken for the second.
TEST_F(RecorderTest, ASetThatIsUpdatedIsAnother) {
    for (const bool back : {false, true}) {
        Begin();
        Bind(copies, sets[0]);
        Dispatch();
        Barrier();
        Dispatch();
        Barrier();
        Write(sets[0], 3, back ? 2 : 4);
        Dispatch();
        // Into the same buffer, or another.
        EXPECT_EQ(End(), back ? "psd|d|d" : "psd|dd|");
        Write(sets[0], 1, 2);
    }
}

TEST_F(RecorderTest, UpdatesByTemplateAndCopiesAreUpdates) {
    const auto update = H<VkDescriptorUpdateTemplate>(1);
    const VkDescriptorUpdateTemplateEntry entry = {1, 0, 1, kStorage, 0, 0};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    world.resources.AddTemplate(update, info);
    for (const bool copied : {false, true}) {
        Write(sets[0], 1, 2);
        Begin();
        Bind(copies, sets[0]);
        Dispatch();
        Barrier();
        const VkDescriptorBufferInfo to = {H<VkBuffer>(4), 0, VK_WHOLE_SIZE};
        if (copied)
            world.Copy(sets[1], 1, 0, sets[0], 1, 0, 1);
        else
            world.resources.UpdateSet(sets[0], update, &to);
        Dispatch();
        Dispatch();
        EXPECT_EQ(recorder.steps().AccessesOf(recorder.steps().steps[2])[1].where.begin, 4096u);
        EXPECT_THAT(recorder.steps().accesses, SizeIs(4));
        End();
    }
}

TEST_F(RecorderTest, APushIsAnotherContent) {
    Begin();
    Bind(fills, sets[0]);
    for (const uint64_t buffer : {1, 1, 2}) {
        Push(buffer);
        Dispatch();
        Dispatch();
    }
    std::vector<uint64_t> begins;
    for (const Step& step : recorder.steps().steps) begins.push_back(recorder.steps().AccessesOf(step)[0].where.begin);
    EXPECT_THAT(begins, ElementsAre(1024, 1024, 1024, 1024, 2048, 2048));
    EXPECT_THAT(recorder.steps().accesses, SizeIs(3));
    End();
}

TEST_F(RecorderTest, NothingThatIsKnownIsTheSameAsNothing) {
    Begin();
    Dispatch();
    Bind(copies, H<VkDescriptorSet>(77));
    Dispatch();
    BindSet(sets[0]);
    Dispatch();
    world.resources.RemoveSets(H<VkDescriptorPool>(1), 1, &sets[0]);
    Dispatch();
    std::vector<uint64_t> memories;
    for (const Step& step : recorder.steps().steps)
        memories.push_back(recorder.steps().AccessesOf(step)[0].where.memory);
    ASSERT_THAT(memories, SizeIs(4));
    EXPECT_THAT((std::array{memories[0], memories[1], memories[3]}), ::testing::Each(MemoryRange::kEverything));
    EXPECT_NE(memories[2], MemoryRange::kEverything);
    End();
}

TEST_F(RecorderTest, ArgumentsAndWhatADispatchTouchesAreBothItsOwn) {
    Begin();
    Bind(copies, sets[0]);
    Dispatch();
    Barrier();
    Do<&Table::CmdDispatchIndirect>(hold::CmdDispatchIndirect, H<VkBuffer>(2), 0);
    Barrier(VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT);
    Fill(2);
    EXPECT_EQ(End(), "psd|i|f");
}

// A barrier that the dispatch needs is one before its arguments are read too: what writes them later waits for another.
TEST_F(RecorderTest, NoBarrierComesBetweenArgumentsAndTheirDispatch) {
    Write(sets[1], 2, 3);
    Begin();
    Barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    Bind(copies, sets[0]);
    Dispatch();
    Barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    BindSet(sets[1]);
    Do<&Table::CmdDispatchIndirect>(hold::CmdDispatchIndirect, H<VkBuffer>(4), 0);
    Barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    Fill(4);
    Barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    EXPECT_EQ(End(), "ps|ds|i|f|");
}

TEST_F(RecorderTest, RecordingAgainAllocatesNothing) {
    const size_t commands = RecordMuch();
    EXPECT_GT(commands, 6u * 200);
    const uint64_t before = Allocations();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(RecordMuch(), commands);
    EXPECT_EQ(Allocations(), before);
}

class DroppingRecorderTest : public RecorderTest {
  protected:
    DroppingRecorderTest() : RecorderTest(true) {}
};

TEST_F(DroppingRecorderTest, RecordingAgainAllocatesNothing) {
    const size_t commands = RecordMuch();
    EXPECT_GT(commands, 4u * 200);
    EXPECT_GT(Decided(Counter::kRedundantConstants), 150u);
    const uint64_t before = Allocations();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(RecordMuch(), commands);
    EXPECT_EQ(Allocations(), before);
}

// The path without a plan: memory runs out when the recording ends.
TEST_F(RecorderTest, WithoutMemoryToAnalyseBarriersStay) {
    Begin();
    Fill(1);
    Barrier();
    Fill(2);
    Barrier();
    Barrier();
    Fill(3);
    Barrier();
    Failing() = Allocations() + 1;
    EXPECT_EQ(End(), "f|f||f|");
    Failing() = 0;
    EXPECT_EQ(Decided(Counter::kStreamsHeld), 0u);
    // And with memory again they do not.
    Begin();
    Fill(1);
    Barrier();
    Fill(2);
    EXPECT_EQ(End(), "ff|");
    EXPECT_EQ(Decided(Counter::kStreamsHeld), 1u);
}

// Whatever allocation fails, the driver gets the commands, in order, and barriers at most where the program has them.
TEST_F(RecorderTest, WhateverAllocationFails) {
    for (uint64_t n = 1;; ++n) {
        Recording fresh(world.resources, {.mode = RecorderMode::kHold});
        Driver::Got().clear();
        fresh.Begin(true);
        Allocations() = 0;
        Failing() = n;
        const auto hold = [&](bool (*command)(Recorder&, VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t),
                              uint64_t buffer) {
            bool held = false;
            try {
                held = fresh.Active() && command(fresh, H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE, 0);
            } catch (const std::bad_alloc&) {
                fresh.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
            }
            if (!held) Driver::Down().CmdFillBuffer(VK_NULL_HANDLE, H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE, 0);
        };
        const auto barrier = [&] {
            const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_TRANSFER_WRITE_BIT,
                                            VK_ACCESS_TRANSFER_WRITE_BIT};
            constexpr VkPipelineStageFlags kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
            bool held = false;
            try {
                held = fresh.Active() &&
                       hold::CmdPipelineBarrier(fresh, kTransfer, kTransfer, 0, 1, &memory, 0, nullptr, 0, nullptr);
            } catch (const std::bad_alloc&) {
                fresh.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
            }
            if (!held)
                Driver::Down().CmdPipelineBarrier(VK_NULL_HANDLE, kTransfer, kTransfer, 0, 1, &memory, 0, nullptr, 0,
                                                  nullptr);
        };
        hold(hold::CmdFillBuffer, 1);
        barrier();
        hold(hold::CmdFillBuffer, 2);
        barrier();
        hold(hold::CmdFillBuffer, 1);
        barrier();
        fresh.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
        const bool reached = Allocations() >= n;
        Failing() = 0;
        const std::string got = Driver::Got();
        // The first and third fill the same, and one barrier at least is between them.
        EXPECT_LT(got.find('|'), got.rfind('f')) << n;
        EXPECT_EQ(std::count(got.begin(), got.end(), 'f'), 3) << n;
        EXPECT_LE(std::count(got.begin(), got.end(), '|'), 3) << n;
        if (reached) continue;
        EXPECT_EQ(got, "f|ff|");
        EXPECT_GT(n, 8u);
        break;
    }
}

// A command that found no memory is the driver's at once: what it does counts for nothing in what is decided before.
TEST_F(RecorderTest, WhatWasNotHeldIsNotAnalysed) {
    Begin();
    for (uint64_t i = 0; i < 16; ++i) {
        Fill(1 + i % 2);
        Barrier(VK_PIPELINE_STAGE_TRANSFER_BIT);
    }
    End();  // from here on the lists of steps have room
    int not_held = 0;
    for (int before = 0; before < 300; ++before) {
        const uint64_t necessary = Decided(Counter::kBarriersNecessary);
        Begin();
        Fill(1);
        for (int i = 0; i < before; ++i) Constants();
        Barrier(VK_PIPELINE_STAGE_TRANSFER_BIT);
        failures = 0;
        Failing() = Allocations() + 1;
        Fill(1);
        Failing() = 0;
        const std::string constants(static_cast<size_t>(before), 'c');
        EXPECT_EQ(End(), failures ? "f" + constants + "|f" : "f" + constants + "|f");
        EXPECT_EQ(Decided(Counter::kBarriersNecessary) - necessary, failures ? 0u : 1u) << before;
        not_held += failures;
    }
    EXPECT_GT(not_held, 0);
}

}  // namespace
}  // namespace kronos
