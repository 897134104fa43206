// SPDX-License-Identifier: Apache-2.0
#include "submission/batch.h"

#include <algorithm>

namespace kronos {
namespace {

// The only structure that may follow; nullptr for none, or for one that is not known.
const VkTimelineSemaphoreSubmitInfo* ValuesOf(const VkSubmitInfo& info) {
    const auto* next = static_cast<const VkBaseInStructure*>(info.pNext);
    return next && next->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
               ? reinterpret_cast<const VkTimelineSemaphoreSubmitInfo*>(next)
               : nullptr;
}

// A semaphore without a value of its own is binary, and its value ignored.
uint64_t ValueAt(const uint64_t* values, uint32_t count, uint32_t i) { return values && i < count ? values[i] : 0; }

template <class Structs>
bool Bare(Structs structs) {
    return std::all_of(structs.begin(), structs.end(), [](const auto& one) { return !one.pNext; });
}

VkSemaphoreSubmitInfo Semaphore(VkSemaphore semaphore, uint64_t value, VkPipelineStageFlags2 stages) {
    return {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, semaphore, value, stages, 0};
}

}  // namespace

SubmissionFacts FactsOf(std::span<const VkSubmitInfo> infos) {
    SubmissionFacts facts;
    for (const VkSubmitInfo& info : infos) {
        const VkTimelineSemaphoreSubmitInfo* values = ValuesOf(info);
        facts.understood = facts.understood && (!info.pNext || (values && !values->pNext));
        facts.waits += info.waitSemaphoreCount;
        facts.signals += info.signalSemaphoreCount;
        facts.buffers += info.commandBufferCount;
    }
    return facts;
}

SubmissionFacts FactsOf(std::span<const VkSubmitInfo2> infos) {
    SubmissionFacts facts;
    for (const VkSubmitInfo2& info : infos) {
        facts.understood = facts.understood && !info.pNext && !info.flags &&
                           Bare(std::span(info.pWaitSemaphoreInfos, info.waitSemaphoreInfoCount)) &&
                           Bare(std::span(info.pCommandBufferInfos, info.commandBufferInfoCount)) &&
                           Bare(std::span(info.pSignalSemaphoreInfos, info.signalSemaphoreInfoCount));
        facts.waits += info.waitSemaphoreInfoCount;
        facts.signals += info.signalSemaphoreInfoCount;
        facts.buffers += info.commandBufferInfoCount;
    }
    return facts;
}

// Of all arrays at a time: where nothing is allocated one look says so. None of them gets more than what is counted,
// but for the one signal that is the layer's.
void Batch::Reserve(size_t infos, const SubmissionFacts& facts) {
    const size_t used = used_ + infos + facts.waits + facts.signals + facts.buffers;
    size_t& room = room_[second_ ? 1 : 0];
    if (used > room) [[unlikely]] {
        const size_t more = std::max({used, 2 * room, size_t{64}});
        const auto reserve = [more](auto&... arrays) { (arrays.reserve(more + 1), ...); };
        reserve(infos_, waits_, buffers_, signals_, last_signals_, calls_);
        if (!second_)
            reserve(first_.infos, first_.values, first_.semaphores, first_.semaphore_values, first_.stages,
                    first_.buffers);
        room = more;
    }
    used_ = used;
}

// A batch whose parts were added, `waits` of them waits, ends here: as one of its own, or as part of the one before.
void Batch::EndInfo(uint32_t waits) {
    const Info end = {static_cast<uint32_t>(waits_.size()), static_cast<uint32_t>(buffers_.size()),
                      static_cast<uint32_t>(signals_.size())};
    if (!infos_.empty() && !waits && !EndsWithSignal() && infos_.back().waits == Begin(infos_.size() - 1).waits) {
        infos_.back() = end;
        ++folded_;
    } else {
        infos_.push_back(end);
    }
}

void Batch::Append(std::span<const VkSubmitInfo> infos) {
    if (infos_.empty()) second_ = false;
    Reserve(infos.size(), FactsOf(infos));
    for (const VkSubmitInfo& info : infos) {
        const VkTimelineSemaphoreSubmitInfo* values = ValuesOf(info);
        for (uint32_t i = 0; i < info.waitSemaphoreCount; ++i)
            waits_.push_back(
                Semaphore(info.pWaitSemaphores[i],
                          values ? ValueAt(values->pWaitSemaphoreValues, values->waitSemaphoreValueCount, i) : 0,
                          info.pWaitDstStageMask[i]));
        for (uint32_t i = 0; i < info.commandBufferCount; ++i)
            buffers_.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, info.pCommandBuffers[i], 0});
        for (uint32_t i = 0; i < info.signalSemaphoreCount; ++i)
            signals_.push_back(
                Semaphore(info.pSignalSemaphores[i],
                          values ? ValueAt(values->pSignalSemaphoreValues, values->signalSemaphoreValueCount, i) : 0,
                          VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT));
        EndInfo(info.waitSemaphoreCount);
    }
    ++submissions_;
}

void Batch::Append(std::span<const VkSubmitInfo2> infos) {
    if (infos_.empty()) second_ = true;
    Reserve(infos.size(), FactsOf(infos));
    for (const VkSubmitInfo2& info : infos) {
        waits_.insert(waits_.end(), info.pWaitSemaphoreInfos, info.pWaitSemaphoreInfos + info.waitSemaphoreInfoCount);
        buffers_.insert(buffers_.end(), info.pCommandBufferInfos,
                        info.pCommandBufferInfos + info.commandBufferInfoCount);
        signals_.insert(signals_.end(), info.pSignalSemaphoreInfos,
                        info.pSignalSemaphoreInfos + info.signalSemaphoreInfoCount);
        EndInfo(info.waitSemaphoreInfoCount);
    }
    ++submissions_;
}

