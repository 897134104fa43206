// SPDX-License-Identifier: Apache-2.0
// Runs the tests with the mock driver as the only driver and the build tree's layer in the loader's search path.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

int main(int argc, char** argv) {
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_LAYER_PATH", KRONOS_EXPLICIT_MANIFESTS, 1);
    unsetenv("VK_INSTANCE_LAYERS");
    ::testing::InitGoogleTest(&argc, argv);
    // What is written by default goes into the user's state folder, which is not the tests'.
    std::string state = ::testing::TempDir() + "kronos-layer-tests-XXXXXX";
    if (!mkdtemp(state.data())) return 2;
    setenv("XDG_STATE_HOME", state.c_str(), 1);
    const int result = RUN_ALL_TESTS();
    std::filesystem::remove_all(state);
    return result;
}
