// SPDX-License-Identifier: Apache-2.0
#include "submission/fuser.h"

#include <algorithm>
#include <mutex>
#include <new>

#include "stream/plan_counts.h"
#include "support/clock.h"
#include "support/submit_buffers.h"

namespace kronos {
namespace {

// In one command buffer: what a device is given at a time should not grow without bounds.
constexpr uint32_t kMostInOne = 4096;

VkCommandBuffer HandleOf(VkCommandBuffer buffer) { return buffer; }
VkCommandBuffer HandleOf(const VkCommandBufferSubmitInfo& buffer) { return buffer.commandBuffer; }
// In place of `first`, and of what stands behind it.
VkCommandBuffer Instead(VkCommandBuffer, VkCommandBuffer buffer) { return buffer; }
VkCommandBufferSubmitInfo Instead(VkCommandBufferSubmitInfo first, VkCommandBuffer buffer) {
    first.commandBuffer = buffer;
    return first;
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

bool Fuser::AnyDeferred(const Batch::Call& call, const FusionPolicy& policy) {
    const auto any = [&](const auto* infos) {
        return std::any_of(infos, infos + call.count, [&](const auto& info) {
            const auto buffers = BuffersOf(info);
            return std::any_of(buffers.begin(), buffers.end(), [&](const auto& buffer) {
                const Stream* stream = policy.find(HandleOf(buffer));
                return stream && stream->deferred;
            });
        });
    };
    return call.second ? any(call.second) : any(call.first);
}

bool Fuser::Concerns(const Batch::Call& call, bool as_is, bool any_deferred) const {
    if (!as_is && (call.second ? AnySeveral(call.second, call.count) : AnySeveral(call.first, call.count))) return true;
    return any_deferred && AnyDeferred(call, policy_);
}

VkResult Fuser::Fuse(const Batch::Call& call, bool as_is, uint64_t reached, Batch::Call& fused) noexcept {
    failed_ = VK_SUCCESS;
    fused = call;
    try {
        const std::lock_guard lock(recording_);
        if (call.second)
            fused.second = Rewrite(call.second, call.count, as_is, second_, reached);
        else
            fused.first = Rewrite(call.first, call.count, as_is, first_, reached);
        if (failed_ == VK_SUCCESS) return VK_SUCCESS;
    } catch (const std::bad_alloc&) {
        Decided(Counter::kFusionsFailed);
        fused = call;
        failed_ = AnyDeferred(call, policy_) ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
    }
    NotGiven();
    return failed_;
}

void Fuser::Given(uint64_t value) noexcept {
    buffers_.Given(value);
    if (value) {
        for (const Arriving& one : arriving_)
            if (one.count) --*one.count;
        Decided(Counter::kBuffersFused, fused_);
        Decided(Counter::kFusionsAgain, again_);
        if (policy_.worth && gained_ns_) policy_.worth->Gained(gained_ns_, NowNs());
    }
    fused_ = again_ = 0;
    gained_ns_ = 0;
    arriving_.clear();
}

// The program, which hears of it or for which it is tried again, cannot do anything to them yet.
void Fuser::NotGiven() noexcept {
    for (const Arriving& one : arriving_) one.stream->waits_in.store(one.count, std::memory_order_relaxed);
    Given(0);
}

void Fuser::Lost() noexcept {
    for (const Arriving& one : arriving_)
        if (one.count) --*one.count;
    buffers_.Abandon();
    Given(0);
}

// Section "Object Lifetime": of all that commands name, pipeline layouts alone need not live until they are done. Those
// that a deferred recording names do.
bool Fuser::IsStale(const Stream& stream) const {
    return !stream.deferred && stream.layouts != policy_.resources->LayoutsRemoved();
}

// Behind the last of run_.
bool Fuser::IsCut() const {
    return run_.back()->uid % FusionPolicy::kCut == 0 &&
           std::none_of(run_.begin(), run_.end(), [](const Stream* stream) { return stream->once; });
}

bool Fuser::Expects(VkCommandBuffer last) const {
    const Stream* stream = last ? policy_.find(last) : nullptr;
    return stream && !stream->once && buffers_.GoesOn(stream->uid);
}

template <class Info, class Buffer>
const Info* Fuser::Rewrite(const Info* infos, uint32_t count, bool as_is, Rewritten<Info, Buffer>& to,
                           uint64_t reached) {
    run_.clear();
    run_commands_ = run_again_ = run_deferred_ = 0;
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
            const Stream* stream = policy_.find(HandleOf(given[i]));
            if (!stream) {
                if (given.size() > 1 && !as_is) Decided(Counter::kFusionsUnknown);
                end_run(i);
                to.buffers.push_back(given[i]);
                run_begin = i + 1;
                continue;
            }
            const bool stale = IsStale(*stream);
            if (!run_.empty() && (as_is || stale != run_stale_ || run_commands_ + stream->commands > kMostInOne))
                end_run(i);
            run_.push_back(stream);
            run_commands_ += stream->commands;
            (stream->deferred ? run_deferred_ : run_again_) += stream->deferred ? 1 : stream->commands;
            run_stale_ = stale;
            if (IsCut()) end_run(i + 1);
        }
        end_run(given.size());
        SetBuffers(info, std::span(to.buffers).subspan(begin));
    }
    return to.infos.data();
}

// Those of `run`, whose streams are in run_, as one, if that is possible.
template <class Buffer>
void Fuser::EndRun(std::span<const Buffer> run, std::vector<Buffer>& to, uint64_t reached) {
    const VkCommandBuffer fused = run.size() > 1 || run_deferred_ ? FuseRun(reached) : VK_NULL_HANDLE;
    if (fused)
        to.push_back(Instead(run.front(), fused));
    else
        to.insert(to.end(), run.begin(), run.end());
    run_.clear();
    run_commands_ = run_again_ = run_deferred_ = 0;
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
        gained_ns -= run_again_ * FusionPolicy::kCommandNs;
        buffer = MakeFused(reached, once, gained_ns);
        if (!buffer) return VK_NULL_HANDLE;
    }
    for (const Stream* stream : run_)
        if (stream->deferred)
            arriving_.push_back({stream, stream->waits_in.exchange(nullptr, std::memory_order_relaxed)});
    if (count > 1) fused_ += run_.size();
    gained_ns_ += gained_ns;
    return buffer->handle;
}