Batch::Mark Batch::End() const {
    return {static_cast<uint32_t>(infos_.size()), static_cast<uint32_t>(waits_.size()),
            static_cast<uint32_t>(buffers_.size()), static_cast<uint32_t>(signals_.size())};
}

void Batch::Clear() {
    infos_.clear();
    waits_.clear();
    buffers_.clear();
    signals_.clear();
    folded_ = submissions_ = used_ = 0;
}

Batch::Mark Batch::Next(const Mark& mark) const {
    // The batch that goes on after the mark, or the one that begins there.
    const bool goes_on = mark.infos && mark.buffers < infos_[mark.infos - 1].buffers;
    const uint32_t info = goes_on ? mark.infos - 1 : mark.infos;
    const Info& end = infos_[info];
    const uint32_t buffers = std::min(mark.buffers + 1, end.buffers);
    return {info + 1, end.waits, buffers, buffers == end.buffers ? end.signals : mark.signals};
}

Batch::Call Batch::Between(const Mark& from, const Mark& to, const OwnSignal& own) {
    calls_.clear();
    const Info low = {from.waits, from.buffers, from.signals};
    const Info high = {to.waits, to.buffers, to.signals};
    // What of the batch before the mark was added to it later comes first.
    const bool goes_on = from.infos && (from.buffers < std::min(infos_[from.infos - 1].buffers, to.buffers) ||
                                        from.signals < std::min(infos_[from.infos - 1].signals, to.signals));
    for (uint32_t i = goes_on ? from.infos - 1 : from.infos; i < to.infos; ++i) {
        const auto part = [&](uint32_t Info::*kind, auto& all, auto*& first, uint32_t& count) {
            const uint32_t begin = std::max(Begin(i).*kind, low.*kind);
            const uint32_t end = std::min(infos_[i].*kind, high.*kind);
            first = all.data() + begin;
            count = end > begin ? end - begin : 0;
        };
        VkSubmitInfo2 call = {};
        call.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
        part(&Info::waits, waits_, call.pWaitSemaphoreInfos, call.waitSemaphoreInfoCount);
        part(&Info::buffers, buffers_, call.pCommandBufferInfos, call.commandBufferInfoCount);
        part(&Info::signals, signals_, call.pSignalSemaphoreInfos, call.signalSemaphoreInfoCount);
        calls_.push_back(call);
    }
    if (own.semaphore && !calls_.empty()) {
        VkSubmitInfo2& last = calls_.back();
        last_signals_.assign(last.pSignalSemaphoreInfos, last.pSignalSemaphoreInfos + last.signalSemaphoreInfoCount);
        last_signals_.push_back(Semaphore(own.semaphore, own.value, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT));
        last.pSignalSemaphoreInfos = last_signals_.data();
        ++last.signalSemaphoreInfoCount;
    }
    const auto count = static_cast<uint32_t>(calls_.size());
    if (second_) return {count, nullptr, calls_.data()};
    MakeFirstForm();
    return {count, first_.infos.data(), nullptr};
}

// All arrays have room: pointers into them stay valid.
void Batch::MakeFirstForm() {
    first_.infos.clear();
    first_.values.clear();
    first_.semaphores.clear();
    first_.semaphore_values.clear();
    first_.stages.clear();
    first_.buffers.clear();
    for (const VkSubmitInfo2& call : calls_) {
        VkSubmitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        VkTimelineSemaphoreSubmitInfo values = {};
        values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
        const auto add = [&](const VkSemaphoreSubmitInfo& one) {
            first_.semaphores.push_back(one.semaphore);
            first_.semaphore_values.push_back(one.value);
        };
        info.waitSemaphoreCount = values.waitSemaphoreValueCount = call.waitSemaphoreInfoCount;
        info.pWaitSemaphores = first_.semaphores.data() + first_.semaphores.size();
        values.pWaitSemaphoreValues = first_.semaphore_values.data() + first_.semaphore_values.size();
        info.pWaitDstStageMask = first_.stages.data() + first_.stages.size();
        for (uint32_t i = 0; i < call.waitSemaphoreInfoCount; ++i) {
            add(call.pWaitSemaphoreInfos[i]);
            first_.stages.push_back(static_cast<VkPipelineStageFlags>(call.pWaitSemaphoreInfos[i].stageMask));
        }
        info.commandBufferCount = call.commandBufferInfoCount;
        info.pCommandBuffers = first_.buffers.data() + first_.buffers.size();
        for (uint32_t i = 0; i < call.commandBufferInfoCount; ++i)
            first_.buffers.push_back(call.pCommandBufferInfos[i].commandBuffer);
        info.signalSemaphoreCount = values.signalSemaphoreValueCount = call.signalSemaphoreInfoCount;
        info.pSignalSemaphores = first_.semaphores.data() + first_.semaphores.size();
        values.pSignalSemaphoreValues = first_.semaphore_values.data() + first_.semaphore_values.size();
        for (uint32_t i = 0; i < call.signalSemaphoreInfoCount; ++i) add(call.pSignalSemaphoreInfos[i]);
        first_.values.push_back(values);
        if (info.waitSemaphoreCount || info.signalSemaphoreCount) info.pNext = &first_.values.back();
        first_.infos.push_back(info);
    }
}

}  // namespace kronos
