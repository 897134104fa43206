// SPDX-License-Identifier: Apache-2.0
// Every work group replaces its tiles of 1024 elements by their inclusive prefix sums; totals[tile] receives the sum.
// One group walks over all tiles with a carry when `carry_on` is set (the totals of the totals are then not needed).
#version 450
layout(local_size_x = 128) in;
layout(set = 0, binding = 0, std430) buffer Data { uint data[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Totals { uint totals[]; };
layout(push_constant) uniform Push { uint count; uint carry_on; };
const uint per_thread = 8;
const uint tile_size = 1024;
shared uint sums[128];

void main() {
    uint local = gl_LocalInvocationID.x;
    uint tiles = (count + tile_size - 1) / tile_size;
    uint first = carry_on != 0 ? 0 : gl_WorkGroupID.x;
    uint step = carry_on != 0 ? 1 : gl_NumWorkGroups.x;
    uint carry = 0;
    for (uint tile = first; tile < tiles; tile += step) {
        uint begin = tile * tile_size + local * per_thread;
        uint values[per_thread];
        uint sum = 0;
        for (uint i = 0; i < per_thread; ++i) {
            sum += begin + i < count ? data[begin + i] : 0;
            values[i] = sum;
        }
        sums[local] = sum;
        barrier();
        for (uint reach = 1; reach < 128; reach *= 2) {
            uint left = local >= reach ? sums[local - reach] : 0;
            barrier();
            sums[local] += left;
            barrier();
        }
        uint before = sums[local] - sum + carry;
        for (uint i = 0; i < per_thread; ++i)
            if (begin + i < count) data[begin + i] = before + values[i];
        uint total = sums[127];
        if (carry_on != 0) carry += total;
        else if (local == 0) totals[tile] = total;
        barrier();
    }
}
