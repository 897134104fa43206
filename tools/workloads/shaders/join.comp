// SPDX-License-Identifier: Apache-2.0
// y = 9 y + a + 3 b + 5 c + 7 d, modulo 2^32.
#version 450
layout(local_size_x = 128) in;
layout(set = 0, binding = 0, std430) readonly buffer A { uint a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { uint b[]; };
layout(set = 0, binding = 2, std430) readonly buffer C { uint c[]; };
layout(set = 0, binding = 3, std430) readonly buffer D { uint d[]; };
layout(set = 0, binding = 4, std430) buffer Y { uint y[]; };
layout(push_constant) uniform Push { uint count; };

void main() {
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride)
        y[i] = 9 * y[i] + a[i] + 3 * b[i] + 5 * c[i] + 7 * d[i];
}
