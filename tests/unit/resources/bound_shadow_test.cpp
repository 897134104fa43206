// SPDX-License-Identifier: Apache-2.0
// Which binds of pipelines and sets, and which push constants, change nothing, rule by rule; and the near misses.
#include "bound_shadow_fixture.h"

namespace kronos {
namespace {

TEST_F(ShadowTest, APipelineThatIsBound) {
    const VkPipeline one = Pipeline(1), two = Pipeline(2);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kChange);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kNothing);
    EXPECT_EQ(shadow.BindPipeline(two), Effect::kChange);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kChange);
    // Another life of the handle.
    Pipeline(1);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kChange);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kNothing);
    // One that is not known takes its place, and is never the same.
    EXPECT_EQ(shadow.BindPipeline(H<VkPipeline>(9)), Effect::kUnknown);
    EXPECT_EQ(shadow.BindPipeline(H<VkPipeline>(9)), Effect::kUnknown);
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kChange);
    shadow.Clear();
    EXPECT_EQ(shadow.BindPipeline(one), Effect::kChange);
}

TEST_F(ShadowTest, ASetThatIsBound) {
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kNothing);
    EXPECT_EQ(Bind(layout, 1, {sets[0]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kNothing);
    // What it holds is other than before.
    world.Write(sets[1], 0, kStorage, {Whole(1)});
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kNothing);
    // Another life of the handle.
    world.resources.RemoveSets(pool, 1, &sets[1]);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kUnknown);
    world.Set(2, pool, plain);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kNothing);
    EXPECT_EQ(Bind(layout, 0, {VK_NULL_HANDLE}), Effect::kUnknown);
    EXPECT_EQ(Bind(layout, 0, {VK_NULL_HANDLE}), Effect::kUnknown);
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kChange);
    shadow.Clear();
    EXPECT_EQ(Bind(layout, 0, {sets[1]}), Effect::kChange);
}

// What is bound in place of the program's set is what counts: two that hold the same are one there.
TEST_F(ShadowTest, ASetThatIsBoundInPlaceOfOthers) {
    const auto bind = [&](VkDescriptorSet set, VkDescriptorSet chosen) {
        return shadow.BindSets({layout, 0, {&set, 1}, {}}, run, &chosen);
    };
    const auto own = H<VkDescriptorSet>(50), other = H<VkDescriptorSet>(51);
    EXPECT_EQ(bind(sets[0], own), Effect::kChange);
    EXPECT_EQ(bind(sets[0], own), Effect::kNothing);
    EXPECT_EQ(bind(sets[1], own), Effect::kNothing);
    EXPECT_EQ(bind(sets[1], other), Effect::kChange);
    EXPECT_EQ(bind(sets[0], own), Effect::kChange);
    // The program's own in its place is another, and so is the other way round.
    EXPECT_EQ(bind(sets[0], sets[0]), Effect::kChange);
    EXPECT_EQ(bind(sets[0], sets[0]), Effect::kNothing);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kNothing);
    EXPECT_EQ(bind(sets[0], own), Effect::kChange);
    shadow.Clear();
    EXPECT_EQ(bind(sets[0], own), Effect::kChange);
    // Of a set that is not known, nothing is known of what is in its place.
    EXPECT_EQ(bind(H<VkDescriptorSet>(99), own), Effect::kUnknown);
    EXPECT_EQ(bind(H<VkDescriptorSet>(99), own), Effect::kUnknown);
}

TEST_F(ShadowTest, OffsetsOfASetThatIsBoundInPlaceOfAnother) {
    const auto with = world.Layout(2, {dynamic});
    const auto one = world.Set(11, pool, dynamic);
    const auto own = H<VkDescriptorSet>(50);
    const std::array<uint32_t, 2> offsets = {0, 256}, others = {0, 512};
    EXPECT_EQ(shadow.BindSets({with, 0, {&one, 1}, offsets}, run, &own), Effect::kChange);
    EXPECT_EQ(shadow.BindSets({with, 0, {&one, 1}, offsets}, run, &own), Effect::kNothing);
    EXPECT_EQ(shadow.BindSets({with, 0, {&one, 1}, others}, run, &own), Effect::kChange);
}

