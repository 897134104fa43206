// SPDX-License-Identifier: Apache-2.0
// Keeps the SPIR-V of compute shaders that programs create, as files of the folder that SPY_SHADERS names; nothing
// without it. Owned by nobody: FolderOfShaders() lives as long as the process. Any thread may keep shaders at any time.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstddef>
#include <string>

namespace spy {

class ShaderFolder {
  public:
    /// An empty path: nothing is kept. A folder that cannot be written is named in one line, and nothing is kept.
    explicit ShaderFolder(std::string path);

    /// A module: kept if any of its entry points is of compute shaders.
    void Keep(const VkShaderModuleCreateInfo& info);
    /// Code in the pNext chain of stages that have no module (VK_KHR_maintenance5).
    void Keep(uint32_t count, const VkComputePipelineCreateInfo* infos);
    /// Shader objects of compute shaders that are given as SPIR-V.
    void Keep(uint32_t count, const VkShaderCreateInfoEXT* infos);

  private:
    void Write(const void* code, size_t bytes);
    void Fail(const std::string& path, int error);

    std::string path_;
    std::atomic<bool> works_;
    std::atomic<unsigned> parts_{0};
};

/// The folder that the environment names.
ShaderFolder& FolderOfShaders();

}  // namespace spy
