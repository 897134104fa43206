// SPDX-License-Identifier: Apache-2.0
// kronos enable and disable in users' homes that are as they should be, and broken in one way each; what the doctor
// says.
#include "enable.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "../../scratch.h"
#include "doctor.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kBelowHome = ".local/share/vulkan/implicit_layer.d/VkLayer_kronos_compute_user.json";

std::string Text(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

auto Says(Status status, const std::string& text) {
    return Contains(AllOf(Field("status", &Finding::status, status), Field("text", &Finding::text, HasSubstr(text))));
}

class EnableTest : public testing::Test {
  protected:
    EnableTest() {
        fs::create_directories(home_);
        enabler_ = {KRONOS_EXECUTABLE, FindLayout(KRONOS_EXECUTABLE), Environment::Current(), geteuid()};
        for (const char* name : {"XDG_DATA_HOME", "SUDO_USER", "KRONOS_DISABLE", "KRONOS_ENABLE", "XDG_DATA_DIRS",
                                 "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"})
            enabler_.environment.Unset(name);
        enabler_.environment.Set("HOME", home_.string());
    }

    EnableOutcome Enable() const { return EnableForUser(enabler_); }
    EnableOutcome Disable() const { return DisableForUser(enabler_); }
    // One line that says this, and nothing of the home has changed.
    void Refused(const EnableOutcome& outcome, const std::string& text) const {
        EXPECT_EQ(outcome.status, 1);
        EXPECT_THAT(outcome.said, AllOf(HasSubstr(text), Not(HasSubstr("\n"))));
    }
    void BothRefuse(const std::string& text) const {
        Refused(Enable(), text);
        Refused(Disable(), text);
    }
    Findings Doctor() const {
        Findings findings;
        const Patient patient{enabler_.kronos, enabler_.layout, enabler_.environment, home_};
        CheckUserManifest(patient, findings);
        CheckOtherInstallations(patient, findings);
        for (const Finding& finding : findings)
            EXPECT_EQ(finding.status == Status::kOk, finding.fix.empty()) << finding.text;
        return findings;
    }
    void Write(const fs::path& path, const std::string& text) const {
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    // The layout of an installation below `prefix`, with a library that can be loaded.
    Layout Installed(const fs::path& prefix) const {
        const fs::path library = prefix / "lib" / kLibraryName;
        fs::create_directories(library.parent_path());
        fs::copy_file(WORKING_LIBRARY, library);
        Layout layout{prefix / "share/vulkan/explicit_layer.d", prefix / "share/vulkan/implicit_layer.d",
                      prefix / "share", false};
        for (const fs::path& made : {layout.explicit_manifest(), layout.implicit_manifest()}) {
            Write(made, R"({"layer":{"name":"VK_LAYER_KRONOS_compute","library_path":"../../../lib/)" +
                            std::string(kLibraryName) +
                            R"(","api_version":"1.4.0","description":"x","enable_environment":{"KRONOS_ENABLE":"1"},)" +
                            R"("disable_environment":{"KRONOS_DISABLE":"1"}}})");
        }
        return layout;
    }

    Scratch scratch_;
    fs::path home_ = scratch_.path() / "home";
    fs::path path_ = home_ / kBelowHome;
    Enabler enabler_;
};

TEST_F(EnableTest, WritesAManifestThatIsOnByDefault) {
    const EnableOutcome outcome = Enable();
    ASSERT_EQ(outcome.status, 0) << outcome.said;
    EXPECT_THAT(outcome.said, AllOf(HasSubstr("Enabled for all"), HasSubstr(path_.string()),
                                    HasSubstr("kronos disable"), HasSubstr("build tree")));
    const nlohmann::json layer = nlohmann::json::parse(Text(path_))["layer"];
    EXPECT_EQ(layer["name"], kLayerName);
    EXPECT_FALSE(layer.contains("enable_environment"));
    EXPECT_EQ(layer["disable_environment"]["KRONOS_DISABLE"], "1");
    EXPECT_TRUE(fs::path(layer["library_path"]).is_absolute());
    EXPECT_TRUE(fs::equivalent(layer["library_path"].get<std::string>(), WORKING_LIBRARY));
    EXPECT_FALSE(layer["features"]["settings"].empty());  // for vkconfig
    // Nothing besides is left.
    EXPECT_EQ(std::distance(fs::directory_iterator(path_.parent_path()), {}), 1);
}

