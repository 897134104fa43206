// SPDX-License-Identifier: Apache-2.0
// What the layer knows of buffers, images, layouts, pipelines and descriptor sets, so that a dispatch can be resolved
// into bytes of memory. Everything here errs to the wide side: what is not understood is everything.
//
// Threads: made by the hook that creates the object, changed only by commands that Vulkan synchronizes externally for
// the object (binding memory, updating a set), read by any thread. No locks.
#pragma once

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "resources/identity.h"
#include "shaders/uses.h"
#include "stream/steps.h"

namespace kronos {

/// Never given before in this process, from 2 on: what MemoryRange::memory is below that has meanings of its own.
/// Drivers use handles again; nobody uses a uid again. Any thread.
uint64_t NextUid();

/// What any dispatch may do to what is not known.
constexpr Kinds kAnyShaderAccess =
    Of(Kind::kStorageRead) | Of(Kind::kStorageWrite) | Of(Kind::kUniformRead) | Of(Kind::kSampledRead);

struct BufferFacts {
    uint64_t uid = NextUid();
    VkDeviceSize size = 0;  ///< bytes
    VkBufferUsageFlags2 usage = 0;
    VkBufferCreateFlags flags = 0;
    bool plain = true;      ///< not sparse, and all structures of its creation are known
    bool lasting = false;   ///< Lives knows when it ends, and its memory: so of the others
    MemoryRange where;      ///< its bytes; everything unless it is plain and bound in a way that is understood
    uint64_t reserved = 0;  ///< end of what it occupies: not before where.end. Out-of-bounds stores stop here
};

struct ImageFacts {
    uint64_t uid = NextUid();
    VkImageUsageFlags usage = 0;
    VkImageCreateFlags flags = 0;
    bool plain = true;  ///< not sparse, not disjoint, and all structures of its creation are known
    bool lasting = false;
    MemoryRange where;  ///< all of it
};

struct ImageViewFacts {
    uint64_t uid = NextUid();
    bool lasting = false;
    MemoryRange where;  ///< of the whole image, when the view was made
};

struct BufferViewFacts {
    uint64_t uid = NextUid();
    bool lasting = false;
    MemoryRange where;
    MemoryRange whole;  ///< what the whole buffer occupies
};

struct SamplerFacts {
    uint64_t uid = NextUid();
    bool lasting = false;
    bool plain = true;  ///< no Y'CbCr conversion, and all structures of its creation are known
};

/// Part of `whole`, or `whole` itself where ranges have no meaning. `offset` and `size` in bytes, from its begin;
/// VK_WHOLE_SIZE: to its end. Everything, when the numbers overflow.
MemoryRange PartOf(const MemoryRange& whole, VkDeviceSize offset, VkDeviceSize size);

/// A binding of a set layout.
struct SetBinding {
    uint32_t binding = 0;
    VkDescriptorType type = VK_DESCRIPTOR_TYPE_MAX_ENUM;
    uint32_t count = 0;  ///< descriptors; bytes of an inline uniform block
    VkDescriptorBindingFlags flags = 0;
    uint32_t first = 0;          ///< index in the set's descriptors; an inline uniform block has none
    uint32_t first_dynamic = 0;  ///< index in the set's dynamic offsets
    uint32_t first_word = 0;     ///< of an inline uniform block: index in the set's words
    bool immutable_samplers = false;

