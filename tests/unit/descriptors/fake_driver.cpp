// SPDX-License-Identifier: Apache-2.0
#include "fake_driver.h"

#include <algorithm>

namespace fake {
namespace {

Driver* current = nullptr;

template <class Handle>
uint64_t Number(Handle handle) {
    return reinterpret_cast<uint64_t>(handle);
}
template <class Handle>
Handle Made(uint64_t number) {
    return reinterpret_cast<Handle>(number);
}

// A new object of a kind, made of another.
template <class Handle>
VkResult Make(std::map<uint64_t, uint64_t>& lives, Handle* made, uint64_t of = 0) {
    Driver& driver = Driver::Get();
    const uint64_t handle = driver.NewHandle();
    lives[handle] = driver.objects.Begin(of);
    *made = Made<Handle>(handle);
    return VK_SUCCESS;
}
template <class Handle>
void Destroy(std::map<uint64_t, uint64_t>& lives, Handle handle) {
    Driver& driver = Driver::Get();
    driver.objects.End(lives.at(Number(handle)));
    lives.erase(Number(handle));
    driver.FreeHandle(Number(handle));
}

void CheckUpdate(uint64_t set) {
    Driver& driver = Driver::Get();
    if (!driver.sets.Has(set)) return driver.Complain("an update of a set that is not there");
    if (driver.InUse(set)) driver.Complain("an update of a set that is in use");
    ++driver.sets.At(set).version;
}

// What is written must be there, and all that it is made of.
void CheckWritten(uint64_t set) {
    Driver& driver = Driver::Get();
    if (driver.sets.unknown_names) driver.Complain("a write of a handle that is nobody's");
    driver.sets.unknown_names = 0;
    static_cast<void>(set);
}

void CheckNamed(const VkWriteDescriptorSet& write) {
    Driver& driver = Driver::Get();
    const auto check = [&](const std::map<uint64_t, uint64_t>& lives, uint64_t handle) {
        const auto found = lives.find(handle);
        if (handle && found != lives.end() && !driver.objects.Alive(found->second))
            driver.Complain("a write of an object without what it is made of");
    };
    for (uint32_t i = 0; i < write.descriptorCount; ++i) {
        switch (write.descriptorType) {
            case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
            case VK_DESCRIPTOR_TYPE_SAMPLER:
                break;
            case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
            case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
                check(driver.names.views, Number(write.pImageInfo[i].imageView));
                break;
            case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
                check(driver.names.texels, Number(write.pTexelBufferView[i]));
                break;
            default:
                check(driver.names.buffers, Number(write.pBufferInfo[i].buffer));
        }
    }
}

void Update(VkDevice, uint32_t write_count, const VkWriteDescriptorSet* writes, uint32_t copy_count,
            const VkCopyDescriptorSet* copies) {
    Driver& driver = Driver::Get();
    ++driver.updates;
    for (uint32_t i = 0; i < write_count; ++i) {
        CheckUpdate(Number(writes[i].dstSet));
        CheckNamed(writes[i]);
        driver.sets.Write(driver.names, writes[i]);
        CheckWritten(Number(writes[i].dstSet));
    }
    for (uint32_t i = 0; i < copy_count; ++i) {
        CheckUpdate(Number(copies[i].dstSet));
        driver.sets.Copy(copies[i]);
    }
}

void UpdateByTemplate(VkDevice, VkDescriptorSet set, VkDescriptorUpdateTemplate made, const void* data) {
    Driver& driver = Driver::Get();
    ++driver.updates;
    CheckUpdate(Number(set));
    driver.sets.Write(driver.names, Number(set), driver.templates.at(Number(made)), data);
    CheckWritten(Number(set));
}

VkResult Allocate(VkDevice, const VkDescriptorSetAllocateInfo* info, VkDescriptorSet* sets) {
    Driver& driver = Driver::Get();
    Pool& pool = driver.pools.at(Number(info->descriptorPool));
    if (pool.sets.size() + info->descriptorSetCount > pool.most) return VK_ERROR_OUT_OF_POOL_MEMORY;
    for (uint32_t i = 0; i < info->descriptorSetCount; ++i) {
        const auto layout = driver.layouts.find(Number(info->pSetLayouts[i]));
        if (layout == driver.layouts.end()) {
            driver.Complain("a set of a layout that is not there");
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
        const uint64_t set = driver.NewHandle();
        driver.sets.Add(set, layout->second, driver.objects.Begin());
        pool.sets.push_back(set);
        sets[i] = Made<VkDescriptorSet>(set);
        ++driver.allocated;
    }
    return VK_SUCCESS;
}

VkResult FreeSets(VkDevice, VkDescriptorPool pool, uint32_t count, const VkDescriptorSet* sets) {
    Driver& driver = Driver::Get();
    for (uint32_t i = 0; i < count; ++i) {
        if (!sets[i]) continue;
        std::erase(driver.pools.at(Number(pool)).sets, Number(sets[i]));
        driver.FreeSet(Number(sets[i]));
    }
    return VK_SUCCESS;
}

VkResult ResetPool(VkDevice, VkDescriptorPool pool, VkDescriptorPoolResetFlags) {
    Driver& driver = Driver::Get();
    for (const uint64_t set : driver.pools.at(Number(pool)).sets) driver.FreeSet(set);
    driver.pools.at(Number(pool)).sets.clear();
    return VK_SUCCESS;
}

void FillObjects(VkuDeviceDispatchTable& table) {
    table.AllocateMemory = [](VkDevice, const VkMemoryAllocateInfo*, const VkAllocationCallbacks*,
                              VkDeviceMemory* made) { return Make(Driver::Get().memories, made); };
    table.FreeMemory = [](VkDevice, VkDeviceMemory memory, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().memories, memory);
    };
    table.CreateBuffer = [](VkDevice, const VkBufferCreateInfo*, const VkAllocationCallbacks*, VkBuffer* made) {
        return Make(Driver::Get().names.buffers, made);
    };
    table.DestroyBuffer = [](VkDevice, VkBuffer buffer, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().names.buffers, buffer);
    };
    table.BindBufferMemory = [](VkDevice, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize) {
        Driver& driver = Driver::Get();
        driver.objects.Put(driver.names.buffers.at(Number(buffer)), driver.memories.at(Number(memory)));
        return VK_SUCCESS;
    };
    table.GetBufferMemoryRequirements = [](VkDevice, VkBuffer, VkMemoryRequirements* needs) { *needs = {256, 1, 1}; };
    table.CreateImage = [](VkDevice, const VkImageCreateInfo*, const VkAllocationCallbacks*, VkImage* made) {
        return Make(Driver::Get().images, made);
    };
    table.DestroyImage = [](VkDevice, VkImage image, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().images, image);
    };
    table.BindImageMemory = [](VkDevice, VkImage image, VkDeviceMemory memory, VkDeviceSize) {
        Driver& driver = Driver::Get();
        driver.objects.Put(driver.images.at(Number(image)), driver.memories.at(Number(memory)));
        return VK_SUCCESS;
    };
    table.GetImageMemoryRequirements = [](VkDevice, VkImage, VkMemoryRequirements* needs) { *needs = {256, 1, 1}; };
    table.CreateImageView = [](VkDevice, const VkImageViewCreateInfo* info, const VkAllocationCallbacks*,
                               VkImageView* made) {
        Driver& driver = Driver::Get();
        return Make(driver.names.views, made, driver.images.at(Number(info->image)));
    };
    table.DestroyImageView = [](VkDevice, VkImageView view, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().names.views, view);
    };
    table.CreateBufferView = [](VkDevice, const VkBufferViewCreateInfo* info, const VkAllocationCallbacks*,
                                VkBufferView* made) {
        Driver& driver = Driver::Get();
        return Make(driver.names.texels, made, driver.names.buffers.at(Number(info->buffer)));
    };
    table.DestroyBufferView = [](VkDevice, VkBufferView view, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().names.texels, view);
    };
    table.CreateSampler = [](VkDevice, const VkSamplerCreateInfo*, const VkAllocationCallbacks*, VkSampler* made) {
        return Make(Driver::Get().names.samplers, made);
    };
    table.DestroySampler = [](VkDevice, VkSampler sampler, const VkAllocationCallbacks*) {
        Destroy(Driver::Get().names.samplers, sampler);
    };
}

