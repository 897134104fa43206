// SPDX-License-Identifier: Apache-2.0
// Stage and access flags as sets; tables "Supported access types" and the lists of logically earlier and later stages.
#include <iterator>

#include "model.h"

namespace kronos::oracle {
namespace {

enum StageIndex : uint8_t {
    kIndirect,
    kCompute,
    kCopy,
    kBlit,
    kResolve,
    kClear,
    kHost,
    kVertexInput,
    kFragment,
    kColorOutput,
    kAccelerationBuild,
    kStageCount
};
constexpr Stages Bit(StageIndex stage) { return static_cast<Stages>(1 << stage); }
constexpr Stages kAllStages = (1 << kStageCount) - 1;

constexpr VkPipelineStageFlags2 kStageFlag[kStageCount] = {
    VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT,
    VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT,
    VK_PIPELINE_STAGE_2_COPY_BIT,
    VK_PIPELINE_STAGE_2_BLIT_BIT,
    VK_PIPELINE_STAGE_2_RESOLVE_BIT,
    VK_PIPELINE_STAGE_2_CLEAR_BIT,
    VK_PIPELINE_STAGE_2_HOST_BIT,
    VK_PIPELINE_STAGE_2_VERTEX_ATTRIBUTE_INPUT_BIT,
    VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT,
    VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT,
    VK_PIPELINE_STAGE_2_ACCELERATION_STRUCTURE_BUILD_BIT_KHR,
};

struct Atom {
    StageIndex stage;
    VkAccessFlags2 access;
    bool writes;
    Kinds kind;
};
constexpr Kinds kIndirectRead = Of(Kind::kIndirectRead);
constexpr Kinds kOtherRead = Of(Kind::kOtherRead);
constexpr Kinds kOtherWrite = Of(Kind::kOtherWrite);
constexpr Atom kAtoms[] = {
    {kIndirect, VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT, false, kIndirectRead},
    {kCompute, VK_ACCESS_2_UNIFORM_READ_BIT, false, Of(Kind::kUniformRead)},
    {kCompute, VK_ACCESS_2_SHADER_SAMPLED_READ_BIT, false, Of(Kind::kSampledRead)},
    {kCompute, VK_ACCESS_2_SHADER_STORAGE_READ_BIT, false, Of(Kind::kStorageRead)},
    {kCompute, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, true, Of(Kind::kStorageWrite)},
    {kCopy, VK_ACCESS_2_TRANSFER_READ_BIT, false, Of(Kind::kCopyRead)},
    {kCopy, VK_ACCESS_2_TRANSFER_WRITE_BIT, true, Of(Kind::kCopyWrite)},
    {kBlit, VK_ACCESS_2_TRANSFER_READ_BIT, false, Of(Kind::kBlitRead)},
    {kBlit, VK_ACCESS_2_TRANSFER_WRITE_BIT, true, Of(Kind::kBlitWrite)},
    {kResolve, VK_ACCESS_2_TRANSFER_READ_BIT, false, Of(Kind::kResolveRead)},
    {kResolve, VK_ACCESS_2_TRANSFER_WRITE_BIT, true, Of(Kind::kResolveWrite)},
    {kClear, VK_ACCESS_2_TRANSFER_WRITE_BIT, true, Of(Kind::kClearWrite)},
    {kHost, VK_ACCESS_2_HOST_READ_BIT, false, Of(Kind::kHostRead)},
    {kHost, VK_ACCESS_2_HOST_WRITE_BIT, true, Of(Kind::kHostWrite)},
    {kVertexInput, VK_ACCESS_2_VERTEX_ATTRIBUTE_READ_BIT, false, kOtherRead},
    {kFragment, VK_ACCESS_2_UNIFORM_READ_BIT, false, kOtherRead},
    {kFragment, VK_ACCESS_2_SHADER_SAMPLED_READ_BIT, false, kOtherRead},
    {kFragment, VK_ACCESS_2_SHADER_STORAGE_READ_BIT, false, kOtherRead},
    {kFragment, VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, true, kOtherWrite},
    {kColorOutput, VK_ACCESS_2_COLOR_ATTACHMENT_READ_BIT, false, kOtherRead},
    {kColorOutput, VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT, true, kOtherWrite},
    {kAccelerationBuild, VK_ACCESS_2_ACCELERATION_STRUCTURE_READ_BIT_KHR, false, kOtherRead},
    {kAccelerationBuild, VK_ACCESS_2_ACCELERATION_STRUCTURE_WRITE_BIT_KHR, true, kOtherWrite},
    // Ray queries: what a program does with them is opaque, but barriers order it.
    {kCompute, VK_ACCESS_2_ACCELERATION_STRUCTURE_READ_BIT_KHR, false, 0},
};
static_assert(std::size(kAtoms) <= 32);

constexpr Stages kTransferStages = Bit(kCopy) | Bit(kBlit) | Bit(kResolve) | Bit(kClear);
constexpr Stages kGraphicsStages = Bit(kIndirect) | Bit(kVertexInput) | Bit(kFragment) | Bit(kColorOutput);
constexpr VkPipelineStageFlags2 kEnds = VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT | VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT;

/// The stages named; those of the ends of the pipe, which have no accesses, left out.
constexpr Stages Named(VkPipelineStageFlags2 flags) {
    Stages stages = 0;
    for (int stage = 0; stage < kStageCount; ++stage)
        if (flags & kStageFlag[stage]) stages |= Bit(static_cast<StageIndex>(stage));
    // The host is no stage of any command.
    if (flags & VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT) stages |= kAllStages & ~Bit(kHost);
    if (flags & VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT) stages |= kTransferStages;
    if (flags & VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT) stages |= kGraphicsStages;
    if (flags & VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT) stages |= Bit(kVertexInput);
    return stages;
}

constexpr Stages WithEarlier(Stages stages) {
    if (stages & Bit(kColorOutput)) stages |= Bit(kFragment);
    if (stages & Bit(kFragment)) stages |= Bit(kVertexInput);
    if (stages & (Bit(kVertexInput) | Bit(kCompute))) stages |= Bit(kIndirect);
    return stages;
}

constexpr Stages WithLater(Stages stages) {
    if (stages & Bit(kIndirect)) stages |= Bit(kVertexInput) | Bit(kCompute);
    if (stages & Bit(kVertexInput)) stages |= Bit(kFragment);
    if (stages & Bit(kFragment)) stages |= Bit(kColorOutput);
    return stages;
}

constexpr VkAccessFlags2 kReadFlags =
    VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT | VK_ACCESS_2_INDEX_READ_BIT | VK_ACCESS_2_VERTEX_ATTRIBUTE_READ_BIT |
    VK_ACCESS_2_UNIFORM_READ_BIT | VK_ACCESS_2_INPUT_ATTACHMENT_READ_BIT | VK_ACCESS_2_COLOR_ATTACHMENT_READ_BIT |
    VK_ACCESS_2_DEPTH_STENCIL_ATTACHMENT_READ_BIT | VK_ACCESS_2_TRANSFER_READ_BIT | VK_ACCESS_2_HOST_READ_BIT |
    VK_ACCESS_2_SHADER_SAMPLED_READ_BIT | VK_ACCESS_2_SHADER_STORAGE_READ_BIT |
    VK_ACCESS_2_ACCELERATION_STRUCTURE_READ_BIT_KHR;
constexpr VkAccessFlags2 kWriteFlags = VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT |
                                       VK_ACCESS_2_DEPTH_STENCIL_ATTACHMENT_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT |
                                       VK_ACCESS_2_HOST_WRITE_BIT | VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT |
                                       VK_ACCESS_2_ACCELERATION_STRUCTURE_WRITE_BIT_KHR;

constexpr VkAccessFlags2 PrimitiveAccess(VkAccessFlags2 access) {
    if (access & VK_ACCESS_2_MEMORY_READ_BIT) access |= kReadFlags;
    if (access & VK_ACCESS_2_MEMORY_WRITE_BIT) access |= kWriteFlags;
    if (access & VK_ACCESS_2_SHADER_READ_BIT)
        access |= VK_ACCESS_2_SHADER_SAMPLED_READ_BIT | VK_ACCESS_2_SHADER_STORAGE_READ_BIT;
    if (access & VK_ACCESS_2_SHADER_WRITE_BIT) access |= VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT;
    return access & ~(VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT | VK_ACCESS_2_SHADER_READ_BIT |
                      VK_ACCESS_2_SHADER_WRITE_BIT);
}

VkPipelineStageFlags2 PrimitiveStages(VkPipelineStageFlags2 flags) {
    VkPipelineStageFlags2 result = flags & (kEnds | VK_PIPELINE_STAGE_2_INDEX_INPUT_BIT);
    const Stages named = Named(flags);
    for (int stage = 0; stage < kStageCount; ++stage)
        if (named & Bit(static_cast<StageIndex>(stage))) result |= kStageFlag[stage];
    if (flags & (VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT |
                 VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT))
        result |= VK_PIPELINE_STAGE_2_INDEX_INPUT_BIT;
    return result;
}

Atoms Accesses(Stages stages, VkAccessFlags2 access) {
    access = PrimitiveAccess(access);
    Atoms atoms = 0;
    for (size_t i = 0; i < std::size(kAtoms); ++i)
        if ((stages & Bit(kAtoms[i].stage)) && (access & kAtoms[i].access)) atoms |= Atoms{1} << i;
    return atoms;
}

}  // namespace

Sets Expand(const Masks& masks) {
    Sets sets;
    const Stages source = Named(masks.source_stages);
    const Stages destination = Named(masks.destination_stages);
    // Execution reaches logically earlier and later stages, memory only the stages named.
    sets.before = WithEarlier(source);
    if (masks.source_stages & VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT) sets.before |= kAllStages & ~Bit(kHost);
    sets.after = WithLater(destination);
    if (masks.destination_stages & VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT) sets.after |= kAllStages & ~Bit(kHost);
    sets.available = WritesOf(Accesses(source, masks.source_access));
    sets.visible = Accesses(destination, masks.destination_access);
    return sets;
}

Atoms AtomsOf(Kinds kinds) {
    Atoms atoms = 0;
    for (size_t i = 0; i < std::size(kAtoms); ++i)
        if (kinds & kAtoms[i].kind) atoms |= Atoms{1} << i;
    return atoms;
}

Stages StagesOf(Atoms atoms) {
    Stages stages = 0;
    for (size_t i = 0; i < std::size(kAtoms); ++i)
        if (atoms >> i & 1) stages |= Bit(kAtoms[i].stage);
    return stages;
}

Atoms WritesOf(Atoms atoms) {
    static const Atoms writes = [] {
        Atoms all = 0;
        for (size_t i = 0; i < std::size(kAtoms); ++i)
            if (kAtoms[i].writes) all |= Atoms{1} << i;
        return all;
    }();
    return atoms & writes;
}

Masks Primitive(const Masks& masks) {
    return {.source_stages = PrimitiveStages(masks.source_stages),
            .source_access = PrimitiveAccess(masks.source_access),
            .destination_stages = PrimitiveStages(masks.destination_stages),
            .destination_access = PrimitiveAccess(masks.destination_access)};
}

Masks ModelledFlags() {
    Masks all;
    for (const VkPipelineStageFlags2 flag : kStageFlag) all.source_stages |= flag;
    all.source_stages |= VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT |
                         VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT | VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT | kEnds;
    for (const Atom& atom : kAtoms) all.source_access |= atom.access;
    all.source_access |= VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT | VK_ACCESS_2_SHADER_READ_BIT |
                         VK_ACCESS_2_SHADER_WRITE_BIT;
    all.destination_stages = all.source_stages;
    all.destination_access = all.source_access;
    return all;
}

Bytes BytesOf(const MemoryRange& range) {
    if (range.memory == MemoryRange::kEverything) return kAllBytes;
    if (range.memory == MemoryRange::kShared) return kSharedBytes;
    const uint64_t index = range.memory - kFirstOwnMemory;
    if (index >= kOwnMemories) return 0;
    Bytes bytes = 0;
    for (uint64_t byte = 0; byte < kBytesOfAMemory; ++byte)
        if (byte >= range.begin && byte < range.end) bytes |= Bytes{1} << (index * kBytesOfAMemory + byte);
    return bytes;
}

}  // namespace kronos::oracle
