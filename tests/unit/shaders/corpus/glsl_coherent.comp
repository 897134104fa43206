// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 rw, 0.1 rw, 0.2 w
#version 450
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) coherent buffer Flags { uint flags[]; };
layout(set = 0, binding = 1) volatile readonly buffer Polled { uint polled[]; };
layout(set = 0, binding = 2) buffer Out { uint result; };
void main() {
    while (flags[0] == 0u && polled[0] == 0u) memoryBarrier();
    result = 1u;
}