TEST_F(ShadowTest, DynamicOffsetsArePartOfABind) {
    const auto with = world.Layout(2, {dynamic, plain, dynamic});
    const auto one = world.Set(11, pool, dynamic), two = world.Set(12, pool, dynamic);
    EXPECT_EQ(Bind(with, 0, {one, sets[0], two}, {0, 256, 512, 768}), Effect::kChange);
    EXPECT_EQ(Bind(with, 0, {one, sets[0], two}, {0, 256, 512, 768}), Effect::kNothing);
    EXPECT_EQ(Bind(with, 0, {one}, {0, 256}), Effect::kNothing);
    EXPECT_EQ(Bind(with, 2, {two}, {512, 768}), Effect::kNothing);
    EXPECT_EQ(Bind(with, 0, {one}, {0, 512}), Effect::kChange);
    EXPECT_EQ(Bind(with, 2, {two}, {256, 768}), Effect::kChange);
    // Not as many as the set takes, or more: nothing of it is known.
    EXPECT_EQ(Bind(with, 0, {one}, {0}), Effect::kUnknown);
    EXPECT_EQ(Bind(with, 0, {one}, {0, 512, 512}), Effect::kUnknown);
    EXPECT_EQ(Bind(with, 0, {one}, {0, 512}), Effect::kChange);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Bind(with, 0, {one}), Effect::kUnknown);
    EXPECT_EQ(Bind(with, 0, {one}, {0, 512}), Effect::kChange);
    // Behind a set that is not known, nobody can tell whose they are.
    EXPECT_EQ(Bind(with, 1, {H<VkDescriptorSet>(99), two}, {256, 768}), Effect::kUnknown);
    EXPECT_EQ(Bind(with, 2, {two}, {256, 768}), Effect::kChange);
}

// Nobody sees what is written to them.
TEST_F(ShadowTest, SetsOfALayoutThatIsNotUnderstood) {
    const VkBaseInStructure strange = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr};
    const auto unknown = world.SetLayout(21, {{0, kStorage}}, 0, &strange);
    const auto with = world.Layout(21, {unknown, plain});
    const auto set = world.Set(21, pool, unknown);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(Bind(with, 0, {set}), Effect::kUnknown);
        EXPECT_EQ(Bind(with, 0, {set, sets[0]}), Effect::kUnknown);
    }
    EXPECT_EQ(Bind(with, 1, {sets[0]}), Effect::kNothing);
}

TEST_F(ShadowTest, MoreOffsetsThanAreFollowed) {
    const auto many = world.SetLayout(20, {{0, kStorageDynamic, BoundShadow::kMostOffsets + 1}});
    const auto with = world.Layout(20, {many, plain});
    const auto set = world.Set(20, pool, many);
    const std::vector<uint32_t> offsets(BoundShadow::kMostOffsets + 1);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Bind(with, 0, {set, sets[0]}, offsets), Effect::kUnknown);
    EXPECT_EQ(run.first, 0u);
    EXPECT_EQ(run.count, 1u);  // the other set is followed
    EXPECT_EQ(run.offset_count, offsets.size());
}

// Of the sets of a bind the driver gets those in the middle, where that is sure to leave the others alone.
TEST_F(ShadowTest, ABindIsTrimmedAtBothEnds) {
    const auto with = world.Layout(2, {dynamic, plain, plain, dynamic});
    const auto one = world.Set(11, pool, dynamic), two = world.Set(12, pool, dynamic);
    EXPECT_EQ(Bind(with, 0, {one, sets[0], sets[1], two}, {1, 2, 3, 4}), Effect::kChange);
    EXPECT_EQ(run.count, 4u);
    EXPECT_EQ(Bind(with, 0, {one, sets[2], sets[1], two}, {1, 2, 3, 4}), Effect::kChange);
    EXPECT_EQ(std::vector({run.first, run.count, run.first_offset, run.offset_count}),
              (std::vector<uint32_t>{1, 1, 2, 0}));
    EXPECT_EQ(Bind(with, 0, {one, sets[2], sets[1], two}, {1, 2, 3, 4}), Effect::kNothing);
    EXPECT_EQ(Bind(with, 0, {one, sets[2], sets[3], two}, {1, 2, 5, 4}), Effect::kChange);
    EXPECT_EQ(std::vector({run.first, run.count, run.first_offset, run.offset_count}),
              (std::vector<uint32_t>{2, 2, 2, 2}));
    EXPECT_EQ(Bind(with, 0, {one, sets[2], sets[3], two}, {7, 2, 5, 4}), Effect::kChange);
    EXPECT_EQ(std::vector({run.first, run.count, run.first_offset, run.offset_count}),
              (std::vector<uint32_t>{0, 1, 0, 2}));
}

