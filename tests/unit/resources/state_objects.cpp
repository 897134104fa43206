// SPDX-License-Identifier: Apache-2.0
// The objects of random programs: made, destroyed, made again with the same handles, and written.
#include "state_objects.h"

#include <algorithm>

#include "state_program.h"

namespace kronos::model {
namespace {

VkDescriptorSetLayout SetLayoutOf(size_t definition, uint32_t which) {
    return H<VkDescriptorSetLayout>(10 * definition + 1 + (Definitions()[definition].samples ? 0 : which));
}

}  // namespace

const std::vector<Definition>& Definitions() {
    static const std::vector<Definition> definitions = {
        {{{kStorage}}},
        {{{kStorage}, {kUniform}}},
        {{{kStorageDynamic}}, false, false, 1},
        {{{kUniformDynamic, 2}, {kStorage}}, false, false, 2},
        {{{kStorage}, {kStorage, 2}}, true},
        {{{kStorage, 1, VK_SHADER_STAGE_ALL}}},
        {{{VK_DESCRIPTOR_TYPE_SAMPLER}, {kStorage}}, false, true},
        {{{kStorage}}, true},
        {{{kUniformDynamic, BoundShadow::kMostOffsets + 1}}, false, false, BoundShadow::kMostOffsets + 1},
    };
    return definitions;
}

Program::Program(uint64_t seed)
    : random_(seed), recorder_(world_.resources, {.mode = RecorderMode::kHold, .drops = true}) {
    layout_.resize(kLayouts);
    pipelines_.resize(kPipelines);
    sets_.resize(Definitions().size() * kSetsOfEach);
    buffers_.resize(kBuffers);
    world_.Memory(1);
    for (uint32_t i = 0; i < kBuffers; ++i) MakeBuffer(i);
    for (uint32_t i = 0; i < Definitions().size(); ++i)
        for (uint32_t which = 0; which < 2; ++which) MakeSetLayout(i, which);
    for (uint32_t i = 0; i < kLayouts; ++i) MakeLayout(i);
    for (uint32_t i = 0; i < kPipelines; ++i) MakePipeline(i);
    for (uint32_t i = 0; i < sets_.size(); ++i)
        if (!Definitions()[i / kSetsOfEach].push) MakeSet(i);
}

void Program::MakeBuffer(uint32_t number) {
    world_.resources.RemoveBuffer(H<VkBuffer>(number + 1));
    world_.Buffer(number + 1, 1, number * uint64_t{4096}, 4096);
    buffers_[number] = {++last_life_, 0, 0};
}

void Program::MakeSetLayout(uint32_t definition, uint32_t which) {
    const Definition& from = Definitions()[definition];
    if (from.samples && which) return;
    const auto handle = SetLayoutOf(definition, which);
    const VkSampler sampler = H<VkSampler>(1);
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (const Binding& binding : from.bindings)
        bindings.push_back({static_cast<uint32_t>(bindings.size()), binding.type, binding.count, binding.stages,
                            binding.type == VK_DESCRIPTOR_TYPE_SAMPLER ? &sampler : nullptr});
    if (which) std::reverse(bindings.begin(), bindings.end());  // their order says nothing
    world_.resources.RemoveSetLayout(handle);
    world_.resources.AddSetLayout(
        handle, {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, nullptr,
                 from.push ? VkDescriptorSetLayoutCreateFlags{VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT} : 0,
                 static_cast<uint32_t>(bindings.size()), bindings.data()});
}

void Program::MakeLayout(uint32_t number) {
    static const std::vector<std::vector<VkPushConstantRange>> kRanges = {
        {{kStage[0], 0, 32}},
        {{kStage[0], 0, 32}},
        {{kStage[0] | kStage[1], 0, 32}},
        {{kStage[0], 0, 16}},
        {{kStage[0], 16, 16}, {kStage[1], 0, 16}},
        {{kStage[0], BoundShadow::kMostConstants - 16, 32}},
        {},
    };
    Layout made;
    std::vector<VkDescriptorSetLayout> sets;
    bool push = false;
    const uint32_t count = Rarely(40) ? BoundShadow::kMostSets + 2 : 1 + Below(4);
    while (made.sets.size() < count) {
        // Mostly of few, so that many layouts begin alike.
        const uint32_t definition = Below(4) ? Below(3) : Below(static_cast<uint32_t>(Definitions().size()));
        if (Definitions()[definition].push && push) continue;
        push = push || Definitions()[definition].push;
        made.sets.push_back(definition);
        made.provable = made.provable && !Definitions()[definition].samples;
        sets.push_back(SetLayoutOf(definition, Below(2)));
    }
    const auto& ranges = kRanges[Below(3) ? 0 : Below(static_cast<uint32_t>(kRanges.size()))];
    for (const VkPushConstantRange& range : ranges) made.ranges.push_back({range.stageFlags, range.offset, range.size});
    made.independent = Rarely(12);
    // What is not known.
    const bool odd = Rarely(16);
    made.provable = made.provable && !odd;
    const VkBaseInStructure next = {VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr};
    world_.resources.RemovePipelineLayout(H<VkPipelineLayout>(number + 1));
    world_.Layout(
        number + 1, sets, ranges,
        made.independent ? VkPipelineLayoutCreateFlags{VK_PIPELINE_LAYOUT_CREATE_INDEPENDENT_SETS_BIT_EXT} : 0,
        odd ? &next : nullptr);
    layouts_.push_back(made);
    layout_[number] = &layouts_.back();
}

void Program::MakePipeline(uint32_t number) {
    const auto handle = H<VkPipeline>(number + 1);
    world_.resources.RemovePipeline(handle);
    pipelines_[number] = {++last_life_, 0, 0};
    // The last is never known.
    if (number + 1 == kPipelines) return;
    VkComputePipelineCreateInfo info = {};
    info.stage.pName = "main";
    world_.resources.AddPipeline(handle, info);
}

void Program::MakeSet(uint32_t number) {
    const auto pool = H<VkDescriptorPool>(number + 1);
    const size_t definition = number / kSetsOfEach;
    if (sets_[number].life) {
        const auto handle = H<VkDescriptorSet>(number + 1);
        world_.resources.RemoveSets(pool, 1, &handle);
    } else {
        world_.Pool(number + 1);
    }
    world_.Set(number + 1, pool, SetLayoutOf(definition, Below(2)));
    sets_[number] = {++last_life_, 0, definition};
}

void Program::WriteSet(uint32_t number) {
    const std::vector<Binding>& bindings = Definitions()[sets_[number].of].bindings;
    const auto last = static_cast<uint32_t>(bindings.size() - 1);
    // Another content than before: a write that changes nothing makes no version.
    const VkDeviceSize offset = ++sets_[number].version % 2 * 256;
    world_.Write(H<VkDescriptorSet>(number + 1), last, bindings[last].type, {{H<VkBuffer>(1), offset, VK_WHOLE_SIZE}});
}

void Program::ChangeSomething() {
    switch (Below(6)) {
        case 0:
            return MakePipeline(Below(kPipelines));
        case 1:
            return MakeLayout(Below(kLayouts));
        case 2: {
            const uint32_t definition = Below(static_cast<uint32_t>(Definitions().size()));
            if (!Definitions()[definition].samples) MakeSetLayout(definition, Below(2));
            return;
        }
        case 3:
            return MakeBuffer(Below(kBuffers));
        default: {
            const uint32_t number = Below(static_cast<uint32_t>(sets_.size()));
            if (!sets_[number].life) return;
            return Rarely(2) ? WriteSet(number) : MakeSet(number);
        }
    }
}

}  // namespace kronos::model
