// SPDX-License-Identifier: Apache-2.0
// Recordings joined into one: what the driver gets between them, and what is left out because it is bound already.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "recording.h"
#include "stream/emit.h"
#include "stream/hold.h"
#include "world.h"

namespace kronos {
namespace {

using Table = VkuDeviceDispatchTable;
constexpr VkPipelineBindPoint kCompute = VK_PIPELINE_BIND_POINT_COMPUTE;
constexpr VkPipelineBindPoint kGraphics = VK_PIPELINE_BIND_POINT_GRAPHICS;
constexpr VkShaderStageFlags kStage = VK_SHADER_STAGE_COMPUTE_BIT;
constexpr uint32_t kSets = 3;

/// What a driver's command buffer has bound for compute. What a bind with another layout may have disturbed is not
/// bound.
struct Bound {
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;  // of the sets
    std::array<std::pair<VkDescriptorSet, std::string>, kSets + 8> sets;
    std::map<uint32_t, uint32_t> constants;  // by offset
};

/// The driver: notes what it gets, and at each dispatch what is bound.
struct Driver {
    std::string letters;
    Bound bound;
    std::vector<Bound> dispatches;

    static Driver& Here() {
        static Driver driver;
        return driver;
    }
    static const Table& Down() {
        static const Table table = [] {
            Table made = {};
            made.CmdBindPipeline = [](VkCommandBuffer, VkPipelineBindPoint point, VkPipeline pipeline) {
                Here().letters += 'p';
                if (point == kCompute) Here().bound.pipeline = pipeline;
            };
            made.CmdBindDescriptorSets = [](VkCommandBuffer, VkPipelineBindPoint point, VkPipelineLayout layout,
                                            uint32_t first, uint32_t count, const VkDescriptorSet* sets,
                                            uint32_t offset_count, const uint32_t* offsets) {
                Here().letters += 's';
                if (point == kCompute) Here().BindSets(layout, first, count, sets, offset_count, offsets);
            };
            made.CmdPushDescriptorSet = [](VkCommandBuffer, VkPipelineBindPoint point, VkPipelineLayout layout,
                                           uint32_t set, uint32_t, const VkWriteDescriptorSet*) {
                Here().letters += 'P';
                const VkDescriptorSet pushed = H<VkDescriptorSet>(900);
                if (point == kCompute) Here().BindSets(layout, set, 1, &pushed, 0, nullptr);
            };
            made.CmdPushConstants = [](VkCommandBuffer, VkPipelineLayout, VkShaderStageFlags, uint32_t offset, uint32_t,
                                       const void* values) {
                Here().letters += 'c';
                Here().bound.constants[offset] = *static_cast<const uint32_t*>(values);
            };
            made.CmdDispatch = [](VkCommandBuffer, uint32_t, uint32_t, uint32_t) {
                Here().letters += 'd';
                Here().dispatches.push_back(Here().bound);
            };
            made.CmdFillBuffer = [](VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, uint32_t) {
                Here().letters += 'f';
            };
            made.CmdWriteTimestamp = [](VkCommandBuffer, VkPipelineStageFlagBits, VkQueryPool, uint32_t) {
                Here().letters += 't';
            };
            made.CmdPipelineBarrier = [](VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags, VkDependencyFlags,
                                         uint32_t, const VkMemoryBarrier*, uint32_t, const VkBufferMemoryBarrier*,
                                         uint32_t, const VkImageMemoryBarrier*) { Here().letters += '|'; };
            made.CmdExecuteCommands = [](VkCommandBuffer, uint32_t, const VkCommandBuffer*) { Here().letters += 'x'; };
            made.CmdPipelineBarrier2 = [](VkCommandBuffer, const VkDependencyInfo*) { Here().letters += '!'; };
            return made;
        }();
        return table;
    }
    void BindSets(VkPipelineLayout layout, uint32_t first, uint32_t count, const VkDescriptorSet* sets,
                  uint32_t offset_count, const uint32_t* offsets) {
        if (layout != bound.layout) bound.sets = {};
        bound.layout = layout;
        std::string text;
        for (uint32_t i = 0; i < offset_count; ++i) text += std::to_string(offsets[i]) + ",";
        for (uint32_t i = 0; i < count; ++i) bound.sets.at(first + i) = {sets[i], text};
    }
};

class FusedTest : public ::testing::Test {
  protected:
    FusedTest() {
        Driver::Here() = {};
        world.Memory(1);
        for (uint64_t i = 1; i <= 4; ++i) world.Buffer(i, 1, i * 1024, 1024);
    }
    /// A recording that has ended.
    template <class Body>
    Recording& Record(Body body, bool drops = false) {
        recorders.push_back(std::make_unique<Recording>(
            world.resources, RecorderOptions{.mode = RecorderMode::kHold, .drops = drops, .keeps_most = 32}));
        Recording& recorder = *recorders.back();
        recorder.Begin(true);
        body(recorder);
        recorder.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
        return recorder;
    }
    /// What the driver gets of all of them as one.
    std::string Fused(bool planned = true) {
        std::vector<const Stream*> streams;
        for (const auto& recorder : recorders) {
            EXPECT_TRUE(recorder->Kept());
            if (recorder->Kept()) streams.push_back(recorder->Kept());
        }
        Driver::Here() = {};
        Steps joined;
        Join(streams, joined);
        BarrierPass pass;
        BarrierPlan plan;
        pass.Run(joined, {}, plan);
        Repeats repeats;
        Emit(streams, joined, planned ? &plan : nullptr, &repeats, Driver::Down(), VK_NULL_HANDLE, counters);
        dropped = repeats.dropped();
        return Driver::Here().letters;
    }