    bool operator==(const SetBinding&) const = default;
    uint32_t descriptors() const { return type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? 0 : count; }
};

constexpr bool IsDynamic(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

struct SetLayoutFacts {
    uint64_t uid = NextUid();
    std::vector<SetBinding> bindings;  ///< by number; empty unless understood
    uint32_t descriptors = 0;
    uint32_t words = 0;            ///< of 4 bytes, of all its inline uniform blocks
    uint32_t dynamic_offsets = 0;  ///< right even if not understood
    bool push = false;
    bool understood = false;
    /// All that another layout must have been created with to be identically defined; empty: nobody can tell.
    std::vector<uint32_t> definition;
    bool plain = false;  ///< understood, and a set of it is no more than its descriptors: the layer may make its own
    VkDescriptorSetLayout handle = VK_NULL_HANDLE;

    /// nullptr: it has none of that number.
    const SetBinding* Find(uint32_t binding) const {
        // Mostly they are numbered without gaps.
        const bool at_its_number = binding < bindings.size() && bindings[binding].binding == binding;
        return at_its_number ? &bindings[binding] : Search(binding);
    }
    const SetBinding* Search(uint32_t binding) const;  ///< where it is not at its number
    /// A set of the one holds what a shader expects of the other.
    bool Same(const SetLayoutFacts& other) const {
        return this == &other || (push == other.push && understood == other.understood && bindings == other.bindings);
    }
};

struct PipelineLayoutFacts {
    uint64_t uid = NextUid();
    std::vector<std::shared_ptr<const SetLayoutFacts>> sets;  ///< nullptr: not known
    std::vector<VkPushConstantRange> push_constants;
    std::vector<uint64_t> compatible;  ///< by set: equal numbers, compatible for that set
    uint64_t constants = 0;            ///< equal numbers, compatible for push constants
};

/// How a pipeline's accesses beyond its descriptors' ranges are bounded.
enum class Bounds : uint8_t {
    kNone,     ///< a valid program makes none
    kBuffer,   ///< robustBufferAccess: stores hit any byte of the buffer
    kRounded,  ///< robustBufferAccess2: ranges are rounded up
};

/// What a pipeline does to descriptors of one binding.
struct PipelineUse {
    uint32_t set = 0;
    uint32_t first = 0;  ///< index in the set's descriptors
    uint32_t count = 0;
    uint32_t first_dynamic = 0;  ///< index in the set's dynamic offsets, if `dynamic`
    Kinds kinds = 0;
    bool dynamic = false;
    bool widens = false;      ///< it stores, and Bounds::kBuffer
    uint32_t rounding = 1;    ///< to a multiple of so many bytes; 1: Bounds::kRounded does not hold, or no buffer
    bool everything = false;  ///< too many elements to name them
    bool as_written = true;   ///< the bytes are the descriptor's: not dynamic, widened or rounded
};

struct PipelineFacts {
    uint64_t uid = NextUid();
    VkPipelineBindPoint bind_point = VK_PIPELINE_BIND_POINT_COMPUTE;
    std::shared_ptr<const ShaderUses> shader;
    std::shared_ptr<const PipelineLayoutFacts> layout;  ///< nullptr: not known
    Bounds bounds = Bounds::kNone;                      ///< of storage buffers
    Bounds uniform_bounds = Bounds::kNone;
    bool everything = false;        ///< may access all that is bound and all that has an address
    Kinds addresses = 0;            ///< what it does through addresses
    std::vector<PipelineUse> uses;  ///< by set; empty if everything
    uint32_t sets = 0;              ///< 1 + the highest set that is used
    uint32_t most_accesses = 0;     ///< that a dispatch may be said to make
};

/// A descriptor as an access sees it. `where` begins at the offset without dynamic offset.
struct Descriptor {
    enum class State : uint8_t {
        kUnknown,  ///< never written, or with what is not understood
        kNothing,  ///< VK_NULL_HANDLE, or a sampler: no memory
        kMemory,
    };
    MemoryRange where;
    uint64_t whole_begin = 0;  ///< of what its buffer occupies, in the same memory
    uint64_t whole_end = ~uint64_t{0};
    State state = State::kUnknown;
    bool to_end = false;  ///< of its buffer, whatever the dynamic offset
    bool operator==(const Descriptor&) const = default;
};

struct DescriptorPool;

/// A descriptor set. Its memory lives until its pool is destroyed; its content until it is freed.
struct DescriptorSet {
    uint64_t uid = 0;      ///< of this life
    uint64_t content = 0;  ///< a uid of what is known of it in this life: another whenever an update changes that
    VkDescriptorSet handle = VK_NULL_HANDLE;
    DescriptorPool* pool = nullptr;
    size_t index = 0;                              ///< in the pool
    std::shared_ptr<const SetLayoutFacts> layout;  ///< nullptr: not known
    bool forgotten = false;                        ///< none of the descriptors is known
    std::vector<Descriptor> descriptors;  ///< empty unless the layout is understood; the last binding's may be fewer
    std::vector<Identity> identities;     ///< of the descriptors, as the program wrote them; empty: not followed
    std::vector<uint64_t> words;          ///< of inline uniform blocks, likewise

    // Of a set whose writes the driver does not get before they are needed (layer/descriptors).
    bool held = false;
    std::vector<Identity> real_identities;  ///< what the driver's set holds; guarded by Lives::mutex()
    std::vector<uint64_t> real_words;
    std::atomic<uint64_t> bound_as{0};  ///< what is bound in its place, until it is updated; 0: not decided
    std::atomic<uint32_t> binds{0};     ///< in this life; about, for many threads may count at a time
};

/// Externally synchronized, as Vulkan demands of descriptor pools.
struct DescriptorPool {
    std::vector<std::unique_ptr<DescriptorSet>> sets;  ///< the first `live` are allocated, the others wait
    size_t live = 0;
    bool plain = true;   ///< its sets are allocated, written and bound in the usual ways alone
    bool freed = false;  ///< some of its sets were: the program allocates again and again
};

struct UpdateTemplate {
    uint64_t uid = NextUid();
    VkDescriptorUpdateTemplateType type = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET;
    VkPipelineBindPoint bind_point = VK_PIPELINE_BIND_POINT_COMPUTE;  ///< of push descriptors, and `set` too
    uint32_t set = 0;
    std::vector<VkDescriptorUpdateTemplateEntry> entries;
};

}  // namespace kronos
