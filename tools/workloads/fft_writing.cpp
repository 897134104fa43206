// SPDX-License-Identifier: Apache-2.0
// A program around the library VkFFT.
#include "fft_writing.h"

#include <optional>
#include <vulkan/utility/vk_struct_helper.hpp>

#include "completion.h"
#include "fft_library.h"
#include "slabs.h"

namespace kronos::workloads {
namespace {

using Clock = std::chrono::steady_clock;

void RequireFft(VkFFTResult result, const char* what) {
    if (result != VKFFT_SUCCESS)
        throw WorkloadError(std::string(what) + " failed: VkFFTResult " + std::to_string(result));
}

// VkFFT's plan. Holds copies of handles, since the library keeps pointers to them.
class Plan {
  public:
    Plan(const Context& context, const Dispatch& grid, VkBuffer buffer, uint64_t bytes, VkCommandPool pool)
        : physical_(context.physical()),
          device_(context.device()),
          queue_(context.queue()),
          pool_(pool),
          buffer_(buffer),
          bytes_(bytes) {
        auto fence = vku::InitStruct<VkFenceCreateInfo>();
        fence_owner_ = OwnedFence(device_, vkCreateFence, fence, "vkCreateFence");
        fence_ = fence_owner_.get();
        VkFFTConfiguration configuration{};
        configuration.FFTdim = 2;
        configuration.size[0] = grid.push[0];
        configuration.size[1] = grid.push[1];
        configuration.physicalDevice = &physical_;
        configuration.device = &device_;
        configuration.queue = &queue_;
        configuration.commandPool = &pool_;
        configuration.fence = &fence_;
        configuration.buffer = &buffer_;
        configuration.bufferSize = &bytes_;
        configuration.normalize = 1;  // of the inverse
        // On GPUs that VkFFT knows it decides between tables and the shader's sines. Elsewhere these may be as bad as
        // Vulkan allows, 2^-11, which is too much for a check: tables.
        configuration.useLUT = IsKnown(context.properties().vendorID) ? 0 : 1;
        RequireFft(initializeVkFFT(&application_, configuration), "initializeVkFFT");
    }
    ~Plan() { deleteVkFFT(&application_); }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    void Append(VkCommandBuffer commands, bool inverse) {
        VkFFTLaunchParams launch{};
        launch.commandBuffer = &commands;
        RequireFft(VkFFTAppend(&application_, inverse ? 1 : -1, &launch), "VkFFTAppend");
    }
    // VkFFTAppend: a dispatch and a global barrier for each pass over the grid.
    Counts AppendCounted(bool inverse) const {
        return Passes(inverse) * Counts{.dispatches = 1,
                                        .barriers = 1,
                                        .barrier_calls = 1,
                                        .pipeline_binds = 1,
                                        .set_binds = 1,
                                        .dispatches_submitted = 1};
    }
    // initializeVkFFT: a set for each pass, written binding by binding; a buffer if it reorders; tables of sines, each
    // uploaded through a staging buffer and waited for.
    Counts Once() const {
        uint64_t passes = 0;
        uint64_t bindings = 0;
        uint64_t tables = 0;
        for (const VkFFTPlan* plan : {application_.localFFTPlan, application_.localFFTPlan_inverse}) {
            for (int axis = 0; axis < 2; ++axis) {
                for (uint64_t pass = 0; pass < plan->numAxisUploads[axis]; ++pass) {
                    const VkFFTAxis& part = plan->axes[axis][pass];
                    ++passes;
                    bindings += part.numBindings;
                    tables += part.bufferLUT != VK_NULL_HANDLE && !part.referenceLUT;
                }
            }
        }
        uint64_t memory = 2 * tables + (application_.configuration.allocateTempBuffer ? 1 : 0);
        const Counts upload{.transfers = 1,
                            .recordings = 1,
                            .submits = 1,
                            .submit_infos = 1,
                            .command_buffers = 1,
                            .waits = 1,
                            .fence_resets = 1,
                            .maps = 1,
                            .unmaps = 1};
        return tables * upload + Counts{.descriptor_updates = bindings,
                                        .descriptor_writes = bindings,
                                        .sets_allocated = passes,
                                        .fences_created = 1,
                                        .fences_destroyed = 1,
                                        .allocations = memory,
                                        .frees = memory};
    }

  private:
    uint64_t Passes(bool inverse) const {
        const VkFFTPlan* plan = inverse ? application_.localFFTPlan_inverse : application_.localFFTPlan;
        return plan->numAxisUploads[0] + plan->numAxisUploads[1];
    }
    static bool IsKnown(uint32_t vendor) { return vendor == 0x10DE || vendor == 0x1002 || vendor == 0x8086; }

