// SPDX-License-Identifier: Apache-2.0
// Tests of the mock driver through the real loader: instances, devices, their properties, which commands there are,
// recording and failures.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "selftest_fixture.h"

TEST_F(MockTest, OneDeviceByDefaultWithUsualFeatures) {
    MakeInstance();
    VkPhysicalDeviceVulkan13Features f13 = {};
    f13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
    VkPhysicalDeviceVulkan12Features f12 = {};
    f12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    f12.pNext = &f13;
    VkPhysicalDeviceMeshShaderFeaturesEXT mesh = {};
    mesh.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MESH_SHADER_FEATURES_EXT;
    mesh.pNext = &f12;
    mesh.meshShader = VK_TRUE;
    VkPhysicalDeviceFeatures2 features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &mesh;
    vkGetPhysicalDeviceFeatures2(physical, &features);
    EXPECT_TRUE(features.features.shaderInt64);
    EXPECT_TRUE(f12.timelineSemaphore);
    EXPECT_TRUE(f13.synchronization2);
    EXPECT_FALSE(mesh.meshShader);  // its extension is not there
}

TEST_F(MockTest, ConfiguredDevices) {
    EXPECT_EQ(std::vector<std::string>(), mock.Use(R"({
        "apiVersion": "1.3.200", "deviceGroups": [[0, 2]],
        "devices": [
            {},
            {"name": "Second", "type": "integrated", "vendorID": 4318, "deviceID": 77, "apiVersion": "1.2.3",
             "deviceUUID": "00112233-4455-6677-8899-aabbccddeeff", "driverName": "drv", "driverID": 4,
             "pci": {"domain": 1, "bus": 2, "device": 3, "function": 4},
             "limits": {"nonCoherentAtomSize": 256, "timestampPeriod": 2.5, "bufferImageGranularity": 65536,
                        "maxComputeWorkGroupCount": [7, 8, 9]},
             "properties": {"subgroupSize": 64}, "features": {"timelineSemaphore": false},
             "memoryHeaps": [{"size": 1048576, "deviceLocal": true}],
             "memoryTypes": [{"heap": 0, "flags": ["deviceLocal", "hostVisible"]}],
             "queueFamilies": [{"flags": ["compute", "transfer"], "count": 3, "timestampValidBits": 36}],
             "extensions": ["VK_KHR_timeline_semaphore", "VK_EXT_pci_bus_info"], "bufferAlignment": 512}
        ], "deviceCount": 3})"));
    MakeInstance();
    uint32_t count = 3;
    VkPhysicalDevice devices[3];
    ASSERT_EQ(VK_SUCCESS, vkEnumeratePhysicalDevices(instance, &count, devices));
    ASSERT_EQ(3U, count);
    for (VkPhysicalDevice candidate : devices) {
        VkPhysicalDevicePCIBusInfoPropertiesEXT pci = {};
        pci.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
        VkPhysicalDeviceDriverProperties driver = {};
        driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
        driver.pNext = &pci;
        VkPhysicalDeviceIDProperties id = {};
        id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
        id.pNext = &driver;
        VkPhysicalDeviceSubgroupProperties subgroup = {};
        subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
        subgroup.pNext = &id;
        VkPhysicalDeviceProperties2 p = {};
        p.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
        p.pNext = &subgroup;
        vkGetPhysicalDeviceProperties2(candidate, &p);
        if (std::string(p.properties.deviceName) != "Second") continue;
        physical = candidate;
        EXPECT_EQ(VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, p.properties.deviceType);
        EXPECT_EQ(4318U, p.properties.vendorID);
        EXPECT_EQ(VK_MAKE_API_VERSION(0, 1, 2, 3), p.properties.apiVersion);
        EXPECT_EQ(256U, p.properties.limits.nonCoherentAtomSize);
        EXPECT_EQ(2.5F, p.properties.limits.timestampPeriod);
        EXPECT_EQ(8U, p.properties.limits.maxComputeWorkGroupCount[1]);
        EXPECT_EQ(0xffU, id.deviceUUID[15]);
        EXPECT_STREQ("drv", driver.driverName);
        EXPECT_EQ(4, static_cast<int>(driver.driverID));
        EXPECT_EQ(3U, pci.pciDevice);
        EXPECT_EQ(64U, subgroup.subgroupSize);
    }
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    ASSERT_EQ(1U, memory.memoryTypeCount);
    EXPECT_EQ(1048576U, memory.memoryHeaps[0].size);
    VkQueueFamilyProperties family;
    count = 1;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, &family);
    EXPECT_EQ(3U, family.queueCount);
    EXPECT_EQ(36U, family.timestampValidBits);

    // A feature that is off cannot be enabled.
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
                                                          nullptr, VK_TRUE};
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
    VkDeviceCreateInfo info = {
        VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &timeline, 0, 1, &queue_info, 0, nullptr, 0, nullptr, nullptr};
    EXPECT_EQ(VK_ERROR_FEATURE_NOT_PRESENT, vkCreateDevice(physical, &info, nullptr, &device));
    device = VK_NULL_HANDLE;
    MakeDevice();

    // Heaps are finite, alignments as configured.
    VkDeviceMemory block;
    MakeBuffer(1000, 0, &block);
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device, buffers[0], &needs);
    EXPECT_EQ(512U, needs.alignment);
    EXPECT_EQ(1024U, needs.size);
    const VkMemoryAllocateInfo rest = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 1048576 - 1024, 0};
    ASSERT_EQ(VK_SUCCESS, vkAllocateMemory(device, &rest, nullptr, &block));
    memories.push_back(block);
    const VkMemoryAllocateInfo one = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 1, 0};
    EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, vkAllocateMemory(device, &one, nullptr, &block));

    uint32_t groups = 0;
    ASSERT_EQ(VK_SUCCESS, vkEnumeratePhysicalDeviceGroups(instance, &groups, nullptr));
    EXPECT_EQ(2U, groups);
}

