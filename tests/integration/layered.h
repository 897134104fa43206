// SPDX-License-Identifier: Apache-2.0
// An instance and device on the mock driver, through the real loader, with or without the layer, and the layer's log
// read back. For tests; one thread unless a test says otherwise.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "mock_control.h"

namespace layered {

/// Runs `body` in a child of fork, which ends there: that it returns true is expected.
template <class Body>
void InAChild(Body body) {
    const pid_t child = fork();
    if (child == 0) _exit(body() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

/// To be enabled with a device.
inline VkPhysicalDeviceSynchronization2Features Synchronization2() {
    VkPhysicalDeviceSynchronization2Features features = {};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES;
    features.synchronization2 = VK_TRUE;
    return features;
}

/// A file name of this test's own, removed at the end.
class ScratchFile {
  public:
    ScratchFile() {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("kronos-layer-test-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    }
    ~ScratchFile() { std::filesystem::remove(path_); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    std::string path() const { return path_.string(); }

    std::vector<nlohmann::json> Lines(const std::string& event) const {
        std::vector<nlohmann::json> lines;
        std::ifstream file(path_);
        for (std::string line; std::getline(file, line);) {
            nlohmann::json parsed = nlohmann::json::parse(line);
            if (parsed["event"] == event) lines.push_back(std::move(parsed));
        }
        return lines;
    }

  private:
    std::filesystem::path path_;
};

using SettingMap = std::map<std::string, std::string>;

class Instance {
  public:
    /// `settings` are passed by VK_EXT_layer_settings, which needs the layer.
    Instance(bool layer, const SettingMap& settings = {}, uint32_t api_version = VK_API_VERSION_1_3,
             const std::vector<const char*>& extensions = {}) {
        std::vector<const char*> values;
        for (const auto& [key, value] : settings) values.push_back(value.c_str());
        std::vector<VkLayerSettingEXT> rows;
        for (const auto& [key, value] : settings)
            rows.push_back(
                {"VK_LAYER_KRONOS_compute", key.c_str(), VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &values[rows.size()]});
        const VkLayerSettingsCreateInfoEXT given = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, nullptr,
                                                    static_cast<uint32_t>(rows.size()), rows.data()};
        VkApplicationInfo application = {};
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
        application.apiVersion = api_version;
        const char* layer_name = "VK_LAYER_KRONOS_compute";
        // The extension itself is not enabled: loaders before 1.3.272 refuse names that they do not know. The structure
        // is passed down all the same, which is what users of the validation layers rely on too.
        VkInstanceCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
        info.pNext = layer && !rows.empty() ? &given : nullptr;
        info.pApplicationInfo = &application;
        info.enabledLayerCount = layer ? 1 : 0;
        info.ppEnabledLayerNames = &layer_name;
        info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
        info.ppEnabledExtensionNames = extensions.data();
        result = vkCreateInstance(&info, nullptr, &handle);
    }
    ~Instance() {
        if (handle) vkDestroyInstance(handle, nullptr);
    }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    VkPhysicalDevice Physical(uint32_t index = 0) const {
        uint32_t count = 0;
        EXPECT_EQ(vkEnumeratePhysicalDevices(handle, &count, nullptr), VK_SUCCESS);
        std::vector<VkPhysicalDevice> all(count);
        EXPECT_EQ(vkEnumeratePhysicalDevices(handle, &count, all.data()), VK_SUCCESS);
        return index < count ? all[index] : VK_NULL_HANDLE;
    }

    VkInstance handle = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
};

/// One queue of family 0, a command pool, and short forms of what tests do again and again.
class Device {
  public:
    explicit Device(const Instance& instance, std::vector<const char*> extensions = {}, const void* next = nullptr) {
        physical = instance.Physical();
        const float priority = 1;
        VkDeviceQueueCreateInfo queue_info = {};
        queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queue_info.queueCount = 1;
        queue_info.pQueuePriorities = &priority;
        VkDeviceCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
        info.pNext = next;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue_info;
        info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
        info.ppEnabledExtensionNames = extensions.data();
        result = vkCreateDevice(physical, &info, nullptr, &handle);
        if (result != VK_SUCCESS) return;
        vkGetDeviceQueue(handle, 0, 0, &queue);
        pool = MakePool();
    }
    ~Device() { Destroy(); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    void Destroy() {
        if (!handle) return;
        vkDestroyCommandPool(handle, pool, nullptr);
        vkDestroyDevice(handle, nullptr);
        handle = VK_NULL_HANDLE;
    }
    VkCommandPool MakePool() const {
        VkCommandPoolCreateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        VkCommandPool made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateCommandPool(handle, &info, nullptr, &made), VK_SUCCESS);
        return made;
    }
    VkCommandBuffer MakeBuffer(VkCommandPool from = VK_NULL_HANDLE,
                               VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY) const {
        VkCommandBufferAllocateInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        info.commandPool = from ? from : pool;
        info.level = level;
        info.commandBufferCount = 1;
        VkCommandBuffer made = VK_NULL_HANDLE;
        EXPECT_EQ(vkAllocateCommandBuffers(handle, &info, &made), VK_SUCCESS);
        return made;
    }
    static void Begin(VkCommandBuffer buffer) {
        VkCommandBufferBeginInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        VkCommandBufferInheritanceInfo inheritance = {};
        inheritance.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO;
        info.pInheritanceInfo = &inheritance;
        EXPECT_EQ(vkBeginCommandBuffer(buffer, &info), VK_SUCCESS);
    }
    /// Begins, dispatches `dispatches` times, ends.
    static void Record(VkCommandBuffer buffer, uint32_t dispatches) {
        Begin(buffer);
        for (uint32_t i = 0; i < dispatches; ++i) vkCmdDispatch(buffer, 1, 1, 1);
        EXPECT_EQ(vkEndCommandBuffer(buffer), VK_SUCCESS);
    }
    VkFence MakeFence(bool signaled = false, const void* next = nullptr,
                      const VkAllocationCallbacks* allocator = nullptr) const {
        const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, next,
                                        signaled ? VkFenceCreateFlags{VK_FENCE_CREATE_SIGNALED_BIT} : 0};
        VkFence made = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateFence(handle, &info, allocator, &made), VK_SUCCESS);
        return made;
    }
    VkResult Submit(VkCommandBuffer buffer, VkFence fence = VK_NULL_HANDLE, const void* next = nullptr) const {
        VkSubmitInfo info = {};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.pNext = next;
        info.commandBufferCount = buffer ? 1 : 0;
        info.pCommandBuffers = &buffer;
        return vkQueueSubmit(queue, 1, &info, fence);
    }
    template <class Function>
    Function Get(const char* name) const {
        return reinterpret_cast<Function>(vkGetDeviceProcAddr(handle, name));
    }

    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice handle = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
};

inline uint64_t Asked(const nlohmann::json& line, const char* counter) {
    return line["asked"].value(counter, uint64_t{0});
}
inline uint64_t Driver(const nlohmann::json& line, const char* counter) {
    return line["driver"].value(counter, uint64_t{0});
}
inline uint64_t Did(const nlohmann::json& line, const char* decision) {
    return line["did"].value(decision, uint64_t{0});
}

/// Calls `act` once the driver has been asked `command` `calls` more times than when this was made: on a thread of its
/// own, for what must happen while the program waits.
class When {
  public:
    When(mock::Driver& mock, const char* command, uint64_t calls, std::function<void()> act)
        : thread_([&mock, command, until = mock.Calls(command) + calls, act = std::move(act)] {
              while (mock.Calls(command) < until) std::this_thread::yield();
              act();
          }) {}
    ~When() { thread_.join(); }
    When(const When&) = delete;
    When& operator=(const When&) = delete;

  private:
    std::thread thread_;
};

/// Every feature, whatever the driver.
inline const SettingMap kAllOn = {{"waits", "on"},          {"recycle_fences", "on"}, {"recycle_memory", "on"},
                                  {"barriers", "on"},       {"descriptors", "on"},    {"submits", "always"},
                                  {"virtual_fences", "on"}, {"fusion", "on"},         {"slabs", "on"}};

class LayerTest : public ::testing::Test {
  protected:
    ~LayerTest() override {
        EXPECT_THAT(mock.Violations(), ::testing::IsEmpty());
        EXPECT_THAT(mock.LiveObjects(), ::testing::IsEmpty());
    }
    SettingMap ToFile(SettingMap more = {}) {
        more["stats_file"] = file.path();
        return more;
    }
    /// The only summary of the log.
    nlohmann::json Summary() const {
        const auto lines = file.Lines("summary");
        EXPECT_EQ(lines.size(), 1u);
        return lines.empty() ? nlohmann::json{{"asked", {}}, {"driver", {}}, {"did", {}}} : lines.back();
    }

    mock::Driver mock;
    ScratchFile file;
};

}  // namespace layered
