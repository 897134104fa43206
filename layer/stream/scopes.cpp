// SPDX-License-Identifier: Apache-2.0
#include "stream/scopes.h"

namespace kronos {
namespace {

constexpr VkPipelineStageFlags2 kTop = VK_PIPELINE_STAGE_2_TOP_OF_PIPE_BIT;
constexpr VkPipelineStageFlags2 kBottom = VK_PIPELINE_STAGE_2_BOTTOM_OF_PIPE_BIT;
constexpr VkPipelineStageFlags2 kAllCommands = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;

struct StageKinds {
    VkPipelineStageFlags2 stages;
    Kinds kinds;
};

constexpr Kinds kOther = Of(Kind::kOtherRead) | Of(Kind::kOtherWrite);
constexpr Kinds kHost = Of(Kind::kHostRead) | Of(Kind::kHostWrite);
constexpr Kinds kCompute =
    Of(Kind::kUniformRead) | Of(Kind::kSampledRead) | Of(Kind::kStorageRead) | Of(Kind::kStorageWrite);
constexpr Kinds kIndirect = Of(Kind::kIndirectRead);

constexpr StageKinds kStages[] = {
    {VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT, kIndirect},
    {VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, kCompute},
    {VK_PIPELINE_STAGE_2_COPY_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, Of(Kind::kCopyRead) | Of(Kind::kCopyWrite)},
    {VK_PIPELINE_STAGE_2_BLIT_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, Of(Kind::kBlitRead) | Of(Kind::kBlitWrite)},
    {VK_PIPELINE_STAGE_2_RESOLVE_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
     Of(Kind::kResolveRead) | Of(Kind::kResolveWrite)},
    {VK_PIPELINE_STAGE_2_CLEAR_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT, Of(Kind::kClearWrite)},
    {VK_PIPELINE_STAGE_2_HOST_BIT, kHost},
};
constexpr VkPipelineStageFlags2 kOwnStages =
    VK_PIPELINE_STAGE_2_DRAW_INDIRECT_BIT | VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT |
    VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT | VK_PIPELINE_STAGE_2_COPY_BIT | VK_PIPELINE_STAGE_2_BLIT_BIT |
    VK_PIPELINE_STAGE_2_RESOLVE_BIT | VK_PIPELINE_STAGE_2_CLEAR_BIT | VK_PIPELINE_STAGE_2_HOST_BIT | kTop | kBottom;

// What executes in the stages themselves. ALL_COMMANDS is all of a queue's commands, which the host's accesses are not.
Kinds InStages(VkPipelineStageFlags2 stages, bool least) {
    if (stages & kAllCommands) return (kAllKinds & ~kHost) | (stages & VK_PIPELINE_STAGE_2_HOST_BIT ? kHost : 0);
    Kinds kinds = 0;
    for (const StageKinds& stage : kStages)
        if (stages & stage.stages) kinds |= stage.kinds;
    if (!least && (stages & ~kOwnStages)) kinds |= kOther;
    // Section "Pipeline Stages": it has DRAW_INDIRECT in it.
    if (!least && (stages & VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT)) kinds |= kIndirect;
    return kinds;
}

struct AccessKinds {
    VkAccessFlags2 flags;
    Kinds kinds;
};
constexpr Kinds kTransferReads = Of(Kind::kCopyRead) | Of(Kind::kBlitRead) | Of(Kind::kResolveRead);
constexpr Kinds kTransferWrites =
    Of(Kind::kCopyWrite) | Of(Kind::kBlitWrite) | Of(Kind::kResolveWrite) | Of(Kind::kClearWrite);
// Revisions of the specification differ in whether SHADER_READ is also that of uniform buffers.
constexpr AccessKinds kAccesses[] = {
    {VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT, kIndirect},
    {VK_ACCESS_2_UNIFORM_READ_BIT, Of(Kind::kUniformRead)},
    {VK_ACCESS_2_SHADER_SAMPLED_READ_BIT | VK_ACCESS_2_SHADER_READ_BIT, Of(Kind::kSampledRead)},
    {VK_ACCESS_2_SHADER_STORAGE_READ_BIT | VK_ACCESS_2_SHADER_READ_BIT, Of(Kind::kStorageRead)},
    {VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT | VK_ACCESS_2_SHADER_WRITE_BIT, Of(Kind::kStorageWrite)},
    {VK_ACCESS_2_TRANSFER_READ_BIT, kTransferReads},
    {VK_ACCESS_2_TRANSFER_WRITE_BIT, kTransferWrites},
    {VK_ACCESS_2_HOST_READ_BIT, Of(Kind::kHostRead)},
    {VK_ACCESS_2_HOST_WRITE_BIT, Of(Kind::kHostWrite)},
    {VK_ACCESS_2_MEMORY_READ_BIT, kAllKinds & ~kWrites},
    {VK_ACCESS_2_MEMORY_WRITE_BIT, kWrites},
};

Kinds WithAccess(VkAccessFlags2 access, bool least) {
    Kinds kinds = 0;
    for (const AccessKinds& flag : kAccesses)
        if (access & flag.flags) kinds |= flag.kinds;
    if (least) return kinds;
    if (access & VK_ACCESS_2_SHADER_READ_BIT) kinds |= Of(Kind::kUniformRead);
    return access ? kinds | kOther : kinds;
}

VkAccessFlags2 FlagsOf(Kinds kinds) {
    VkAccessFlags2 flags = 0;
    if (kinds & kIndirect) flags |= VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT;
    if (kinds & Of(Kind::kUniformRead)) flags |= VK_ACCESS_2_UNIFORM_READ_BIT;
    if (kinds & (Of(Kind::kSampledRead) | Of(Kind::kStorageRead))) flags |= VK_ACCESS_2_SHADER_READ_BIT;
    if (kinds & Of(Kind::kStorageWrite)) flags |= VK_ACCESS_2_SHADER_WRITE_BIT;
    if (kinds & kTransferReads) flags |= VK_ACCESS_2_TRANSFER_READ_BIT;
    if (kinds & kTransferWrites) flags |= VK_ACCESS_2_TRANSFER_WRITE_BIT;
    if (kinds & Of(Kind::kHostRead)) flags |= VK_ACCESS_2_HOST_READ_BIT;
    if (kinds & Of(Kind::kHostWrite)) flags |= VK_ACCESS_2_HOST_WRITE_BIT;
    if (kinds & Of(Kind::kOtherRead)) flags |= VK_ACCESS_2_MEMORY_READ_BIT;
    if (kinds & Of(Kind::kOtherWrite)) flags |= VK_ACCESS_2_MEMORY_WRITE_BIT;
    return flags;
}

VkAccessFlags2 NarrowedAccess(VkAccessFlags2 access, Kinds kinds) {
    VkAccessFlags2 kept = access;
    if (access & VK_ACCESS_2_MEMORY_READ_BIT) kept = (kept & ~VK_ACCESS_2_MEMORY_READ_BIT) | FlagsOf(kinds & ~kWrites);
    if (access & VK_ACCESS_2_MEMORY_WRITE_BIT) kept = (kept & ~VK_ACCESS_2_MEMORY_WRITE_BIT) | FlagsOf(kinds & kWrites);
    if (!(kinds & kIndirect)) kept &= ~VK_ACCESS_2_INDIRECT_COMMAND_READ_BIT;
    return kept;
}

constexpr VkPipelineStageFlags2 kKnownStages =
    ((VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT << 1) - 1) |  // all of version 1.0
    VK_PIPELINE_STAGE_2_COPY_BIT | VK_PIPELINE_STAGE_2_RESOLVE_BIT | VK_PIPELINE_STAGE_2_BLIT_BIT |
    VK_PIPELINE_STAGE_2_CLEAR_BIT | VK_PIPELINE_STAGE_2_INDEX_INPUT_BIT |
    VK_PIPELINE_STAGE_2_VERTEX_ATTRIBUTE_INPUT_BIT | VK_PIPELINE_STAGE_2_PRE_RASTERIZATION_SHADERS_BIT;
constexpr VkAccessFlags2 kKnownAccesses = ((VK_ACCESS_2_MEMORY_WRITE_BIT << 1) - 1) |  // all of version 1.0
                                          VK_ACCESS_2_SHADER_SAMPLED_READ_BIT | VK_ACCESS_2_SHADER_STORAGE_READ_BIT |
                                          VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT;

}  // namespace

Scopes ScopesOf(const Masks& masks, bool least) {
    Scopes scopes;
    const Kinds source = InStages(masks.source_stages, least);
    const Kinds destination = InStages(masks.destination_stages, least);
    scopes.before = source;
    // Section "Pipeline Stages": indirect arguments are read before anything that runs by them.
    if (source & (kCompute | kOther)) scopes.before |= kIndirect;
    // The end of the pipe is all of it; so is its top, for what comes after.
    if (masks.source_stages & kBottom) scopes.before |= kAllKinds & ~kHost;
    scopes.after = destination;
    if (destination & kIndirect) scopes.after |= kCompute | (least ? 0 : kOther);
    if (masks.destination_stages & kTop) scopes.after |= kAllKinds & ~kHost;
    scopes.available = source & WithAccess(masks.source_access, least) & kWrites;
    scopes.visible = destination & WithAccess(masks.destination_access, least);
    return scopes;
}

bool KnownFlags(const Masks& masks) {
    return !((masks.source_stages | masks.destination_stages) & ~kKnownStages) &&
           !((masks.source_access | masks.destination_access) & ~kKnownAccesses);
}

Masks Narrowed(const Masks& masks, Kinds before, Kinds after) {
    Masks narrowed = masks;
    // Only accesses that its stages make: others would not be valid there.
    const Kinds source = InStages(masks.source_stages, false) & before;
    const Kinds destination = InStages(masks.destination_stages, false) & after;
    narrowed.source_access = NarrowedAccess(masks.source_access, source & kWrites);
    narrowed.destination_access = NarrowedAccess(masks.destination_access, destination);
    return narrowed;
}

}  // namespace kronos
