// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 0.1[0] w, 0.1[1] r, 0.2[1] r, 0.2 r
#version 450
#extension GL_EXT_nonuniform_qualifier : require
layout(local_size_x = 1) in;
struct Row { mat4 a; uint b[7]; };
layout(set = 0, binding = 0, std430) readonly buffer In { Row rows[]; };
layout(set = 0, binding = 1, std140) buffer Out { Row rows[]; } targets[2];
layout(set = 0, binding = 2) uniform Choice { uint index; } choices[];
void main() {
    uint i = choices[1].index;
    Row row = rows[choices[nonuniformEXT(i)].index];
    row.b[i] = 1u;
    targets[0].rows[i] = row;
    if (targets[1].rows.length() > 3 && targets[1].rows[0].b[2] == i) targets[0].rows[0].a[1] = vec4(2);
}
