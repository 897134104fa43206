// SPDX-License-Identifier: Apache-2.0
// uses: 1.2 r, address rw
#version 450
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 64) in;
layout(buffer_reference) buffer Node;
layout(buffer_reference, std430) buffer Node { Node next; uint value; };
layout(set = 1, binding = 2) uniform Root { Node first; };
void main() {
    Node node = first;
    for (int i = 0; i < 4; ++i) node = node.next;
    node.value = 1u;
}
