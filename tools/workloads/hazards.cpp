// SPDX-License-Identifier: Apache-2.0
// Which barriers the data of a workload needs.
#include "hazards.h"

namespace kronos::workloads {

std::vector<bool> NeededBarriers(const Workload& workload) {
    struct Use {
        bool read = false;
        bool written = false;
    };
    std::vector<Use> since(workload.buffers().size());
    std::vector<bool> needed;
    for (const Dispatch& dispatch : workload.dispatches()) {
        uint32_t writes = workload.shaders()[dispatch.shader].writes;
        bool hazard = false;
        for (size_t binding = 0; binding < dispatch.buffers.size(); ++binding) {
            const Use& use = since[dispatch.buffers[binding]];
            hazard |= use.written || (use.read && (writes >> binding & 1U));
        }
        if (hazard) since.assign(since.size(), {});
        for (size_t binding = 0; binding < dispatch.buffers.size(); ++binding) {
            Use& use = since[dispatch.buffers[binding]];
            use.read = true;
            use.written |= writes >> binding & 1U;
        }
        needed.push_back(hazard);
    }
    return needed;
}

}  // namespace kronos::workloads
