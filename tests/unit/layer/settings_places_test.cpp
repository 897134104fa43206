// SPDX-License-Identifier: Apache-2.0
// Where settings are looked for, by the environment.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "settings/read.h"

namespace kronos {
namespace {

namespace fs = std::filesystem;

class SettingsPlacesTest : public ::testing::Test {
  protected:
    SettingsPlacesTest() : folder(fs::temp_directory_path() / ("kronos-places-" + std::to_string(getpid()))) {
        for (const char* name : {"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "VK_LAYER_SETTINGS_PATH"}) {
            const char* value = getenv(name);
            before[name] = value ? std::optional<std::string>(value) : std::nullopt;
            unsetenv(name);
        }
        fs::create_directories(folder);
        was = fs::current_path();
        fs::current_path(folder);  // where nothing is yet
    }
    ~SettingsPlacesTest() override {
        for (const auto& [name, value] : before)
            if (value)
                setenv(name.c_str(), value->c_str(), 1);
            else
                unsetenv(name.c_str());
        fs::current_path(was);
        fs::remove_all(folder);
    }
    static void Set(const char* name, const fs::path& value) { setenv(name, value.c_str(), 1); }
    fs::path Make(const fs::path& path) const {
        const fs::path file = folder / path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << "\n";
        return file;
    }

    const fs::path folder;
    fs::path was;
    std::map<std::string, std::optional<std::string>> before;
};

// As the Vulkan layer settings library documents its own search: the user's, what a variable names, the current folder.
TEST_F(SettingsPlacesTest, TheFirstFileThatThereIs) {
    EXPECT_EQ(FindSettingsFile(), "");
    Make("vk_layer_settings.txt");
    EXPECT_EQ(FindSettingsFile(), "vk_layer_settings.txt");
    const fs::path inside = Make("named/vk_layer_settings.txt"), named = Make("other.txt");
    Set("VK_LAYER_SETTINGS_PATH", folder / "named");
    EXPECT_EQ(FindSettingsFile(), inside);
    Set("VK_LAYER_SETTINGS_PATH", named);
    EXPECT_EQ(FindSettingsFile(), named);
    Set("VK_LAYER_SETTINGS_PATH", folder / "nowhere");
    EXPECT_EQ(FindSettingsFile(), "vk_layer_settings.txt");
    const fs::path home = Make("home/.local/share/vulkan/settings.d/vk_layer_settings.txt");
    Set("HOME", folder / "home");
    Set("VK_LAYER_SETTINGS_PATH", named);
    EXPECT_EQ(FindSettingsFile(), home);
    const fs::path data = Make("data/vulkan/settings.d/vk_layer_settings.txt");
    Set("XDG_DATA_HOME", folder / "data");
    EXPECT_EQ(FindSettingsFile(), data);
}

TEST_F(SettingsPlacesTest, ProfilesAreTheUsers) {
    EXPECT_EQ(ProfileFolder(), "") << "there is no home";
    Set("HOME", folder);
    EXPECT_EQ(ProfileFolder(), folder / ".config/kronos/programs");
    Set("XDG_CONFIG_HOME", folder / "config");
    EXPECT_EQ(ProfileFolder(), folder / "config/kronos/programs");
}

}  // namespace
}  // namespace kronos
