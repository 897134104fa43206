#version 450
// target = target * factor + source + addend, on one slice of 256 numbers. Invocations outside of it do nothing.
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kTwist = 0;
layout(set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 1) buffer Target { uint target[]; };
layout(push_constant) uniform Push { uint factor; uint addend; };

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= 256 || any(notEqual(gl_GlobalInvocationID.yz, uvec2(0)))) return;
    target[i] = (target[i] * factor + source[i] + addend) ^ kTwist;
}
