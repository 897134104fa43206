// SPDX-License-Identifier: Apache-2.0
// A random, valid program that makes objects and sets, updates, binds, dispatches, submits and destroys, through the
// layer's hooks; and what it must see: what its sets hold by the rules, kept apart from the layer (slots.h). One
// thread.
#pragma once

#include <array>
#include <random>
#include <string>

#include "layered_device.h"

namespace fake {

class Program {
  public:
    Program(Driver& driver, LayeredDevice& layer, uint64_t seed);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// One thing more that the program does.
    void Step();
    uint64_t dispatches() const { return dispatches_; }
    /// The first difference between what a dispatch had and what it was to have; empty: none.
    const std::string& difference() const { return difference_; }

  private:
    static constexpr uint32_t kSets = 3;  // that a dispatch may see
    struct Buffer {
        VkBuffer handle;
        VkDeviceMemory memory;
        bool has_memory;
    };
    struct View {
        VkImageView handle;
        VkImage image;
        VkDeviceMemory memory;
        bool has_image;
    };
    struct Texels {
        VkBufferView handle;
        uint64_t buffer;
    };
    struct Kind {
        VkDescriptorSetLayout handle;
        SetLayout layout;
        size_t shape;
        VkDescriptorUpdateTemplate update;
        std::vector<VkDescriptorUpdateTemplateEntry> entries;
    };
    struct PoolOf {
        VkDescriptorPool handle;
        std::vector<VkDescriptorSet> sets;
    };
    // A set as a recording sees it.
    struct Seen {
        uint64_t set = 0;
        uint64_t life = 0;
        uint64_t version = 0;
        std::vector<Slot> slots;  // that the shader uses; the others are not written
    };
    struct Recorded {
        std::array<Seen, kSets> sets;
    };
    enum class State { kInitial, kRecording, kExecutable, kPending };
    struct Work {
        VkCommandBuffer handle;
        State state = State::kInitial;
        std::array<Seen, kSets> bound;
        std::vector<Recorded> recorded;
    };

    uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
    template <class T>
    T& Any(std::vector<T>& all) {
        return all[Below(static_cast<uint32_t>(all.size()))];
    }

    // Mostly one of two, so that the same is written again and again.
    template <class T>
    T& Often(std::vector<T>& all) {
        return Below(5) && all.size() > 2 ? all[Below(2)] : Any(all);
    }

    // Objects.
    void MakeBuffer();
    void MakeView();
    void MakeTexels();
    void MakeSampler();
    void MakeKind();
    void MakePool();
    void DestroyObject();
    void DestroyKind();
    bool Used(uint64_t life) const;
    // Sets.
    void Allocate();
    void Remove();
    void Update();
    void UpdateByTemplate();
    bool MayUpdate(VkDescriptorSet set) const;
    struct Data {
        std::array<VkDescriptorBufferInfo, 8> buffers;
        std::array<VkDescriptorImageInfo, 8> images;
        std::array<VkBufferView, 8> texels;
        std::array<uint32_t, 8> words;
        VkWriteDescriptorSetInlineUniformBlock block;
    };
    bool Fill(VkDescriptorType type, uint32_t i, Data& data);
    bool MakeWrite(VkDescriptorSet set, VkWriteDescriptorSet& write, Data& data);
    bool MakeCopy(VkDescriptorSet set, VkCopyDescriptorSet& copy);
    // Commands.
    void Record(Work& work);
    void Bind(Work& work);
    void Submit(Work& work);
    void Finish(Work& work);
    bool Valid(const Seen& seen) const;
    bool Valid(const Work& work) const;
    void Compare(const Work& work, const char* when);

    Driver& driver_;
    LayeredDevice& layer_;
    const VkDevice device_;
    std::mt19937_64 random_;
    Sets asked_;
    std::vector<Buffer> buffers_;
    std::vector<View> views_;
    std::vector<Texels> texels_;
    std::vector<VkSampler> samplers_;
    VkSampler immutable_ = VK_NULL_HANDLE;
    std::vector<Kind> kinds_;
    std::vector<PoolOf> pools_;
    std::vector<std::pair<VkDescriptorSet, size_t>> sets_;  // with the shape of their layout
    VkCommandPool command_pool_ = VK_NULL_HANDLE;
    std::vector<Work> work_;
    uint64_t dispatches_ = 0;
    std::string difference_;
};

}  // namespace fake