TEST_F(ShadowTest, ABindOverAnIncompatibleOneIsNotTrimmedBehindIt) {
    const auto other = world.Layout(3, {plain, dynamic, plain});
    Bind(layout, 0, {sets[0], sets[1], sets[2]});
    const auto moves = world.Set(11, pool, dynamic);
    // It disturbs set 2, which is bound again; and set 0 is as it was.
    EXPECT_EQ(Bind(other, 1, {moves}, {0, 0}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0], sets[1], sets[2]}), Effect::kChange);
    EXPECT_EQ(run.first, 1u);
    EXPECT_EQ(run.count, 2u);
}

// Binding to a number disturbs what is above where layouts differ so far, and what is below where that differs.
TEST_F(ShadowTest, LayoutsThatAreCompatibleAndNearMisses) {
    const auto same = world.SetLayout(30, {{0, kStorage}});
    const auto flagged = world.SetLayout(31, {{0, kStorage, 1, VK_DESCRIPTOR_BINDING_PARTIALLY_BOUND_BIT}});
    const auto typed = world.SetLayout(32, {{0, kUniform}});
    const auto counted = world.SetLayout(33, {{0, kStorage, 2}});
    const auto numbered = world.SetLayout(34, {{1, kStorage}});
    const auto pooled =
        world.SetLayout(35, {{0, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_UPDATE_AFTER_BIND_POOL_BIT);
    const VkDescriptorSetLayoutBinding binding = {0, kStorage, 1, VK_SHADER_STAGE_ALL, nullptr};
    const auto staged = H<VkDescriptorSetLayout>(36);
    world.resources.AddSetLayout(staged,
                                 {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr, 0, 1, &binding});
    const VkBaseInStructure strange = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr};
    const auto unknown = world.SetLayout(37, {{0, kStorage}}, 0, &strange);
    constexpr VkPipelineLayoutCreateFlags kIndependent = VK_PIPELINE_LAYOUT_CREATE_INDEPENDENT_SETS_BIT_EXT;
    struct Case {
        const char* name;
        std::vector<VkDescriptorSetLayout> sets;
        bool compatible;
        std::vector<VkPushConstantRange> ranges = {{kComputeStage, 0, 16}};
        VkPipelineLayoutCreateFlags flags = 0;
    };
    const Case cases[] = {
        {"the same", {plain, plain}, true},
        {"identically defined", {same, same}, true},
        {"different above", {same, typed}, true},
        {"shorter", {plain}, true},
        {"of other flags", {flagged, plain}, false},
        {"of another type", {typed, plain}, false},
        {"of another count", {counted, plain}, false},
        {"of another number", {numbered, plain}, false},
        {"of other layout flags", {pooled, plain}, false},
        {"of other stages", {staged, plain}, false},
        {"not understood", {unknown, plain}, false},
        {"without a layout", {VK_NULL_HANDLE, plain}, false},
        {"other ranges", {plain, plain}, false, {{kComputeStage, 0, 32}}},
        {"ranges of other stages", {plain, plain}, false, {{VK_SHADER_STAGE_ALL, 0, 16}}},
        {"no ranges", {plain, plain}, false, {}},
        {"independent sets", {plain, plain}, false, {{kComputeStage, 0, 16}}, kIndependent},
    };
    const auto base = world.Layout(40, {plain, plain}, {{kComputeStage, 0, 16}});
    uint64_t number = 41;
    for (const Case& one : cases) {
        const auto other = world.Layout(number++, one.sets, one.ranges, one.flags);
        shadow.Clear();
        Bind(base, 0, {sets[0], sets[1]});
        EXPECT_EQ(Bind(other, 0, {sets[2]}), Effect::kChange) << one.name;
        EXPECT_EQ(Bind(base, 1, {sets[1]}), one.compatible ? Effect::kNothing : Effect::kChange) << one.name;
        // From above: what is below stays only if it was bound with a layout that is compatible so far.
        if (one.sets.size() < 2) continue;
        shadow.Clear();
        Bind(base, 0, {sets[0], sets[1]});
        EXPECT_EQ(Bind(other, 1, {sets[2]}), Effect::kChange) << one.name;
        EXPECT_EQ(Bind(base, 0, {sets[0]}), one.compatible ? Effect::kNothing : Effect::kChange) << one.name;
        // The same set with a layout that is not compatible is bound anew.
        shadow.Clear();
        Bind(base, 0, {sets[0]});
        EXPECT_EQ(Bind(other, 0, {sets[0]}), one.compatible ? Effect::kNothing : Effect::kChange) << one.name;
    }
}

TEST_F(ShadowTest, ALayoutThatIsNotUnderstoodIsCompatibleWithItselfAlone) {
    const VkBaseInStructure strange = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr};
    const auto unknown = world.SetLayout(37, {{0, kStorage}}, 0, &strange);
    const auto one = world.Layout(40, {plain, unknown, plain}), two = world.Layout(41, {plain, unknown, plain});
    Bind(one, 0, {sets[0]});
    Bind(one, 2, {sets[1]});
    EXPECT_EQ(Bind(one, 2, {sets[1]}), Effect::kNothing);
    EXPECT_EQ(Bind(two, 0, {sets[0]}), Effect::kNothing);
    EXPECT_EQ(Bind(two, 2, {sets[1]}), Effect::kChange);
    // Of sets of it, updates are not seen.
    const auto set = world.Set(50, pool, unknown);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(Bind(one, 1, {set}), Effect::kUnknown);
}

