// SPDX-License-Identifier: Apache-2.0
// What the command buffers of one worker work on, and what is remembered of each recording.
// Owned by a Worker; used by its thread only.
#pragma once

#include <vulkan/vulkan.h>

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace random_program {

// Buffers are divided into slices: the unit of binding, copying and of hazards. An image is one slice.
constexpr uint32_t kSliceBytes = 1024;
constexpr uint32_t kMostSlices = 16;
constexpr uint32_t kImageSide = 16;  // texels of 4 bytes: a slice

// Objects are numbered: data buffers, three buffers of a special use, images.
constexpr uint32_t kDataBuffers = 5;
constexpr uint32_t kArguments = 5;  // slice 0: four indirect dispatches, constant; slice 1: filled by commands
constexpr uint32_t kQueryResults = 6;
constexpr uint32_t kStaging = 7;  // host visible
constexpr uint32_t kBuffers = 8;
constexpr uint32_t kFirstImage = 8;
constexpr uint32_t kImages = 2;
constexpr uint32_t kObjects = kBuffers + kImages;

struct Memory {
    VkDeviceMemory handle = VK_NULL_HANDLE;
    VkDeviceSize size = 0;
};

struct Buffer {
    VkBuffer handle = VK_NULL_HANDLE;
    uint32_t slices = 0;
    Memory memory;  // its own, or null when it lies in a shared allocation
};

struct Image {
    VkImage handle = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    Memory memory;
};

enum class SetKind : uint8_t { Pair, Factors, Stamp };
constexpr uint32_t kSetKinds = 3;

struct Set {
    VkDescriptorSet handle = VK_NULL_HANDLE;
    SetKind kind = SetKind::Pair;
    uint32_t pool = 0;
    bool written = false;
    // What its bindings 0 and 1 refer to; Factors has one binding.
    std::array<uint32_t, 2> object{};
    std::array<uint32_t, 2> slice{};
};

enum class Shader : uint8_t { Mix, MixTwisted, MixBase, MixPushed, Scale, Stamp };
constexpr uint32_t kShaders = 6;

enum class Layout : uint8_t { Pair, Pushed, Scale, Stamp };
constexpr uint32_t kLayouts = 4;

struct Pipeline {
    VkPipeline handle = VK_NULL_HANDLE;
    Layout layout = Layout::Pair;
};

struct PushConstants {
    uint32_t factor;
    uint32_t addend;
};

struct Resources {
    std::array<Buffer, kBuffers> buffers;
    std::array<Image, kImages> images;
    std::array<VkDescriptorSetLayout, kSetKinds> set_layouts{};
    VkDescriptorSetLayout pushed_set_layout = VK_NULL_HANDLE;
    std::array<VkPipelineLayout, kLayouts> layouts{};
    std::array<Pipeline, kShaders> pipelines;
    std::array<VkDescriptorUpdateTemplate, kSetKinds> templates{};
    VkDescriptorUpdateTemplate pushed_template = VK_NULL_HANDLE;
    VkQueryPool queries = VK_NULL_HANDLE;
    bool images_ready = false;  // in layout GENERAL, as every recording finds and leaves them
    std::vector<std::unique_ptr<Set>> sets;
};

enum class Usage : uint8_t { OneTime, Reusable, Simultaneous };

// A command buffer and what is in it.
struct Recording {
    enum class State : uint8_t { Initial, Executable, Invalid };

    VkCommandBuffer handle = VK_NULL_HANDLE;
    uint32_t lane = 0;
    bool secondary = false;
    bool resettable = true;  // by itself; otherwise only with its whole pool
    Usage usage = Usage::Reusable;
    uint32_t first_query = 0;  // two are its own
    std::array<VkEvent, 2> events{};
    State state = State::Initial;
    uint32_t pending = 0;          // submissions that may still run it
    uint64_t last_submission = 0;  // the latest of them
    uint64_t dispatches = 0;
    std::set<const Set*> sets;
    std::set<Recording*> children;  // secondaries that it executes
};

}  // namespace random_program
