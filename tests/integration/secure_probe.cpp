// SPDX-License-Identifier: Apache-2.0
// Says what the layer would do in this process: for secure_test.py, which runs it with more rights than its user.
#include <cstdio>

#include "settings/read.h"
#include "support/process.h"

int main() {
    VkInstanceCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    const kronos::ResolvedSettings resolved = kronos::ReadSettings(&info, kronos::ProcessIsSecure());
    std::printf("secure=%d problems=%zu\n", kronos::ProcessIsSecure() ? 1 : 0, resolved.problems.size());
    for (const kronos::EffectiveSetting& setting : resolved.effective) std::printf("%s\n", setting.Line().c_str());
}