    static void Next(Recorder& recorder) { recorder.Next(Counter::kCount); }
    static void Fill(Recorder& recorder, uint64_t buffer) {
        Next(recorder);
        EXPECT_TRUE(hold::CmdFillBuffer(recorder, H<VkBuffer>(buffer), 0, VK_WHOLE_SIZE, 7));
    }
    static void Barrier(Recorder& recorder) {
        const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_TRANSFER_WRITE_BIT,
                                        VK_ACCESS_TRANSFER_WRITE_BIT};
        Next(recorder);
        EXPECT_TRUE(hold::CmdPipelineBarrier(recorder, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                             0, 1, &memory, 0, nullptr, 0, nullptr));
    }
    static void Pipeline(Recorder& recorder, uint64_t pipeline, VkPipelineBindPoint point = kCompute) {
        Next(recorder);
        EXPECT_TRUE(hold::CmdBindPipeline(recorder, point, H<VkPipeline>(pipeline)));
    }
    static void Sets(Recorder& recorder, uint32_t first, const std::vector<uint64_t>& sets, uint64_t layout = 1,
                     const std::vector<uint32_t>& offsets = {}, VkPipelineBindPoint point = kCompute) {
        std::vector<VkDescriptorSet> handles;
        for (const uint64_t set : sets) handles.push_back(H<VkDescriptorSet>(set));
        Next(recorder);
        EXPECT_TRUE(hold::CmdBindDescriptorSets(recorder, point, H<VkPipelineLayout>(layout), first,
                                                static_cast<uint32_t>(handles.size()), handles.data(),
                                                static_cast<uint32_t>(offsets.size()), offsets.data()));
    }
    static void PushSet(Recorder& recorder, uint32_t set) {
        Next(recorder);
        const VkDescriptorBufferInfo info = {H<VkBuffer>(1), 0, VK_WHOLE_SIZE};
        VkWriteDescriptorSet write = {};
        write.descriptorCount = 1;
        write.descriptorType = kStorage;
        write.pBufferInfo = &info;
        EXPECT_TRUE(hold::CmdPushDescriptorSet(recorder, kCompute, H<VkPipelineLayout>(1), set, 1, &write));
    }
    static void Constants(Recorder& recorder, uint32_t value, uint32_t offset = 0, uint64_t layout = 1,
                          VkShaderStageFlags stages = kStage) {
        Next(recorder);
        EXPECT_TRUE(hold::CmdPushConstants(recorder, H<VkPipelineLayout>(layout), stages, offset, 4, &value));
    }
    static void Dispatch(Recorder& recorder) {
        Next(recorder);
        EXPECT_TRUE(hold::CmdDispatch(recorder, 1, 1, 1));
    }

