// SPDX-License-Identifier: Apache-2.0
#include "submission/fuser.h"

#include <algorithm>
#include <mutex>
#include <new>

#include "support/clock.h"

namespace kronos {
namespace {

// In one command buffer: what a device is given at a time should not grow without bounds.
constexpr uint32_t kMostInOne = 4096;

VkCommandBuffer HandleOf(VkCommandBuffer buffer) { return buffer; }
VkCommandBuffer HandleOf(const VkCommandBufferSubmitInfo& buffer) { return buffer.commandBuffer; }
void Push(std::vector<VkCommandBuffer>& to, VkCommandBuffer buffer) { to.push_back(buffer); }
void Push(std::vector<VkCommandBufferSubmitInfo>& to, VkCommandBuffer buffer) {
    to.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, buffer, 0});
}

std::span<const VkCommandBuffer> BuffersOf(const VkSubmitInfo& info) {
    return {info.pCommandBuffers, info.commandBufferCount};
}
std::span<const VkCommandBufferSubmitInfo> BuffersOf(const VkSubmitInfo2& info) {
    return {info.pCommandBufferInfos, info.commandBufferInfoCount};
}
void SetBuffers(VkSubmitInfo& info, std::span<const VkCommandBuffer> buffers) {
    info.pCommandBuffers = buffers.data();
    info.commandBufferCount = static_cast<uint32_t>(buffers.size());
}
void SetBuffers(VkSubmitInfo2& info, std::span<const VkCommandBufferSubmitInfo> buffers) {
    info.pCommandBufferInfos = buffers.data();
    info.commandBufferInfoCount = static_cast<uint32_t>(buffers.size());
}

template <class Info>
bool AnySeveral(const Info* infos, uint32_t count) {
    return std::any_of(infos, infos + count, [](const Info& info) { return BuffersOf(info).size() > 1; });
}

}  // namespace

Fuser::Fuser(const VkuDeviceDispatchTable& down, VkDevice device, uint32_t family, Counters* counters,
             const FusionPolicy& policy, ForkMutex& recording)
    : down_(down), device_(device), family_(family), counters_(counters), policy_(policy), recording_(recording) {}

Fuser::~Fuser() { down_.DestroyCommandPool(device_, pool_, nullptr); }

bool Fuser::Concerns(const Batch::Call& call) {
    return call.second ? AnySeveral(call.second, call.count) : AnySeveral(call.first, call.count);
}

Batch::Call Fuser::Fuse(const Batch::Call& call, uint64_t reached) noexcept {
    try {
        const std::lock_guard lock(recording_);
        Batch::Call fused = call;
        if (call.second)
            fused.second = Rewrite(call.second, call.count, second_, reached);
        else
            fused.first = Rewrite(call.first, call.count, first_, reached);
        return fused;
    } catch (const std::bad_alloc&) {
        Decided(Counter::kFusionsFailed);
        Given(0);  // none of them is used
        return call;
    }
}

void Fuser::Given(uint64_t value) noexcept {
    buffers_.Given(value);
    if (value) {
        Decided(Counter::kBuffersFused, fused_);
        Decided(Counter::kFusionsAgain, again_);
        if (policy_.worth && gained_ns_) policy_.worth->Gained(gained_ns_, NowNs());
    }
    fused_ = again_ = 0;
    gained_ns_ = 0;
}

void Fuser::Lost() noexcept {
    buffers_.Abandon();
    Given(0);
}

// Section "Object Lifetime": of all that commands name, pipeline layouts alone need not live until they are done.
bool Fuser::IsStale(const Stream& stream) const { return stream.layouts != policy_.resources->LayoutsRemoved(); }

template <class Info, class Buffer>
const Info* Fuser::Rewrite(const Info* infos, uint32_t count, Rewritten<Info, Buffer>& to, uint64_t reached) {
    run_.clear();
    run_commands_ = 0;
    size_t all = 0;
    for (uint32_t i = 0; i < count; ++i) all += BuffersOf(infos[i]).size();
    to.infos.assign(infos, infos + count);
    to.buffers.clear();
    to.buffers.reserve(all);  // pointers into it stay valid
    for (Info& info : to.infos) {
        const auto given = BuffersOf(info);
        const size_t begin = to.buffers.size();
        size_t run_begin = 0;
        const auto end_run = [&](size_t end) {
            EndRun(given.subspan(run_begin, end - run_begin), to.buffers, reached);
            run_begin = end;
        };
        for (size_t i = 0; i < given.size(); ++i) {
            const Stream* stream = given.size() > 1 ? policy_.find(HandleOf(given[i])) : nullptr;
            if (!stream) {
                if (given.size() > 1) Decided(Counter::kFusionsUnknown);
                end_run(i);
                to.buffers.push_back(given[i]);
                run_begin = i + 1;
                continue;
            }
            const bool stale = IsStale(*stream);
            if (!run_.empty() && (stale != run_stale_ || run_commands_ + stream->commands > kMostInOne)) end_run(i);
            run_.push_back(stream);
            run_commands_ += stream->commands;
            run_stale_ = stale;
        }
        end_run(given.size());
        SetBuffers(info, std::span(to.buffers).subspan(begin));
    }
    return to.infos.data();
}