TEST_F(MockTest, BadConfigurationIsExplained) {
    const auto complaints = mock.Use(R"({"devcies": [], "apiVersion": 3, "devices": [{"type": "gpu",
        "limits": {"maxFoo": 1}, "features": {"fly": true}, "bufferAlignment": 3}],
        "fail": [{"command": "vkNope"}]})");
    ASSERT_EQ(7U, complaints.size());
    for (const std::string& line : complaints) EXPECT_NE(std::string::npos, line.find("allowed: ")) << line;
    EXPECT_EQ(1U, mock.Use("{").size());
}

TEST_F(MockTest, CommandsFollowVersionsAndExtensions) {
    mock.Use(R"({"devices": [{"apiVersion": "1.1.0"}]})");
    MakeInstance(VK_API_VERSION_1_3);
    MakeDevice({"VK_KHR_timeline_semaphore"});
    EXPECT_NE(nullptr, vkGetDeviceProcAddr(device, "vkQueueSubmit"));
    EXPECT_NE(nullptr, vkGetDeviceProcAddr(device, "vkCmdDispatchBase"));
    // Core commands beyond the device's version.
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkWaitSemaphores"));
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkQueueSubmit2"));
    // Enabled and not enabled extensions.
    EXPECT_NE(nullptr, vkGetDeviceProcAddr(device, "vkWaitSemaphoresKHR"));
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkQueueSubmit2KHR"));
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkNoSuchCommand"));
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkGetPhysicalDeviceProperties"));
}

TEST_F(MockTest, InstanceVersionLimitsTheDevice) {
    MakeInstance(VK_API_VERSION_1_1);
    // Push templates come with this extension and descriptor update templates, here from Vulkan 1.1.
    MakeDevice({"VK_KHR_push_descriptor"});
    EXPECT_EQ(nullptr, vkGetDeviceProcAddr(device, "vkWaitSemaphores"));
    EXPECT_NE(nullptr, vkGetDeviceProcAddr(device, "vkCmdPushDescriptorSetWithTemplateKHR"));
}

TEST_F(MockTest, UnknownExtensionIsRefused) {
    MakeInstance();
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
    const char* name = "VK_EXT_mesh_shader";
    VkDeviceCreateInfo info = {
        VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, nullptr, 0, 1, &queue_info, 0, nullptr, 1, &name, nullptr};
    VkDevice refused;
    EXPECT_EQ(VK_ERROR_EXTENSION_NOT_PRESENT, vkCreateDevice(physical, &info, nullptr, &refused));
}

