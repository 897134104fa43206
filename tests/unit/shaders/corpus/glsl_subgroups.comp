// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 3.7 w
#version 450
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_shuffle : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0, std430) readonly buffer In { vec4 values[]; };
layout(set = 3, binding = 7, std430) writeonly buffer Out { vec4 sums[]; };
void main() {
    vec4 sum = subgroupAdd(values[gl_GlobalInvocationID.x]);
    sum += subgroupShuffleXor(sum, 1u);
    if (subgroupElect()) sums[gl_WorkGroupID.x] = sum;
}
