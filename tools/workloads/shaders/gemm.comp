// SPDX-License-Identifier: Apache-2.0
// C = alpha * A * B - C for square matrices of n rows, in tiles of 16 x 16; a thread computes two rows of its column.
#version 450
layout(local_size_x = 16, local_size_y = 8) in;
layout(set = 0, binding = 0, std430) readonly buffer A { float a[]; };
layout(set = 0, binding = 1, std430) readonly buffer B { float b[]; };
layout(set = 0, binding = 2, std430) buffer C { float c[]; };
layout(push_constant) uniform Push { uint n; float alpha; };
shared float tile_a[16][16];
shared float tile_b[16][16];

void main() {
    uint x = gl_LocalInvocationID.x;
    uint y = gl_LocalInvocationID.y;
    uint column = gl_WorkGroupID.x * 16 + x;
    uint row = gl_WorkGroupID.y * 16 + y;
    float sum[2] = float[2](0.0, 0.0);
    for (uint k = 0; k < n; k += 16) {
        for (uint r = 0; r < 2; ++r) {
            uint line = y + 8 * r;
            uint a_row = row + 8 * r;
            tile_a[line][x] = a_row < n && k + x < n ? a[a_row * n + k + x] : 0.0;
            tile_b[line][x] = k + line < n && column < n ? b[(k + line) * n + column] : 0.0;
        }
        barrier();
        for (uint i = 0; i < 16; ++i)
            for (uint r = 0; r < 2; ++r) sum[r] += tile_a[y + 8 * r][i] * tile_b[i][x];
        barrier();
    }
    for (uint r = 0; r < 2; ++r) {
        uint c_row = row + 8 * r;
        if (c_row < n && column < n) c[c_row * n + column] = alpha * sum[r] - c[c_row * n + column];
    }
}
