// SPDX-License-Identifier: Apache-2.0
// The doctor on systems that are broken in one way each.
#include "doctor.h"

#include <gmock/gmock.h>

#include "../../scratch.h"
#include "manifests.h"
#include "probe.h"

namespace kronos::command {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A finding with that status whose text or fix holds the words.
auto Says(Status status, const std::string& text) {
    return Contains(AllOf(Field("status", &Finding::status, status), Field("text", &Finding::text, HasSubstr(text))));
}

class DoctorTest : public testing::Test {
  protected:
    DoctorTest() {
        patient_ = {KRONOS_EXECUTABLE, FindLayout(KRONOS_EXECUTABLE), Environment::Current(), scratch_.path()};
        for (const char* name :
             {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", "VK_LAYER_PATH", "VK_ADD_LAYER_PATH",
              "VK_INSTANCE_LAYERS", "KRONOS_ENABLE", "KRONOS_DISABLE", "KRONOS_ICD_SEARCH_PATHS", "KRONOS_STATS_FILE",
              "VK_LAYER_SETTINGS_PATH", "XDG_DATA_HOME"}) {
            patient_.environment.Unset(name);
        }
        patient_.environment.Set("HOME", scratch_.path().string());
    }

    // Only this driver is registered.
    void UseDriver(const std::string& library) {
        std::string text =
            R"({"file_format_version":"1.0.0","ICD":{"library_path":")" + library + R"(","api_version":"1.3.0"}})";
        UseDriverManifest(text);
    }
    void UseDriverManifest(const std::string& text) {
        std::string file = scratch_.Write("driver.json", text).string();
        patient_.environment.Set("VK_DRIVER_FILES", file);
        patient_.environment.Set("VK_ICD_FILENAMES", file);
    }
    Findings Drivers() const {
        Findings findings;
        CheckLoaderAndDrivers(patient_, findings);
        return findings;
    }
    Findings Layer() const {
        Findings findings;
        CheckLayer(patient_, findings);
        return findings;
    }
    Findings Settings() const {
        Findings findings;
        CheckSettings(patient_, findings);
        CheckStatisticsFolder(patient_, findings);
        return findings;
    }

