// SPDX-License-Identifier: Apache-2.0
// The list of devices that a program sees: the mock driver with many devices, through the real loader.
#include <atomic>
#include <fstream>
#include <set>

#include "layered.h"

namespace {

using layered::Instance;
using layered::LayerTest;
using layered::SettingMap;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

using Handles = std::vector<VkPhysicalDevice>;

// An integrated GPU, two discrete ones of different size, a processor.
constexpr const char* kFour = R"({"devices": [
    {"name": "igp", "type": "integrated", "memoryHeaps": [{"size": 4294967296, "deviceLocal": true}]},
    {"name": "small", "type": "discrete", "memoryHeaps": [{"size": 8589934592, "deviceLocal": true}],
     "deviceUUID": "4c1b2d3e-0000-0000-0000-000000000001", "pci": {"domain": 0, "bus": 101, "device": 0, "function": 0}},
    {"name": "large", "type": "discrete", "memoryHeaps": [{"size": 17179869184, "deviceLocal": true}],
     "deviceUUID": "4c1b2d3e-0000-0000-0000-000000000002", "pci": {"domain": 0, "bus": 102, "device": 0, "function": 0}},
    {"name": "soft", "type": "cpu", "memoryHeaps": [{"size": 4294967296, "deviceLocal": true}]}]})";

Handles All(const Instance& instance) {
    uint32_t count = 0;
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, nullptr), VK_SUCCESS);
    Handles all(count);
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, all.data()), VK_SUCCESS);
    EXPECT_EQ(count, all.size());
    return all;
}

std::string Name(VkPhysicalDevice device) {
    VkPhysicalDeviceProperties properties = {};
    vkGetPhysicalDeviceProperties(device, &properties);
    return properties.deviceName;
}

std::vector<std::string> Names(const Instance& instance) {
    std::vector<std::string> names;
    for (VkPhysicalDevice device : All(instance)) names.push_back(Name(device));
    return names;
}

std::vector<std::vector<std::string>> Groups(const Instance& instance, const char* command) {
    const auto enumerate =
        reinterpret_cast<PFN_vkEnumeratePhysicalDeviceGroups>(vkGetInstanceProcAddr(instance.handle, command));
    uint32_t count = 0;
    EXPECT_EQ(enumerate(instance.handle, &count, nullptr), VK_SUCCESS);
    VkPhysicalDeviceGroupProperties empty = {};
    empty.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES;
    std::vector<VkPhysicalDeviceGroupProperties> all(count, empty);
    EXPECT_EQ(enumerate(instance.handle, &count, all.data()), VK_SUCCESS);
    std::vector<std::vector<std::string>> names;
    for (const auto& group : all) {
        names.emplace_back();
        for (uint32_t i = 0; i < group.physicalDeviceCount; ++i) names.back().push_back(Name(group.physicalDevices[i]));
        EXPECT_TRUE(group.physicalDeviceCount > 1 || group.subsetAllocation == VK_FALSE);
    }
    return names;
}

class DevicesTest : public LayerTest {
  protected:
    std::vector<std::string> NamesWith(SettingMap settings) {
        settings["stats"] = "off";
        return Names(Instance(true, settings));
    }
    // The lines of the layer's log that hold `text`.
    std::vector<std::string> LogLines(SettingMap settings, const std::string& text) {
        const layered::ScratchFile log;
        settings["stats"] = "off";
        settings["log_file"] = log.path();
        Names(Instance(true, settings));
        std::vector<std::string> lines;
        std::ifstream file(log.path());
        for (std::string line; std::getline(file, line);)
            if (line.find(text) != std::string::npos) lines.push_back(line);
        return lines;
    }
};

TEST_F(DevicesTest, HardwareByScoreWithoutAsking) {
    mock.Use(kFour);
    EXPECT_THAT(NamesWith({}), ElementsAre("large", "small", "igp"));
    EXPECT_THAT(NamesWith({{"prefer_hardware", "0"}}), ElementsAre("large", "small", "igp", "soft"));
    EXPECT_THAT(LogLines({{"log_level", "info"}}, "kronos: device "),
                ElementsAre(HasSubstr("device 0 (large, "), HasSubstr("device 1 (small, "),
                            AllOf(HasSubstr("device 2 (igp, "), HasSubstr("shown as 2; score 104: integrated, 4 GiB")),
                            AllOf(HasSubstr("device 3 (soft, "), HasSubstr("hidden; software, and there is large"))));
}

TEST_F(DevicesTest, LeftAloneTheListIsTheLoaders) {
    mock.Use(kFour);
    const std::vector<std::string> without = Names(Instance(false));
    EXPECT_THAT(without, SizeIs(4));
    for (const char* preset : {"safe", "observe"})
        EXPECT_EQ(NamesWith({{"preset", preset}, {"log_level", "warn"}}), without) << preset;
    EXPECT_EQ(NamesWith({{"prefer_hardware", "0"}, {"collapse_drivers", "0"}, {"device_order", "driver"}}), without);
}