void FillSets(VkuDeviceDispatchTable& table) {
    table.CreateDescriptorSetLayout = [](VkDevice, const VkDescriptorSetLayoutCreateInfo* info,
                                         const VkAllocationCallbacks*, VkDescriptorSetLayout* made) {
        Driver& driver = Driver::Get();
        const uint64_t handle = driver.NewHandle();
        driver.layouts[handle] = LayoutOf(*info);
        *made = Made<VkDescriptorSetLayout>(handle);
        return VK_SUCCESS;
    };
    table.DestroyDescriptorSetLayout = [](VkDevice, VkDescriptorSetLayout layout, const VkAllocationCallbacks*) {
        Driver::Get().layouts.erase(Number(layout));
        Driver::Get().FreeHandle(Number(layout));
    };
    table.CreateDescriptorPool = [](VkDevice, const VkDescriptorPoolCreateInfo* info, const VkAllocationCallbacks*,
                                    VkDescriptorPool* made) {
        Driver& driver = Driver::Get();
        const uint64_t handle = driver.NewHandle();
        driver.pools[handle].most = info->maxSets;
        *made = Made<VkDescriptorPool>(handle);
        return VK_SUCCESS;
    };
    table.DestroyDescriptorPool = [](VkDevice device, VkDescriptorPool pool, const VkAllocationCallbacks*) {
        ResetPool(device, pool, 0);
        Driver::Get().pools.erase(Number(pool));
        Driver::Get().FreeHandle(Number(pool));
    };
    table.ResetDescriptorPool = ResetPool;
    table.AllocateDescriptorSets = Allocate;
    table.FreeDescriptorSets = FreeSets;
    table.UpdateDescriptorSets = Update;
    table.UpdateDescriptorSetWithTemplate = UpdateByTemplate;
    table.CreateDescriptorUpdateTemplate = [](VkDevice, const VkDescriptorUpdateTemplateCreateInfo* info,
                                              const VkAllocationCallbacks*, VkDescriptorUpdateTemplate* made) {
        Driver& driver = Driver::Get();
        const uint64_t handle = driver.NewHandle();
        driver.templates[handle].assign(info->pDescriptorUpdateEntries,
                                        info->pDescriptorUpdateEntries + info->descriptorUpdateEntryCount);
        *made = Made<VkDescriptorUpdateTemplate>(handle);
        return VK_SUCCESS;
    };
    table.DestroyDescriptorUpdateTemplate = [](VkDevice, VkDescriptorUpdateTemplate made,
                                               const VkAllocationCallbacks*) {
        Driver::Get().templates.erase(Number(made));
        Driver::Get().FreeHandle(Number(made));
    };
}

