// SPDX-License-Identifier: Apache-2.0
// Batches of the commands by which command streams learn of objects. Each makes its objects and destroys them; one of
// the two is told.
#include "call_batch.h"

namespace kronos::bench::call {
namespace {

// Of objects that are made of a structure each.
template <class Handle, class InfoType>
double Lives(Subject& s, Half told,
             VkResult(VKAPI_PTR* create)(VkDevice, const InfoType*, const VkAllocationCallbacks*, Handle*),
             void(VKAPI_PTR* destroy)(VkDevice, Handle, const VkAllocationCallbacks*), const InfoType& info) {
    Handle made[kCalls] = {};
    return Lives(
        told, [&](size_t i) { create(s.device, &info, nullptr, &made[i]); },
        [&](size_t i) { destroy(s.device, made[i], nullptr); });
}

VkBufferCreateInfo BufferInfo() {
    auto info = Info<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
    info.size = kRangeBytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    return info;
}

VkImageCreateInfo ImageInfo() {
    auto info = Info<VkImageCreateInfo>(VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO);
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = VK_FORMAT_R8G8B8A8_UNORM;
    info.extent = {16, 16, 1};
    info.mipLevels = info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.usage = VK_IMAGE_USAGE_STORAGE_BIT;
    return info;
}

struct Buffers {
    explicit Buffers(Subject& subject) : s(subject) {
        const VkBufferCreateInfo info = BufferInfo();
        for (VkBuffer& buffer : made) s.down.CreateBuffer(s.device, &info, nullptr, &buffer);
    }
    ~Buffers() {
        for (const VkBuffer buffer : made) s.down.DestroyBuffer(s.device, buffer, nullptr);
    }
    Buffers(const Buffers&) = delete;
    Buffers& operator=(const Buffers&) = delete;
    Subject& s;
    VkBuffer made[kCalls] = {};
};

struct Images {
    explicit Images(Subject& subject, int count = kCalls) : s(subject), used(count) {
        const VkImageCreateInfo info = ImageInfo();
        for (int i = 0; i < used; ++i) s.down.CreateImage(s.device, &info, nullptr, &made[i]);
    }
    ~Images() {
        for (int i = 0; i < used; ++i) s.down.DestroyImage(s.device, made[i], nullptr);
    }
    Images(const Images&) = delete;
    Images& operator=(const Images&) = delete;
    Subject& s;
    int used;
    VkImage made[kCalls] = {};
};

double BufferLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateBuffer, s.down.DestroyBuffer, BufferInfo());
}

double BufferViewLives(Subject& s, Half told) {
    auto info = Info<VkBufferViewCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO);
    info.buffer = s.buffer;
    info.format = VK_FORMAT_R32_UINT;
    info.range = VK_WHOLE_SIZE;
    return Lives(s, told, s.down.CreateBufferView, s.down.DestroyBufferView, info);
}

double ImageLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateImage, s.down.DestroyImage, ImageInfo());
}

double ImageViewLives(Subject& s, Half told) {
    const Images images(s, 1);
    auto info = Info<VkImageViewCreateInfo>(VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO);
    info.image = images.made[0];
    info.viewType = VK_IMAGE_VIEW_TYPE_2D;
    info.format = ImageInfo().format;
    info.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    return Lives(s, told, s.down.CreateImageView, s.down.DestroyImageView, info);
}

double SamplerLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateSampler, s.down.DestroySampler,
                 Info<VkSamplerCreateInfo>(VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO));
}

double SetLayoutLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateDescriptorSetLayout, s.down.DestroyDescriptorSetLayout,
                 Subject::SetLayoutInfo());
}

double PipelineLayoutLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreatePipelineLayout, s.down.DestroyPipelineLayout, s.LayoutInfo());
}

double ShaderModuleLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateShaderModule, s.down.DestroyShaderModule, Subject::ShaderInfo());
}

double PipelineLives(Subject& s, Half told) {
    const VkComputePipelineCreateInfo info = s.KernelInfo();
    VkPipeline made[kCalls] = {};
    return Lives(
        told, [&](size_t i) { s.down.CreateComputePipelines(s.device, VK_NULL_HANDLE, 1, &info, nullptr, &made[i]); },
        [&](size_t i) { s.down.DestroyPipeline(s.device, made[i], nullptr); });
}

double PoolLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateDescriptorPool, s.down.DestroyDescriptorPool, Subject::PoolInfo());
}

double TemplateLives(Subject& s, Half told) {
    return Lives(s, told, s.down.CreateDescriptorUpdateTemplate, s.down.DestroyDescriptorUpdateTemplate,
                 s.TemplateInfo());
}

double SetLives(Subject& s, Half told) {
    auto info = Info<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    info.descriptorPool = s.set_pool;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &s.set_layout;
    VkDescriptorSet sets[kCalls] = {};
    return Lives(
        told, [&](size_t i) { s.down.AllocateDescriptorSets(s.device, &info, &sets[i]); },
        [&](size_t i) { s.down.FreeDescriptorSets(s.device, s.set_pool, 1, &sets[i]); });
}

}  // namespace