TEST_F(DevicesTest, Selects) {
    mock.Use(kFour);
    EXPECT_THAT(NamesWith({{"device", "igp,large"}}), ElementsAre("igp", "large"));
    EXPECT_THAT(NamesWith({{"device", "1"}}), ElementsAre("small"));
    EXPECT_THAT(NamesWith({{"device", "cpu"}}), ElementsAre("soft"));
    EXPECT_THAT(NamesWith({{"device", "!discrete"}}), ElementsAre("igp"));
    EXPECT_THAT(NamesWith({{"device", "uuid:4c1b2d3e000000000000000000000002"}}), ElementsAre("large"));
    EXPECT_THAT(NamesWith({{"device", "4c1b2d3e"}}), ElementsAre("large", "small"));
    EXPECT_THAT(NamesWith({{"device", "65:00.0"}}), ElementsAre("small"));
    EXPECT_THAT(NamesWith({{"device", "0000:66:00.0,pci:65:0.0"}}), ElementsAre("large", "small"));
    EXPECT_THAT(NamesWith({{"device_rules", "kronos_layer_*=small; *=igp"}}), ElementsAre("small"));
    EXPECT_THAT(NamesWith({{"device_rules", "other=small; *=igp"}}), ElementsAre("igp"));
    const Instance none(true, {{"stats", "off"}, {"device", "nothing"}, {"device_unmatched", "none"}});
    uint32_t count = 1;
    EXPECT_EQ(vkEnumeratePhysicalDevices(none.handle, &count, nullptr), VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(vkEnumeratePhysicalDeviceGroups(none.handle, &count, nullptr), VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(DevicesTest, OneGpuBehindTwoDrivers) {
    mock.Use(R"({"devices": [
        {"name": "young", "type": "discrete", "driverID": 23, "driverName": "NVK", "deviceID": 7, "pci": {"domain": 0, "bus": 1, "device": 0, "function": 0}},
        {"name": "old", "type": "discrete", "driverID": 4, "driverName": "NVIDIA", "deviceID": 7, "pci": {"domain": 0, "bus": 1, "device": 0, "function": 0}}]})");
    EXPECT_THAT(NamesWith({}), ElementsAre("old"));
    EXPECT_THAT(NamesWith({{"collapse_drivers", "0"}}), SizeIs(2));
    EXPECT_THAT(NamesWith({{"device", "driver:nvk"}}), ElementsAre("young"));
    EXPECT_THAT(NamesWith({{"aggregate_icd", "0"}}), SizeIs(1));
}

// Whatever there is, from 2 to 16 devices of every type: what is shown is the driver's, without doubles, in the same
// order each time, and each device can be made.
TEST_F(DevicesTest, ManyDevicesOfEveryType) {
    const char* types[] = {"other", "integrated", "discrete", "virtual", "cpu"};
    for (size_t count = 2; count <= 16; count += KRONOS_TEST_SHARE) {
        std::string devices;
        for (size_t i = 0; i < count; ++i)
            devices += std::string(i ? "," : "") + R"({"name": "d)" + std::to_string(i) + R"(", "type": ")" +
                       types[(i * count + i) % 5] + R"("})";
        mock.Use((R"({"devices": [)" + devices + "]}").c_str());
        for (const SettingMap& settings :
             {SettingMap{}, SettingMap{{"prefer_hardware", "0"}}, SettingMap{{"device", "!0"}},
              SettingMap{{"device_order", "driver"}, {"prefer_hardware", "0"}, {"collapse_drivers", "0"}}}) {
            const Instance instance(true, SettingMap(settings));
            const Instance plain(false);
            const std::vector<std::string> names = Names(instance), all = Names(plain);
            ASSERT_THAT(names, ::testing::Not(IsEmpty()));
            EXPECT_EQ(Names(instance), names);
            EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
            for (const std::string& name : names) EXPECT_THAT(all, ::testing::Contains(name));
            if (settings == SettingMap{{"prefer_hardware", "0"}}) {
                EXPECT_THAT(names, UnorderedElementsAreArray(all));
            }
            std::vector<std::string> grouped;
            for (const auto& group : Groups(instance, "vkEnumeratePhysicalDeviceGroups"))
                grouped.insert(grouped.end(), group.begin(), group.end());
            // Above all layers the loader sorts groups, and groups alone, once more.
            EXPECT_THAT(grouped, UnorderedElementsAreArray(names));
        }
    }
    const Instance instance(true, ToFile());
    for (uint32_t i = 0; i < All(instance).size(); ++i) {
        const float priority = 1;
        const VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, nullptr, 0, 0, 1, &priority};
        VkDeviceCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        VkDevice device = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateDevice(instance.Physical(i), &info, nullptr, &device), VK_SUCCESS);
        vkDestroyDevice(device, nullptr);
    }
}

