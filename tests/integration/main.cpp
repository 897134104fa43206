// SPDX-License-Identifier: Apache-2.0
// Runs the tests with the mock driver as the only driver and the build tree's layer in the loader's search path.
#include <gtest/gtest.h>

#include <cstdlib>

#include "../scratch.h"

int main(int argc, char** argv) {
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    // Another build of the layer, as tests/mutation makes.
    const char* layers = std::getenv("KRONOS_TEST_LAYERS");
    setenv("VK_LAYER_PATH", layers ? layers : KRONOS_EXPLICIT_MANIFESTS, 1);
    unsetenv("VK_INSTANCE_LAYERS");
    ::testing::InitGoogleTest(&argc, argv);
    // What is written by default goes into the user's state folder, which is not the tests'.
    const kronos::Scratch state;
    setenv("XDG_STATE_HOME", state.path().c_str(), 1);
    return RUN_ALL_TESTS();
}