// Those of `run`, whose streams are in run_, as one, if that is possible.
template <class Buffer>
void Fuser::EndRun(std::span<const Buffer> run, std::vector<Buffer>& to, uint64_t reached) {
    const VkCommandBuffer fused = run.size() > 1 ? FuseRun(reached) : VK_NULL_HANDLE;
    if (fused)
        Push(to, fused);
    else
        to.insert(to.end(), run.begin(), run.end());
    run_.clear();
    run_commands_ = 0;
}

VkCommandBuffer Fuser::FuseRun(uint64_t reached) {
    const auto count = static_cast<int64_t>(run_.size());
    const bool once = std::any_of(run_.begin(), run_.end(), [](const Stream* stream) { return stream->once; });
    recordings_.clear();
    for (const Stream* stream : run_) recordings_.push_back(stream->uid);
    int64_t gained_ns = (count - 1) * FusionPolicy::kBoundaryNs;
    const FusedBuffer* buffer = once ? nullptr : buffers_.Find(recordings_, reached);
    if (buffer) {
        ++again_;
    } else {
        gained_ns -= run_commands_ * FusionPolicy::kCommandNs;
        buffer = MakeFused(reached, once, gained_ns);
        if (!buffer) return VK_NULL_HANDLE;
    }
    fused_ += run_.size();
    gained_ns_ += gained_ns;
    return buffer->handle;
}

// What is in run_, recorded; nullptr, and counted why: it was not. Throws std::bad_alloc.
const FusedBuffer* Fuser::MakeFused(uint64_t reached, bool once, int64_t gained_ns) {
    if (run_stale_) return Refused(Counter::kFusionsLayouts, run_.size());
    if (gained_ns < 0) return Refused(Counter::kFusionsDear, run_.size());
    FusedBuffer* buffer = buffers_.Take(reached);
    if (!buffer) return Refused(Counter::kFusionsFull);
    if (!buffer->handle && !Make(*buffer)) {
        buffers_.Drop(buffer);
        return Refused(Counter::kFusionsFailed);
    }
    if (!Record(buffer->handle, once)) {
        // Who knows in what state it is.
        down_.FreeCommandBuffers(device_, pool_, 1, &buffer->handle);
        buffers_.Drop(buffer);
        return Refused(Counter::kFusionsFailed);
    }
    Decided(Counter::kFusionsRecorded);
    if (!once) buffer->recordings.assign(recordings_.begin(), recordings_.end());
    return buffer;
}

bool Fuser::Make(FusedBuffer& buffer) {
    if (!pool_) {
        const VkCommandPoolCreateInfo info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr,
                                              VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, family_};
        if (down_.CreateCommandPool(device_, &info, nullptr, &pool_) != VK_SUCCESS) {
            pool_ = VK_NULL_HANDLE;
            return false;
        }
    }
    const VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool_,
                                              VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
    VkCommandBuffer made = VK_NULL_HANDLE;
    if (down_.AllocateCommandBuffers(device_, &info, &made) != VK_SUCCESS) return false;
    if (policy_.set_loader_data(device_, made) != VK_SUCCESS) {
        down_.FreeCommandBuffers(device_, pool_, 1, &made);
        return false;
    }
    buffer.handle = made;
    return true;
}

// What is in run_. Throws std::bad_alloc, before the driver is asked for anything.
bool Fuser::Record(VkCommandBuffer buffer, bool once) {
    Join(run_, joined_);
    pass_.Run(joined_, {.narrow = policy_.narrow}, plan_);
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT : 0;
    recorded_.Add(Side::kDriver, Counter::kRecordings, 1);
    bool recorded = down_.BeginCommandBuffer(buffer, &begin) == VK_SUCCESS;
    if (recorded) {
        repeats_.Clear();
        Emit(run_, joined_, &plan_, policy_.drops ? &repeats_ : nullptr, down_, buffer, recorded_);
        Decided(Counter::kFusionsRepeated, repeats_.dropped());
        recorded = down_.EndCommandBuffer(buffer) == VK_SUCCESS;
    }
    if (counters_) recorded_.FlushTo(*counters_);
    return recorded;
}

}  // namespace kronos