// A sampler of the same handle may be another.
TEST_F(ShadowTest, LayoutsWithImmutableSamplersAreNotCompared) {
    const VkSampler sampler = H<VkSampler>(1);
    const VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_SAMPLER, 1, kComputeStage, &sampler};
    for (const uint64_t number : {70, 71})
        world.resources.AddSetLayout(H<VkDescriptorSetLayout>(number),
                                     {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr, 0, 1, &binding});
    const auto one = world.Layout(70, {H<VkDescriptorSetLayout>(70), plain});
    const auto two = world.Layout(71, {H<VkDescriptorSetLayout>(71), plain});
    const auto set = world.Set(70, pool, H<VkDescriptorSetLayout>(70));
    EXPECT_EQ(Bind(one, 0, {set, sets[0]}), Effect::kChange);
    EXPECT_EQ(Bind(one, 0, {set, sets[0]}), Effect::kNothing);
    EXPECT_EQ(Bind(two, 0, {set, sets[0]}), Effect::kChange);
}

// Nothing was bound to set 0 when set 1 was: whether it is disturbed can be read in two ways.
TEST_F(ShadowTest, WhatIsBoundFromAboveIsBoundAgain) {
    EXPECT_EQ(Bind(layout, 1, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 1, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kNothing);
    EXPECT_EQ(Bind(layout, 1, {sets[1]}), Effect::kNothing);
}

// And if it is not disturbed, what it was bound with may disturb what is below when one above is bound.
TEST_F(ShadowTest, WhatMayStillBeBoundMayDisturb) {
    const auto other = world.Layout(2, {plain, dynamic});
    Bind(other, 1, {world.Set(11, pool, dynamic)}, {0, 0});
    Bind(layout, 0, {sets[0]});
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kNothing);
    EXPECT_EQ(Bind(layout, 2, {sets[2]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kChange);
    // Bound again with one that is compatible, it does not.
    EXPECT_EQ(Bind(layout, 1, {sets[1]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 2, {sets[3]}), Effect::kChange);
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kNothing);
    // Nor is anything known of what a bind that is not followed left.
    shadow.ForgetSets();
    Bind(layout, 0, {sets[0]});
    Bind(layout, 2, {sets[2]});
    EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kChange);
}

TEST_F(ShadowTest, WhatIsNotFollowedIsForgotten) {
    const auto bind_all = [&] {
        shadow.Clear();
        Bind(layout, 0, {sets[0], sets[1]});
        EXPECT_EQ(Bind(layout, 0, {sets[0], sets[1]}), Effect::kNothing);
    };
    const auto expect_forgotten = [&](const char* what) {
        EXPECT_EQ(Bind(layout, 1, {sets[1]}), Effect::kChange) << what;
        EXPECT_EQ(Bind(layout, 0, {sets[0]}), Effect::kChange) << what;
    };
    bind_all();
    EXPECT_EQ(Bind(H<VkPipelineLayout>(99), 0, {sets[0]}), Effect::kUnknown);
    expect_forgotten("a layout that is not known");
    bind_all();
    EXPECT_EQ(Bind(layout, 3, {sets[0]}), Effect::kUnknown);
    expect_forgotten("a number that the layout has not");
    bind_all();
    const auto many = world.Layout(60, std::vector<VkDescriptorSetLayout>(BoundShadow::kMostSets + 1, plain));
    EXPECT_EQ(Bind(many, BoundShadow::kMostSets, {sets[0]}), Effect::kUnknown);
    expect_forgotten("a number above those that are followed");
    bind_all();
    shadow.ForgetSets();
    expect_forgotten("a bind for other stages too");
    bind_all();
    EXPECT_EQ(Push(H<VkPipelineLayout>(99), 0, 0, Whole(1)), Effect::kUnknown);
    expect_forgotten("a push with a layout that is not known");
}

TEST_F(ShadowTest, ConstantsThatWerePushed) {
    const auto with = world.Layout(2, {plain}, {{kComputeStage, 0, 64}});
    const auto same = world.Layout(3, {dynamic}, {{kComputeStage, 0, 64}});
    const auto other = world.Layout(4, {plain}, {{kComputeStage, 0, 32}});
    EXPECT_EQ(Constants(with, 0, {1, 2, 3, 4}), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1, 2, 3, 4}), Effect::kNothing);
    EXPECT_EQ(Constants(with, 4, {2, 3}), Effect::kNothing);
    EXPECT_EQ(Constants(same, 0, {1, 2}), Effect::kNothing);
    // Not all of them were pushed, even where what was not is 0.
    EXPECT_EQ(Constants(with, 12, {4, 0}), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1, 2, 3, 4, 0}), Effect::kNothing);
    EXPECT_EQ(Constants(with, 4, {9}), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1, 2}), Effect::kChange);
    // Other ranges: nothing that was pushed before counts.
    EXPECT_EQ(Constants(other, 0, {1}), Effect::kChange);
    EXPECT_EQ(Constants(other, 0, {1}), Effect::kNothing);
    EXPECT_EQ(Constants(other, 4, {2}), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1}), Effect::kChange);
    shadow.Clear();
    EXPECT_EQ(Constants(with, 0, {1}), Effect::kChange);
}

