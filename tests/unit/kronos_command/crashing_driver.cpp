// SPDX-License-Identifier: Apache-2.0
// A Vulkan driver that crashes at the first call, as a driver with a damaged installation may.
#include <csignal>

extern "C" __attribute__((visibility("default"))) int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned* /*version*/) {
    // The default action, so that no handler of a sanitizer makes an exit status out of it.
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
    return 0;
}
extern "C" __attribute__((visibility("default"))) void* vk_icdGetInstanceProcAddr(void* /*instance*/,
                                                                                  const char* /*name*/) {
    return nullptr;
}