void Bind(VkCommandBuffer buffer, uint32_t first, uint32_t count, const VkDescriptorSet* sets) {
    for (uint32_t i = 0; i < count; ++i) {
        if (sets[i] && !Driver::Get().sets.Has(Number(sets[i])))
            Driver::Get().Complain("a set is bound that is not there");
        Driver::Of(buffer).bound[first + i] = Number(sets[i]);
    }
}

void Forget(VkCommandBuffer buffer) {
    Commands& commands = Driver::Of(buffer);
    commands.bound.assign(commands.bound.size(), 0);
    commands.dispatches.clear();
}

void FillCommands(VkuDeviceDispatchTable& table) {
    table.CreateCommandPool = [](VkDevice, const VkCommandPoolCreateInfo*, const VkAllocationCallbacks*,
                                 VkCommandPool* made) {
        *made = Made<VkCommandPool>(Driver::Get().NewHandle());
        return VK_SUCCESS;
    };
    table.DestroyCommandPool = [](VkDevice, VkCommandPool pool, const VkAllocationCallbacks*) {
        Driver::Get().FreeHandle(Number(pool));
    };
    table.ResetCommandPool = [](VkDevice, VkCommandPool, VkCommandPoolResetFlags) {
        for (Commands* commands : Driver::Get().commands) Forget(reinterpret_cast<VkCommandBuffer>(commands));
        return VK_SUCCESS;
    };
    table.AllocateCommandBuffers = [](VkDevice device, const VkCommandBufferAllocateInfo* info,
                                      VkCommandBuffer* buffers) {
        for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
            auto* commands = new Commands;
            commands->table = reinterpret_cast<Dispatchable*>(device)->table;
            Driver::Get().commands.push_back(commands);
            buffers[i] = reinterpret_cast<VkCommandBuffer>(commands);
        }
        return VK_SUCCESS;
    };
    table.FreeCommandBuffers = [](VkDevice, VkCommandPool, uint32_t count, const VkCommandBuffer* buffers) {
        for (uint32_t i = 0; i < count; ++i) {
            std::erase(Driver::Get().commands, &Driver::Of(buffers[i]));
            delete &Driver::Of(buffers[i]);
        }
    };
    table.BeginCommandBuffer = [](VkCommandBuffer buffer, const VkCommandBufferBeginInfo*) {
        Forget(buffer);
        return VK_SUCCESS;
    };
    table.EndCommandBuffer = [](VkCommandBuffer) { return VK_SUCCESS; };
    table.ResetCommandBuffer = [](VkCommandBuffer buffer, VkCommandBufferResetFlags) {
        Forget(buffer);
        return VK_SUCCESS;
    };
    table.CmdBindDescriptorSets = [](VkCommandBuffer buffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t first,
                                     uint32_t count, const VkDescriptorSet* sets, uint32_t,
                                     const uint32_t*) { Bind(buffer, first, count, sets); };
    table.CmdBindDescriptorSets2 = [](VkCommandBuffer buffer, const VkBindDescriptorSetsInfo* info) {
        Bind(buffer, info->firstSet, info->descriptorSetCount, info->pDescriptorSets);
    };
    table.CmdDispatch = [](VkCommandBuffer buffer, uint32_t, uint32_t, uint32_t) {
        Commands& commands = Driver::Of(buffer);
        commands.dispatches.push_back(commands.bound);
    };
}

}  // namespace