// What is in run_, recorded; nullptr, and counted why: it was not. Throws std::bad_alloc.
const FusedBuffer* Fuser::MakeFused(uint64_t reached, bool once, int64_t gained_ns) {
    if (run_stale_) return Refused(Counter::kFusionsLayouts, run_.size());
    if (gained_ns < 0 && !run_deferred_) return Refused(Counter::kFusionsDear, run_.size());
    arriving_.reserve(arriving_.size() + run_.size());
    FusedBuffer* buffer = buffers_.Take(reached, run_deferred_);
    if (!buffer) return Refused(Counter::kFusionsFull);
    VkResult result = buffer->handle ? VK_SUCCESS : Make(*buffer);
    if (result == VK_SUCCESS) {
        result = Record(buffer->handle, once);
        // Who knows in what state it is.
        if (result != VK_SUCCESS) down_.FreeCommandBuffers(device_, pool_, 1, &buffer->handle);
    }
    if (result != VK_SUCCESS) {
        buffers_.Drop(buffer);
        // Whatever it was: it stands for memory that is not there.
        if (run_deferred_) failed_ = result == VK_ERROR_OUT_OF_DEVICE_MEMORY ? result : VK_ERROR_OUT_OF_HOST_MEMORY;
        return Refused(Counter::kFusionsFailed);
    }
    if (run_.size() > 1) Decided(Counter::kFusionsRecorded);
    if (!once) buffer->recordings.assign(recordings_.begin(), recordings_.end());
    return buffer;
}

VkResult Fuser::Make(FusedBuffer& buffer) {
    if (!pool_) {
        const VkCommandPoolCreateInfo info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO, nullptr,
                                              VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, family_};
        if (const VkResult result = down_.CreateCommandPool(device_, &info, nullptr, &pool_); result != VK_SUCCESS) {
            pool_ = VK_NULL_HANDLE;
            return result;
        }
    }
    const VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, nullptr, pool_,
                                              VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1};
    VkCommandBuffer made = VK_NULL_HANDLE;
    VkResult result = down_.AllocateCommandBuffers(device_, &info, &made);
    if (result != VK_SUCCESS) return result;
    result = policy_.set_loader_data(device_, made);
    if (result == VK_SUCCESS)
        buffer.handle = made;
    else
        down_.FreeCommandBuffers(device_, pool_, 1, &made);
    return result;
}

// What is in run_. Throws std::bad_alloc, before the driver is asked for anything.
VkResult Fuser::Record(VkCommandBuffer buffer, bool once) {
    Join(run_, joined_);
    pass_.Run(joined_, {.narrow = policy_.narrow}, plan_);
    VkCommandBufferBeginInfo begin = {};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT : 0;
    recorded_.Add(Side::kDriver, Counter::kRecordings, 1);
    VkResult result = down_.BeginCommandBuffer(buffer, &begin);
    if (result == VK_SUCCESS) {
        repeats_.Clear();
        Emit(run_, joined_, &plan_, policy_.drops ? &repeats_ : nullptr, down_, buffer, recorded_);
        Decided(Counter::kFusionsRepeated, repeats_.dropped());
        result = down_.EndCommandBuffer(buffer);
    }
    if (counters_) recorded_.FlushTo(*counters_);
    if (result == VK_SUCCESS && run_deferred_) CountDeferred();
    return result;
}

// What is said of other recordings when they end. Where only some are deferred, the plan is not theirs alone.
void Fuser::CountDeferred() {
    if (run_deferred_ == run_.size()) {
        if (counters_) CountPlan(plan_, joined_, *counters_);
        if (!policy_.worth) return;
        HeldWork work;
        work.commands = run_commands_;
        WorkOf(plan_, joined_, work);
        policy_.worth->Held(work, NowNs());
        return;
    }
    uint64_t barriers = 0;
    for (const Stream* stream : run_)
        if (stream->deferred) barriers += stream->steps.barriers.size();
    Decided(Counter::kBarriersRecorded, barriers);
}

}  // namespace kronos
