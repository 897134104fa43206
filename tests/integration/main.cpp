// SPDX-License-Identifier: Apache-2.0
// Runs the tests with the mock driver as the only driver and the build tree's layer in the loader's search path.
#include <gtest/gtest.h>

#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
// The leak check of GCC 12 takes the size of thread-local variables of loaded libraries from where glibc no longer has
// it, and reads memory that is not there. This leaves them out: they hold no pointers.
extern "C" [[gnu::visibility("default")]] const char* __asan_default_options() { return "intercept_tls_get_addr=0"; }
#endif

int main(int argc, char** argv) {
    setenv("VK_DRIVER_FILES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_ICD_FILENAMES", KRONOS_MOCK_ICD_MANIFEST, 1);
    setenv("VK_LAYER_PATH", KRONOS_EXPLICIT_MANIFESTS, 1);
    unsetenv("VK_INSTANCE_LAYERS");
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