double CreateBuffer(Subject& s) { return BufferLives(s, Half::kMaking); }
double DestroyBuffer(Subject& s) { return BufferLives(s, Half::kDestroying); }
double CreateBufferView(Subject& s) { return BufferViewLives(s, Half::kMaking); }
double DestroyBufferView(Subject& s) { return BufferViewLives(s, Half::kDestroying); }
double CreateImage(Subject& s) { return ImageLives(s, Half::kMaking); }
double DestroyImage(Subject& s) { return ImageLives(s, Half::kDestroying); }
double CreateImageView(Subject& s) { return ImageViewLives(s, Half::kMaking); }
double DestroyImageView(Subject& s) { return ImageViewLives(s, Half::kDestroying); }
double CreateSampler(Subject& s) { return SamplerLives(s, Half::kMaking); }
double DestroySampler(Subject& s) { return SamplerLives(s, Half::kDestroying); }
double CreateDescriptorSetLayout(Subject& s) { return SetLayoutLives(s, Half::kMaking); }
double DestroyDescriptorSetLayout(Subject& s) { return SetLayoutLives(s, Half::kDestroying); }
double CreatePipelineLayout(Subject& s) { return PipelineLayoutLives(s, Half::kMaking); }
double DestroyPipelineLayout(Subject& s) { return PipelineLayoutLives(s, Half::kDestroying); }
double CreateShaderModule(Subject& s) { return ShaderModuleLives(s, Half::kMaking); }
double DestroyShaderModule(Subject& s) { return ShaderModuleLives(s, Half::kDestroying); }
double CreateComputePipelines(Subject& s) { return PipelineLives(s, Half::kMaking); }
double DestroyPipeline(Subject& s) { return PipelineLives(s, Half::kDestroying); }
double CreateDescriptorPool(Subject& s) { return PoolLives(s, Half::kMaking); }
double DestroyDescriptorPool(Subject& s) { return PoolLives(s, Half::kDestroying); }
double CreateDescriptorUpdateTemplate(Subject& s) { return TemplateLives(s, Half::kMaking); }
double DestroyDescriptorUpdateTemplate(Subject& s) { return TemplateLives(s, Half::kDestroying); }
double AllocateDescriptorSets(Subject& s) { return SetLives(s, Half::kMaking); }
double FreeDescriptorSets(Subject& s) { return SetLives(s, Half::kDestroying); }

// The memory is theirs from their beginning; they share it.
double GetBufferMemoryRequirements(Subject& s) {
    const Buffers buffers(s);
    VkMemoryRequirements needed = {};
    return Batch([&](size_t i) { s.down.GetBufferMemoryRequirements(s.device, buffers.made[i], &needed); });
}
double GetBufferMemoryRequirements2(Subject& s) {
    const Buffers buffers(s);
    auto info = Info<VkBufferMemoryRequirementsInfo2>(VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2);
    auto needed = Info<VkMemoryRequirements2>(VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2);
    return Batch([&](size_t i) {
        info.buffer = buffers.made[i];
        s.down.GetBufferMemoryRequirements2(s.device, &info, &needed);
    });
}
double GetDeviceBufferMemoryRequirements(Subject& s) {
    const VkBufferCreateInfo buffer = BufferInfo();
    auto info = Info<VkDeviceBufferMemoryRequirements>(VK_STRUCTURE_TYPE_DEVICE_BUFFER_MEMORY_REQUIREMENTS);
    info.pCreateInfo = &buffer;
    auto needed = Info<VkMemoryRequirements2>(VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2);
    return Batch([&](size_t) { s.down.GetDeviceBufferMemoryRequirements(s.device, &info, &needed); });
}
double GetImageMemoryRequirements(Subject& s) {
    const Images images(s);
    VkMemoryRequirements needed = {};
    return Batch([&](size_t i) { s.down.GetImageMemoryRequirements(s.device, images.made[i], &needed); });
}
double GetImageMemoryRequirements2(Subject& s) {
    const Images images(s);
    auto info = Info<VkImageMemoryRequirementsInfo2>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2);
    auto needed = Info<VkMemoryRequirements2>(VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2);
    return Batch([&](size_t i) {
        info.image = images.made[i];
        s.down.GetImageMemoryRequirements2(s.device, &info, &needed);
    });
}
double GetDeviceImageMemoryRequirements(Subject& s) {
    const VkImageCreateInfo image = ImageInfo();
    auto info = Info<VkDeviceImageMemoryRequirements>(VK_STRUCTURE_TYPE_DEVICE_IMAGE_MEMORY_REQUIREMENTS);
    info.pCreateInfo = &image;
    auto needed = Info<VkMemoryRequirements2>(VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2);
    return Batch([&](size_t) { s.down.GetDeviceImageMemoryRequirements(s.device, &info, &needed); });
}
double BindBufferMemory(Subject& s) {
    const Buffers buffers(s);
    return Batch([&](size_t i) { s.down.BindBufferMemory(s.device, buffers.made[i], s.memory, 0); });
}
double BindBufferMemory2(Subject& s) {
    const Buffers buffers(s);
    auto info = Info<VkBindBufferMemoryInfo>(VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO);
    info.memory = s.memory;
    return Batch([&](size_t i) {
        info.buffer = buffers.made[i];
        s.down.BindBufferMemory2(s.device, 1, &info);
    });
}
double BindImageMemory(Subject& s) {
    const Images images(s);
    return Batch([&](size_t i) { s.down.BindImageMemory(s.device, images.made[i], s.memory, 0); });
}
double BindImageMemory2(Subject& s) {
    const Images images(s);
    auto info = Info<VkBindImageMemoryInfo>(VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO);
    info.memory = s.memory;
    return Batch([&](size_t i) {
        info.image = images.made[i];
        s.down.BindImageMemory2(s.device, 1, &info);
    });
}

}  // namespace kronos::bench::call
