// SPDX-License-Identifier: Apache-2.0
// Adds to every element of a tile of 1024 the sum of all tiles before it.
#version 450
layout(local_size_x = 128) in;
layout(set = 0, binding = 0, std430) buffer Data { uint data[]; };
layout(set = 0, binding = 1, std430) readonly buffer Totals { uint totals[]; };
layout(push_constant) uniform Push { uint count; };

void main() {
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride)
        if (i >= 1024) data[i] += totals[i / 1024 - 1];
}
