// SPDX-License-Identifier: Apache-2.0
// Descriptor sets in a whole program: what the driver gets, and where the layer keeps its hands off.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "layered.h"

namespace {

using layered::Device;
using layered::Did;
using layered::Instance;
using ::testing::HasSubstr;

constexpr VkDescriptorType kStorage = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;

class DescriptorSetsTest : public layered::LayerTest {
  protected:
    void Start(layered::SettingMap settings, std::vector<const char*> extensions = {}) {
        settings["descriptors"] = "on";
        settings["log_level"] = "info";
        settings["log_file"] = log.path();
        instance = std::make_unique<Instance>(true, ToFile(std::move(settings)));
        device = std::make_unique<Device>(*instance, std::move(extensions));
        ASSERT_EQ(device->result, VK_SUCCESS);
        commands = device->MakeBuffer();
        const VkDescriptorSetLayoutBinding binding = {0, kStorage, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
        VkDescriptorSetLayoutCreateInfo layout_info = {};
        layout_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
        layout_info.bindingCount = 1;
        layout_info.pBindings = &binding;
        ASSERT_EQ(vkCreateDescriptorSetLayout(device->handle, &layout_info, nullptr, &set_layout), VK_SUCCESS);
        VkPipelineLayoutCreateInfo pipeline_info = {};
        pipeline_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
        pipeline_info.setLayoutCount = 1;
        pipeline_info.pSetLayouts = &set_layout;
        ASSERT_EQ(vkCreatePipelineLayout(device->handle, &pipeline_info, nullptr, &layout), VK_SUCCESS);
        const VkDescriptorPoolSize size = {kStorage, 2};
        VkDescriptorPoolCreateInfo pool_info = {};
        pool_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
        pool_info.maxSets = 2;
        pool_info.poolSizeCount = 1;
        pool_info.pPoolSizes = &size;
        ASSERT_EQ(vkCreateDescriptorPool(device->handle, &pool_info, nullptr, &pool), VK_SUCCESS);
        VkBufferCreateInfo buffer_info = {};
        buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        buffer_info.size = 256;
        buffer_info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        ASSERT_EQ(vkCreateBuffer(device->handle, &buffer_info, nullptr, &buffer), VK_SUCCESS);
        VkMemoryRequirements needs = {};
        vkGetBufferMemoryRequirements(device->handle, buffer, &needs);
        const VkMemoryAllocateInfo allocate = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, needs.size, 0};
        ASSERT_EQ(vkAllocateMemory(device->handle, &allocate, nullptr, &memory), VK_SUCCESS);
        ASSERT_EQ(vkBindBufferMemory(device->handle, buffer, memory, 0), VK_SUCCESS);
    }
    void Destroy() {
        vkDestroyBuffer(device->handle, buffer, nullptr);
        vkFreeMemory(device->handle, memory, nullptr);
        vkDestroyDescriptorPool(device->handle, pool, nullptr);
        vkDestroyPipelineLayout(device->handle, layout, nullptr);
        vkDestroyDescriptorSetLayout(device->handle, set_layout, nullptr);
        device.reset();
        instance.reset();
    }
    nlohmann::json End() {
        Destroy();
        return Summary();
    }
    void Write(VkDescriptorSet set) const {
        const VkDescriptorBufferInfo info = {buffer, 0, VK_WHOLE_SIZE};
        const VkWriteDescriptorSet write = {
            VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set, 0, 0, 1, kStorage, nullptr, &info, nullptr};
        vkUpdateDescriptorSets(device->handle, 1, &write, 0, nullptr);
    }
    VkDescriptorSet MakeSet() const {
        VkDescriptorSetAllocateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
        info.descriptorPool = pool;
        info.descriptorSetCount = 1;
        info.pSetLayouts = &set_layout;
        VkDescriptorSet set = VK_NULL_HANDLE;
        EXPECT_EQ(vkAllocateDescriptorSets(device->handle, &info, &set), VK_SUCCESS);
        return set;
    }
    // A set from a pool that is reset, written once or twice, and bound for a dispatch.
    void Dispatch(int writes = 1) const {
        ASSERT_EQ(vkResetDescriptorPool(device->handle, pool, 0), VK_SUCCESS);
        const VkDescriptorSet set = MakeSet();
        for (int i = 0; i < writes; ++i) Write(set);
        Device::Begin(commands);
        vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
        vkCmdDispatch(commands, 1, 1, 1);
        ASSERT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
    }
    std::vector<std::string> LogLines(const std::string& with) const {
        std::ifstream file(log.path());
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);)
            if (line.find(with) != std::string::npos) lines.push_back(line);
        return lines;
    }

    layered::ScratchFile log;
    std::unique_ptr<Instance> instance;
    std::unique_ptr<Device> device;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
};

