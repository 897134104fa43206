// SPDX-License-Identifier: Apache-2.0
#include "descriptors/set_writer.h"

#include <array>

#include "support/handle_bits.h"

namespace kronos {
namespace {

bool NameIsAlive(const Lives& lives, uint64_t uid) { return uid <= Identity::kNull || lives.IsAlive(uid); }

// The writes of one call, with what they point to.
class WriteList {
  public:
    explicit WriteList(VkDescriptorSet set) : set_(set) {}

    // A descriptor behind the last one, if that is the one before it in the same binding.
    void Add(const SetBinding& binding, uint32_t element, const Identity& identity) {
        VkWriteDescriptorSet* write = count_ ? &writes_[count_ - 1] : nullptr;
        if (!write || write->descriptorType != binding.type || write->dstBinding != binding.binding ||
            write->dstArrayElement + write->descriptorCount != element) {
            write = &Next(binding, element);
            write->pBufferInfo = &buffers_[used_];
            write->pImageInfo = &images_[used_];
            write->pTexelBufferView = &texels_[used_];
        }
        ++write->descriptorCount;
        buffers_[used_] = {HandleFromBits<VkBuffer>(identity.object_handle), identity.offset, identity.range};
        texels_[used_] = HandleFromBits<VkBufferView>(identity.object_handle);
        images_[used_] = {};
        if (binding.type == VK_DESCRIPTOR_TYPE_SAMPLER)
            images_[used_].sampler = HandleFromBits<VkSampler>(identity.object_handle);
        else
            images_[used_] = {HandleFromBits<VkSampler>(identity.sampler_handle),
                              HandleFromBits<VkImageView>(identity.object_handle),
                              static_cast<VkImageLayout>(identity.offset)};
        ++used_;
    }
    void AddWord(const SetBinding& binding, uint32_t index, uint64_t word) {
        VkWriteDescriptorSet* write = count_ ? &writes_[count_ - 1] : nullptr;
        const bool behind = write && write->descriptorType == binding.type && write->dstBinding == binding.binding &&
                            write->dstArrayElement + write->descriptorCount == index * 4;
        if (!behind) {
            write = &Next(binding, index * 4);
            blocks_[count_ - 1] = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK, nullptr, 0,
                                   &bytes_[words_]};
            write->pNext = &blocks_[count_ - 1];
        }
        write->descriptorCount += 4;
        blocks_[count_ - 1].dataSize += 4;
        bytes_[words_++] = static_cast<uint32_t>(word);
    }
    uint32_t count() const { return count_; }
    const VkWriteDescriptorSet* data() const { return writes_.data(); }

  private:
    VkWriteDescriptorSet& Next(const SetBinding& binding, uint32_t element) {
        VkWriteDescriptorSet& write = writes_[count_++];
        write = {};
        write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        write.dstSet = set_;
        write.dstBinding = binding.binding;
        write.dstArrayElement = element;
        write.descriptorType = binding.type;
        return write;
    }

    VkDescriptorSet set_;
    uint32_t count_ = 0;
    uint32_t used_ = 0;
    uint32_t words_ = 0;
    std::array<VkWriteDescriptorSet, size_t{2} * kMostHeld> writes_;
    std::array<VkWriteDescriptorSetInlineUniformBlock, size_t{2} * kMostHeld> blocks_;
    std::array<VkDescriptorBufferInfo, kMostHeld> buffers_;
    std::array<VkDescriptorImageInfo, kMostHeld> images_;
    std::array<VkBufferView, kMostHeld> texels_;
    std::array<uint32_t, kMostHeld> bytes_;
};

}  // namespace

bool IsAlive(const Lives& lives, const Identity& identity) {
    return NameIsAlive(lives, identity.object) && NameIsAlive(lives, identity.sampler);
}

uint32_t WriteSet(const VkuDeviceDispatchTable& down, VkDevice device, const Lives& lives, VkDescriptorSet set,
                  const SetLayoutFacts& layout, std::span<const Identity> wanted,
                  std::span<const uint64_t> wanted_words, const RealContent& real) noexcept {
    WriteList writes(set);
    for (const SetBinding& binding : layout.bindings) {
        for (uint32_t i = 0; i < binding.descriptors(); ++i) {
            const Identity& identity = wanted[binding.first + i];
            Identity& held = real.identities[binding.first + i];
            if (identity == held || identity.object == Identity::kNever || !IsAlive(lives, identity)) continue;
            writes.Add(binding, i, identity);
            held = identity;
        }
        const uint32_t words = binding.type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ? binding.count / 4 : 0;
        for (uint32_t i = 0; i < words; ++i) {
            const uint64_t word = wanted_words[binding.first_word + i];
            uint64_t& held = real.words[binding.first_word + i];
            if (word == held || word == kNeverWord || word == kUnknownWord) continue;
            writes.AddWord(binding, i, word);
            held = word;
        }
    }
    if (writes.count()) down.UpdateDescriptorSets(device, writes.count(), writes.data(), 0, nullptr);
    return writes.count();
}

}  // namespace kronos
