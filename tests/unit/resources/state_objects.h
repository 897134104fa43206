// SPDX-License-Identifier: Apache-2.0
// The set layouts that the random programs of state_program.h are made of, and how many objects there are.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state_model.h"
#include "world.h"

namespace kronos::model {

inline constexpr VkShaderStageFlags kStage[State::kStages] = {VK_SHADER_STAGE_COMPUTE_BIT, VK_SHADER_STAGE_VERTEX_BIT};

constexpr uint32_t kLayouts = 8, kPipelines = 6, kSetsOfEach = 3, kBuffers = 4;

// Set layouts by definition. Those with more than one handle are identically defined.
struct Binding {
    VkDescriptorType type;
    uint32_t count = 1;
    VkShaderStageFlags stages = VK_SHADER_STAGE_COMPUTE_BIT;
};
struct Definition {
    std::vector<Binding> bindings;
    bool push = false;
    bool samples = false;  ///< has an immutable sampler: only the same object is the same
    uint32_t offsets = 0;
};
const std::vector<Definition>& Definitions();

}  // namespace kronos::model
