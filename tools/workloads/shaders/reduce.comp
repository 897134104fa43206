// SPDX-License-Identifier: Apache-2.0
// Every work group sums its share of source (each element plus `bias`) and writes one number to target[offset + group].
#version 450
layout(local_size_x = 128) in;
layout(set = 0, binding = 0, std430) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Target { uint target[]; };
layout(push_constant) uniform Push { uint count; uint bias; uint offset; };
shared uint sums[128];

void main() {
    uint sum = 0;
    uint stride = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < count; i += stride) sum += source[i] + bias;
    sums[gl_LocalInvocationID.x] = sum;
    barrier();
    for (uint half_size = 64; half_size > 0; half_size /= 2) {
        if (gl_LocalInvocationID.x < half_size) sums[gl_LocalInvocationID.x] += sums[gl_LocalInvocationID.x + half_size];
        barrier();
    }
    if (gl_LocalInvocationID.x == 0) target[offset + gl_WorkGroupID.x] = sums[0];
}