    VkPhysicalDevice physical_;
    VkDevice device_;
    VkQueue queue_;
    VkCommandPool pool_;
    VkBuffer buffer_;
    uint64_t bytes_;
    OwnedFence fence_owner_;
    VkFence fence_ = VK_NULL_HANDLE;
    VkFFTApplication application_{};
};

class FftWriting final : public Writing {
  public:
    FftWriting(const Job& job, bool expert)
        : context_(job.context),
          workload_(job.workload),
          fault_(job.fault),
          expert_(expert),
          completion_(context_, expert) {
        const std::vector<uint64_t> size{workload_.buffers()[0].bytes};
        constexpr VkMemoryPropertyFlags kHost =
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        staging_ = {context_, size, {VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, kHost}};
        grid_ = {
            context_,
            size,
            {VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
             VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT}};
        auto info = vku::InitStruct<VkCommandPoolCreateInfo>();
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        info.queueFamilyIndex = context_.queue_family();
        pool_ = OwnedCommandPool(context_.device(), vkCreateCommandPool, info, "vkCreateCommandPool");
        auto allocate = vku::InitStruct<VkCommandBufferAllocateInfo>();
        allocate.commandPool = pool_.get();
        allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        allocate.commandBufferCount = 1;
        Require(vkAllocateCommandBuffers(context_.device(), &allocate, &commands_), "vkAllocateCommandBuffers");
        plan_.emplace(context_, workload_.dispatches()[0], grid_.buffer(0), size[0], pool_.get());
    }

    Counts Once() const override { return staging_.Counted() + grid_.Counted() + completion_.Once() + plan_->Once(); }

    RunResult Run() override {
        RunResult run;
        Clock::time_point start = Clock::now();
        const Words& words = workload_.buffers()[0].initial;
        staging_.Write(0, fault_ == Fault::WrongResult ? Corrupted(words) : words);
        Clock::time_point filled = Clock::now();
        Begin();
        RecordUpload();
        NextCommandBuffer();
        for (size_t i = 0; i < workload_.dispatches().size(); ++i) {
            plan_->Append(commands_, workload_.dispatches()[i].push[2] != 0);
            if (fault_ == Fault::ExtraDispatch && i == 0) vkCmdDispatch(commands_, 0, 0, 0);
            NextCommandBuffer();
        }
        RecordDownload();
        EndAndWait();
        Clock::time_point done = Clock::now();
        run.results.push_back(staging_.Read(0));
        run.upload = filled - start;
        run.dispatches = done - filled;
        run.download = Clock::now() - done;
        run.total = Clock::now() - start;
        return run;
    }

    Counts PerRun() const override {
        uint64_t command_buffers = expert_ ? 1 : workload_.dispatches().size() + 2;
        Counts counts = command_buffers * (SubmitCounted({VK_NULL_HANDLE, {VK_NULL_HANDLE}}) + completion_.PerWait() +
                                           Counts{.recordings = 1});
        // RecordUpload, RecordDownload
        counts += {.barriers = 3, .barrier_calls = 3, .transfers = 2};
        for (const Dispatch& dispatch : workload_.dispatches()) counts += plan_->AppendCounted(dispatch.push[2] != 0);
        return counts;
    }

    // Whether a kernel of the library's has push constants depends on the kernel.
    std::vector<std::string_view> Unsaid() const override { return {"pushes"}; }

  private:
    void Begin() {
        auto begin = vku::InitStruct<VkCommandBufferBeginInfo>();
        begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
        Require(vkBeginCommandBuffer(commands_, &begin), "vkBeginCommandBuffer");
    }

    void EndAndWait() {
        Require(vkEndCommandBuffer(commands_), "vkEndCommandBuffer");
        completion_.SubmitLast({context_.queue(), {commands_}});
        completion_.Wait();
    }

    void NextCommandBuffer() {
        if (expert_) return;
        EndAndWait();
        Begin();
    }

    void RecordUpload() {
        VkBufferCopy region{0, 0, grid_.bytes(0)};
        vkCmdCopyBuffer(commands_, staging_.buffer(0), grid_.buffer(0), 1, &region);
        Barrier(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
    }

    void RecordDownload() {
        VkBufferCopy region{0, 0, grid_.bytes(0)};
        // VkFFT's own barriers are for its dispatches only.
        if (fault_ != Fault::MissingBarrier) {
            Barrier(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                    VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
        }
        vkCmdCopyBuffer(commands_, grid_.buffer(0), staging_.buffer(0), 1, &region);
        Barrier(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                VK_ACCESS_HOST_READ_BIT);
    }

    void Barrier(VkPipelineStageFlags from, VkAccessFlags from_access, VkPipelineStageFlags to,
                 VkAccessFlags to_access) {
        auto barrier = vku::InitStruct<VkMemoryBarrier>();
        barrier.srcAccessMask = from_access;
        barrier.dstAccessMask = to_access;
        vkCmdPipelineBarrier(commands_, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
    }

    const Context& context_;
    const Workload& workload_;
    Fault fault_;
    bool expert_;
    SlabBuffers staging_;
    SlabBuffers grid_;
    OwnedCommandPool pool_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    Completion completion_;
    std::optional<Plan> plan_;
};

}  // namespace

std::unique_ptr<Writing> MakeFftWriting(const Job& job, bool expert) {
    return std::make_unique<FftWriting>(job, expert);
}

}  // namespace kronos::workloads
