// SPDX-License-Identifier: Apache-2.0
// The default device: a plain discrete GPU with compute extensions, its limits and properties by member name.
#include <utility>

#include "config.h"

namespace mock {
namespace {

struct DefaultRow {
    const char* name;
    std::vector<double> values;
};

// Plausible figures of a discrete GPU; members that are not named here are 0.
const std::vector<DefaultRow>& Rows() {
    static const auto* rows = new std::vector<DefaultRow>{
        {"maxImageDimension1D", {16384}},
        {"maxImageDimension2D", {16384}},
        {"maxImageDimension3D", {2048}},
        {"maxImageDimensionCube", {16384}},
        {"maxImageArrayLayers", {2048}},
        {"maxTexelBufferElements", {134217728}},
        {"maxUniformBufferRange", {65536}},
        {"maxStorageBufferRange", {4294967295.0}},
        {"maxPushConstantsSize", {256}},
        {"maxMemoryAllocationCount", {4096}},
        {"maxSamplerAllocationCount", {4000}},
        {"bufferImageGranularity", {1024}},
        {"sparseAddressSpaceSize", {1099511627776.0}},
        {"maxBoundDescriptorSets", {32}},
        {"maxPerStageDescriptorSamplers", {1048576}},
        {"maxPerStageDescriptorUniformBuffers", {1048576}},
        {"maxPerStageDescriptorStorageBuffers", {1048576}},
        {"maxPerStageDescriptorSampledImages", {1048576}},
        {"maxPerStageDescriptorStorageImages", {1048576}},
        {"maxPerStageDescriptorInputAttachments", {1048576}},
        {"maxPerStageResources", {4294967295.0}},
        {"maxDescriptorSetSamplers", {1048576}},
        {"maxDescriptorSetUniformBuffers", {1048576}},
        {"maxDescriptorSetUniformBuffersDynamic", {15}},
        {"maxDescriptorSetStorageBuffers", {1048576}},
        {"maxDescriptorSetStorageBuffersDynamic", {16}},
        {"maxDescriptorSetSampledImages", {1048576}},
        {"maxDescriptorSetStorageImages", {1048576}},
        {"maxDescriptorSetInputAttachments", {1048576}},
        {"maxVertexInputAttributes", {32}},
        {"maxVertexInputBindings", {32}},
        {"maxVertexInputAttributeOffset", {2047}},
        {"maxVertexInputBindingStride", {2048}},
        {"maxVertexOutputComponents", {128}},
        {"maxTessellationGenerationLevel", {64}},
        {"maxTessellationPatchSize", {32}},
        {"maxTessellationControlPerVertexInputComponents", {128}},
        {"maxTessellationControlPerVertexOutputComponents", {128}},
        {"maxTessellationControlPerPatchOutputComponents", {120}},
        {"maxTessellationControlTotalOutputComponents", {4216}},
        {"maxTessellationEvaluationInputComponents", {128}},
        {"maxTessellationEvaluationOutputComponents", {128}},
        {"maxGeometryShaderInvocations", {32}},
        {"maxGeometryInputComponents", {128}},
        {"maxGeometryOutputComponents", {128}},
        {"maxGeometryOutputVertices", {1024}},
        {"maxGeometryTotalOutputComponents", {1024}},
        {"maxFragmentInputComponents", {128}},
        {"maxFragmentOutputAttachments", {8}},
        {"maxFragmentDualSrcAttachments", {1}},
        {"maxFragmentCombinedOutputResources", {4294967295.0}},
        {"maxComputeSharedMemorySize", {49152}},
        {"maxComputeWorkGroupCount", {2147483647, 65535, 65535}},
        {"maxComputeWorkGroupInvocations", {1024}},
        {"maxComputeWorkGroupSize", {1024, 1024, 64}},
        {"subPixelPrecisionBits", {8}},
        {"subTexelPrecisionBits", {8}},
        {"mipmapPrecisionBits", {8}},
        {"maxDrawIndexedIndexValue", {4294967295.0}},
        {"maxDrawIndirectCount", {4294967295.0}},
        {"maxSamplerLodBias", {15}},
        {"maxSamplerAnisotropy", {16}},
        {"maxViewports", {16}},
        {"maxViewportDimensions", {16384, 16384}},
        {"viewportBoundsRange", {-32768, 32767}},
        {"viewportSubPixelBits", {8}},
        {"minMemoryMapAlignment", {64}},
        {"minTexelBufferOffsetAlignment", {16}},
        {"minUniformBufferOffsetAlignment", {64}},
        {"minStorageBufferOffsetAlignment", {16}},
        {"minTexelOffset", {-8}},
        {"maxTexelOffset", {7}},
        {"minTexelGatherOffset", {-32}},
        {"maxTexelGatherOffset", {31}},
        {"minInterpolationOffset", {-0.5}},
        {"maxInterpolationOffset", {0.4375}},
        {"subPixelInterpolationOffsetBits", {4}},
        {"maxFramebufferWidth", {16384}},
        {"maxFramebufferHeight", {16384}},
        {"maxFramebufferLayers", {2048}},
        {"framebufferColorSampleCounts", {15}},
        {"framebufferDepthSampleCounts", {15}},
        {"framebufferStencilSampleCounts", {15}},
        {"framebufferNoAttachmentsSampleCounts", {15}},
        {"maxColorAttachments", {8}},
        {"sampledImageColorSampleCounts", {15}},
        {"sampledImageIntegerSampleCounts", {15}},
        {"sampledImageDepthSampleCounts", {15}},
        {"sampledImageStencilSampleCounts", {15}},
        {"storageImageSampleCounts", {15}},
        {"maxSampleMaskWords", {1}},
        {"timestampComputeAndGraphics", {1}},
        {"timestampPeriod", {1}},
        {"maxClipDistances", {8}},
        {"maxCullDistances", {8}},
        {"maxCombinedClipAndCullDistances", {8}},
        {"discreteQueuePriorities", {2}},
        {"pointSizeRange", {1, 2047}},
        {"lineWidthRange", {1, 64}},
        {"pointSizeGranularity", {0.0625}},
        {"lineWidthGranularity", {0.0625}},
        {"strictLines", {1}},
        {"standardSampleLocations", {1}},
        {"optimalBufferCopyOffsetAlignment", {1}},
        {"optimalBufferCopyRowPitchAlignment", {1}},
        {"nonCoherentAtomSize", {64}},
        // Beyond the limits of Vulkan 1.0, by the names of both the core and the extension structures.
        {"deviceNodeMask", {1}},
        {"subgroupSize", {32}},
        {"supportedStages", {VK_SHADER_STAGE_ALL}},
        {"subgroupSupportedStages", {VK_SHADER_STAGE_ALL}},
        {"supportedOperations", {255}},
        {"subgroupSupportedOperations", {255}},
        {"quadOperationsInAllStages", {1}},
        {"subgroupQuadOperationsInAllStages", {1}},
        {"minSubgroupSize", {32}},
        {"maxSubgroupSize", {32}},
        {"maxComputeWorkgroupSubgroups", {64}},
        {"requiredSubgroupSizeStages", {VK_SHADER_STAGE_COMPUTE_BIT}},
        {"maxMultiviewViewCount", {32}},
        {"maxMultiviewInstanceIndex", {134217727}},
        {"maxPerSetDescriptors", {1048576}},
        {"maxMemoryAllocationSize", {17179869184.0}},
        {"maxBufferSize", {17179869184.0}},
        {"maxTimelineSemaphoreValueDifference", {2147483647}},
        {"maxPushDescriptors", {32}},
        {"maxInlineUniformBlockSize", {256}},
        {"maxPerStageDescriptorInlineUniformBlocks", {32}},
        {"maxDescriptorSetInlineUniformBlocks", {32}},
        {"maxInlineUniformTotalSize", {8192}},
        {"maxUpdateAfterBindDescriptorsInAllPools", {4294967295.0}},
        {"maxPerStageDescriptorUpdateAfterBindStorageBuffers", {1048576}},
        {"maxPerStageDescriptorUpdateAfterBindUniformBuffers", {1048576}},
        {"maxDescriptorSetUpdateAfterBindStorageBuffers", {1048576}},
        {"maxDescriptorSetUpdateAfterBindUniformBuffers", {1048576}},
        {"maxDescriptorSetUpdateAfterBindStorageBuffersDynamic", {16}},
        {"maxDescriptorSetUpdateAfterBindUniformBuffersDynamic", {15}},
        {"maxPerStageUpdateAfterBindResources", {4294967295.0}},
        {"storageTexelBufferOffsetAlignmentBytes", {16}},
        {"uniformTexelBufferOffsetAlignmentBytes", {16}},
        {"minImportedHostPointerAlignment", {4096}},
        {"conformanceVersion", {1, 4, 0, 0}},
        {"pciDomain", {0}},
        {"pciBus", {1}},
        {"pciDevice", {0}},
        {"pciFunction", {0}},
    };
    return *rows;
}

PropertyValue Text(std::string text) {
    PropertyValue value;
    value.text = std::move(text);
    return value;
}

}  // namespace

const std::map<std::string, PropertyValue>& DefaultProperties() {
    static const auto* properties = [] {
        auto* map = new std::map<std::string, PropertyValue>;
        for (const DefaultRow& row : Rows()) {
            PropertyValue value;
            for (double real : row.values) {
                value.reals.push_back(real);
                value.numbers.push_back(real < 0 ? static_cast<uint64_t>(static_cast<int64_t>(real))
                                                 : static_cast<uint64_t>(real));
            }
            (*map)[row.name] = value;
        }
        return map;
    }();
    return *properties;
}

DeviceConfig DefaultDevice(uint32_t index) {
    DeviceConfig d;
    if (index > 0) d.name += " " + std::to_string(index + 1);
    d.device_id = 1 + index;
    PropertyValue uuid;
    for (const char c : std::string("KRONOSMOCK-GPU-")) uuid.numbers.push_back(static_cast<uint8_t>(c));
    uuid.numbers.push_back(index);
    d.properties["deviceUUID"] = uuid;
    d.properties["pipelineCacheUUID"] = uuid;
    PropertyValue driver_uuid;
    for (const char c : std::string("KRONOSMOCKDRIVER")) driver_uuid.numbers.push_back(static_cast<uint8_t>(c));
    d.properties["driverUUID"] = driver_uuid;
    d.properties["driverName"] = Text("kronos-mock");
    d.properties["driverInfo"] = Text("mock driver for tests");
    PropertyValue bus;
    bus.numbers = {1 + index};
    bus.reals = {1.0 + index};
    d.properties["pciBus"] = bus;
    constexpr uint64_t kGiB = 1ULL << 30;
    d.heaps = {{16 * kGiB, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT}, {32 * kGiB, 0}};
    constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    constexpr VkMemoryPropertyFlags kCoherent =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    d.types = {
        {kLocal, 0}, {kCoherent, 1}, {kCoherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1}, {kLocal | kCoherent, 0}};
    constexpr VkQueueFlags kCompute = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
    d.families = {{VK_QUEUE_GRAPHICS_BIT | kCompute | VK_QUEUE_SPARSE_BINDING_BIT, 4, 64, {1, 1, 1}},
                  {kCompute, 4, 64, {1, 1, 1}},
                  {VK_QUEUE_TRANSFER_BIT, 2, 64, {1, 1, 1}}};
    d.extensions = {
        "VK_KHR_16bit_storage",
        "VK_KHR_8bit_storage",
        "VK_KHR_bind_memory2",
        "VK_KHR_buffer_device_address",
        "VK_KHR_calibrated_timestamps",
        "VK_KHR_copy_commands2",
        "VK_KHR_create_renderpass2",
        "VK_KHR_dedicated_allocation",
        "VK_KHR_descriptor_update_template",
        "VK_KHR_device_group",
        "VK_KHR_driver_properties",
        "VK_KHR_get_memory_requirements2",
        "VK_KHR_maintenance1",
        "VK_KHR_maintenance2",
        "VK_KHR_maintenance3",
        "VK_KHR_maintenance4",
        "VK_KHR_maintenance5",
        "VK_KHR_maintenance6",
        "VK_KHR_map_memory2",
        "VK_KHR_push_descriptor",
        "VK_KHR_shader_float16_int8",
        "VK_KHR_storage_buffer_storage_class",
        "VK_KHR_swapchain",
        "VK_KHR_synchronization2",
        "VK_KHR_timeline_semaphore",
        "VK_KHR_vulkan_memory_model",
        "VK_EXT_calibrated_timestamps",
        "VK_EXT_descriptor_indexing",
        "VK_EXT_external_memory_host",
        "VK_EXT_host_query_reset",
        "VK_EXT_inline_uniform_block",
        "VK_EXT_memory_budget",
        "VK_EXT_memory_priority",
        "VK_EXT_pci_bus_info",
        "VK_EXT_private_data",
        "VK_EXT_robustness2",
        "VK_EXT_scalar_block_layout",
        "VK_EXT_subgroup_size_control",
    };
    return d;
}

Config DefaultConfig() {
    Config config;
    config.extensions = {
        "VK_KHR_device_group_creation",
        "VK_KHR_external_fence_capabilities",
        "VK_KHR_external_memory_capabilities",
        "VK_KHR_external_semaphore_capabilities",
        "VK_KHR_get_physical_device_properties2",
        "VK_KHR_get_surface_capabilities2",
        "VK_KHR_surface",
        "VK_EXT_debug_report",
        "VK_EXT_debug_utils",
        "VK_EXT_headless_surface",
    };
    config.devices = {DefaultDevice(0)};
    return config;
}

const PropertyValue* FindProperty(const DeviceConfig& device, const std::string& name) {
    const auto own = device.properties.find(name);
    if (own != device.properties.end()) return &own->second;
    const auto common = DefaultProperties().find(name);
    return common == DefaultProperties().end() ? nullptr : &common->second;
}

uint64_t PropertyNumber(const DeviceConfig& device, const std::string& name) {
    const PropertyValue* value = FindProperty(device, name);
    return value == nullptr || value->numbers.empty() ? 0 : value->numbers[0];
}

}  // namespace mock