// Binds leave them alone: section "Push Constant Updates".
TEST_F(ShadowTest, ConstantsStayWhateverIsBound) {
    const auto with = world.Layout(2, {plain}, {{kComputeStage, 0, 64}});
    const auto other = world.Layout(4, {dynamic});
    Constants(with, 0, {1});
    world.Pipeline(7, other, Shader({}));
    shadow.BindPipeline(H<VkPipeline>(7));
    Bind(other, 0, {world.Set(11, pool, dynamic)}, {0, 0});
    EXPECT_EQ(Constants(with, 0, {1}), Effect::kNothing);
}

TEST_F(ShadowTest, ConstantsAreOfStages) {
    constexpr VkShaderStageFlags kBoth = VK_SHADER_STAGE_COMPUTE_BIT | VK_SHADER_STAGE_VERTEX_BIT;
    const auto with = world.Layout(2, {plain}, {{kBoth, 0, 64}});
    EXPECT_EQ(Constants(with, 0, {1}, kComputeStage), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1}, kBoth), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {1}, kComputeStage), Effect::kNothing);
    EXPECT_EQ(Constants(with, 0, {1}, kBoth), Effect::kNothing);
    EXPECT_EQ(Constants(with, 0, {2}, VK_SHADER_STAGE_VERTEX_BIT), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {2}, kComputeStage), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, {2}, kBoth), Effect::kNothing);
    EXPECT_EQ(Constants(with, 0, {2}, 0), Effect::kUnknown);
}

TEST_F(ShadowTest, ConstantsThatAreNotFollowed) {
    const auto with = world.Layout(2, {plain}, {{kComputeStage, 0, 512}});
    const std::vector<uint32_t> values(BoundShadow::kMostConstants / 4 + 1, 5);
    const auto expect_forgotten = [&](const char* what) {
        EXPECT_EQ(Constants(with, 0, {1}), Effect::kChange) << what;
        EXPECT_EQ(Constants(with, 0, {1}), Effect::kNothing) << what;
    };
    expect_forgotten("none yet");
    const std::vector<uint32_t> most(values.begin(), values.end() - 1);
    EXPECT_EQ(Constants(with, 0, most), Effect::kChange);
    EXPECT_EQ(Constants(with, 0, most), Effect::kNothing);
    expect_forgotten("all that are followed");
    EXPECT_EQ(Constants(with, 0, values), Effect::kUnknown);
    expect_forgotten("too many");
    EXPECT_EQ(Constants(with, BoundShadow::kMostConstants, {5}), Effect::kUnknown);
    expect_forgotten("too far");
    EXPECT_EQ(shadow.PushConstants(with, kComputeStage, 2, 4, values.data()), Effect::kUnknown);
    expect_forgotten("not aligned");
    EXPECT_EQ(shadow.PushConstants(with, kComputeStage, 0, 3, values.data()), Effect::kUnknown);
    expect_forgotten("not a multiple");
    EXPECT_EQ(Constants(H<VkPipelineLayout>(99), 0, {1}), Effect::kUnknown);
    expect_forgotten("a layout that is not known");
}

}  // namespace
}  // namespace kronos