Driver::Driver() {
    current = this;
    device_.table = &table_address_;
    FillObjects(table);
    FillSets(table);
    FillCommands(table);
    // Enough to say that a command is there.
    table.GetDeviceProcAddr = [](VkDevice, const char*) {
        return reinterpret_cast<PFN_vkVoidFunction>(Driver::Get().table.CmdDispatch);
    };
}

Driver::~Driver() {
    for (const Commands* buffer : commands) delete buffer;
    current = nullptr;
}

Driver& Driver::Get() { return *current; }

bool Driver::InUse(uint64_t set) const {
    return std::any_of(commands.begin(), commands.end(), [&](const Commands* one) {
        return one->pending && std::any_of(one->dispatches.begin(), one->dispatches.end(), [&](const Bound& bound) {
                   return std::find(bound.begin(), bound.end(), set) != bound.end();
               });
    });
}

// Mostly one that was just freed.
uint64_t Driver::NewHandle() {
    if (free_.empty()) return last_ += 16;
    const uint64_t handle = free_.back();
    free_.pop_back();
    return handle;
}

void Driver::FreeSet(uint64_t set) {
    if (InUse(set)) Complain("a set is freed that is in use");
    objects.End(sets.At(set).life);
    sets.Remove(set);
    FreeHandle(set);
}

}  // namespace fake
