// SPDX-License-Identifier: Apache-2.0
// What each hooked command costs above the call alone: batches of its calls on devices of the mock driver in one
// process, in turn: without the layer, with it as it comes, and with statistics off. The list is commands.def.
#include "call_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "mock_control.h"

namespace kronos::bench {

void Subject::NewSet() {
    auto info = Info<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    info.descriptorPool = set_pool;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &set_layout;
    Expect(down.AllocateDescriptorSets(device, &info, &set), "vkAllocateDescriptorSets");
}

namespace {

const char* const kLayerName = "VK_LAYER_KRONOS_compute";
constexpr const char* kSubjects[] = {"alone", "layer", "stats_off"};
constexpr size_t kSubjectCount = std::size(kSubjects);

template <class Create, class InfoType, class Handle>
void New(Create create, VkDevice device, const InfoType& info, Handle& handle) {
    Expect(create(device, &info, nullptr, &handle), "making an object");
}

void MakeObjects(Subject& s) {
    s.unsignaled = s.NewFence(0);
    s.signaled = s.NewFence(VK_FENCE_CREATE_SIGNALED_BIT);
    auto type = Info<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    New(s.down.CreateSemaphore, s.device, Info<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type),
        s.timeline);
    auto memory = Info<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    memory.allocationSize = 4096;
    VkPhysicalDeviceMemoryProperties types = {};
    vkGetPhysicalDeviceMemoryProperties(s.physical, &types);
    while (!(types.memoryTypes[s.host_visible].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) ++s.host_visible;
    memory.memoryTypeIndex = s.host_visible;
    New(s.down.AllocateMemory, s.device, memory, s.memory);
    void* data = nullptr;
    Expect(s.down.MapMemory(s.device, s.memory, 0, VK_WHOLE_SIZE, 0, &data), "vkMapMemory");
    New(s.down.CreateDescriptorSetLayout, s.device,
        Info<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO), s.set_layout);
    auto pool = Info<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
    pool.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT;
    pool.maxSets = kCalls + 1;
    New(s.down.CreateDescriptorPool, s.device, pool, s.set_pool);
    s.NewSet();
    auto update = Info<VkDescriptorUpdateTemplateCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO);
    update.descriptorSetLayout = s.set_layout;
    New(s.down.CreateDescriptorUpdateTemplate, s.device, update, s.update_template);
    New(s.down.CreatePrivateDataSlot, s.device,
        Info<VkPrivateDataSlotCreateInfo>(VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO), s.slot);
    s.recording = s.NewBuffer();
    s.secondary = s.NewBuffer(VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    const auto inherited = Info<VkCommandBufferInheritanceInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO);
    auto begin = Info<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
    begin.pInheritanceInfo = &inherited;
    Expect(vkBeginCommandBuffer(s.secondary, &begin), "vkBeginCommandBuffer");
    End(s.secondary);
}

void Make(Subject& s, mock::Driver& mock) {
    s.Make(s.request);
    vkuInitDeviceDispatchTable(s.device, &s.down, vkGetDeviceProcAddr);
    MakeObjects(s);
    s.lost = s;
    s.lost.MakeDevice(s.request);
    vkGetDeviceQueue(s.lost.device, s.family, 0, &s.lost.queue);
    s.lost.MakePool();
    s.lost_buffer = s.lost.NewBuffer();
    Begin(s.lost_buffer, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    End(s.lost_buffer);
    mock.LoseDevice(s.lost.device);
    vkuInitDeviceDispatchTable(s.lost.device, &s.lost_down, vkGetDeviceProcAddr);
}

void Destroy(Subject& s) {
    s.lost.DestroyDevice();
    s.down.DestroyPrivateDataSlot(s.device, s.slot, nullptr);
    s.down.DestroyDescriptorUpdateTemplate(s.device, s.update_template, nullptr);
    s.down.DestroyDescriptorPool(s.device, s.set_pool, nullptr);
    s.down.DestroyDescriptorSetLayout(s.device, s.set_layout, nullptr);
    s.down.FreeMemory(s.device, s.memory, nullptr);
    s.down.DestroySemaphore(s.device, s.timeline, nullptr);
    s.down.DestroyFence(s.device, s.signaled, nullptr);
    s.down.DestroyFence(s.device, s.unsignaled, nullptr);
    s.Destroy();
}

double Quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

// An iteration is a batch on each subject; what matters is in the counters.
void Measure(benchmark::State& state, double (*batch)(Subject&), std::vector<Subject>& subjects, mock::Driver& mock) {
    std::vector<double> ns[kSubjectCount], above[kSubjectCount];
    for (Subject& subject : subjects) {
        Begin(subject.recording);
        batch(subject);  // warms up
    }
    for ([[maybe_unused]] auto _ : state) {
        for (size_t i = 0; i < kSubjectCount; ++i) {
            Begin(subjects[i].recording);
            ns[i].push_back(batch(subjects[i]));
            above[i].push_back(ns[i].back() - ns[0].back());
        }
    }
    mock.ClearViolations();
    for (size_t i = 0; i < kSubjectCount; ++i) {
        state.counters[kSubjects[i]] = Quantile(ns[i], 0.5);
        if (i > 0) state.counters[std::string(kSubjects[i]) + "_above"] = Quantile(above[i], 0.5);
    }
    state.counters["layer_above_q1"] = Quantile(above[1], 0.25);
    state.counters["layer_above_q3"] = Quantile(above[1], 0.75);
}

class Table : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override {
        std::printf(
            "ns a call, medians of batches of %d calls, in turn, mock driver; 'above' is with the layer minus alone,\n"
            "paired batch by batch, with its quartiles\n\n%-36s %10s %10s %28s %12s %10s\n",
            kCalls, "call", "alone", "layer", "above", "stats=off", "above");
        return true;
    }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type == Run::RT_Aggregate) continue;
            const auto of = [&](const char* counter) { return run.counters.at(counter).value; };
            std::printf("%-36s %10.1f %10.1f %10.1f (%6.1f..%6.1f) %12.1f %10.1f\n", run.benchmark_name().c_str(),
                        of("alone"), of("layer"), of("layer_above"), of("layer_above_q1"), of("layer_above_q3"),
                        of("stats_off"), of("stats_off_above"));
        }
    }
};