TEST_F(MockTest, CallsFailWhenTold) {
    MakeDevice();
    EXPECT_EQ(0, mock.Fail("vkCmdDispatch", 1, VK_ERROR_DEVICE_LOST));
    ASSERT_EQ(1, mock.Fail("vkAllocateMemory", 2, VK_ERROR_OUT_OF_DEVICE_MEMORY));
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 64, 0};
    for (const VkResult expected : {VK_SUCCESS, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_SUCCESS}) {
        VkDeviceMemory memory = VK_NULL_HANDLE;
        EXPECT_EQ(expected, vkAllocateMemory(device, &info, nullptr, &memory));
        if (expected == VK_SUCCESS) memories.push_back(memory);
    }
    ASSERT_EQ(1, mock.Fail("vkQueueSubmit2KHR", 0, VK_ERROR_DEVICE_LOST));  // the alias counts too
    EXPECT_EQ(VK_ERROR_DEVICE_LOST, Submit(queue, {}));
    EXPECT_EQ(VK_ERROR_DEVICE_LOST, Submit(queue, {}));
    mock.ClearFailures();
    EXPECT_EQ(VK_SUCCESS, Submit(queue, {}));
}

TEST_F(MockTest, RecordsLinesWithSmallIds) {
    mock.SetMode(kMockModeFull);
    MakeDevice();
    VkCommandBuffer first = MakeCommandBuffer();
    VkCommandBuffer second = MakeCommandBuffer();
    Begin(first);
    mock.ClearCalls();
    vkCmdDispatch(first, 1, 2, 3);
    EXPECT_EQ(VK_SUCCESS, vkEndCommandBuffer(first));
    MakeFence();
    std::thread([&] { MakeFence(VK_FENCE_CREATE_SIGNALED_BIT); }).join();
    const auto calls = mock.Calls();
    ASSERT_EQ(4U, calls.size());
    EXPECT_EQ("vkCmdDispatch cb#1 1 2 3", calls[0].text);
    EXPECT_EQ("vkEndCommandBuffer cb#1", calls[1].text);
    EXPECT_EQ("vkCreateFence dev#1 {flags=0} = fence#1", calls[2].text);
    EXPECT_EQ("vkCreateFence dev#1 {flags=0x1} = fence#2", calls[3].text);
    EXPECT_EQ(1U, calls[2].thread);
    EXPECT_EQ(2U, calls[3].thread);
    EXPECT_EQ(1U, mock.Calls("vkCmdDispatch"));
    EXPECT_EQ(2U, mock.Calls("vkCreateFence"));
    mock.SetMode(kMockModeOff);
    Begin(second);
    vkCmdDispatch(second, 1, 1, 1);
    EXPECT_EQ(VK_SUCCESS, vkEndCommandBuffer(second));
    EXPECT_EQ(1U, mock.Calls("vkCmdDispatch"));
}

// Run by the next test in a process of its own, with the environment set.
TEST_F(MockTest, DISABLED_EnvironmentChild) {
    MakeDevice();
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    EXPECT_STREQ("From the file", properties.deviceName);
    VkCommandBuffer buffer = MakeCommandBuffer();
    Begin(buffer);
    vkCmdDispatch(buffer, 3, 2, 1);
    EXPECT_EQ(VK_SUCCESS, vkEndCommandBuffer(buffer));
    EXPECT_EQ(VK_ERROR_OUT_OF_HOST_MEMORY, vkResetCommandBuffer(buffer, 0));
}

