// SPDX-License-Identifier: Apache-2.0
// The naive writing: Vulkan as tutorials and many programs write it. An allocation per buffer, staging each time, a
// descriptor set allocated and written per dispatch, barriers before and after every dispatch, one command buffer, one
// submit and one fence created and waited for per dispatch. One thread.
#pragma once

#include <functional>

#include "buffers.h"
#include "pipelines.h"
#include "writing.h"

namespace kronos::workloads {

class NaiveWriting final : public Writing {
  public:
    explicit NaiveWriting(const Job& job);
    RunResult Run() override;
    Counts PerRun() const override;
    Counts Once() const override { return {}; }

  private:
    void Upload(const DedicatedBuffer& target, const BufferSpec& spec, const Words& words);
    Words Download(const DedicatedBuffer& source, const BufferSpec& spec);
    void RunDispatch(const Dispatch& dispatch, const std::vector<DedicatedBuffer>& buffers, VkDescriptorPool pool);
    OwnedDescriptorPool MakeDescriptorPool() const;
    VkDescriptorSet MakeSet(const Dispatch& dispatch, const std::vector<DedicatedBuffer>& buffers,
                            VkDescriptorPool pool) const;
    /// Records into a new command buffer, submits it with a new fence and waits for that.
    void SubmitAndWait(const std::function<void(VkCommandBuffer)>& record);

    const Context& context_;
    const Workload& workload_;
    Fault fault_;
    bool extra_dispatch_ = false;  // is still to be made in this run
    OwnedCommandPool command_pool_;
    std::vector<ComputePipeline> pipelines_;
};

}  // namespace kronos::workloads
