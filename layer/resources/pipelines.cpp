// SPDX-License-Identifier: Apache-2.0
#include "resources/pipelines.h"

#include <optional>

#include <vulkan/utility/vk_struct_helper.hpp>

#include "resources/resources.h"

namespace kronos {
namespace {

// More elements than that are not named one by one at each dispatch.
constexpr uint32_t kMostElements = 64;
// At least what robustStorageBufferAccessSizeAlignment and robustUniformBufferAccessSizeAlignment may be at most.
constexpr uint32_t kStorageRounding = 16;
constexpr uint32_t kUniformRounding = 256;

constexpr VkPipelineCreateFlags2 kKnownFlags =
    VK_PIPELINE_CREATE_2_DISABLE_OPTIMIZATION_BIT | VK_PIPELINE_CREATE_2_ALLOW_DERIVATIVES_BIT |
    VK_PIPELINE_CREATE_2_DERIVATIVE_BIT | VK_PIPELINE_CREATE_2_DISPATCH_BASE_BIT |
    VK_PIPELINE_CREATE_2_FAIL_ON_PIPELINE_COMPILE_REQUIRED_BIT | VK_PIPELINE_CREATE_2_EARLY_RETURN_ON_FAILURE_BIT |
    VK_PIPELINE_CREATE_2_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_2_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR |
    VK_PIPELINE_CREATE_2_NO_PROTECTED_ACCESS_BIT | VK_PIPELINE_CREATE_2_PROTECTED_ACCESS_ONLY_BIT;
constexpr VkPipelineShaderStageCreateFlags kKnownStageFlags =
    VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT |
    VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;

std::optional<Bounds> BoundsOf(VkPipelineRobustnessBufferBehavior behavior, Bounds device_default) {
    switch (behavior) {
        case VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DEVICE_DEFAULT:
            return device_default;
        case VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_DISABLED:
            return Bounds::kNone;
        case VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_ROBUST_BUFFER_ACCESS:
            return Bounds::kBuffer;
        case VK_PIPELINE_ROBUSTNESS_BUFFER_BEHAVIOR_ROBUST_BUFFER_ACCESS_2:
            return Bounds::kRounded;
        default:
            return std::nullopt;
    }
}

// What the structures say, gathered from the pipeline's chain and then the stage's, which comes before it.
struct Structures {
    bool known = true;
    const VkShaderModuleCreateInfo* code = nullptr;
    const VkPipelineRobustnessCreateInfo* robustness = nullptr;
    const VkPipelineCreateFlags2CreateInfo* flags = nullptr;

