// SPDX-License-Identifier: Apache-2.0
// What kronos-layer-bench records: it takes push constants and does nothing.
#version 450
layout(local_size_x = 1) in;
layout(push_constant) uniform Constants { uvec4 unused; };
void main() {}
