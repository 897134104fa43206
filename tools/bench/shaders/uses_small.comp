// SPDX-License-Identifier: Apache-2.0
// What tools/bench/shader_bench.cpp analyses: the least kernel that does something.
#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { float source[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float target[]; };
void main() { target[gl_GlobalInvocationID.x] = 2.0 * source[gl_GlobalInvocationID.x]; }
