#version 450
// As mix.comp, with the factors in a uniform buffer that is bound at a dynamic offset.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 1) buffer Target { uint target[]; };
layout(set = 1, binding = 0) uniform Factors { uvec4 factors[16]; };
layout(push_constant) uniform Push { uint factor; uint addend; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= 256 || any(notEqual(gl_GlobalInvocationID.yz, uvec2(0)))) return;
    target[i] = target[i] * factors[i % 16].x + source[i] * factor + addend;
}
