#version 450
// Mixes one slice of a buffer into an image of 16 x 16 numbers.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 1, r32ui) uniform uimage2D target;
layout(push_constant) uniform Push { uint factor; uint addend; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= 256 || any(notEqual(gl_GlobalInvocationID.yz, uvec2(0)))) return;
    ivec2 at = ivec2(i % 16, i / 16);
    imageStore(target, at, uvec4(imageLoad(target, at).x * factor + source[i] + addend, 0, 0, 0));
}
