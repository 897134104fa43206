// SPDX-License-Identifier: Apache-2.0
// Each way in which a program can give the driver SPIR-V, and code that is no compute shader.
#include "shaders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "../scratch.h"

namespace spy {
namespace {

using Words = std::vector<uint32_t>;

// A module with one entry point, or two, and something to tell it from others.
Words Module(std::initializer_list<uint32_t> models, uint32_t mark) {
    Words words{0x07230203, 0x00010000, 0, 100, 0, 0x00020011, 1};
    for (const uint32_t model : models) words.insert(words.end(), {0x0005000f, model, 4, 0x6e69616d, 0});
    words.insert(words.end(), {0x00040005, mark, 0x6e69616d, 0});
    return words;
}

constexpr uint32_t kVertex = 0;
constexpr uint32_t kCompute = 5;

VkShaderModuleCreateInfo Info(const Words& words) {
    return {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, nullptr, 0, words.size() * 4, words.data()};
}

class Shaders : public testing::Test {
  protected:
    // What the files hold; in which order, nobody knows.
    std::vector<Words> Kept() const {
        std::vector<Words> kept;
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            EXPECT_EQ(entry.path().extension(), ".spv");
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            Words& words = kept.emplace_back(bytes.size() / 4);
            std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(words.data()));
        }
        return kept;
    }

    const kronos::Scratch scratch_;
    const std::filesystem::path folder_ = scratch_.path();
};

TEST_F(Shaders, OfModulesAreKeptOnce) {
    const Words compute = Module({kCompute}, 1);
    ShaderFolder folder(folder_);
    folder.Keep(Info(compute));
    folder.Keep(Info(compute));
    EXPECT_EQ(Kept(), std::vector<Words>{compute});
}

TEST_F(Shaders, OfOtherStagesAreNotKept) {
    ShaderFolder folder(folder_);
    folder.Keep(Info(Module({kVertex}, 1)));
    EXPECT_EQ(Kept(), std::vector<Words>());
}

TEST_F(Shaders, BesideOtherStagesAreKept) {
    const Words both = Module({kVertex, kCompute}, 1);
    ShaderFolder folder(folder_);
    folder.Keep(Info(both));
    EXPECT_EQ(Kept(), std::vector<Words>{both});
}

TEST_F(Shaders, ThatAreDamagedAreNotReadPastTheirEnd) {
    const Words whole = Module({kVertex, kCompute}, 1);
    ShaderFolder folder(folder_);
    for (size_t length = 0; length < whole.size() - 8; ++length) {  // up to within the second entry point
        const Words cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
        folder.Keep(Info(cut));
    }
    Words still = whole;
    still[5] = 0;  // an instruction without length
    folder.Keep(Info(still));
    EXPECT_EQ(Kept(), std::vector<Words>());
}

TEST_F(Shaders, InlineInStagesAreKept) {
    const Words words = Module({kCompute}, 1);
    const Words unused = Module({kCompute}, 2);
    VkShaderModuleCreateInfo code = Info(words);
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo size{
        VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO, &code, 8};
    VkShaderModuleCreateInfo ignored = Info(unused);
    std::vector<VkComputePipelineCreateInfo> infos(3);
    infos[1].stage.pNext = &size;
    infos[2].stage.pNext = &ignored;  // behind a module it means nothing
    infos[2].stage.module = reinterpret_cast<VkShaderModule>(uintptr_t{1});
    ShaderFolder folder(folder_);
    folder.Keep(3, infos.data());
    EXPECT_EQ(Kept(), std::vector<Words>{words});
}

TEST_F(Shaders, OfShaderObjectsAreKept) {
    const Words words = Module({kCompute}, 1);
    const Words other = Module({kCompute}, 2);
    std::vector<VkShaderCreateInfoEXT> infos(3);
    for (VkShaderCreateInfoEXT& info : infos) {
        info.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        info.codeType = VK_SHADER_CODE_TYPE_SPIRV_EXT;
        info.codeSize = other.size() * 4;
        info.pCode = other.data();
    }
    infos[0].codeType = VK_SHADER_CODE_TYPE_BINARY_EXT;
    infos[1].stage = VK_SHADER_STAGE_VERTEX_BIT;
    infos[2].pCode = words.data();
    ShaderFolder folder(folder_);
    folder.Keep(3, infos.data());
    EXPECT_EQ(Kept(), std::vector<Words>{words});
}

TEST_F(Shaders, OfManyThreadsAreWhole) {
    std::vector<std::thread> threads;
    ShaderFolder folder(folder_);
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&folder] {
            for (uint32_t mark = 0; mark < 100; ++mark) folder.Keep(Info(Module({kCompute}, mark)));
        });
    }
    for (std::thread& thread : threads) thread.join();
    const std::vector<Words> kept = Kept();
    EXPECT_EQ(kept.size(), 100u);
    for (const Words& words : kept) EXPECT_EQ(words.size(), Module({kCompute}, 0).size());
}

TEST_F(Shaders, HaveNoFolder) {
    testing::internal::CaptureStderr();
    ShaderFolder none("");
    none.Keep(Info(Module({kCompute}, 1)));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Shaders, HaveABadFolder) {
    const std::string file = folder_ / "file";
    std::ofstream(file) << "no folder";
    for (const std::string& path : {file, (folder_ / "missing").string()}) {
        testing::internal::CaptureStderr();
        ShaderFolder bad(path);
        bad.Keep(Info(Module({kCompute}, 1)));
        bad.Keep(Info(Module({kCompute}, 2)));
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_EQ(said.find("SPY_SHADERS=" + path + ": "), 0u) << said;
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(Shaders, LoseTheirFolder) {
    ShaderFolder folder(folder_);
    std::filesystem::remove_all(folder_);
    testing::internal::CaptureStderr();
    folder.Keep(Info(Module({kCompute}, 1)));
    folder.Keep(Info(Module({kCompute}, 2)));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

}  // namespace
}  // namespace spy
