// SPDX-License-Identifier: Apache-2.0
// What a compute pipeline does to the descriptors of its layout: section "Compute Pipelines". Pure but for the shaders'
// analysis; any thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include "resources/facts.h"

namespace kronos {

class Resources;

/// Throws std::bad_alloc.
PipelineFacts JudgePipeline(const Resources& resources, const VkComputePipelineCreateInfo& info);

}  // namespace kronos