TEST_F(MockTest, EnvironmentConfiguresAndRecords) {
    const std::string base = ::testing::TempDir() + "kronos_mock_" + std::to_string(getpid());
    std::ofstream(base + ".json") << R"({"devices": [{"name": "From the file"}], "colour": "red",
        "fail": [{"command": "vkResetCommandBuffer", "call": 1, "result": "VK_ERROR_OUT_OF_HOST_MEMORY"}]})";
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    const std::string command = "MOCK_ICD_CONFIG=" + base + ".json MOCK_ICD_RECORD=" + base + ".txt '" + program +
                                "' --gtest_also_run_disabled_tests --gtest_filter='*EnvironmentChild' > " + base +
                                ".out 2> " + base + ".err";
    EXPECT_EQ(0, std::system(command.c_str())) << command;
    const auto read = [&](const char* extension) {
        std::stringstream text;
        text << std::ifstream(base + extension).rdbuf();
        std::filesystem::remove(base + extension);
        return text.str();
    };
    const std::string lines = read(".txt");
    EXPECT_NE(std::string::npos, lines.find("\nvkCmdDispatch cb#1 3 2 1\nvkEndCommandBuffer cb#1\n")) << lines;
    EXPECT_NE(std::string::npos, lines.find("\nvkResetCommandBuffer cb#1 0 = VK_ERROR_OUT_OF_HOST_MEMORY\n"));
    EXPECT_NE(std::string::npos, lines.find("\nvkDestroyInstance instance#1\n"));
    const std::string complaint = read(".err");
    EXPECT_NE(std::string::npos, complaint.find("unknown key colour; allowed: ")) << complaint;
    read(".out");
    read(".json");
}

TEST_F(MockTest, AliasesKeepTheirNames) {
    mock.SetMode(kMockModeFull);
    MakeDevice({"VK_KHR_synchronization2"});
    mock.ClearCalls();
    DeviceProc<PFN_vkQueueSubmit2>("vkQueueSubmit2KHR")(queue, 0, nullptr, VK_NULL_HANDLE);
    EXPECT_EQ(VK_SUCCESS, QueueSubmit2(queue, 0, nullptr, VK_NULL_HANDLE));
    EXPECT_EQ(1U, mock.Count("vkQueueSubmit2KHR", 0));
    EXPECT_EQ(1U, mock.Count("vkQueueSubmit2", 0));
    EXPECT_EQ(2U, mock.Count("vkQueueSubmit2", 1));
    EXPECT_EQ("vkQueueSubmit2KHR queue#1 0 null null", mock.Calls()[0].text);
}

TEST_F(MockTest, ThousandInstancesAndDevices) {
    constexpr uint64_t kTimes = 1000 / KRONOS_TEST_SHARE;
    for (uint64_t i = 0; i < kTimes; ++i) {
        MakeDevice({}, nullptr, 1);
        ASSERT_NE(VK_NULL_HANDLE, device);
        if (i % 100 == 0) {
            VkFence fence = MakeFence();
            ASSERT_EQ(VK_SUCCESS, Submit(queue, {}, fence));
            ASSERT_EQ(VK_SUCCESS, vkWaitForFences(device, 1, &fence, VK_TRUE, UINT64_MAX));
            vkDestroyFence(device, fence, nullptr);
            fences.clear();
        }
        vkDestroyCommandPool(device, pool, nullptr);
        vkDestroyDevice(device, nullptr);
        vkDestroyInstance(instance, nullptr);
        device = VK_NULL_HANDLE;
        instance = VK_NULL_HANDLE;
    }
    EXPECT_EQ(kTimes, mock.Calls("vkDestroyDevice"));
}

TEST_F(MockTest, MistakesAreReported) {
    expect_clean = false;
    MakeDevice();
    VkFence fence = MakeFence();
    fences.clear();
    vkDestroyFence(device, fence, nullptr);
    vkDestroyFence(device, fence, nullptr);
    ASSERT_EQ(1U, mock.Violations().size());
    EXPECT_NE(std::string::npos, mock.Violations()[0].find("vkDestroyFence"));
    mock.ClearViolations();
    VkCommandBuffer buffer = MakeCommandBuffer();
    vkCmdDispatch(buffer, 1, 1, 1);
    ASSERT_EQ(1U, mock.Violations().size());
    EXPECT_EQ("vkCmdDispatch: cb#1 is not recording", mock.Violations()[0]);
    mock.ClearViolations();
    MakeFence();
    fences.clear();
    vkDestroyCommandPool(device, pool, nullptr);
    vkDestroyDevice(device, nullptr);
    device = VK_NULL_HANDLE;
    ASSERT_EQ(1U, mock.Violations().size());
    EXPECT_EQ("vkDestroyDevice: dev#1 still has fence#2", mock.Violations()[0]);
    // What was leaked is gone with its device.
    for (const std::string& name : mock.LiveObjects()) EXPECT_EQ(std::string::npos, name.find("fence")) << name;
}