    World world;
    RecordingCounters counters;
    std::vector<std::unique_ptr<Recording>> recorders;
    uint32_t dropped = 0;
};

TEST_F(FusedTest, RecordingsFollowEachOther) {
    Record([](Recorder& recorder) { Fill(recorder, 1); });
    Record([](Recorder& recorder) {
        Pipeline(recorder, 1);
        Dispatch(recorder);
    });
    Record([](Recorder& recorder) { Constants(recorder, 1); });
    // A dispatch of a pipeline that nobody knows may touch everything.
    EXPECT_EQ(Fused(), "fp|dc");
}

TEST_F(FusedTest, BetweenConflictsThereIsABarrierThatNobodyRecorded) {
    Record([](Recorder& recorder) { Fill(recorder, 1); });
    Record([](Recorder& recorder) { Fill(recorder, 1); });
    Record([](Recorder& recorder) { Fill(recorder, 1); });
    EXPECT_EQ(Fused(), "f|f|f");
}

TEST_F(FusedTest, WhatIsIndependentNeedsNoMoreThanOne) {
    for (uint64_t i = 0; i < 12; ++i) Record([&](Recorder& recorder) { Fill(recorder, 1 + i % 4); });
    EXPECT_EQ(Fused(), "ffff|ffff|ffff");
}

TEST_F(FusedTest, TheBarriersOfTheProgramServeAcrossTheSeam) {
    Record([](Recorder& recorder) {
        Fill(recorder, 1);
        Barrier(recorder);
    });
    Record([](Recorder& recorder) {
        Barrier(recorder);
        Fill(recorder, 1);
        Barrier(recorder);
        Fill(recorder, 2);
    });
    EXPECT_EQ(Fused(), "f|ff|") << "the last is for work after it";
    EXPECT_EQ(Fused(false), "f|||f|f") << "without a plan all of them, and the seam's, are there";
}

TEST_F(FusedTest, BarriersAreOfTheSecondFormWhereOneWas) {
    Record([](Recorder& recorder) { Fill(recorder, 1); });
    Record([](Recorder& recorder) {
        VkDependencyInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
        Next(recorder);
        EXPECT_TRUE(hold::CmdPipelineBarrier2(recorder, &info));
        Fill(recorder, 1);
    });
    EXPECT_EQ(Fused(), "f!f");
}

TEST_F(FusedTest, NoBarrierPassesATimestamp) {
    Record([](Recorder& recorder) {
        Fill(recorder, 1);
        Next(recorder);
        hold::CmdWriteTimestamp(recorder, VK_PIPELINE_STAGE_TRANSFER_BIT, H<VkQueryPool>(1), 0);
    });
    Record([](Recorder& recorder) {
        Next(recorder);
        hold::CmdWriteTimestamp(recorder, VK_PIPELINE_STAGE_TRANSFER_BIT, H<VkQueryPool>(1), 1);
        Fill(recorder, 1);
    });
    EXPECT_EQ(Fused(), "ftt|f") << "but the seam, which nobody asked for";
}

TEST_F(FusedTest, TheSameRecordingMayComeTwice) {
    const Recording& recorder = Record([](Recorder& one) {
        Pipeline(one, 1);
        Fill(one, 1);
    });
    const Stream* twice[] = {recorder.Kept(), recorder.Kept()};
    Steps joined;
    Join(twice, joined);
    EXPECT_EQ(joined.steps.size(), 3u);
    BarrierPass pass;
    BarrierPlan plan;
    pass.Run(joined, {}, plan);
    Repeats repeats;
    Driver::Here() = {};
    Emit(twice, joined, &plan, &repeats, Driver::Down(), VK_NULL_HANDLE, counters);
    EXPECT_EQ(Driver::Here().letters, "pf|f");
}

TEST_F(FusedTest, WhatIsBoundAlreadyIsNotBoundAgain) {
    for (int i = 0; i < 3; ++i)
        Record([](Recorder& recorder) {
            Pipeline(recorder, 1);
            Sets(recorder, 0, {5, 6}, 1, {16});
            Constants(recorder, 7);
            Fill(recorder, 1);
        });
    EXPECT_EQ(Fused(), "pscf|f|f");
    EXPECT_EQ(dropped, 6u);
}

TEST_F(FusedTest, WhatDiffersIsBound) {
    const auto letters = [&](auto first, auto second) {
        recorders.clear();
        Record(first);
        Record(second);
        return Fused().substr(1);
    };
    const auto sets = [](uint32_t first, std::vector<uint64_t> all, uint64_t layout, std::vector<uint32_t> offsets,
                         VkPipelineBindPoint point = kCompute) {
        return [=](Recorder& recorder) { Sets(recorder, first, all, layout, offsets, point); };
    };
    EXPECT_EQ(letters(sets(0, {5}, 1, {}), sets(0, {5}, 1, {})), "");
    EXPECT_EQ(letters(sets(0, {5}, 1, {}), sets(0, {6}, 1, {})), "s");
    EXPECT_EQ(letters(sets(0, {5}, 1, {}), sets(1, {5}, 1, {})), "s");
    EXPECT_EQ(letters(sets(0, {5}, 1, {}), sets(0, {5}, 2, {})), "s");
    EXPECT_EQ(letters(sets(0, {5}, 1, {1}), sets(0, {5}, 1, {2})), "s");
    EXPECT_EQ(letters(sets(0, {5}, 1, {1}), sets(0, {5}, 1, {})), "s");
    EXPECT_EQ(letters(sets(0, {5, 6}, 1, {}), sets(0, {5}, 1, {})), "s") << "part of another bind is not looked into";
    EXPECT_EQ(letters(sets(0, {5}, 1, {}), sets(0, {5}, 1, {}, kGraphics)), "s");
    EXPECT_EQ(letters(sets(0, {5}, 1, {}, kGraphics), sets(0, {5}, 1, {})), "s");
    EXPECT_EQ(letters(sets(7, {5, 6}, 1, {}), sets(7, {5, 6}, 1, {})), "s") << "numbers that are not followed";
    EXPECT_EQ(letters(sets(8, {5}, 1, {}), sets(8, {5}, 1, {})), "s");
    const auto constants = [](uint32_t value, uint32_t offset, uint64_t layout, VkShaderStageFlags stages) {
        return [=](Recorder& recorder) { Constants(recorder, value, offset, layout, stages); };
    };
    EXPECT_EQ(letters(constants(1, 0, 1, kStage), constants(1, 0, 1, kStage)), "");
    EXPECT_EQ(letters(constants(1, 0, 1, kStage), constants(2, 0, 1, kStage)), "c");
    EXPECT_EQ(letters(constants(1, 0, 1, kStage), constants(1, 4, 1, kStage)), "c");
    EXPECT_EQ(letters(constants(1, 0, 1, kStage), constants(1, 0, 2, kStage)), "c");
    EXPECT_EQ(letters(constants(1, 0, 1, kStage), constants(1, 0, 1, kStage | VK_SHADER_STAGE_VERTEX_BIT)), "c");
    const auto pipeline = [](uint64_t number, VkPipelineBindPoint point) {
        return [=](Recorder& recorder) { Pipeline(recorder, number, point); };
    };
    EXPECT_EQ(letters(pipeline(1, kCompute), pipeline(1, kCompute)), "");
    EXPECT_EQ(letters(pipeline(1, kCompute), pipeline(2, kCompute)), "p");
    EXPECT_EQ(letters(pipeline(1, kGraphics), pipeline(1, kCompute)), "p");
    EXPECT_EQ(letters(pipeline(1, kCompute), pipeline(1, kGraphics)), "p");
}

TEST_F(FusedTest, WhatHasToBeAloneIsNotKept) {
    EXPECT_FALSE(Record([](Recorder& recorder) {
                     const VkCommandBuffer secondary = H<VkCommandBuffer>(1);
                     Next(recorder);
                     hold::CmdExecuteCommands(recorder, 0, &secondary);
                 }).Kept());
    EXPECT_FALSE(Record([](Recorder& recorder) {
                     for (int i = 0; i < 33; ++i) Fill(recorder, 1);
                 }).Kept());
    Recording& kept = Record([](Recorder& recorder) {
        for (int i = 0; i < 32; ++i) Fill(recorder, 1);
    });
    ASSERT_TRUE(kept.Kept());
    const uint64_t uid = kept.Kept()->uid;
    kept.Begin(true);
    EXPECT_FALSE(kept.Kept()) << "while it records";
    kept.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
    ASSERT_TRUE(kept.Kept());
    EXPECT_NE(kept.Kept()->uid, uid);
    kept.Forget();
    EXPECT_FALSE(kept.Kept());
    kept.Begin(true);
    kept.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, false);
    EXPECT_FALSE(kept.Kept()) << "the rest of it was not held";
    kept.Begin(false);
    kept.Finish(Driver::Down(), VK_NULL_HANDLE, counters, nullptr, true);
    EXPECT_FALSE(kept.Kept());
}

