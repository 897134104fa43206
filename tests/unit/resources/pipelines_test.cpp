// SPDX-License-Identifier: Apache-2.0
// Which pipelines are understood, and the cache of what shaders do.
#include <string>

#include "world.h"

namespace kronos {
namespace {

// A pipeline that reads binding 0, whose creation each test changes.
class PipelinesTest : public ::testing::Test {
  protected:
    PipelinesTest() {
        World::Shaders()[kWord] = Shader({Does(0, Use::kRead)});
        info_.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
        info_.layout = world_.Layout(1, {world_.SetLayout(1, {{0, kStorage}})});
        info_.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
        info_.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info_.stage.pName = "main";
        info_.stage.module = Module(1, kWord);
    }
    VkShaderModule Module(uint64_t number, uint32_t word, VkShaderModuleCreateFlags flags = 0,
                          const void* next = nullptr) {
        const auto module = H<VkShaderModule>(number);
        world_.resources.AddShaderModule(
            module, {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, next, flags, sizeof word, &word});
        return module;
    }
    bool Understood() {
        const auto pipeline = H<VkPipeline>(1);
        world_.resources.AddPipeline(pipeline, info_);
        const PipelineFacts* facts = world_.resources.FindPipeline(pipeline);
        const bool understood = !facts->everything && facts->uses.size() == 1;
        world_.resources.RemovePipeline(pipeline);
        EXPECT_EQ(world_.resources.FindPipeline(pipeline), nullptr);
        return understood;
    }
    static constexpr uint32_t kWord = 1000;
    World world_;
    VkComputePipelineCreateInfo info_ = {};
    VkBaseInStructure unknown_ = {VK_STRUCTURE_TYPE_MAX_ENUM, nullptr};
};

TEST_F(PipelinesTest, PlainOnesAreUnderstood) {
    EXPECT_TRUE(Understood());
    info_.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT | VK_PIPELINE_CREATE_ALLOW_DERIVATIVES_BIT;
    EXPECT_TRUE(Understood());
    info_.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
    EXPECT_TRUE(Understood());
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {};
    size.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
    info_.stage.pNext = &size;
    VkPipelineCreationFeedbackCreateInfo feedback = {};
    feedback.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO;
    info_.pNext = &feedback;
    EXPECT_TRUE(Understood());
}

TEST_F(PipelinesTest, FlagsThatLetOthersBindWhatTheyLike) {
    for (const VkPipelineCreateFlags flag :
         {VK_PIPELINE_CREATE_INDIRECT_BINDABLE_BIT_NV, VK_PIPELINE_CREATE_DESCRIPTOR_BUFFER_BIT_EXT,
          VK_PIPELINE_CREATE_LIBRARY_BIT_KHR, VK_PIPELINE_CREATE_FLAG_BITS_MAX_ENUM}) {
        info_.flags = flag;
        EXPECT_FALSE(Understood()) << flag;
    }
    info_.flags = 0;
    info_.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_FLAG_BITS_MAX_ENUM;
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, FlagsOfSixtyFourBitsStandInForTheOthers) {
    VkPipelineCreateFlags2CreateInfo flags = {};
    flags.sType = VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO;
    info_.pNext = &flags;
    info_.flags = VK_PIPELINE_CREATE_DESCRIPTOR_BUFFER_BIT_EXT;
    EXPECT_TRUE(Understood());
    flags.flags = VK_PIPELINE_CREATE_2_INDIRECT_BINDABLE_BIT_EXT;
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, StructuresThatAreNotKnown) {
    info_.pNext = &unknown_;
    EXPECT_FALSE(Understood());
    info_.pNext = nullptr;
    info_.stage.pNext = &unknown_;
    EXPECT_FALSE(Understood());
    const VkPipelineShaderStageModuleIdentifierCreateInfoEXT identifier = {
        VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_MODULE_IDENTIFIER_CREATE_INFO_EXT, nullptr, 0, nullptr};
    info_.stage.pNext = &identifier;
    EXPECT_FALSE(Understood());
    info_.stage.pNext = nullptr;
    VkPipelineBinaryInfoKHR binaries = {};
    binaries.sType = VK_STRUCTURE_TYPE_PIPELINE_BINARY_INFO_KHR;
    info_.pNext = &binaries;
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, CodeInTheStage) {
    const uint32_t word = kWord;
    VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size = {};
    size.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
    VkShaderModuleCreateInfo code = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, &size, 0, sizeof word, &word};
    info_.stage.module = VK_NULL_HANDLE;
    EXPECT_FALSE(Understood());
    info_.stage.pNext = &code;
    EXPECT_TRUE(Understood());
    info_.stage.module = H<VkShaderModule>(1);  // which of the two?
    EXPECT_FALSE(Understood());
    info_.stage.module = VK_NULL_HANDLE;
    code.flags = 1;
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, ModulesThatAreNotKnown) {
    info_.stage.module = H<VkShaderModule>(77);
    EXPECT_FALSE(Understood());
    info_.stage.module = Module(2, kWord, 1);
    EXPECT_FALSE(Understood());
    info_.stage.module = Module(3, kWord, 0, &unknown_);
    EXPECT_FALSE(Understood());
    const VkShaderModuleValidationCacheCreateInfoEXT cache = {
        VK_STRUCTURE_TYPE_SHADER_MODULE_VALIDATION_CACHE_CREATE_INFO_EXT, nullptr, VK_NULL_HANDLE};
    info_.stage.module = Module(4, kWord, 0, &cache);
    EXPECT_TRUE(Understood());
    world_.resources.RemoveShaderModule(H<VkShaderModule>(4));
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, OtherStagesAndEntryPoints) {
    info_.stage.stage = VK_SHADER_STAGE_VERTEX_BIT;
    EXPECT_FALSE(Understood());
    info_.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info_.stage.pName = "other";
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, PipelineLayoutsThatAreNotKnown) {
    info_.layout = H<VkPipelineLayout>(77);
    EXPECT_FALSE(Understood());
    const auto odd = H<VkPipelineLayout>(2);
    world_.resources.AddPipelineLayout(
        odd, {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, &unknown_, 0, 0, nullptr, 0, nullptr});
    info_.layout = odd;
    EXPECT_FALSE(Understood());
}

TEST_F(PipelinesTest, LayoutsKeepTheirPushConstants) {
    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 4, 12};
    const auto layout = H<VkPipelineLayout>(2);
    world_.resources.AddPipelineLayout(
        layout, {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, nullptr, 0, 0, nullptr, 1, &range});
    const auto facts = world_.resources.PipelineLayout(layout);
    ASSERT_EQ(facts->push_constants.size(), 1u);
    EXPECT_EQ(facts->push_constants[0].size, 12u);
}