TEST_F(EnableTest, TwiceIsAsOnce) {
    ASSERT_EQ(Enable().status, 0);
    const std::string text = Text(path_);
    const auto time = fs::last_write_time(path_);
    const EnableOutcome again = Enable();
    EXPECT_EQ(again.status, 0);
    EXPECT_THAT(again.said, HasSubstr("Enabled already"));
    EXPECT_EQ(Text(path_), text);
    EXPECT_EQ(fs::last_write_time(path_), time);
}

TEST_F(EnableTest, DisableLeavesNothing) {
    ASSERT_EQ(Enable().status, 0);
    const EnableOutcome outcome = Disable();
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.said, HasSubstr(path_.string() + " is removed"));
    EXPECT_TRUE(fs::is_empty(home_ / ".local/share"));
    const EnableOutcome again = Disable();
    EXPECT_EQ(again.status, 0);
    EXPECT_THAT(again.said, HasSubstr("Not enabled for this user"));
}

TEST_F(EnableTest, DisableKeepsWhatElseIsThere) {
    ASSERT_EQ(Enable().status, 0);
    const fs::path other = path_.parent_path() / "other.json";
    Write(other, "{}");
    ASSERT_EQ(Disable().status, 0);
    EXPECT_EQ(Text(other), "{}");
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(EnableTest, GoesWhereXdgDataHomeSays) {
    const fs::path data = scratch_.path() / "data";
    enabler_.environment.Set("XDG_DATA_HOME", data.string());
    EXPECT_THAT(Enable().said, AllOf(HasSubstr(data.string()), HasSubstr("XDG_DATA_HOME is set here")));
    EXPECT_TRUE(fs::exists(data / "vulkan/implicit_layer.d" / kUserManifestName));
    EXPECT_FALSE(fs::exists(path_));
    // Set to nothing is not set.
    enabler_.environment.Set("XDG_DATA_HOME", "");
    EXPECT_EQ(Enable().status, 0);
    EXPECT_TRUE(fs::exists(path_));
}

TEST_F(EnableTest, SaysThatItIsSwitchedOffHere) {
    enabler_.environment.Set("KRONOS_DISABLE", "");
    EXPECT_THAT(Enable().said, HasSubstr("KRONOS_DISABLE is set here"));
}

TEST_F(EnableTest, NoPlace) {
    enabler_.environment.Unset("HOME");
    BothRefuse("neither HOME nor XDG_DATA_HOME is set");
    enabler_.environment.Set("HOME", "/nonexistent");
    BothRefuse("HOME is /nonexistent, which is no folder");
    EXPECT_FALSE(fs::exists("/nonexistent"));
    enabler_.environment.Set("HOME", "home");
    BothRefuse("HOME is 'home'; allowed is one absolute path");
    enabler_.environment.Set("HOME", home_.string());
    enabler_.environment.Set("XDG_DATA_HOME", "data");
    BothRefuse("XDG_DATA_HOME is 'data'; allowed is one absolute path");
    enabler_.environment.Set("XDG_DATA_HOME", "/a:/b");
    BothRefuse("XDG_DATA_HOME is '/a:/b'");
    EXPECT_TRUE(fs::is_empty(home_));
}

TEST_F(EnableTest, AFolderThatCannotBeWritten) {
    // A file where a folder is wanted: not even root can write there.
    Write(home_ / ".local/share", "a file");
    Refused(Enable(), "cannot be written: Not a directory; nothing is changed");
    EXPECT_EQ(Text(home_ / ".local/share"), "a file");
}

TEST_F(EnableTest, RootForAnotherUser) {
    enabler_.user = 0;
    enabler_.environment.Set("SUDO_USER", "mary");
    BothRefuse("as mary kronos");
    EXPECT_TRUE(fs::is_empty(home_));
    // A home that is another user's, by su or doas.
    enabler_.environment.Unset("SUDO_USER");
    if (geteuid() == 0) {
        ASSERT_EQ(chown(home_.c_str(), 12345, 12345), 0);
    }
    BothRefuse("HOME is " + home_.string() + ", of user ");
    EXPECT_TRUE(fs::is_empty(home_));
}

TEST_F(EnableTest, SudoToAnotherUserIsThatUser) {
    enabler_.user = 12345;
    enabler_.environment.Set("SUDO_USER", "mary");
    EXPECT_EQ(Enable().status, 0);
}

TEST_F(EnableTest, WhatIsNotOursStays) {
    for (const auto& [text, fault] : std::map<std::string, std::string>{
             {"", "not valid JSON"},
             {"{\"layer\":", "not valid JSON"},
             {"[]", "no object \"layer\""},
             {R"({"layer":{"name":"VK_LAYER_OTHER","library_path":"l.so","api_version":"1.0.0"}})", "VK_LAYER_OTHER"},
             {R"({"layer":{"name":"VK_LAYER_KRONOS_compute","library_path":"l.so","api_version":"1.0.0"}})",
              "another manifest of the layer"},
             {R"({"layer":{"name":"VK_LAYER_KRONOS_compute","api_version":"1.0.0"}})", "no library_path"}}) {
        Write(path_, text);
        BothRefuse("is not of kronos enable: ");
        EXPECT_THAT(Enable().said, HasSubstr(fault)) << text;
        EXPECT_EQ(Text(path_), text);
        EXPECT_THAT(Doctor(), Says(Status::kWarning, fault));
    }
}

TEST_F(EnableTest, NeitherLinksNorFolders) {
    const fs::path elsewhere = scratch_.path() / "elsewhere.json";
    fs::create_directories(path_.parent_path());
    fs::create_symlink(elsewhere, path_);
    BothRefuse("no regular file");
    EXPECT_FALSE(fs::exists(elsewhere));
    EXPECT_TRUE(fs::is_symlink(path_));
    fs::remove(path_);
    fs::create_directory(path_);
    BothRefuse("no regular file");
    EXPECT_TRUE(fs::is_directory(path_));
}

TEST_F(EnableTest, ALibraryThatIsMissingOrNone) {
    const fs::path prefix = scratch_.path() / "prefix";
    enabler_.layout = Installed(prefix);
    const fs::path library = prefix / "lib" / kLibraryName;
    Write(library, "no library");
    Refused(Enable(), "cannot be loaded");
    fs::remove(library);
    Refused(Enable(), library.string() + " does not exist");
    Write(enabler_.layout.implicit_manifest(), "{");
    Refused(Enable(), "not valid JSON");
    fs::remove(enabler_.layout.implicit_manifest());
    Refused(Enable(), "cannot be read");
    EXPECT_TRUE(fs::is_empty(home_));
}

TEST_F(EnableTest, AnInstallationInTheHomeIsAnotherFile) {
    enabler_.layout = Installed(home_ / ".local");
    const std::string installed = Text(enabler_.layout.implicit_manifest());
    ASSERT_EQ(Enable().status, 0);
    EXPECT_EQ(enabler_.layout.implicit_manifest().parent_path(), path_.parent_path());
    EXPECT_EQ(Text(enabler_.layout.implicit_manifest()), installed);
    EXPECT_THAT(Doctor(), Says(Status::kOk, "enabled by " + path_.string()));
    ASSERT_EQ(Disable().status, 0);
    EXPECT_EQ(Text(enabler_.layout.implicit_manifest()), installed);
}

TEST_F(EnableTest, TheDoctorKnowsWhatIsStale) {
    EXPECT_THAT(Doctor(), Says(Status::kOk, "not enabled"));
    const fs::path prefix = scratch_.path() / "prefix";
    enabler_.layout = Installed(prefix);
    ASSERT_EQ(Enable().status, 0);
    EXPECT_THAT(Doctor(), Says(Status::kOk, "enabled by " + path_.string()));

    // A newer Kronos in the same place.
    std::string text = Text(enabler_.layout.implicit_manifest());
    Write(enabler_.layout.implicit_manifest(), text.replace(text.find("1.4.0"), 5, "1.5.0"));
    EXPECT_THAT(Doctor(), Says(Status::kWarning, "another version of Kronos"));
    EXPECT_THAT(Enable().said, HasSubstr("Enabled anew"));
    EXPECT_THAT(Doctor(), Says(Status::kOk, "enabled by"));

    // The command of another Kronos.
    const Layout first = enabler_.layout;
    enabler_.layout = Installed(scratch_.path() / "second");
    enabler_.environment.Set("XDG_DATA_DIRS", first.data_dir.string());
    EXPECT_THAT(Doctor(), AllOf(Says(Status::kWarning, "with another Kronos: " + prefix.string()),
                                Says(Status::kWarning, first.implicit_manifest().string() + " is of "),
                                Says(Status::kWarning, first.explicit_manifest().string() + " is of ")));

    // Uninstalled without kronos disable.
    fs::remove_all(prefix);
    EXPECT_THAT(Doctor(), Says(Status::kWarning, "which is gone"));
    EXPECT_THAT(Enable().said, HasSubstr("Enabled anew"));
    EXPECT_THAT(Doctor(), Says(Status::kOk, "enabled by"));
    fs::remove_all(scratch_.path() / "second");
    EXPECT_EQ(Disable().status, 0);  // needs no library
    EXPECT_FALSE(fs::exists(path_));
}

}  // namespace
}  // namespace kronos::command
