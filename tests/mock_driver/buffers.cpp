// SPDX-License-Identifier: Apache-2.0
// Buffers and images: requirements, binding, addresses. A buffer's device address is where its bytes are.

#include <vulkan/utility/vk_format_utils.h>
#include <algorithm>

#include "commands.h"
#include "state.h"

namespace mock {
namespace {

uint64_t AlignUp(uint64_t value, uint64_t alignment) { return (value + alignment - 1) & ~(alignment - 1); }

uint32_t TypeBits(const DeviceConfig& config, uint32_t mask) {
    return mask & static_cast<uint32_t>((1ULL << config.types.size()) - 1);
}

void Requirements(VkDevice device, bool image, uint64_t size, VkMemoryRequirements* out) {
    const DeviceConfig& config = Of(device)->physical_device->config;
    constexpr uint64_t kLarge = 128 << 10;
    out->alignment = image ? config.image_alignment : config.buffer_alignment;
    if (!image && size >= kLarge) out->alignment = std::max(out->alignment, config.large_buffer_alignment);
    out->size = AlignUp(std::max<uint64_t>(size, 1), out->alignment);
    constexpr uint64_t kSmall = 16 << 10;
    if (image && size < kSmall) out->alignment = std::max(out->alignment, config.small_image_alignment);
    out->memoryTypeBits = TypeBits(config, image ? config.image_type_mask : config.buffer_type_mask);
}

void Dedicated(VkDevice device, void* next) {
    for (auto* base = static_cast<VkBaseOutStructure*>(next); base != nullptr; base = base->pNext) {
        if (base->sType != VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS) continue;
        auto* dedicated = reinterpret_cast<VkMemoryDedicatedRequirements*>(base);
        dedicated->prefersDedicatedAllocation = Of(device)->physical_device->config.prefers_dedicated;
        dedicated->requiresDedicatedAllocation = VK_FALSE;
    }
}

// All levels, layers and samples one after the other; `image` also gets the pitches of level 0.
uint64_t ImageSize(const VkImageCreateInfo& info, Image* image) {
    const VKU_FORMAT_INFO format = vkuGetFormatInfo(info.format);
    const uint64_t block = std::max<uint64_t>(format.texel_block_size, 1);
    const uint64_t width = std::max<uint64_t>(format.block_extent.width, 1);
    const uint64_t height = std::max<uint64_t>(format.block_extent.height, 1);
    uint64_t size = 0;
    for (uint32_t level = 0; level < std::max(info.mipLevels, 1U); ++level) {
        const uint64_t w = std::max(info.extent.width >> level, 1U);
        const uint64_t h = std::max(info.extent.height >> level, 1U);
        const uint64_t d = std::max(info.extent.depth >> level, 1U);
        const uint64_t row = (w + width - 1) / width * block;
        const uint64_t slice = (h + height - 1) / height * row;
        if (level == 0 && image != nullptr) {
            image->row_pitch = row;
            image->slice_pitch = slice;
        }
        size += slice * d;
    }
    return size * std::max(info.arrayLayers, 1U) * std::max<uint64_t>(info.samples, 1);
}

// Whether [offset, offset + needed) of `memory` can hold an object with these requirements.
bool CheckBinding(const std::string& name, const VkMemoryRequirements& needs, const Memory& memory, uint64_t offset) {
    if (offset % needs.alignment != 0) {
        Violation(name + ": offset " + std::to_string(offset) + " is no multiple of alignment " +
                  std::to_string(needs.alignment));
    }
    if (!(needs.memoryTypeBits & (1U << memory.type_index))) {
        Violation(name + ": memory type " + std::to_string(memory.type_index) + " is not allowed");
    }
    if (offset > memory.size || needs.size > memory.size - offset) {
        Violation(name + ": ends beyond the memory of " + std::to_string(memory.size) + " bytes");
        return false;
    }
    return true;
}

}  // namespace

uint8_t* BufferBytes(uint64_t handle, uint64_t offset, uint64_t size, const char* command) {
    auto* buffer = static_cast<Buffer*>(RequireObject(handle, Buffer::kType, command));
    if (buffer == nullptr) return nullptr;
    const std::string name = std::string(command) + ": " + HandleName(Buffer::kType, handle);
    if (offset > buffer->size || size > buffer->size - offset) {
        Violation(name + ": offset " + std::to_string(offset) + " size " + std::to_string(size) +
                  " is beyond its size " + std::to_string(buffer->size));
        return nullptr;
    }
    if (buffer->sparse) return nullptr;  // sparse memory is not emulated
    if (buffer->data == nullptr) {
        Violation(name + " has no memory");
        return nullptr;
    }
    if (buffer->memory.expired()) {
        Violation(name + ": its memory was freed");
        return nullptr;
    }
    return buffer->data + offset;
}

namespace impl {

VkResult vkCreateBuffer(VkDevice device, const VkBufferCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                        VkBuffer* pBuffer) {
    if (pCreateInfo->size == 0) Violation("vkCreateBuffer: size 0");
    if (pCreateInfo->size > PropertyNumber(Of(device)->physical_device->config, "maxBufferSize")) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    auto buffer = std::make_shared<Buffer>();
    buffer->size = pCreateInfo->size;
    buffer->usage = pCreateInfo->usage;
    buffer->sparse = (pCreateInfo->flags & VK_BUFFER_CREATE_SPARSE_BINDING_BIT) != 0;
    *pBuffer = ToHandle<VkBuffer>(AddObject(Buffer::kType, Of(device), std::move(buffer)));
    return VK_SUCCESS;
}

VkResult vkCreateBufferView(VkDevice device, const VkBufferViewCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                            VkBufferView* pView) {
    const Buffer* buffer = Require<Buffer>(pCreateInfo->buffer, "vkCreateBufferView");
    auto view = std::make_shared<BufferView>();
    view->buffer = pCreateInfo->buffer;
    view->offset = pCreateInfo->offset;
    view->range = pCreateInfo->range == VK_WHOLE_SIZE && buffer != nullptr ? buffer->size - pCreateInfo->offset
                                                                           : pCreateInfo->range;
    *pView = ToHandle<VkBufferView>(AddObject(BufferView::kType, Of(device), std::move(view)));
    return VK_SUCCESS;
}

VkResult vkCreateImage(VkDevice device, const VkImageCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                       VkImage* pImage) {
    auto image = std::make_shared<Image>();
    image->size = ImageSize(*pCreateInfo, image.get());
    *pImage = ToHandle<VkImage>(AddObject(Image::kType, Of(device), std::move(image)));
    return VK_SUCCESS;
}

VkResult vkCreateImageView(VkDevice device, const VkImageViewCreateInfo* pCreateInfo, const VkAllocationCallbacks*,
                           VkImageView* pView) {
    Require<Image>(pCreateInfo->image, "vkCreateImageView");
    *pView = ToHandle<VkImageView>(AddObject(VK_OBJECT_TYPE_IMAGE_VIEW, Of(device), nullptr));
    return VK_SUCCESS;
}

void vkGetBufferMemoryRequirements(VkDevice device, VkBuffer buffer, VkMemoryRequirements* pMemoryRequirements) {
    const Buffer* b = Require<Buffer>(buffer, "vkGetBufferMemoryRequirements");
    Requirements(device, false, b == nullptr ? 0 : b->size, pMemoryRequirements);
}

void vkGetBufferMemoryRequirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2* pInfo,
                                    VkMemoryRequirements2* pMemoryRequirements) {
    vkGetBufferMemoryRequirements(device, pInfo->buffer, &pMemoryRequirements->memoryRequirements);
    Dedicated(device, pMemoryRequirements->pNext);
}

void vkGetDeviceBufferMemoryRequirements(VkDevice device, const VkDeviceBufferMemoryRequirements* pInfo,
                                         VkMemoryRequirements2* pMemoryRequirements) {
    Requirements(device, false, pInfo->pCreateInfo->size, &pMemoryRequirements->memoryRequirements);
    Dedicated(device, pMemoryRequirements->pNext);
}

void vkGetImageMemoryRequirements(VkDevice device, VkImage image, VkMemoryRequirements* pMemoryRequirements) {
    const Image* i = Require<Image>(image, "vkGetImageMemoryRequirements");
    Requirements(device, true, i == nullptr ? 0 : i->size, pMemoryRequirements);
}

void vkGetImageMemoryRequirements2(VkDevice device, const VkImageMemoryRequirementsInfo2* pInfo,
                                   VkMemoryRequirements2* pMemoryRequirements) {
    vkGetImageMemoryRequirements(device, pInfo->image, &pMemoryRequirements->memoryRequirements);
    Dedicated(device, pMemoryRequirements->pNext);
}

void vkGetDeviceImageMemoryRequirements(VkDevice device, const VkDeviceImageMemoryRequirements* pInfo,
                                        VkMemoryRequirements2* pMemoryRequirements) {
    Requirements(device, true, ImageSize(*pInfo->pCreateInfo, nullptr), &pMemoryRequirements->memoryRequirements);
    Dedicated(device, pMemoryRequirements->pNext);
}

VkResult vkBindBufferMemory(VkDevice device, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize memoryOffset) {
    Buffer* b = Require<Buffer>(buffer, "vkBindBufferMemory");
    const auto m = Shared<Memory>(memory);
    if (m == nullptr) Require<Memory>(memory, "vkBindBufferMemory");
    if (b == nullptr || m == nullptr) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const std::string name = "vkBindBufferMemory: " + HandleName(Buffer::kType, FromHandle(buffer));
    if (b->data != nullptr) Violation(name + " is bound already");
    VkMemoryRequirements needs;
    Requirements(device, false, b->size, &needs);
    if (!CheckBinding(name, needs, *m, memoryOffset)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    b->memory = m;
    b->data = m->data + memoryOffset;
    return VK_SUCCESS;
}

VkResult vkBindBufferMemory2(VkDevice device, uint32_t bindInfoCount, const VkBindBufferMemoryInfo* pBindInfos) {
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < bindInfoCount; ++i) {
        const VkResult one =
            vkBindBufferMemory(device, pBindInfos[i].buffer, pBindInfos[i].memory, pBindInfos[i].memoryOffset);
        if (result == VK_SUCCESS) result = one;
    }
    return result;
}

VkResult vkBindImageMemory(VkDevice device, VkImage image, VkDeviceMemory memory, VkDeviceSize memoryOffset) {
    Image* i = Require<Image>(image, "vkBindImageMemory");
    const Memory* m = Require<Memory>(memory, "vkBindImageMemory");
    if (i == nullptr || m == nullptr) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const std::string name = "vkBindImageMemory: " + HandleName(Image::kType, FromHandle(image));
    if (i->bound) Violation(name + " is bound already");
    VkMemoryRequirements needs;
    Requirements(device, true, i->size, &needs);
    if (!CheckBinding(name, needs, *m, memoryOffset)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    i->bound = true;
    return VK_SUCCESS;
}

VkResult vkBindImageMemory2(VkDevice device, uint32_t bindInfoCount, const VkBindImageMemoryInfo* pBindInfos) {
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < bindInfoCount; ++i) {
        // An image of a swapchain is bound through its chain; the mock's have their memory already.
        if (pBindInfos[i].memory == VK_NULL_HANDLE) continue;
        const VkResult one =
            vkBindImageMemory(device, pBindInfos[i].image, pBindInfos[i].memory, pBindInfos[i].memoryOffset);
        if (result == VK_SUCCESS) result = one;
    }
    return result;
}

VkDeviceAddress vkGetBufferDeviceAddress(VkDevice, const VkBufferDeviceAddressInfo* pInfo) {
    const Buffer* buffer = Require<Buffer>(pInfo->buffer, "vkGetBufferDeviceAddress");
    if (buffer == nullptr) return 0;
    if (!(buffer->usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT)) {
        Violation("vkGetBufferDeviceAddress: " + HandleName(Buffer::kType, FromHandle(pInfo->buffer)) +
                  " lacks the usage SHADER_DEVICE_ADDRESS");
    }
    return reinterpret_cast<uintptr_t>(buffer->data);
}

uint64_t vkGetBufferOpaqueCaptureAddress(VkDevice device, const VkBufferDeviceAddressInfo* pInfo) {
    return vkGetBufferDeviceAddress(device, pInfo);
}

void vkGetImageSubresourceLayout(VkDevice, VkImage image, const VkImageSubresource*, VkSubresourceLayout* pLayout) {
    *pLayout = {};
    const Image* i = Require<Image>(image, "vkGetImageSubresourceLayout");
    if (i == nullptr) return;
    *pLayout = {0, i->size, i->row_pitch, i->slice_pitch, i->slice_pitch};
}

}  // namespace impl
}  // namespace mock
