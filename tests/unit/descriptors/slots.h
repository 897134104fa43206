// SPDX-License-Identifier: Apache-2.0
// What descriptor sets hold, by brute force, from the rules of the specification alone: section "Descriptor Set
// Updates". Shares nothing with the layer. Objects are told apart by the number of their life, not by handle. One
// thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace fake {

/// Lives of objects: which are over, and what each object is made of.
class Objects {
  public:
    uint64_t Begin(uint64_t of = 0) {
        lives_[++last_] = of;
        return last_;
    }
    void End(uint64_t life) { lives_.erase(life); }
    void Put(uint64_t life, uint64_t of) { lives_[life] = of; }
    /// What it is made of; 0: nothing, or it is no more.
    uint64_t Of(uint64_t life) const {
        const auto found = lives_.find(life);
        return found == lives_.end() ? 0 : found->second;
    }
    /// It is there, and so is what it is made of. 0: nothing, which is always there.
    bool Alive(uint64_t life) const {
        for (; life; life = lives_.at(life))
            if (!lives_.contains(life)) return false;
        return true;
    }

  private:
    uint64_t last_ = 0;
    std::map<uint64_t, uint64_t> lives_;
};

/// A descriptor, or 4 bytes of an inline uniform block.
struct Slot {
    bool written = false;
    uint64_t object = 0;  ///< life; 0: VK_NULL_HANDLE, or none
    uint64_t sampler = 0;
    uint64_t offset = 0;  ///< or image layout, or the bytes
    uint64_t range = 0;
    bool operator==(const Slot&) const = default;
};

struct LayoutBinding {
    uint32_t number = 0;
    VkDescriptorType type = VK_DESCRIPTOR_TYPE_MAX_ENUM;
    uint32_t slots = 0;
    uint32_t first = 0;
    bool immutable = false;
};
using SetLayout = std::vector<LayoutBinding>;  // by number
SetLayout LayoutOf(const VkDescriptorSetLayoutCreateInfo& info);
const LayoutBinding& BindingOf(const SetLayout& layout, uint32_t number);
uint32_t SlotsOf(const SetLayout& layout);

/// Lives by handle, of the kinds of objects that descriptors name.
struct Names {
    std::map<uint64_t, uint64_t> buffers, views, texels, samplers;
};

struct Set {
    SetLayout layout;
    std::vector<Slot> slots;
    uint64_t life = 0;     ///< of the set
    uint64_t version = 0;  ///< counts updates
};

class Sets {
  public:
    void Add(uint64_t handle, const SetLayout& layout, uint64_t life);
    void Remove(uint64_t handle) { sets_.erase(handle); }
    Set& At(uint64_t handle) { return sets_.at(handle); }
    const Set& At(uint64_t handle) const { return sets_.at(handle); }
    bool Has(uint64_t handle) const { return sets_.contains(handle); }

    void Write(const Names& names, const VkWriteDescriptorSet& write);
    void Write(const Names& names, uint64_t set, const std::vector<VkDescriptorUpdateTemplateEntry>& entries,
               const void* data);
    void Copy(const VkCopyDescriptorSet& copy);
    /// A name that is nobody's was written.
    uint64_t unknown_names = 0;

  private:
    Slot Named(const Names& names, const LayoutBinding& binding, const void* info);
    uint64_t LifeOf(const std::map<uint64_t, uint64_t>& lives, uint64_t handle);
    std::map<uint64_t, Set> sets_;
};

}  // namespace fake
