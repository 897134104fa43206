// SPDX-License-Identifier: Apache-2.0
// A Vulkan driver that never returns from its first call.
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned* /*version*/) {
    for (;;) pause();
}
extern "C" __attribute__((visibility("default"))) void* vk_icdGetInstanceProcAddr(void* /*instance*/,
                                                                                  const char* /*name*/) {
    return nullptr;
}
