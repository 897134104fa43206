// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 0.1 w
#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { float values[]; } source;
layout(set = 0, binding = 1) writeonly buffer Out { float sums[]; } target;
layout(push_constant) uniform Push { uint count; } push;
shared float tile[64];
void main() {
    uint i = gl_GlobalInvocationID.x;
    tile[gl_LocalInvocationIndex] = i < push.count ? source.values[i] : 0.0;
    for (uint step = 32; step > 0; step /= 2) {
        barrier();
        if (gl_LocalInvocationIndex < step) tile[gl_LocalInvocationIndex] += tile[gl_LocalInvocationIndex + step];
    }
    if (gl_LocalInvocationIndex == 0) target.sums[gl_WorkGroupID.x] = tile[0];
}