TEST_F(MockTest, PrivateDataAndMemoryBudget) {
    MakeDevice();
    const VkPrivateDataSlotCreateInfo info = {VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO, nullptr, 0};
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    ASSERT_EQ(VK_SUCCESS,
              DeviceProc<PFN_vkCreatePrivateDataSlot>("vkCreatePrivateDataSlot")(device, &info, nullptr, &slot));
    const auto object = reinterpret_cast<uint64_t>(MakeFence());
    EXPECT_EQ(VK_SUCCESS,
              DeviceProc<PFN_vkSetPrivateData>("vkSetPrivateData")(device, VK_OBJECT_TYPE_FENCE, object, slot, 42));
    uint64_t data = 0;
    DeviceProc<PFN_vkGetPrivateData>("vkGetPrivateData")(device, VK_OBJECT_TYPE_FENCE, object, slot, &data);
    EXPECT_EQ(42U, data);
    DeviceProc<PFN_vkDestroyPrivateDataSlot>("vkDestroyPrivateDataSlot")(device, slot, nullptr);

    VkDeviceMemory memory;
    MakeBuffer(4096, 1, &memory);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {};
    budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
    VkPhysicalDeviceMemoryProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
    properties.pNext = &budget;
    vkGetPhysicalDeviceMemoryProperties2(physical, &properties);
    EXPECT_EQ(4096U, budget.heapUsage[1]);
}

TEST_F(MockTest, MappedRangesAndFreesAreWatched) {
    mock.Use(R"({"devices": [{"limits": {"nonCoherentAtomSize": 64}}]})");
    MakeInstance();
    MakeDevice();
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, 1000, 1};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    ASSERT_EQ(VK_SUCCESS, vkAllocateMemory(device, &info, nullptr, &memory));
    const auto complaints = [&](VkDeviceSize offset, VkDeviceSize size) {
        const VkMappedMemoryRange range = {VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory, offset, size};
        EXPECT_EQ(VK_SUCCESS, vkFlushMappedMemoryRanges(device, 1, &range));
        EXPECT_EQ(VK_SUCCESS, vkInvalidateMappedMemoryRanges(device, 1, &range));
        const size_t count = mock.Violations().size();
        mock.ClearViolations();
        return count;
    };
    void* data = nullptr;
    EXPECT_EQ(2U, complaints(0, 64));  // not mapped
    ASSERT_EQ(VK_SUCCESS, vkMapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, &data));
    for (const auto& [offset, size] : {std::pair{0, 1000}, {64, 936}, {0, 128}, {960, 40}}) {
        EXPECT_EQ(0U, complaints(offset, size)) << offset << ' ' << size;
    }
    EXPECT_EQ(0U, complaints(128, VK_WHOLE_SIZE));
    for (const auto& [offset, size] : {std::pair{0, 999}, {1, 999}, {0, 1024}, {960, 64}, {1024, 0}, {32, 64}}) {
        EXPECT_EQ(2U, complaints(offset, size)) << offset << ' ' << size;
    }
    vkUnmapMemory(device, memory);
    ASSERT_EQ(VK_SUCCESS, vkMapMemory(device, memory, 64, 100, 0, &data));
    EXPECT_EQ(0U, complaints(64, 64));
    EXPECT_EQ(2U, complaints(64, 128));            // beyond the mapping
    EXPECT_EQ(2U, complaints(0, 64));              // before it
    EXPECT_EQ(2U, complaints(64, VK_WHOLE_SIZE));  // its end is no multiple, nor the memory's end
    vkUnmapMemory(device, memory);
    std::vector<VkDeviceMemory> freed;
    mock.OnFree([&](VkDeviceMemory one) { freed.push_back(one); });
    vkFreeMemory(device, memory, nullptr);
    mock.OnFree(nullptr);
    EXPECT_EQ(std::vector{memory}, freed);
}
