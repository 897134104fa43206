// SPDX-License-Identifier: Apache-2.0
// The compute pipeline of one shader with its layouts. Owned by a writing; one thread.
#pragma once

#include "handles.h"
#include "workload.h"

namespace kronos::workloads {

class ComputePipeline {
  public:
    ComputePipeline(const Context& context, const Shader& shader);
    ComputePipeline(ComputePipeline&&) noexcept = default;
    ~ComputePipeline();
    ComputePipeline(const ComputePipeline&) = delete;
    ComputePipeline& operator=(const ComputePipeline&) = delete;
    ComputePipeline& operator=(ComputePipeline&&) = delete;

    VkPipeline pipeline() const { return pipeline_.get(); }
    VkPipelineLayout layout() const { return layout_.get(); }
    VkDescriptorSetLayout set_layout() const { return set_layout_.get(); }

  private:
    OwnedSetLayout set_layout_;
    OwnedPipelineLayout layout_;
    Owned<VkPipeline, vkDestroyPipeline> pipeline_;
};

}  // namespace kronos::workloads