TEST_F(DevicesTest, CountsAsVulkanCounts) {
    mock.Use(kFour);
    const Instance instance(true, {{"stats", "off"}});
    const Handles all = All(instance);
    ASSERT_THAT(all, SizeIs(3));
    Handles some(4, VK_NULL_HANDLE);
    uint32_t count = 2;
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, some.data()), VK_INCOMPLETE);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(some[0], all[0]);
    EXPECT_EQ(some[1], all[1]);
    EXPECT_EQ(some[2], VkPhysicalDevice{VK_NULL_HANDLE});
    count = 0;
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, some.data()), VK_INCOMPLETE);
    EXPECT_EQ(count, 0u);
    count = 4;
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, some.data()), VK_SUCCESS);
    EXPECT_EQ(count, 3u);
    VkPhysicalDeviceGroupProperties group = {};
    group.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES;
    count = 1;
    EXPECT_EQ(vkEnumeratePhysicalDeviceGroups(instance.handle, &count, &group), VK_INCOMPLETE);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(group.physicalDevices[0], all[0]);
}

TEST_F(DevicesTest, GroupsAgreeWithTheList) {
    std::string text = kFour;
    text.insert(text.rfind('}'), R"(, "deviceGroups": [[1, 2], [0, 3]])");
    mock.Use(text.c_str());
    const Instance instance(true, {{"stats", "off"}}, VK_API_VERSION_1_3,
                            {VK_KHR_DEVICE_GROUP_CREATION_EXTENSION_NAME});
    ASSERT_EQ(instance.result, VK_SUCCESS);
    EXPECT_THAT(Names(instance), ElementsAre("large", "small", "igp"));
    for (const char* command : {"vkEnumeratePhysicalDeviceGroups", "vkEnumeratePhysicalDeviceGroupsKHR"})
        EXPECT_THAT(Groups(instance, command),
                    ElementsAre(::testing::UnorderedElementsAre("large", "small"), ElementsAre("igp")))
            << command;
    const Instance one(true, {{"stats", "off"}, {"device", "small"}});
    EXPECT_THAT(Groups(one, "vkEnumeratePhysicalDeviceGroups"), ElementsAre(ElementsAre("small")));
}

TEST_F(DevicesTest, AFailureIsTheDriversAndIsNotRemembered) {
    mock.Use(kFour);
    const Instance instance(true, {{"stats", "off"}});
    mock.Fail("vkEnumeratePhysicalDevices", 0, VK_ERROR_OUT_OF_HOST_MEMORY);
    uint32_t count = 7;
    const VkResult without = [&] {
        const Instance plain(false);
        uint32_t ignored = 0;
        return vkEnumeratePhysicalDevices(plain.handle, &ignored, nullptr);
    }();
    EXPECT_EQ(vkEnumeratePhysicalDevices(instance.handle, &count, nullptr), without);
    mock.ClearFailures();
    EXPECT_THAT(Names(instance), ElementsAre("large", "small", "igp"));
}

TEST_F(DevicesTest, AProgramOfTheFirstVersionIsServedToo) {
    mock.Use(kFour);
    const Instance instance(true, {{"stats", "off"}}, VK_API_VERSION_1_0);
    EXPECT_THAT(Names(instance), ElementsAre("large", "small", "igp"));
}

TEST_F(DevicesTest, ManyThreadsSeeOneList) {
    mock.Use(kFour);
    const Instance instance(true, {{"stats", "off"}});
    std::vector<Handles> seen(8);
    std::vector<std::thread> threads;
    for (Handles& list : seen) threads.emplace_back([&] { list = All(instance); });
    for (std::thread& thread : threads) thread.join();
    for (const Handles& list : seen) EXPECT_EQ(list, seen[0]);
    EXPECT_THAT(seen[0], SizeIs(3));
}

TEST_F(DevicesTest, EachBadSelectorIsOneLineAndTheProgramRuns) {
    mock.Use(kFour);
    const char* bad[] = {"nothing",    "7",        "4000000",      "-",           "!",         ",",
                         "0,,1",       "type:gpu", "type:",        "index:one",   "index:-1",  "uuid:12",
                         "uuid:zz",    "ffffffff", "GPU-ffffffff", "pci:1",       "pci:65",    "99:00.0",
                         "65:00.9",    "driver:",  "driver:none",  "vendor:none", "vendor:",   "name:",
                         "colour:red", "a:b:c",    "!*",           "!0,!1,!2",    "small,x,y", "nothing,type:x,:",
                         "virtual",    "*none*"};
    static_assert(std::size(bad) >= 30);
    for (const char* selector : bad) {
        const std::vector<std::string> lines = LogLines({{"device", selector}}, "warning: ");
        ASSERT_THAT(lines, SizeIs(1)) << selector;
        EXPECT_THAT(lines[0],
                    AllOf(HasSubstr(std::string("device = '") + selector + "'"), HasSubstr("there are 0 large"),
                          ::testing::AnyOf(HasSubstr("the rest counts"), HasSubstr("the program sees"))))
            << selector;
        EXPECT_THAT(NamesWith({{"device", selector}}), ::testing::Not(IsEmpty())) << selector;
    }
}

}  // namespace