    Scratch scratch_;
    Patient patient_;
};

TEST_F(DoctorTest, NoDrivers) {
    patient_.environment.Set("VK_DRIVER_FILES", "/nonexistent");
    patient_.environment.Set("VK_ICD_FILENAMES", "/nonexistent");
    Findings findings = Drivers();
    EXPECT_THAT(findings, Says(Status::kWarning, "VK_DRIVER_FILES names /nonexistent, which does not exist"));
    EXPECT_THAT(findings, Says(Status::kFault, "no Vulkan device"));
}

TEST_F(DoctorTest, DriverManifestsThatAreDamaged) {
    UseDriverManifest("{ this is no JSON");
    EXPECT_THAT(Drivers(), Says(Status::kWarning, "not valid JSON"));
    UseDriverManifest("[]");
    EXPECT_THAT(Drivers(), Says(Status::kWarning, "no object \"ICD\""));
    UseDriverManifest(R"({"ICD":{"api_version":"1.0.0"}})");
    EXPECT_THAT(Drivers(), Says(Status::kWarning, "no library_path"));
    UseDriver("./no-such-library.so");
    EXPECT_THAT(Drivers(), Says(Status::kWarning, "no-such-library.so does not exist"));
    scratch_.Write("text.so", "no library");
    UseDriver("./text.so");
    EXPECT_THAT(Drivers(), Says(Status::kWarning, "its library cannot be loaded"));
}

TEST_F(DoctorTest, ADriverThatCrashes) {
    UseDriver(CRASHING_DRIVER);
    Findings findings = Drivers();
    EXPECT_THAT(findings, Says(Status::kFault, "the driver crashed: signal 11"));
    EXPECT_THAT(findings, Says(Status::kFault, "listing all devices crashed"));
}

TEST_F(DoctorTest, ADriverThatHangs) {
    UseDriver(HANGING_DRIVER);
    ProbeAnswer probe = Probe(patient_.kronos, {"vulkan"}, patient_.environment, std::chrono::milliseconds(1000));
    EXPECT_EQ(probe.failure, "did not answer within 1 s");
}

TEST_F(DoctorTest, LayerManifestsThatAreDamaged) {
    Layout& layout = patient_.layout;
    layout.explicit_dir = scratch_.path() / "explicit";
    layout.implicit_dir = scratch_.path() / "implicit";
    EXPECT_THAT(Layer(), Says(Status::kFault, "explicit/VkLayer_kronos_compute.json is missing"));
    auto explicit_is = [&](const std::string& text) { scratch_.Write("explicit/VkLayer_kronos_compute.json", text); };
    explicit_is("{");
    EXPECT_THAT(Layer(), Says(Status::kFault, "not valid JSON"));
    explicit_is(R"({"layer":{"name":"VK_LAYER_OTHER","library_path":"libc.so.6","api_version":"1.0.0"}})");
    EXPECT_THAT(Layer(), Says(Status::kFault, "VK_LAYER_OTHER"));
    explicit_is(R"({"layer":{"name":"VK_LAYER_KRONOS_compute","api_version":"1.0.0"}})");
    EXPECT_THAT(Layer(), Says(Status::kFault, "no library_path"));
    explicit_is(R"({"layer":{"name":"VK_LAYER_KRONOS_compute","library_path":"./gone.so","api_version":"1.0.0"}})");
    EXPECT_THAT(Layer(), Says(Status::kFault, "gone.so does not exist"));
    explicit_is(R"({"layer":{"name":"VK_LAYER_KRONOS_compute","library_path":"libc.so.6","api_version":""}})");
    EXPECT_THAT(Layer(), Says(Status::kFault, "no api_version"));
    explicit_is(R"({"layer":{"name":"VK_LAYER_KRONOS_compute","library_path":"libc.so.6","api_version":"1.0.0"}})");
    EXPECT_THAT(Layer(), Says(Status::kFault, "does not export vkNegotiateLoaderLayerInterfaceVersion"));
}

TEST_F(DoctorTest, EveryFaultAndWarningHasAFix) {
    UseDriver(CRASHING_DRIVER);
    patient_.layout.explicit_dir = scratch_.path();
    patient_.environment.Set("KRONOS_DISABLE", "");
    patient_.environment.Set("KRONOS_NOSUCH", "1");
    // A file where a folder is wanted: not even root can write there.
    patient_.environment.Set("XDG_STATE_HOME", scratch_.Write("file", "").string());
    Findings findings = Diagnose(patient_);
    EXPECT_TRUE(HasFault(findings));
    for (const Finding& finding : findings)
        EXPECT_EQ(finding.status == Status::kOk, finding.fix.empty()) << finding.text;
    EXPECT_FALSE(nlohmann::json::parse(FormatJson(findings))["ok"].get<bool>());
}

TEST_F(DoctorTest, SettingsAndWhereTheyComeFrom) {
    patient_.environment.Set("KRONOS_LOG_LEVEL", "debug");
    patient_.environment.Set("VK_KRONOS_COMPUTE_LOG_LEVEL", "info");
    patient_.environment.Set("KRONOS_STATSFILE", "x");
    scratch_.Write("vk_layer_settings.txt",
                   "# a comment\nkronos_compute.stats = summary\nkronos_compute.log_level = off\n"
                   "kronos_compute.nosuch = 1\nkhronos_validation.x = 1\n");
    Findings findings = Settings();
    EXPECT_THAT(findings, Says(Status::kOk, "log_level = info (from VK_KRONOS_COMPUTE_LOG_LEVEL)"));
    EXPECT_THAT(findings,
                Says(Status::kOk, "stats = summary (from " + (scratch_.path() / "vk_layer_settings.txt").string()));
    EXPECT_THAT(findings, Says(Status::kWarning, "kronos_compute.nosuch"));
    EXPECT_THAT(findings, Says(Status::kWarning, "KRONOS_STATSFILE"));
    EXPECT_THAT(findings, Contains(Field(&Finding::fix, HasSubstr("did you mean stats_file?"))));
}

TEST_F(DoctorTest, TheFirstSettingsFileWins) {
    scratch_.Write("vk_layer_settings.txt", "kronos_compute.stats = off\n");
    scratch_.Write(".local/share/vulkan/settings.d/vk_layer_settings.txt", "kronos_compute.stats = summary\n");
    EXPECT_THAT(Settings(), Says(Status::kOk, "stats = summary"));
}

TEST_F(DoctorTest, WhetherStatisticsCanBeWritten) {
    EXPECT_THAT(Settings(), Says(Status::kOk, (scratch_.path() / ".local/state/kronos").string()));
    // A file where a folder is wanted: not even root can write there.
    patient_.environment.Set("XDG_STATE_HOME", scratch_.Write("file", "").string());
    EXPECT_THAT(Settings(), Says(Status::kWarning, "file cannot be written"));
    patient_.environment.Set("KRONOS_STATS_FILE", (scratch_.path() / "log.jsonl").string());
    EXPECT_THAT(Settings(), Says(Status::kOk, "log.jsonl"));
}

TEST(Manifests, PlacesOfTheLoader) {
    auto paths = [](ManifestKind kind, std::map<std::string, std::string> values) {
        std::vector<std::string> texts;
        for (const SearchPlace& place : SearchPlaces(kind, Environment(std::move(values))))
            texts.push_back(place.path.string());
        return texts;
    };
    EXPECT_THAT(paths(ManifestKind::kDriver, {{"VK_DRIVER_FILES", "/a.json:/b.json"},
                                              {"VK_ICD_FILENAMES", "/c.json"},
                                              {"VK_ADD_DRIVER_FILES", "/d.json"}}),
                testing::ElementsAre("/a.json", "/b.json"));
    EXPECT_THAT(paths(ManifestKind::kDriver, {{"VK_ADD_DRIVER_FILES", "/d.json"}, {"HOME", "/h"}}),
                testing::ElementsAre("/d.json", "/h/.config/vulkan/icd.d", "/etc/xdg/vulkan/icd.d",
                                     "/usr/local/etc/vulkan/icd.d", "/etc/vulkan/icd.d", "/h/.local/share/vulkan/icd.d",
                                     "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"));
    EXPECT_THAT(paths(ManifestKind::kExplicitLayer, {{"VK_LAYER_PATH", "/l"}, {"VK_ADD_LAYER_PATH", "/m"}}),
                testing::ElementsAre("/l"));
    EXPECT_THAT(paths(ManifestKind::kImplicitLayer, {{"XDG_DATA_DIRS", "/x"}}), Contains("/x/vulkan/implicit_layer.d"));
}

TEST(Findings, TextAndSummaryLine) {
    Findings findings = {{Status::kOk, "a", "fine", ""}, {Status::kFault, "b", "broken", "mend it"}};
    EXPECT_EQ(FormatText(findings),
              "ok       a: fine\nFAULT    b: broken\n         fix: mend it\n"
              "The layer would NOT work: 1 faults, 0 warnings.\n");
}

}  // namespace
}  // namespace kronos::command