// Whatever is bound at a dispatch of a recording alone is bound there when it is one of several.
TEST_F(FusedTest, RandomRecordingsFindBoundWhatTheyBind) {
    uint32_t left_out = 0;
    for (uint32_t seed = 0; seed < 3'000; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
        recorders.clear();
        std::vector<Bound> alone;
        const uint32_t count = 2 + below(4);
        for (uint32_t i = 0; i < count; ++i) {
            Driver::Here() = {};
            Record([&](Recorder& recorder) {
                for (uint32_t commands = 1 + below(14); commands; --commands) switch (below(7)) {
                        case 0:
                            Pipeline(recorder, 1 + below(2), below(8) ? kCompute : kGraphics);
                            break;
                        case 1:
                        case 2: {
                            std::vector<uint64_t> sets(1 + below(2));
                            for (uint64_t& set : sets) set = 5 + below(2);
                            Sets(recorder, below(8) ? below(kSets - 1) : 6, sets, 1 + (below(5) == 0),
                                 std::vector<uint32_t>(below(2), below(2)), below(8) ? kCompute : kGraphics);
                            break;
                        }
                        case 3:
                            Constants(recorder, below(2), 4 * below(2), 1 + (below(5) == 0));
                            break;
                        case 4:
                            if (below(3) == 0) PushSet(recorder, below(kSets));
                            break;
                        default:
                            Dispatch(recorder);
                    }
            });
            alone.insert(alone.end(), Driver::Here().dispatches.begin(), Driver::Here().dispatches.end());
        }
        Fused();
        left_out += dropped;
        const std::vector<Bound>& fused = Driver::Here().dispatches;
        ASSERT_EQ(fused.size(), alone.size());
        for (size_t i = 0; i < alone.size(); ++i) {
            if (alone[i].pipeline) {
                ASSERT_EQ(fused[i].pipeline, alone[i].pipeline) << "seed " << seed;
            }
            for (size_t set = 0; set < alone[i].sets.size(); ++set)
                if (alone[i].sets[set].first) {
                    ASSERT_EQ(fused[i].sets[set], alone[i].sets[set]) << "seed " << seed << ", set " << set;
                }
            for (const auto& [offset, value] : alone[i].constants)
                ASSERT_EQ(fused[i].constants.at(offset), value) << "seed " << seed;
        }
    }
    EXPECT_GT(left_out, 1'000u);
}

}  // namespace
}  // namespace kronos
