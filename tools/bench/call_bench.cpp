// SPDX-License-Identifier: Apache-2.0
// What each hooked command costs above the call alone: batches of its calls on devices of the mock driver in one
// process, in turn: without the layer, with it as it comes, with statistics off, and with barriers=on. The list is
// commands.def, and whole recordings.
#include "call_bench.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "mock_control.h"

namespace kronos::bench {

namespace {

const char* const kLayerName = "VK_LAYER_KRONOS_compute";

struct Setting {
    const char* key;
    const char* value;
};
struct SubjectKind {
    const char* name;
    bool layer;
    std::vector<Setting> settings;
};
const SubjectKind kSubjects[] = {
    {"alone", false, {}},
    {"layer", true, {{"stats", "frames"}, {"log_level", "off"}, {"stats_file", "/dev/null"}}},
    {"stats_off", true, {{"stats", "off"}, {"log_level", "off"}, {"stats_file", "/dev/null"}}},
    {"barriers", true, {{"stats", "frames"}, {"log_level", "off"}, {"stats_file", "/dev/null"}, {"barriers", "on"}}},
};
constexpr size_t kSubjectCount = std::size(kSubjects);

double Quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

// An iteration is a batch on each subject; what matters is in the counters.
void Measure(benchmark::State& state, double (*batch)(Subject&), std::vector<Subject>& subjects, mock::Driver& mock) {
    std::vector<double> ns[kSubjectCount], above[kSubjectCount];
    // Ended each time: a layer may keep what is recorded until then.
    const auto once = [batch](Subject& subject) {
        Begin(subject.recording);
        const double took = batch(subject);
        End(subject.recording);
        return took;
    };
    for (Subject& subject : subjects) once(subject);  // warms up
    for ([[maybe_unused]] auto _ : state) {
        for (size_t i = 0; i < kSubjectCount; ++i) {
            ns[i].push_back(once(subjects[i]));
            above[i].push_back(ns[i].back() - ns[0].back());
        }
    }
    mock.ClearViolations();
    for (size_t i = 0; i < kSubjectCount; ++i) {
        state.counters[kSubjects[i].name] = Quantile(ns[i], 0.5);
        if (i > 0) state.counters[std::string(kSubjects[i].name) + "_above"] = Quantile(above[i], 0.5);
    }
    state.counters["layer_above_q1"] = Quantile(above[1], 0.25);
    state.counters["layer_above_q3"] = Quantile(above[1], 0.75);
}

class Table : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override {
        std::printf(
            "ns a call, medians of batches of %d calls, in turn, mock driver; 'above' is with the layer minus alone,\n"
            "paired batch by batch, with its quartiles; what is held by barriers=on the driver gets when its recording "
            "ends\n\n"
            "%-36s %10s %10s %26s %10s %9s %12s %9s\n",
            kCalls, "call", "alone", "layer", "above", "stats=off", "above", "barriers=on", "above");
        return true;
    }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type == Run::RT_Aggregate) continue;
            const auto of = [&](const char* counter) { return run.counters.at(counter).value; };
            std::printf("%-36s %10.1f %10.1f %9.1f (%6.1f..%6.1f) %10.1f %9.1f %12.1f %9.1f\n",
                        run.benchmark_name().c_str(), of("alone"), of("layer"), of("layer_above"), of("layer_above_q1"),
                        of("layer_above_q3"), of("stats_off"), of("stats_off_above"), of("barriers"),
                        of("barriers_above"));
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
        R"({"devices": [{"addExtensions": ["VK_KHR_external_fence", "VK_KHR_external_fence_fd", "VK_KHR_external_semaphore", "VK_KHR_external_semaphore_fd", "VK_EXT_debug_marker", "VK_NV_low_latency2", "VK_INTEL_performance_query", "VK_NV_device_diagnostic_checkpoints"]}]})");
    mock.SetMode(kMockModeOff);
    std::vector<VkLayerSettingEXT> rows[kSubjectCount];
    VkLayerSettingsCreateInfoEXT settings[kSubjectCount];
    auto features14 = Info<VkPhysicalDeviceVulkan14Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES);
    features14.maintenance6 = features14.pushDescriptor = VK_TRUE;
    auto features13 =
        Info<VkPhysicalDeviceVulkan13Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, &features14);
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
        request.device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                     VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
                                     VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
                                     VK_EXT_DEBUG_MARKER_EXTENSION_NAME,
                                     VK_NV_LOW_LATENCY_2_EXTENSION_NAME,
                                     VK_INTEL_PERFORMANCE_QUERY_EXTENSION_NAME,
                                     VK_NV_DEVICE_DIAGNOSTIC_CHECKPOINTS_EXTENSION_NAME};
        if (kSubjects[i].layer) {
            for (const Setting& setting : kSubjects[i].settings)
                rows[i].push_back({kLayerName, setting.key, VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &setting.value});
            settings[i] = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, nullptr,
                           static_cast<uint32_t>(rows[i].size()), rows[i].data()};
            request.layers = {kLayerName};
            request.instance_next = &settings[i];
        }
        subjects[i].MakeAll();
        mock.LoseDevice(subjects[i].lost.device);
    }
    const auto add = [&](const char* name, double (*batch)(Subject&)) {
        benchmark::RegisterBenchmark(name,
                                     [&, batch](benchmark::State& state) { Measure(state, batch, subjects, mock); });
    };
#define COMMAND(scope, name, ...) add("vk" #name, call::name);
#define COUNTED(name, ...) add("vk" #name, call::name);
#define PASSED(name, ...) add("vk" #name, call::name);
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
    add("a dispatch, recorded", WholeRecording);
    add("a dispatch, of its recording's end", EndOfRecording);
    Table table;
    benchmark::RunSpecifiedBenchmarks(&table);
    for (Subject& subject : subjects) subject.DestroyAll();
    benchmark::Shutdown();
    return 0;
}

}  // namespace
}  // namespace kronos::bench

int main(int argc, char** argv) { return kronos::bench::Main(argc, argv); }
