// SPDX-License-Identifier: Apache-2.0
// What tools/bench/shader_bench.cpp analyses: an unrolled matrix product as generators write them, through functions,
// shared memory and arrays of descriptors; about 5,000 words.
#version 450
layout(local_size_x = 16, local_size_y = 16) in;
layout(set = 0, binding = 0) readonly buffer Left { vec4 values[]; } lefts[2];
layout(set = 0, binding = 1) readonly buffer Right { vec4 values[]; } right;
layout(set = 0, binding = 2) buffer Out { vec4 values[]; } target;
layout(set = 0, binding = 3) uniform Sizes { uint width; uint depth; float scale; } sizes;
layout(set = 1, binding = 0) buffer Counts { uint counts[]; };
shared vec4 tile_a[16][17];
shared vec4 tile_b[16][17];
vec4 Scaled(inout vec4 sum, in vec4 term) {
    sum += term * sizes.scale;
    return sum;
}
#define STEP(k) sum[k & 3] += tile_a[y][k].x * tile_b[k][x] + tile_a[y][k].yzwx * tile_b[k][x].wzyx;
#define STEPS STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11)
#define STORE(i) target.values[at + i] = Scaled(sum[i & 3], right.values[at + i] + lefts[1].values[at + i]);
void main() {
    vec4 sum[4] = vec4[](vec4(0), vec4(0), vec4(0), vec4(0));
    uint x = gl_LocalInvocationID.x, y = gl_LocalInvocationID.y;
    uint at = gl_GlobalInvocationID.y * sizes.width + gl_GlobalInvocationID.x;
    for (uint k = 0; k < sizes.depth; k += 16) {
        tile_a[y][x] = lefts[0].values[at + k];
        tile_b[y][x] = right.values[at + k * sizes.width];
        barrier();
        STEPS STEPS
        barrier();
    }
    STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7)
    STORE(8) STORE(9) STORE(10) STORE(11) STORE(12) STORE(13) STORE(14) STORE(15)
    atomicAdd(counts[at & 15], 1u);
}
