// SPDX-License-Identifier: Apache-2.0
// Submissions as tests write them, and as a driver that only takes notes sees them. No code of the layer's.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace submission_tests {

struct Semaphore {
    uint64_t handle = 0, value = 0;
    uint64_t stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    bool operator==(const Semaphore&) const = default;
};

/// One batch.
struct Info {
    std::vector<Semaphore> waits;
    std::vector<uint64_t> buffers;
    std::vector<Semaphore> signals;
    bool operator==(const Info&) const = default;
};
using Infos = std::vector<Info>;

inline std::string Text(const Infos& infos) {
    std::string text;
    for (const Info& info : infos) {
        text += '[';
        for (const Semaphore& one : info.waits)
            text +=
                " w" + std::to_string(one.handle) + '=' + std::to_string(one.value) + '@' + std::to_string(one.stages);
        for (const uint64_t buffer : info.buffers) text += ' ' + std::to_string(buffer);
        for (const Semaphore& one : info.signals)
            text += " s" + std::to_string(one.handle) + '=' + std::to_string(one.value);
        text += " ]";
    }
    return text;
}

template <class Handle>
Handle As(uint64_t number) {
    return reinterpret_cast<Handle>(number);
}
template <class Handle>
uint64_t Number(Handle handle) {
    return reinterpret_cast<uint64_t>(handle);
}

/// The structures of a submission, in either form; valid as long as it lives and is not moved.
class Structures {
  public:
    explicit Structures(const Infos& infos) {
        for (const Info& info : infos) Add(info);
    }
    Structures(const Structures&) = delete;
    Structures& operator=(const Structures&) = delete;

    std::vector<VkSubmitInfo> first;
    std::vector<VkSubmitInfo2> second;

  private:
    struct Parts {
        std::vector<VkSemaphore> waits, signals;
        std::vector<uint64_t> wait_values, signal_values;
        std::vector<VkPipelineStageFlags> stages;
        std::vector<VkCommandBuffer> buffers;
        VkTimelineSemaphoreSubmitInfo values{};
        std::vector<VkSemaphoreSubmitInfo> second_waits, second_signals;
        std::vector<VkCommandBufferSubmitInfo> second_buffers;
    };

    void Add(const Info& info) {
        Parts& p = parts_.emplace_back();
        for (const Semaphore& one : info.waits) {
            p.waits.push_back(As<VkSemaphore>(one.handle));
            p.wait_values.push_back(one.value);
            p.stages.push_back(static_cast<VkPipelineStageFlags>(one.stages));
            p.second_waits.push_back(
                {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, p.waits.back(), one.value, one.stages, 0});
        }
        for (const uint64_t buffer : info.buffers) {
            p.buffers.push_back(As<VkCommandBuffer>(buffer));
            p.second_buffers.push_back({VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, nullptr, p.buffers.back(), 0});
        }
        for (const Semaphore& one : info.signals) {
            p.signals.push_back(As<VkSemaphore>(one.handle));
            p.signal_values.push_back(one.value);
            p.second_signals.push_back(
                {VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, p.signals.back(), one.value, one.stages, 0});
        }
        p.values = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                    nullptr,
                    static_cast<uint32_t>(p.waits.size()),
                    p.wait_values.data(),
                    static_cast<uint32_t>(p.signals.size()),
                    p.signal_values.data()};
        VkSubmitInfo one = {};
        one.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        one.pNext = p.waits.empty() && p.signals.empty() ? nullptr : &p.values;
        one.waitSemaphoreCount = static_cast<uint32_t>(p.waits.size());
        one.pWaitSemaphores = p.waits.data();
        one.pWaitDstStageMask = p.stages.data();
        one.commandBufferCount = static_cast<uint32_t>(p.buffers.size());
        one.pCommandBuffers = p.buffers.data();
        one.signalSemaphoreCount = static_cast<uint32_t>(p.signals.size());
        one.pSignalSemaphores = p.signals.data();
        first.push_back(one);
        VkSubmitInfo2 two = {};
        two.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
        two.waitSemaphoreInfoCount = static_cast<uint32_t>(p.second_waits.size());
        two.pWaitSemaphoreInfos = p.second_waits.data();
        two.commandBufferInfoCount = static_cast<uint32_t>(p.second_buffers.size());
        two.pCommandBufferInfos = p.second_buffers.data();
        two.signalSemaphoreInfoCount = static_cast<uint32_t>(p.second_signals.size());
        two.pSignalSemaphoreInfos = p.second_signals.data();
        second.push_back(two);
    }

    std::deque<Parts> parts_;
};

/// What a driver gets, noted. Signals of the first form have no stages: they are given as `stages`.
inline Infos Seen(const VkSubmitInfo* infos, uint32_t count, uint64_t stages) {
    Infos seen(count);
    for (uint32_t i = 0; i < count; ++i) {
        const VkSubmitInfo& info = infos[i];
        const auto* values = static_cast<const VkTimelineSemaphoreSubmitInfo*>(info.pNext);
        for (uint32_t k = 0; k < info.waitSemaphoreCount; ++k)
            seen[i].waits.push_back({Number(info.pWaitSemaphores[k]), values ? values->pWaitSemaphoreValues[k] : 0,
                                     info.pWaitDstStageMask[k]});
        for (uint32_t k = 0; k < info.commandBufferCount; ++k)
            seen[i].buffers.push_back(Number(info.pCommandBuffers[k]));
        for (uint32_t k = 0; k < info.signalSemaphoreCount; ++k)
            seen[i].signals.push_back(
                {Number(info.pSignalSemaphores[k]), values ? values->pSignalSemaphoreValues[k] : 0, stages});
    }
    return seen;
}
inline Infos Seen(const VkSubmitInfo2* infos, uint32_t count) {
    Infos seen(count);
    for (uint32_t i = 0; i < count; ++i) {
        const VkSubmitInfo2& info = infos[i];
        const auto one = [](const VkSemaphoreSubmitInfo& s) {
            return Semaphore{Number(s.semaphore), s.value, s.stageMask};
        };
        for (uint32_t k = 0; k < info.waitSemaphoreInfoCount; ++k)
            seen[i].waits.push_back(one(info.pWaitSemaphoreInfos[k]));
        for (uint32_t k = 0; k < info.commandBufferInfoCount; ++k)
            seen[i].buffers.push_back(Number(info.pCommandBufferInfos[k].commandBuffer));
        for (uint32_t k = 0; k < info.signalSemaphoreInfoCount; ++k)
            seen[i].signals.push_back(one(info.pSignalSemaphoreInfos[k]));
    }
    return seen;
}

}  // namespace submission_tests