TEST_F(DescriptorSetsTest, PersistAndAreGoneWithTheDevice) {
    Start({});
    for (int i = 0; i < 10; ++i) Dispatch();
    EXPECT_EQ(mock.Calls("vkUpdateDescriptorSets"), 2u);
    EXPECT_EQ(mock.Calls("vkAllocateDescriptorSets"), 11u) << "one is the layer's";
    const nlohmann::json summary = End();
    EXPECT_EQ(Did(summary, "sets_persisted"), 1u);
    EXPECT_EQ(Did(summary, "sets_found"), 8u);
    EXPECT_EQ(layered::Driver(summary, "descriptor_updates"), 2u);
    EXPECT_EQ(layered::Asked(summary, "descriptor_updates"), 10u);
    EXPECT_EQ(layered::Driver(summary, "sets_allocated"), 11u);
}

TEST_F(DescriptorSetsTest, MoreWritesInACallThanAreLookedAtTogether) {
    Start({});
    const VkDescriptorSet set = MakeSet();
    // The last write of all, behind the first thousand, is the only one that says something else.
    constexpr size_t kWrites = 2500;
    const VkDescriptorBufferInfo whole = {buffer, 0, VK_WHOLE_SIZE}, half = {buffer, 0, 128};
    std::vector<VkWriteDescriptorSet> writes(
        kWrites, {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, nullptr, set, 0, 0, 1, kStorage, nullptr, &whole, nullptr});
    writes.back().pBufferInfo = &half;
    vkUpdateDescriptorSets(device->handle, kWrites, writes.data(), 0, nullptr);
    Device::Begin(commands);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
    vkCmdDispatch(commands, 1, 1, 1);
    ASSERT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
    const nlohmann::json summary = End();
    EXPECT_EQ(layered::Asked(summary, "descriptor_updates"), 1u);
    EXPECT_EQ(Did(summary, "descriptor_writes_dropped"), kWrites - 2);
}

TEST_F(DescriptorSetsTest, AreTheProgramsWhereAnExtensionOfSetsIsNotReviewed) {
    for (const char* extension : {VK_NV_PER_STAGE_DESCRIPTOR_SET_EXTENSION_NAME, "VK_KHR_not_yet"}) {
        mock.Use(std::string(R"({"devices": [{"addExtensions": [")") + extension + R"("]}]})");
        const uint64_t before = mock.Calls("vkUpdateDescriptorSets");
        Start({}, {extension});
        for (int i = 0; i < 10; ++i) Dispatch(3);
        EXPECT_EQ(mock.Calls("vkUpdateDescriptorSets") - before, 10u) << "the shadow knows the others";
        Destroy();
        const auto lines = file.Lines("summary");
        EXPECT_EQ(Did(lines.back(), "descriptor_writes_dropped"), 20u);
        EXPECT_EQ(Did(lines.back(), "sets_persisted"), 0u);
        const std::vector<std::string> told = LogLines("warning: descriptors");
        ASSERT_FALSE(told.empty());
        EXPECT_THAT(told.back(), HasSubstr(extension + std::string(" is not reviewed")));
        EXPECT_EQ(std::count_if(told.begin(), told.end(),
                                [&](const std::string& line) { return line.find(extension) != std::string::npos; }),
                  1)
            << "said once";
    }
}

TEST_F(DescriptorSetsTest, FollowTheSettingRatherThanItsPreset) {
    Start({{"preset", "safe"}});
    for (int i = 0; i < 3; ++i) Dispatch(2);
    EXPECT_EQ(mock.Calls("vkUpdateDescriptorSets"), 2u) << "the setting by itself wins over the preset";
    End();
}

}  // namespace
