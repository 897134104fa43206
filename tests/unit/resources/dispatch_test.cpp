// SPDX-License-Identifier: Apache-2.0
// What a dispatch touches of what is bound: kinds, dynamic offsets, arrays, push descriptors, layouts, robustness.
#include "world.h"

namespace kronos {
namespace {

VkDescriptorBufferInfo Part(uint64_t buffer, VkDeviceSize offset = 0, VkDeviceSize range = VK_WHOLE_SIZE) {
    return {H<VkBuffer>(buffer), offset, range};
}

// Buffers 1 to 8 of 1000 bytes in memory 1, at multiples of 1000.
class DispatchTest : public ::testing::Test {
  protected:
    DispatchTest() {
        world_.Memory(1);
        for (uint64_t i = 0; i < 8; ++i) world_.Buffer(i + 1, 1, i * 1000, 1000);
        pool_ = world_.Pool(1);
    }
    World world_;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
};

TEST_F(DispatchTest, NothingBoundIsAnything) {
    EXPECT_EQ(world_.Dispatch(), kAnything);
    const auto layout = world_.SetLayout(1, {{0, kStorage}});
    const VkPipeline pipeline = world_.Pipeline(1, world_.Layout(1, {layout}), Shader({Does(0, Use::kRead)}));
    world_.BindPipeline(pipeline);
    EXPECT_EQ(world_.Dispatch(), kAnything);
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorage, {Part(1)});
    world_.BindSets({set});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r"}));
    // Other bind points are none of its business.
    world_.bound.BindPipeline(VK_PIPELINE_BIND_POINT_GRAPHICS, VK_NULL_HANDLE);
    const VkDescriptorSet none = VK_NULL_HANDLE;
    world_.bound.BindSets(VK_PIPELINE_BIND_POINT_GRAPHICS, {VK_NULL_HANDLE, 0, {&none, 1}, {}});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r"}));
    world_.bound.Clear();
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.BindPipeline(pipeline);
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.BindSets({set});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r"}));
    world_.BindPipeline(H<VkPipeline>(77));
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(DispatchTest, AShaderThatTouchesNothingTouchesNothing) {
    world_.BindPipeline(world_.Pipeline(1, world_.Layout(1, {}), Shader({})));
    EXPECT_EQ(world_.Dispatch(), Lines{});
}

TEST_F(DispatchTest, KindsAreThoseOfTypeAndUse) {
    const auto layout =
        world_.SetLayout(1, {{0, kStorage}, {1, kStorage}, {2, kStorage}, {3, kUniform}, {4, kStorage}});
    world_.BindPipeline(world_.Pipeline(
        1, world_.Layout(1, {layout}),
        Shader({Does(0, Use::kRead), Does(1, Use::kWrite), Does(2, Use::kReadWrite), Does(3, Use::kRead)})));
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorage, {Part(1), Part(2), Part(3)});
    world_.Write(set, 3, kUniform, {Part(4, 256, 16)});
    world_.Write(set, 4, kStorage, {Part(5)});  // bound, not used
    world_.BindSets({set});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w", "m1[2000,3000) rw", "m1[3256,3272) u"}));
}

TEST_F(DispatchTest, AccessesAreAppended) {
    std::vector<Access> accesses(3, {MemoryRange{7, 1, 2}, Of(Kind::kCopyRead)});
    world_.bound.DispatchAccesses(accesses);
    ASSERT_EQ(accesses.size(), 4u);
    EXPECT_EQ(accesses[2].where, (MemoryRange{7, 1, 2}));
    EXPECT_EQ(accesses[3].where, MemoryRange{});
    EXPECT_EQ(accesses[3].kinds, kAnyShaderAccess);
}

TEST_F(DispatchTest, ShadersThatAreNotUnderstoodOrUseAddresses) {
    const auto layout = world_.SetLayout(1, {{0, kStorage}});
    const VkPipelineLayout pipeline_layout = world_.Layout(1, {layout});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorage, {Part(1)});
    world_.BindSets({set});
    ShaderUses uses = Shader({Does(0, Use::kRead)});
    uses.addresses = Use::kRead;
    world_.BindPipeline(world_.Pipeline(1, pipeline_layout, uses));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "* r"}));
    uses.addresses = Use::kWrite;
    world_.BindPipeline(world_.Pipeline(2, pipeline_layout, uses));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "* w"}));
    uses.everything = true;
    world_.BindPipeline(world_.Pipeline(3, pipeline_layout, uses));
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(DispatchTest, ShadersThatNameWhatTheLayoutDoesNotHave) {
    const auto layout =
        world_.SetLayout(1, {{0, kStorage, 2}, {2, kStorage}, {3, VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT}});
    const VkPipelineLayout pipeline_layout = world_.Layout(1, {layout});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorage, {Part(1), Part(2), Part(3)});
    world_.BindSets({set});
    uint64_t number = 0;
    for (const BindingUse& use :
         {Does(1, Use::kRead), Does(0, Use::kRead, 2), Does(0, Use::kRead, 0, 1), Does(3, Use::kRead)}) {
        world_.BindPipeline(world_.Pipeline(++number, pipeline_layout, Shader({use})));
        EXPECT_EQ(world_.Dispatch(), kAnything) << use.set << "." << use.binding;
    }
    world_.BindPipeline(world_.Pipeline(++number, pipeline_layout, Shader({Does(0, Use::kRead, 1)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[1000,2000) r"}));
    world_.BindPipeline(world_.Pipeline(++number, VK_NULL_HANDLE, Shader({Does(0, Use::kRead, 1)})));
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(DispatchTest, ArraysAreOneElementOrAll) {
    const auto layout = world_.SetLayout(1, {{0, kStorage, 3}, {1, kStorage}});
    const VkPipelineLayout pipeline_layout = world_.Layout(1, {layout});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorage, {Part(1), Part(2), Part(3), Part(4)});
    world_.BindSets({set});
    world_.BindPipeline(world_.Pipeline(1, pipeline_layout,
                                        Shader({Does(0, Use::kWrite, 1), Does(0, Use::kRead), Does(1, Use::kRead)})));
    EXPECT_EQ(world_.Dispatch(),
              (Lines{"m1[1000,2000) w", "m1[0,1000) r", "m1[1000,2000) r", "m1[2000,3000) r", "m1[3000,4000) r"}));
}

TEST_F(DispatchTest, LargeArraysAreNotNamedOneByOne) {
    const auto layout = world_.SetLayout(1, {{0, kStorage, 65}, {1, kUniform}});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    for (uint32_t i = 0; i < 65; ++i) world_.Write(set, 0, kStorage, {Part(1)}, i);
    world_.Write(set, 1, kUniform, {Part(2)});
    world_.BindSets({set});
    world_.BindPipeline(
        world_.Pipeline(1, world_.Layout(1, {layout}), Shader({Does(0, Use::kRead), Does(1, Use::kRead)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"* r", "m1[1000,2000) u"}));
    world_.BindPipeline(world_.Pipeline(2, world_.Layout(2, {layout}), Shader({Does(0, Use::kRead, 64)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r"}));
}

TEST_F(DispatchTest, DynamicOffsetsAreInTheOrderOfBindingsAndElements) {
    // The order in which the program lists the bindings does not matter.
    const auto layout =
        world_.SetLayout(1, {{5, kUniformDynamic}, {0, kStorageDynamic}, {2, kStorage}, {3, kStorageDynamic, 2}});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorageDynamic, {Part(1, 4, 8)});
    world_.Write(set, 2, kStorage, {Part(2, 4, 8)});
    world_.Write(set, 3, kStorageDynamic, {Part(3, 0, 10), Part(4, 0, 10)});
    world_.Write(set, 5, kUniformDynamic, {Part(5, 0, 16)});
    world_.BindPipeline(
        world_.Pipeline(1, world_.Layout(1, {layout}),
                        Shader({Does(0, Use::kRead), Does(2, Use::kRead), Does(3, Use::kWrite), Does(5, Use::kRead)})));
    world_.BindSets({set}, {100, 200, 300, 400});
    EXPECT_EQ(world_.Dispatch(),
              (Lines{"m1[104,112) r", "m1[1004,1012) r", "m1[2200,2210) w", "m1[3300,3310) w", "m1[4400,4416) u"}));
    world_.BindSets({set}, {0, 0, 0, 0});
    EXPECT_EQ(world_.Dispatch(),
              (Lines{"m1[4,12) r", "m1[1004,1012) r", "m1[2000,2010) w", "m1[3000,3010) w", "m1[4000,4016) u"}));
    world_.BindSets({set}, {0, 0, 0});  // one is missing
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(DispatchTest, AConstantElementOfADynamicArrayHasItsOwnOffset) {
    const auto layout = world_.SetLayout(1, {{0, kStorageDynamic}, {1, kStorageDynamic, 2}});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorageDynamic, {Part(1, 0, 8), Part(2, 0, 8), Part(3, 0, 8)});
    world_.BindPipeline(world_.Pipeline(1, world_.Layout(1, {layout}), Shader({Does(1, Use::kRead, 1)})));
    world_.BindSets({set}, {16, 32, 64});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[2064,2072) r"}));
}

TEST_F(DispatchTest, ADynamicBufferOfWholeSizeGoesToItsEnd) {
    const auto layout = world_.SetLayout(1, {{0, kStorageDynamic}});
    const VkDescriptorSet set = world_.Set(1, pool_, layout);
    world_.Write(set, 0, kStorageDynamic, {Part(2, 100)});
    world_.BindPipeline(world_.Pipeline(1, world_.Layout(1, {layout}), Shader({Does(0, Use::kRead)})));
    world_.BindSets({set}, {300});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[1400,2000) r"}));
    world_.BindSets({set}, {2000});  // beyond its end: nobody knows
    EXPECT_EQ(world_.Dispatch(), (Lines{"* r"}));
}

TEST_F(DispatchTest, SetsTakeTheirOffsetsInTurn) {
    const auto dynamic = world_.SetLayout(1, {{0, kStorageDynamic}});
    const auto plain = world_.SetLayout(2, {{0, kStorage}});
    const VkDescriptorSet a = world_.Set(1, pool_, dynamic);
    const VkDescriptorSet b = world_.Set(2, pool_, plain);
    const VkDescriptorSet c = world_.Set(3, pool_, dynamic);
    world_.Write(a, 0, kStorageDynamic, {Part(1, 0, 8)});
    world_.Write(b, 0, kStorage, {Part(2, 0, 8)});
    world_.Write(c, 0, kStorageDynamic, {Part(3, 0, 8)});
    const auto read = [](uint32_t set) { return Does(0, Use::kRead, BindingUse::kAnyElement, set); };
    world_.BindPipeline(
        world_.Pipeline(1, world_.Layout(1, {dynamic, plain, dynamic}), Shader({read(0), read(1), read(2)})));
    world_.BindSets({a, b, c}, {16, 32});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[16,24) r", "m1[1000,1008) r", "m1[2032,2040) r"}));
    world_.BindSets({c}, {64}, 2);
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[16,24) r", "m1[1000,1008) r", "m1[2064,2072) r"}));
    // A set that is not known may take any number of them; those without offsets stay what they are.
    world_.BindSets({H<VkDescriptorSet>(77), b, c}, {16, 32});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.BindSets({a}, {8});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.BindSets({c}, {8}, 2);
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[8,16) r", "m1[1000,1008) r", "m1[2008,2016) r"}));
    // VK_NULL_HANDLE takes none.
    world_.BindSets({a, VK_NULL_HANDLE, c}, {24, 48});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    world_.BindSets({b}, {}, 1);
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[24,32) r", "m1[1000,1008) r", "m1[2048,2056) r"}));
}

TEST_F(DispatchTest, ASetOfAnotherLayoutIsAnything) {
    const auto wanted = world_.SetLayout(1, {{0, kStorage}, {1, kStorage}});
    const auto alike = world_.SetLayout(2, {{1, kStorage}, {0, kStorage}});
    const auto other = world_.SetLayout(3, {{0, kStorage, 2}});
    world_.BindPipeline(world_.Pipeline(1, world_.Layout(1, {wanted}), Shader({Does(0, Use::kRead)})));
    uint64_t number = 0;
    const auto dispatch = [&](VkDescriptorSetLayout layout) {
        const VkDescriptorSet set = world_.Set(++number, pool_, layout);
        world_.Write(set, 0, kStorage, {Part(1), Part(2)});
        world_.BindSets({set});
        return world_.Dispatch();
    };
    EXPECT_EQ(dispatch(wanted), (Lines{"m1[0,1000) r"}));
    EXPECT_EQ(dispatch(alike), (Lines{"m1[0,1000) r"}));
    EXPECT_EQ(dispatch(other), kAnything);
}

TEST_F(DispatchTest, SetsThatAreNotUnderstoodHurtOnlyThoseWhoUseThem) {
    const auto odd = world_.SetLayout(1, {{0, kStorage, 1, VK_DESCRIPTOR_BINDING_UPDATE_AFTER_BIND_BIT}});
    const auto plain = world_.SetLayout(2, {{0, kStorage}});
    const VkDescriptorSet a = world_.Set(1, pool_, odd);
    const VkDescriptorSet b = world_.Set(2, pool_, plain);
    world_.Write(a, 0, kStorage, {Part(1)});
    world_.Write(b, 0, kStorage, {Part(2)});
    const VkPipelineLayout layout = world_.Layout(1, {odd, plain});
    world_.BindSets({a, b});
    world_.BindPipeline(world_.Pipeline(1, layout, Shader({Does(0, Use::kRead, 0, 1)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[1000,2000) r"}));
    world_.BindPipeline(world_.Pipeline(2, layout, Shader({Does(0, Use::kRead, 0, 0)})));
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(DispatchTest, SetsOfHighNumbersAreNotKnown) {
    const auto plain = world_.SetLayout(1, {{0, kStorage}});
    const VkDescriptorSet set = world_.Set(1, pool_, plain);
    world_.Write(set, 0, kStorage, {Part(1)});
    const std::vector<VkDescriptorSetLayout> many(40, plain);
    const VkPipelineLayout layout = world_.Layout(1, many);
    world_.BindSets(std::vector<VkDescriptorSet>(40, set));
    world_.BindPipeline(world_.Pipeline(1, layout, Shader({Does(0, Use::kRead, 0, 31)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r"}));
    world_.BindPipeline(world_.Pipeline(2, layout, Shader({Does(0, Use::kRead, 0, 32)})));
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

// Push descriptors.

class PushTest : public DispatchTest {
  protected:
    PushTest() {
        set_layout_ =
            world_.SetLayout(1, {{0, kStorage}, {1, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
        layout_ = world_.Layout(1, {set_layout_});
        world_.BindPipeline(world_.Pipeline(1, layout_, Shader({Does(0, Use::kRead), Does(1, Use::kWrite)})));
    }
    void Push(VkPipelineLayout layout, uint32_t binding, const std::vector<VkDescriptorBufferInfo>& infos,
              VkPipelineBindPoint point = VK_PIPELINE_BIND_POINT_COMPUTE) {
        const VkWriteDescriptorSet write = {
            VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr,  VK_NULL_HANDLE, binding,      0,
            static_cast<uint32_t>(infos.size()),    kStorage, nullptr,        infos.data(), nullptr};
        world_.bound.PushDescriptors(point, layout, 0, {&write, 1});
    }
    VkDescriptorSetLayout set_layout_;
    VkPipelineLayout layout_;
};

TEST_F(PushTest, PushesAddUp) {
    Push(layout_, 0, {Part(1)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    Push(layout_, 1, {Part(2)});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w"}));
    Push(layout_, 0, {Part(3)});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[2000,3000) r", "m1[1000,2000) w"}));
    Push(layout_, 0, {Part(4), Part(5)}, VK_PIPELINE_BIND_POINT_GRAPHICS);
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[2000,3000) r", "m1[1000,2000) w"}));
    world_.bound.Clear();
    world_.BindPipeline(H<VkPipeline>(1));
    EXPECT_EQ(world_.Dispatch(), kAnything);
    Push(layout_, 0, {Part(3)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(PushTest, ALayoutThatDiffersUndoesThem) {
    const auto alike = world_.Layout(
        2, {world_.SetLayout(2, {{0, kStorage}, {1, kStorage}}, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT)});
    const auto other = world_.Layout(3, {world_.SetLayout(3, {{0, kStorage}, {1, kStorage}, {2, kStorage}},
                                                          VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT)});
    Push(layout_, 0, {Part(1), Part(2)});
    Push(alike, 0, {Part(3)});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[2000,3000) r", "m1[1000,2000) w"}));
    Push(other, 0, {Part(1), Part(2)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    Push(layout_, 0, {Part(1)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    Push(layout_, 1, {Part(2)});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w"}));
    Push(H<VkPipelineLayout>(77), 0, {Part(1)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(PushTest, ABoundSetUndoesThem) {
    const auto plain = world_.SetLayout(2, {{0, kStorage}, {1, kStorage}});
    const VkDescriptorSet set = world_.Set(1, pool_, plain);
    world_.Write(set, 0, kStorage, {Part(5), Part(6)});
    Push(layout_, 0, {Part(1), Part(2)});
    world_.BindSets({set});
    EXPECT_EQ(world_.Dispatch(), kAnything);  // the pipeline wants pushed ones
    world_.BindPipeline(world_.Pipeline(2, world_.Layout(2, {plain}), Shader({Does(0, Use::kRead)})));
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[4000,5000) r"}));
    world_.BindPipeline(H<VkPipeline>(1));
    Push(layout_, 0, {Part(1)});
    EXPECT_EQ(world_.Dispatch(), kAnything);
    Push(layout_, 1, {Part(2)});
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w"}));
}

TEST_F(PushTest, WithTemplates) {
    const VkDescriptorUpdateTemplateEntry entry = {0, 0, 2, kStorage, 0, sizeof(VkDescriptorBufferInfo)};
    VkDescriptorUpdateTemplateCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO;
    info.descriptorUpdateEntryCount = 1;
    info.pDescriptorUpdateEntries = &entry;
    info.templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS;
    info.pipelineBindPoint = VK_PIPELINE_BIND_POINT_COMPUTE;
    const auto compute = H<VkDescriptorUpdateTemplate>(1);
    world_.resources.AddTemplate(compute, info);
    info.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS;
    const auto graphics = H<VkDescriptorUpdateTemplate>(2);
    world_.resources.AddTemplate(graphics, info);

    std::vector<VkDescriptorBufferInfo> data = {Part(1), Part(2)};
    world_.bound.PushDescriptors(compute, layout_, 0, data.data());
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w"}));
    data = {Part(3), Part(4)};
    world_.bound.PushDescriptors(graphics, layout_, 0, data.data());
    EXPECT_EQ(world_.Dispatch(), (Lines{"m1[0,1000) r", "m1[1000,2000) w"}));
    world_.bound.PushDescriptors(H<VkDescriptorUpdateTemplate>(77), layout_, 0, data.data());
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

TEST_F(PushTest, DynamicDescriptorsCannotBePushed) {
    const auto odd = world_.Layout(2, {world_.SetLayout(2, {{0, kStorage}, {1, kStorageDynamic}},
                                                        VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT)});
    const auto dynamic = world_.SetLayout(3, {{0, kStorageDynamic}});
    const VkDescriptorSet set = world_.Set(1, pool_, dynamic);
    world_.BindPipeline(world_.Pipeline(2, odd, Shader({Does(1, Use::kRead)})));
    world_.BindSets({set}, {16});
    const VkDescriptorBufferInfo info = Part(1);
    const VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        nullptr,
                                        VK_NULL_HANDLE,
                                        1,
                                        0,
                                        1,
                                        kStorageDynamic,
                                        nullptr,
                                        &info,
                                        nullptr};
    world_.bound.PushDescriptors(VK_PIPELINE_BIND_POINT_COMPUTE, odd, 0, {&write, 1});
    EXPECT_EQ(world_.Dispatch(), kAnything);
}

// Accesses out of bounds.

Lines WithBounds(Bounds device, const void* pipeline_next) {
    World world(device);
    world.Memory(1);
    const VkBuffer buffer = H<VkBuffer>(1);
    world.resources.AddBuffer(buffer, {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, nullptr, 0, 1000, 0, {}, 0, nullptr});
    world.resources.BindBuffer({VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, H<VkDeviceMemory>(1), 4096},
                               1024, world.resources.FindMemory(H<VkDeviceMemory>(1)));
    const auto layout = world.SetLayout(1, {{0, kStorage}, {1, kStorageDynamic}, {2, kUniform}});
    const VkDescriptorSet set = world.Set(1, world.Pool(1), layout);
    world.Write(set, 0, kStorage, {{buffer, 100, 8}});
    world.Write(set, 1, kStorageDynamic, {{buffer, 100, 8}});
    world.Write(set, 2, kUniform, {{buffer, 100, 8}});
    world.BindPipeline(world.Pipeline(1, world.Layout(1, {layout}),
                                      Shader({Does(0, Use::kRead), Does(1, Use::kWrite), Does(2, Use::kRead)}),
                                      pipeline_next));
    world.BindSets({set}, {16});
    return world.Dispatch();
}

const Lines kExact = {"m1[4196,4204) r", "m1[4212,4220) w", "m1[4196,4204) u"};
const Lines kWidened = {"m1[4196,4204) r", "m1[4096,5120) w", "m1[4196,4204) u"};
const Lines kRounded = {"m1[4196,4212) r", "m1[4212,4228) w", "m1[4196,4452) u"};

TEST(OutOfBounds, AreAsTheDeviceSays) {
    EXPECT_EQ(WithBounds(Bounds::kNone, nullptr), kExact);
    EXPECT_EQ(WithBounds(Bounds::kBuffer, nullptr), kWidened);
    EXPECT_EQ(WithBounds(Bounds::kRounded, nullptr), kRounded);
}

TEST(OutOfBounds, OrAsThePipelineSays) {
    VkPipelineRobustnessCreateInfo robustness = {};
    robustness.sType = VK_STRUCTURE_TYPE_PIPELINE_ROBUSTNESS_CREATE_INFO;
    EXPECT_EQ(WithBounds(Bounds::kBuffer, &robustness), kWidened);
    const auto all = [&](VkPipelineRobustnessBufferBehavior behavior) {
        robustness.storageBuffers = robustness.uniformBuffers = behavior;
    };
    all(VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED);
    EXPECT_EQ(WithBounds(Bounds::kBuffer, &robustness), kExact);
    all(VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_ROBUST_BUFFER_ACCESS);
    EXPECT_EQ(WithBounds(Bounds::kNone, &robustness), kWidened);
    all(VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_ROBUST_BUFFER_ACCESS_2);
    EXPECT_EQ(WithBounds(Bounds::kNone, &robustness), kRounded);
    all(VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_MAX_ENUM);
    EXPECT_EQ(WithBounds(Bounds::kNone, &robustness), kAnything);
}

}  // namespace
}  // namespace kronos
