// SPDX-License-Identifier: Apache-2.0
// Calls every command of the registry that the mock driver offers, without chains, with each structure that may extend
// one of its arguments, with pairs of them and with random ones. What the driver saw is in its record, where a line "#
// number command" comes before each call; what came back is on standard output.
//
//   kronos_whole_api --device plain|all|old [--seed N] [--pairs N] [--only COMMAND]
//
// With odd seeds the program has allocation callbacks.
// plain: Vulkan 1.4 with the driver's usual extensions. all: every extension and feature. old: Vulkan 1.0 with the
// usual ones.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>

#include "mock_control.h"
#include "world.h"

extern "C" VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name);

namespace whole_api {
namespace {

// What a command needs around it: calls in the same command buffer, or on the same object.
struct Around {
    std::vector<std::string> before, after;
};

const std::map<std::string, Around>& Companions() {
    static const auto* map = [] {
        auto* m = new std::map<std::string, Around>{
            {"vkCmdWaitEvents", {{"vkCmdSetEvent"}, {}}},
            {"vkCmdWaitEvents2", {{"vkCmdSetEvent2"}, {}}},
            {"vkCmdWaitEvents2KHR", {{"vkCmdSetEvent2KHR"}, {}}},
            {"vkFlushMappedMemoryRanges", {{"vkMapMemory"}, {"vkUnmapMemory"}}},
            {"vkInvalidateMappedMemoryRanges", {{"vkMapMemory"}, {"vkUnmapMemory"}}},
            {"vkAcquireNextImageKHR", {{"vkResetFences"}, {}}},
            {"vkAcquireNextImage2KHR", {{"vkResetFences"}, {}}},
            {"vkQueueSubmit", {{"vkResetFences"}, {"vkQueueWaitIdle"}}},
            {"vkQueueSubmit2", {{"vkResetFences"}, {"vkQueueWaitIdle"}}},
            {"vkQueueSubmit2KHR", {{"vkResetFences"}, {"vkQueueWaitIdle"}}},
            {"vkQueueBindSparse", {{"vkResetFences"}, {"vkQueueWaitIdle"}}},
            {"vkCmdWriteTimestamp", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdWriteTimestamp2", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdWriteTimestamp2KHR", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdBeginQuery", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdBeginQueryIndexedEXT", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdEndQuery", {{"vkCmdResetQueryPool"}, {}}},
            {"vkCmdEndQueryIndexedEXT", {{"vkCmdResetQueryPool"}, {}}},
            {"vkQueuePresentKHR", {{}, {"vkQueueWaitIdle"}}},
        };
        const std::pair<const char*, const char*> pairs[] = {
            {"vkMapMemory", "vkUnmapMemory"},
            {"vkMapMemory2", "vkUnmapMemory2"},
            {"vkMapMemory2KHR", "vkUnmapMemory2KHR"},
            {"vkCmdBeginQuery", "vkCmdEndQuery"},
            {"vkCmdBeginQueryIndexedEXT", "vkCmdEndQueryIndexedEXT"},
            {"vkCmdBeginDebugUtilsLabelEXT", "vkCmdEndDebugUtilsLabelEXT"},
            {"vkCmdDebugMarkerBeginEXT", "vkCmdDebugMarkerEndEXT"},
            {"vkQueueBeginDebugUtilsLabelEXT", "vkQueueEndDebugUtilsLabelEXT"},
            {"vkCmdBeginRenderPass", "vkCmdEndRenderPass"},
            {"vkCmdBeginRenderPass2", "vkCmdEndRenderPass2"},
            {"vkCmdBeginRenderPass2KHR", "vkCmdEndRenderPass2KHR"},
            {"vkCmdBeginRendering", "vkCmdEndRendering"},
            {"vkCmdBeginRenderingKHR", "vkCmdEndRenderingKHR"},
            {"vkCmdBeginVideoCodingKHR", "vkCmdEndVideoCodingKHR"},
            {"vkCmdBeginConditionalRenderingEXT", "vkCmdEndConditionalRenderingEXT"},
            {"vkCmdBeginTransformFeedbackEXT", "vkCmdEndTransformFeedbackEXT"},
        };
        for (const auto& [begin, end] : pairs) {
            (*m)[begin].after.emplace_back(end);
            (*m)[end].before.emplace_back(begin);
        }
        return m;
    }();
    return *map;
}

// The structures in a command's arguments that something may extend.
void Extensible(const Field* fields, uint32_t count, std::set<int>* seen, std::vector<int>* found) {
    for (uint32_t i = 0; i < count; ++i) {
        if (fields[i].kind != Kind::kStruct || !seen->insert(fields[i].index).second) continue;
        const Struct& type = kStructs[fields[i].index];
        if (type.extender_count > 0) found->push_back(fields[i].index);
        Extensible(type.fields, type.field_count, seen, found);
    }
}

class Program {
  public:
    Program(mock::Driver* driver, uint64_t seed, uint32_t pairs, std::string only)
        : driver_(driver), pairs_(pairs), only_(std::move(only)), w_(seed) {
        w_.allocators = seed % 2 == 1;
        w_.instance_proc = vkGetInstanceProcAddr;
        w_.note = [this](const std::string& text) { driver_->Note(text.c_str()); };
    }

    void Main(const std::string& kind) {
        std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
        w_.api_version = kind == "old" ? VK_API_VERSION_1_0 : VK_API_VERSION_1_4;
        Instance();
        OfLevel(Level::kGlobal);
        OfLevel(Level::kInstance);
        OfLevel(Level::kPhysicalDevice);
        Device(kind);
        Objects();
        OfLevel(Level::kDevice);
        OfLevel(Level::kQueue);
        OfLevel(Level::kCommandBuffer);
        Semaphores("vkQueueSubmit");
        Semaphores("vkQueueSubmit2");
        Semaphores("vkQueueSubmit2KHR");
        Destroy();
        auto violations = driver_->Violations();
        for (const std::string& violation : violations) std::printf("violation %s\n", violation.c_str());
    }

  private:
    using Change = World::Change;

    void Instance() {
        uint32_t count = 0;
        const auto enumerate = reinterpret_cast<PFN_vkEnumerateInstanceExtensionProperties>(
            w_.instance_proc(VK_NULL_HANDLE, "vkEnumerateInstanceExtensionProperties"));
        enumerate(nullptr, &count, nullptr);
        instance_extensions_.resize(count);
        enumerate(nullptr, &count, instance_extensions_.data());
        for (const auto& extension : instance_extensions_) {
            for (uint32_t i = 0; i < kExtensionCount; ++i)
                if (std::strcmp(extension.extensionName, kExtensions[i].name) == 0)
                    w_.instance_extensions.push_back(kExtensions[i].name);
        }
        w_.Run("vkCreateInstance", [&](Call& c) { c.Set("pInstance", &w_.instance); });
        if (!w_.instance) throw std::runtime_error("no instance");
        w_.Add(World::TypeOf("VkInstance"), Number(w_.instance));
        VkPhysicalDevice devices[8] = {};
        uint32_t number = 8;
        w_.Run("vkEnumeratePhysicalDevices", [&](Call& c) {
            c.Set("pPhysicalDeviceCount", &number);
            c.Set("pPhysicalDevices", devices);
        });
        if (!devices[0]) throw std::runtime_error("no physical device");
        w_.physical = devices[0];
        w_.Add(World::TypeOf("VkPhysicalDevice"), Number(devices[0]));
        count = 0;
        const auto enumerate_device = reinterpret_cast<PFN_vkEnumerateDeviceExtensionProperties>(
            w_.instance_proc(w_.instance, "vkEnumerateDeviceExtensionProperties"));
        enumerate_device(w_.physical, nullptr, &count, nullptr);
        device_extensions_.resize(count);
        enumerate_device(w_.physical, nullptr, &count, device_extensions_.data());
        for (const auto& extension : device_extensions_) w_.device_extensions.push_back(extension.extensionName);
    }

    // Features as the driver has them; robust access changes what the layer may leave out.
    VkPhysicalDeviceFeatures2* Features(const std::string& kind) {
        const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceFeatures2>(
            w_.instance_proc(w_.instance, "vkGetPhysicalDeviceFeatures2"));
        auto* features = kept_.Take<VkPhysicalDeviceFeatures2>();
        features->sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
        if (kind == "old" || !get) return nullptr;
        const Struct& base = kStructs[FindStruct("VkPhysicalDeviceFeatures2")];
        for (uint32_t i = 0; i < base.extender_count; ++i) {
            const Struct& type = kStructs[base.extenders[i]];
            // The structures of core versions stand for those of the extensions.
            if ((std::strncmp(type.name, "VkPhysicalDeviceVulkan1", 23) == 0) != (kind == "plain")) continue;
            auto* memory = static_cast<VkBaseOutStructure*>(kept_.Take(type.size));
            memory->sType = type.type;
            memory->pNext = static_cast<VkBaseOutStructure*>(features->pNext);
            features->pNext = memory;
        }
        get(w_.physical, features);
        if (kind == "plain") {
            features->features.robustBufferAccess = VK_FALSE;
            for (auto* next = static_cast<VkBaseOutStructure*>(features->pNext); next; next = next->pNext)
                if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES)
                    reinterpret_cast<VkPhysicalDeviceVulkan14Features*>(next)->pipelineRobustness = VK_FALSE;
        }
        return features;
    }

    void Device(const std::string& kind) {
        const void* features = Features(kind);
        w_.Run("vkCreateDevice", [&](Call& c) {
            auto* info = const_cast<VkDeviceCreateInfo*>(c.Get<const VkDeviceCreateInfo*>("pCreateInfo"));
            info->pNext = features;
            c.Set("pDevice", &w_.device);
        });
        if (!w_.device) throw std::runtime_error("no device");
        w_.Add(World::TypeOf("VkDevice"), Number(w_.device));
        w_.Run("vkGetDeviceQueue");
    }

    // The objects that others are made of and commands use, first and second of their kind.
    void Objects() {
        for (int i = 0; i < 2; ++i) {
            w_.Run("vkCreateBuffer");
            w_.Run("vkCreateImage");
            w_.Run("vkAllocateMemory");
        }
        for (w_.fresh = 0; w_.fresh < 2; ++w_.fresh) {
            w_.Run("vkBindBufferMemory");
            w_.Run("vkBindImageMemory", [&](Call& c) { c.Set("memory", w_.Nth<VkDeviceMemory>("VkDeviceMemory", 1)); });
        }
        for (const char* name : {"vkCreateBufferView",       "vkCreateImageView",
                                 "vkCreateSampler",          "vkCreateDescriptorSetLayout",
                                 "vkCreatePipelineLayout",   "vkCreateDescriptorPool",
                                 "vkCreateDescriptorPool",   "vkAllocateDescriptorSets",
                                 "vkAllocateDescriptorSets", "vkUpdateDescriptorSets",
                                 "vkCreateShaderModule",     "vkCreatePipelineCache",
                                 "vkCreateComputePipelines", "vkCreateFence",
                                 "vkCreateSemaphore",        "vkCreateEvent",
                                 "vkCreateQueryPool",        "vkCreateCommandPool",
                                 "vkCreateCommandPool",      "vkAllocateCommandBuffers",
                                 "vkAllocateCommandBuffers", "vkAllocateCommandBuffers"})
            w_.Run(name);
        w_.Run("vkAllocateCommandBuffers", [&](Call& c) {
            auto* info =
                const_cast<VkCommandBufferAllocateInfo*>(c.Get<const VkCommandBufferAllocateInfo*>("pAllocateInfo"));
            info->level = VK_COMMAND_BUFFER_LEVEL_SECONDARY;
        });
        w_.secondary = w_.Nth<VkCommandBuffer>("VkCommandBuffer", 3);
        for (const char* name : {"vkCreateHeadlessSurfaceEXT", "vkCreateSwapchainKHR"})
            if (w_.Has(name)) w_.Run(name);
        // A timeline, where there are any: made by the program's second semaphore.
        VkSemaphoreTypeCreateInfo type{VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, nullptr,
                                       VK_SEMAPHORE_TYPE_TIMELINE, 0};
        w_.Run("vkCreateSemaphore", [&](Call& c) {
            const_cast<VkSemaphoreCreateInfo*>(c.Get<const VkSemaphoreCreateInfo*>("pCreateInfo"))->pNext = &type;
        });
        w_.timeline = w_.Nth<VkSemaphore>("VkSemaphore", 1);
        for (const char* name : {"vkCreateDescriptorUpdateTemplate", "vkCreateDescriptorUpdateTemplateKHR"}) {
            if (!w_.Has(name)) continue;
            w_.Run(name);
            w_.Run(name, [&](Call& c) {
                auto* info = const_cast<VkDescriptorUpdateTemplateCreateInfo*>(
                    c.Get<const VkDescriptorUpdateTemplateCreateInfo*>("pCreateInfo"));
                info->templateType = VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_PUSH_DESCRIPTORS;
            });
            w_.push_template = w_.Nth<VkDescriptorUpdateTemplate>("VkDescriptorUpdateTemplate", 1);
            break;
        }
        w_.to_submit = w_.First<VkCommandBuffer>("VkCommandBuffer");
        for (VkCommandBuffer each : {w_.to_submit, w_.secondary}) {
            w_.recording = each;
            w_.Run("vkBeginCommandBuffer", [&](Call& c) {
                // The same buffer is submitted many times.
                const_cast<VkCommandBufferBeginInfo*>(c.Get<const VkCommandBufferBeginInfo*>("pBeginInfo"))->flags = 0;
            });
            Bind();
            w_.Run("vkCmdDispatch");
            w_.Run("vkEndCommandBuffer");
        }
        w_.recording = w_.Nth<VkCommandBuffer>("VkCommandBuffer", 1);
    }

    void Bind() {
        w_.Run("vkCmdBindPipeline");
        w_.Run("vkCmdBindDescriptorSets");
    }

    void OfLevel(Level level) {
        for (uint32_t i = 0; i < kCommandCount; ++i) {
            const Command& command = kCommands[i];
            const std::string name = command.name;
            if (command.level != level || name.starts_with("vkDestroy") || name.starts_with("vkFree")) continue;
            if (!only_.empty() && only_ != name) continue;
            // Nothing can be called that is not there; there is no need to say so for each chain.
            if (!w_.Has(command.name)) {
                w_.Run(command.name);
                continue;
            }
            One(command);
            std::set<int> seen;
            std::vector<int> structs;
            Extensible(command.parameters, command.parameter_count, &seen, &structs);
            for (const int on : structs) Chained(command, on);
            w_.chains.anywhere = true;
            for (uint32_t n = 0; n < pairs_; ++n) One(command);
            w_.chains = {};
        }
    }

    void Chained(const Command& command, int on) {
        const Struct& type = kStructs[on];
        std::vector<int> extenders;
        for (uint32_t i = 0; i < type.extender_count; ++i) {
            // The loader's own: the driver never sees it.
            if (std::strcmp(kStructs[type.extenders[i]].name, "VkDirectDriverLoadingListLUNARG") != 0)
                extenders.push_back(type.extenders[i]);
        }
        // A device with all extensions takes long to create: some, by the seed. Without them each has its turn.
        const bool dear = std::strcmp(command.name, "vkCreateDevice") == 0 && w_.device_extensions.size() > 100;
        for (const int extender : extenders) {
            if (dear && w_.Random(8) != 0) continue;
            w_.chains = {on, {extender}, false};
            One(command);
        }
        for (uint32_t n = 0; extenders.size() > 1 && n < pairs_; ++n) {
            const uint32_t first = w_.Random(static_cast<uint32_t>(extenders.size()));
            const uint32_t second = w_.Random(static_cast<uint32_t>(extenders.size()) - 1);
            w_.chains = {on, {extenders[first], extenders[second + (second >= first ? 1 : 0)]}, false};
            One(command);
        }
        w_.chains = {};
    }

    // Without chains: what is around a command is the same each time.
    void Plainly(const std::string& name, const Change& change = nullptr) {
        const Chains chains = std::exchange(w_.chains, {});
        w_.Run(name.c_str(), change);
        w_.chains = chains;
    }

    void One(const Command& command) {
        const std::string name = command.name;
        const std::string canonical = command.canonical;
        const auto around = Companions().find(name);
        if (name == "vkCreateInstance") {
            VkInstance another = VK_NULL_HANDLE;
            w_.Run("vkCreateInstance", [&](Call& c) { c.Set("pInstance", &another); });
            if (another) Plainly("vkDestroyInstance", [&](Call& c) { c.Set("instance", another); });
            return;
        }
        if (name == "vkCreateDevice") {
            VkDevice another = VK_NULL_HANDLE;
            w_.Run("vkCreateDevice", [&](Call& c) { c.Set("pDevice", &another); });
            if (another) Plainly("vkDestroyDevice", [&](Call& c) { c.Set("device", another); });
            return;
        }
        if (canonical == "vkBindBufferMemory" || canonical == "vkBindBufferMemory2")
            Fresh("vkCreateBuffer", "VkBuffer");
        if (canonical == "vkBindImageMemory" || canonical == "vkBindImageMemory2") Fresh("vkCreateImage", "VkImage");
        const bool recorded = name.starts_with("vkCmd");
        const VkCommandBuffer kept = w_.recording;
        if (command.level == Level::kCommandBuffer) {
            // Two by turns.
            w_.recording = w_.Nth<VkCommandBuffer>("VkCommandBuffer", 1 + w_.Random(2));
            if (w_.chains.on >= 0 && w_.chains.on == FindStruct("VkCommandBufferInheritanceInfo"))
                w_.recording = Secondary();
        }
        if (recorded || name == "vkEndCommandBuffer") Plainly("vkBeginCommandBuffer");
        if (recorded && w_.Random(2) == 0) {
            Plainly("vkCmdBindPipeline");
            Plainly("vkCmdBindDescriptorSets");
            Plainly("vkCmdDispatch");
        }
        if (around != Companions().end())
            for (const std::string& before : around->second.before) Plainly(before);
        w_.Run(command.name);
        if (around != Companions().end())
            for (const std::string& after : around->second.after) Plainly(after);
        if (recorded && w_.Random(2) == 0) {
            Plainly("vkCmdBindPipeline");
            Plainly("vkCmdBindDescriptorSets");
            Plainly("vkCmdDispatch");
        }
        if (recorded || name == "vkBeginCommandBuffer") Plainly("vkEndCommandBuffer");
        if (recorded) {
            const VkCommandBuffer submitted = std::exchange(w_.to_submit, w_.recording);
            Plainly("vkQueueSubmit", [](Call& c) {
                c.Set("submitCount", 1U);
                c.Set("fence", VkFence{});
            });
            Plainly("vkQueueWaitIdle");
            w_.to_submit = submitted;
        }
        w_.recording = kept;
    }

    VkCommandBuffer Secondary() {
        Plainly("vkAllocateCommandBuffers", [&](Call& c) {
            auto* info =
                const_cast<VkCommandBufferAllocateInfo*>(c.Get<const VkCommandBufferAllocateInfo*>("pAllocateInfo"));
            info->level = VK_COMMAND_BUFFER_LEVEL_SECONDARY;
        });
        return As<VkCommandBuffer>(w_.created.back().handle);
    }

    void Fresh(const char* create, const char* type) {
        Plainly(create);
        for (w_.fresh = 0; w_.Nth(World::TypeOf(type), w_.fresh + 1) != 0;) ++w_.fresh;
    }

    // One submission signals what the next waits for.
    void Semaphores(const char* name) {
        if (!w_.Has(name)) return;
        for (int round = 0; round < 2; ++round) {
            const VkSemaphore semaphore = w_.First<VkSemaphore>("VkSemaphore");
            const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
            VkSemaphoreSubmitInfo use{VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, nullptr, semaphore, 0,
                                      VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,    0};
            for (const bool signals : {true, false}) {
                w_.Run(name, [&](Call& c) {
                    c.Set("submitCount", 1U);
                    c.Set("fence", VkFence{});
                    if (std::strcmp(name, "vkQueueSubmit") == 0) {
                        auto* info = const_cast<VkSubmitInfo*>(c.Get<const VkSubmitInfo*>("pSubmits"));
                        info->pWaitDstStageMask = &stage;
                        (signals ? info->signalSemaphoreCount : info->waitSemaphoreCount) = 1;
                        (signals ? info->pSignalSemaphores : info->pWaitSemaphores) = &semaphore;
                    } else {
                        auto* info = const_cast<VkSubmitInfo2*>(c.Get<const VkSubmitInfo2*>("pSubmits"));
                        (signals ? info->signalSemaphoreInfoCount : info->waitSemaphoreInfoCount) = 1;
                        (signals ? info->pSignalSemaphoreInfos : info->pWaitSemaphoreInfos) = &use;
                    }
                });
                // The same command buffer is submitted twice: never at once.
                w_.Run("vkQueueWaitIdle");
            }
        }
    }

    // Last made, first destroyed; each name of a command that destroys has its turn, and those that never had one get
    // nothing.
    void Destroy() {
        std::map<int, std::vector<const Command*>> by_type;
        std::set<std::string> unused;
        for (uint32_t i = 0; i < kCommandCount; ++i) {
            const Command& command = kCommands[i];
            const std::string name = command.name;
            if (!name.starts_with("vkDestroy") && !name.starts_with("vkFree")) continue;
            if (name == "vkDestroyInstance" || name == "vkDestroyDevice") continue;
            const Field* target = nullptr;
            for (uint32_t p = 1; p < command.parameter_count; ++p)
                if (command.parameters[p].kind == Kind::kHandle) target = &command.parameters[p];
            if (!w_.Has(command.name)) {
                w_.Run(command.name);
                continue;
            }
            by_type[target->index].push_back(&command);
            unused.insert(name);
        }
        w_.Run("vkDeviceWaitIdle");
        std::map<int, size_t> turn;
        for (bool of_device : {true, false}) {
            for (auto i = w_.created.rbegin(); i != w_.created.rend(); ++i) {
                const auto found = by_type.find(i->type);
                if (found == by_type.end()) continue;
                const Command& command = *found->second[turn[i->type]++ % found->second.size()];
                if ((command.level == Level::kDevice) != of_device) continue;
                unused.erase(command.name);
                Destroy(command, i->handle);
                w_.Remove(i->type, i->handle);
            }
            for (const std::string& name : unused) {
                const Command& command = *FindCommand(name);
                if ((command.level == Level::kDevice) == of_device) Destroy(command, 0);
            }
            if (of_device) {
                w_.Run("vkDestroyDevice");
                w_.device = VK_NULL_HANDLE;
            }
        }
        w_.Run("vkDestroyInstance");
    }

    void Destroy(const Command& command, uint64_t handle) {
        w_.Run(command.name, [&](Call& c) {
            for (uint32_t p = 1; p < command.parameter_count; ++p) {
                const Field& field = command.parameters[p];
                if (field.counts) c.slots[p] = handle ? 1 : 0;
                // Command buffers and sets come as arrays.
                if (field.kind == Kind::kHandle &&
                    (p + 1 == command.parameter_count || command.parameters[p + 1].kind == Kind::kAllocator))
                    c.slots[p] = field.pointers ? Number(&handle) : handle;
            }
        });
    }

    mock::Driver* driver_;
    uint32_t pairs_;
    std::string only_;
    World w_;
    Arena kept_;
    std::vector<VkExtensionProperties> instance_extensions_, device_extensions_;
};

std::optional<std::string> Configuration(const std::string& kind) {
    std::string names[2];
    for (uint32_t i = 0; i < kExtensionCount; ++i) {
        std::string& list = names[kExtensions[i].is_device ? 1 : 0];
        list += (list.empty() ? "\"" : ", \"") + std::string(kExtensions[i].name) + "\"";
    }
    if (kind == "all")
        return "{\"instanceExtensions\": [" + names[0] + "], \"devices\": [{\"extensions\": [" + names[1] + "]}]}";
    if (kind == "old") return R"({"apiVersion": "1.1.0", "devices": [{"apiVersion": "1.0.0"}]})";
    return kind == "plain" ? std::optional<std::string>("{}") : std::nullopt;
}

}  // namespace
}  // namespace whole_api

int main(int argc, char** argv) {
    std::string device = "plain";
    std::string only;
    uint64_t seed = 0;
    uint32_t pairs = 1;
    for (int i = 1; i < argc; i += 2) {
        const std::string option = argv[i];
        const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (option == "--device" && value && whole_api::Configuration(value)) {
            device = value;
        } else if (option == "--only" && value && whole_api::FindCommand(value)) {
            only = value;
        } else if (option == "--seed" && value) {
            seed = std::strtoull(value, nullptr, 10);
        } else if (option == "--pairs" && value) {
            pairs = static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
        } else {
            std::fprintf(stderr,
                         "usage: kronos_whole_api [--device plain|all|old] [--seed N] [--pairs N] [--only COMMAND]\n"
                         "not understood: %s %s\n",
                         argv[i], value ? value : "");
            return 2;
        }
    }
    try {
        mock::Driver driver;
        for (const std::string& complaint : driver.Use(*whole_api::Configuration(device)))
            throw std::runtime_error("the mock driver: " + complaint);
        whole_api::Program(&driver, seed, pairs, only).Main(device);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "kronos_whole_api: %s\n", error.what());
        return 1;
    }
    return 0;
}
