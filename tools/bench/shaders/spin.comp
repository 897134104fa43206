// SPDX-License-Identifier: Apache-2.0
// A kernel of chosen length: each invocation iterates on one word of its slot, so that slots are independent.
#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Words { uint words[]; };
layout(push_constant) uniform Push { uint slot; uint iterations; };

void main() {
    uint at = slot + gl_GlobalInvocationID.x;
    uint value = words[at];
    for (uint i = 0; i < iterations; ++i) value = value * 1664525u + 1013904223u;
    words[at] = value;
}