int Main(int argc, char** argv) {
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_LAYER_PATH", KRONOS_EXPLICIT_MANIFESTS, 1);
    unsetenv("VK_INSTANCE_LAYERS");
    std::string short_runs = "--benchmark_min_time=0.05";  // unless asked for otherwise
    std::vector<char*> arguments(argv, argv + argc);
    arguments.insert(arguments.begin() + 1, short_runs.data());
    argc = static_cast<int>(arguments.size());
    benchmark::Initialize(&argc, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(argc, arguments.data())) return 2;

    mock::Driver mock;
    mock.Use(
        R"({"devices": [{"addExtensions": ["VK_KHR_external_fence", "VK_KHR_external_fence_fd", "VK_EXT_debug_marker"]}]})");
    mock.SetMode(kMockModeOff);
    const char* texts[kSubjectCount][3] = {
        {}, {"frames", "off", "/dev/null"}, {"off", "off", "/dev/null"}};  // of the settings below
    const char* const keys[] = {"stats", "log_level", "stats_file"};
    VkLayerSettingEXT rows[kSubjectCount][std::size(keys)];
    VkLayerSettingsCreateInfoEXT settings[kSubjectCount];
    auto features13 = Info<VkPhysicalDeviceVulkan13Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
    features13.synchronization2 = features13.privateData = VK_TRUE;
    auto features12 =
        Info<VkPhysicalDeviceVulkan12Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, &features13);
    features12.timelineSemaphore = VK_TRUE;
    std::vector<Subject> subjects(kSubjectCount);
    for (size_t i = 0; i < kSubjectCount; ++i) {
        BenchDeviceRequest& request = subjects[i].request;
        request.api_version = VK_API_VERSION_1_4;
        request.device_next = &features12;
        request.instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME, VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
        request.device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
                                     VK_EXT_DEBUG_MARKER_EXTENSION_NAME};
        if (i > 0) {
            for (size_t k = 0; k < std::size(keys); ++k)
                rows[i][k] = {kLayerName, keys[k], VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &texts[i][k]};
            settings[i] = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, nullptr, std::size(keys), rows[i]};
            request.layers = {kLayerName};
            request.instance_next = &settings[i];
        }
        Make(subjects[i], mock);
    }
    const auto add = [&](const char* name, double (*batch)(Subject&)) {
        benchmark::RegisterBenchmark(name,
                                     [&, batch](benchmark::State& state) { Measure(state, batch, subjects, mock); });
    };
#define COMMAND(scope, name, ...) add("vk" #name, call::name);
#define COUNTED(name, ...) add("vk" #name, call::name);
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
    Table table;
    benchmark::RunSpecifiedBenchmarks(&table);
    for (Subject& subject : subjects) Destroy(subject);
    benchmark::Shutdown();
    return 0;
}

}  // namespace
}  // namespace kronos::bench

int main(int argc, char** argv) { return kronos::bench::Main(argc, argv); }