TEST_F(PipelinesTest, EqualCodeIsAnalysedOnce) {
    const int before = World::Analyses();
    EXPECT_TRUE(Understood());
    EXPECT_TRUE(Understood());
    info_.stage.module = Module(2, kWord);
    EXPECT_TRUE(Understood());
    EXPECT_EQ(World::Analyses(), before + 1);
    info_.stage.pName = "other";
    EXPECT_FALSE(Understood());
    EXPECT_FALSE(Understood());
    EXPECT_EQ(World::Analyses(), before + 2);
}

ShaderUses Nothing(std::span<const uint32_t>, std::string_view) noexcept { return {}; }

TEST(ShaderCache, KeepsTheCodeOfModulesAndSomeMore) {
    ShaderCache cache(&Nothing, 10 * sizeof(uint32_t));
    const std::vector<uint32_t> first(4, 1);
    const std::vector<uint32_t> second(4, 2);
    const std::vector<uint32_t> third(4, 3);
    const auto kept = cache.Code(first);
    EXPECT_EQ(cache.Code(first), kept);
    EXPECT_NE(cache.Code(second), kept);
    EXPECT_EQ(cache.size(), 2u);
    // No room: what nobody has goes.
    const auto third_code = cache.Code(third);
    EXPECT_EQ(third_code->words, third);
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_EQ(cache.Code(first), kept);
    EXPECT_EQ(cache.Code(third), third_code);
    EXPECT_NE(cache.Code(std::vector<uint32_t>(3, 1)), kept);
}

}  // namespace
}  // namespace kronos