    void Read(const void* chain, bool stage) {
        for (auto* next = static_cast<const VkBaseInStructure*>(chain); next; next = next->pNext) {
            const VkStructureType type = next->sType;
            if (type == VK_STRUCTURE_TYPE_PIPELINE_ROBUSTNESS_CREATE_INFO)
                robustness = reinterpret_cast<const VkPipelineRobustnessCreateInfo*>(next);
            else if (stage && type == VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO)
                code = reinterpret_cast<const VkShaderModuleCreateInfo*>(next);
            else if (!stage && type == VK_STRUCTURE_TYPE_PIPELINE_CREATE_FLAGS_2_CREATE_INFO)
                flags = reinterpret_cast<const VkPipelineCreateFlags2CreateInfo*>(next);
            else if (!(stage && type == VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO) &&
                     !(stage && type == VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT) &&
                     !(stage && type == VK_STRUCTURE_TYPE_SHADER_MODULE_VALIDATION_CACHE_CREATE_INFO_EXT) &&
                     !(!stage && type == VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO))
                known = false;
        }
    }
};

// nullptr: not known.
std::shared_ptr<const ShaderUses> ShaderOf(const Resources& resources, const VkPipelineShaderStageCreateInfo& stage,
                                           const VkShaderModuleCreateInfo* code) {
    if (stage.stage != VK_SHADER_STAGE_COMPUTE_BIT || (stage.flags & ~kKnownStageFlags)) return nullptr;
    if (stage.module && !code) return resources.UsesOf(stage.module, stage.pName);
    if (!stage.module && code && !code->flags)
        return resources.UsesOf({code->pCode, code->codeSize / sizeof(uint32_t)}, stage.pName);
    return nullptr;
}

enum class Class { kNoMemory, kStorage, kStorageImage, kUniform, kSampled, kUnknown };
Class ClassOf(VkDescriptorType type) {
    switch (type) {
        case VK_DESCRIPTOR_TYPE_SAMPLER:
        case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
            return Class::kNoMemory;
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
        case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
        case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
            return Class::kStorage;
        case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
            return Class::kStorageImage;
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
        case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
            return Class::kUniform;
        case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
        case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
        case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
            return Class::kSampled;
        default:
            return Class::kUnknown;
    }
}

Kinds KindsOf(Class kind, Use use) {
    const Kind read = kind == Class::kUniform   ? Kind::kUniformRead
                      : kind == Class::kSampled ? Kind::kSampledRead
                                                : Kind::kStorageRead;
    return (Reads(use) ? Of(read) : 0) | (Writes(use) ? Of(Kind::kStorageWrite) : 0);
}

// Adds what `use` says. False: the layout does not have what it names, or nobody knows what that is.
bool Add(PipelineFacts& facts, const BindingUse& use) {
    if (use.set >= facts.layout->sets.size()) return false;
    const SetLayoutFacts* set = facts.layout->sets[use.set].get();
    const SetBinding* binding = set && set->understood ? set->Find(use.binding) : nullptr;
    if (!binding) return false;
    const Class kind = ClassOf(binding->type);
    if (kind == Class::kUnknown) return false;
    if (kind == Class::kNoMemory || use.use == Use::kNone) return true;
    const bool any = use.element == BindingUse::kAnyElement;
    if (!any && use.element >= binding->count) return false;

    PipelineUse made;
    made.set = use.set;
    made.first = binding->first + (any ? 0 : use.element);
    made.count = any ? binding->count : 1;
    made.first_dynamic = binding->first_dynamic + (any ? 0 : use.element);
    made.kinds = KindsOf(kind, use.use);
    made.dynamic = IsDynamic(binding->type);
    made.widens = kind == Class::kStorage && Writes(use.use) && facts.bounds == Bounds::kBuffer;
    if (kind == Class::kStorage && facts.bounds == Bounds::kRounded) made.rounding = kStorageRounding;
    if (kind == Class::kUniform && facts.uniform_bounds == Bounds::kRounded) made.rounding = kUniformRounding;
    made.everything = made.count > kMostElements;
    made.as_written = !made.dynamic && !made.widens && made.rounding == 1;
    facts.uses.push_back(made);
    facts.sets = std::max(facts.sets, made.set + 1);
    facts.most_accesses += made.everything ? 1 : made.count;
    return true;
}

// What the shader does, in the layout's terms. False: it may do anything.
bool Resolve(PipelineFacts& facts) {
    if (!facts.shader || facts.shader->everything || !facts.layout) return false;
    facts.addresses = KindsOf(Class::kStorage, facts.shader->addresses);
    facts.most_accesses = facts.addresses ? 1 : 0;
    for (const BindingUse& use : facts.shader->bindings)
        if (!Add(facts, use)) return false;
    return true;
}

}  // namespace

PipelineFacts JudgePipeline(const Resources& resources, const VkComputePipelineCreateInfo& info) {
    PipelineFacts facts;
    facts.layout = resources.PipelineLayout(info.layout);
    Structures structures;
    structures.Read(info.pNext, false);
    structures.Read(info.stage.pNext, true);
    const VkPipelineCreateFlags2 flags = structures.flags ? structures.flags->flags : info.flags;
    facts.everything = !structures.known || (flags & ~kKnownFlags);

    facts.bounds = facts.uniform_bounds = resources.bounds();
    if (structures.robustness) {
        const auto storage = BoundsOf(structures.robustness->storageBuffers, resources.bounds());
        const auto uniform = BoundsOf(structures.robustness->uniformBuffers, resources.bounds());
        if (!storage || !uniform) facts.everything = true;
        facts.bounds = storage.value_or(Bounds::kBuffer);
        facts.uniform_bounds = uniform.value_or(Bounds::kBuffer);
    }
    if (!facts.everything) facts.shader = ShaderOf(resources, info.stage, structures.code);
    if (!facts.everything && Resolve(facts)) return facts;
    facts.everything = true;
    facts.uses.clear();
    return facts;
}

}  // namespace kronos
