// SPDX-License-Identifier: Apache-2.0
// y = factor * y + x + bias, modulo 2^32: with a factor of its own a round cannot change places with another.
#version 450
layout(local_size_x = 128) in;
layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) buffer Y { uint y[]; };
layout(push_constant) uniform Push { uint count; uint factor; uint bias; };

void main() {
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) y[i] = factor * y[i] + x[i] + bias;
}
