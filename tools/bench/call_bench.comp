// SPDX-License-Identifier: Apache-2.0
// What kronos-call-bench makes a pipeline of: it writes one of its buffers and reads the others.
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Constants { uvec4 factors; };
layout(set = 0, binding = 0) writeonly buffer Sums { uint sums[]; };
layout(set = 0, binding = 1) readonly buffer A { uint a[]; };
layout(set = 0, binding = 2) readonly buffer B { uint b[]; };
layout(set = 0, binding = 3) readonly buffer C { uint c[]; };
layout(set = 0, binding = 4) readonly buffer D { uint d[]; };
layout(set = 0, binding = 5) readonly buffer E { uint e[]; };
layout(set = 0, binding = 6) readonly buffer F { uint f[]; };
layout(set = 0, binding = 7) readonly buffer G { uint g[]; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    sums[i] = factors.x * (a[i] + b[i]) + factors.y * (c[i] + d[i]) + factors.z * (e[i] + f[i]) + factors.w * g[i];
}
