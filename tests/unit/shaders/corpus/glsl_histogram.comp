// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 0.1 rw
#version 450
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer In { uint values[]; };
layout(set = 0, binding = 1) buffer Bins { uint bins[]; };
void main() { atomicAdd(bins[values[gl_GlobalInvocationID.x] & 255u], 1u); }
