// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 0.1 rw, 0.2 r
#version 450
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const int which = 1;
struct Particle { vec4 place; vec4 speed; };
layout(set = 0, binding = 0) uniform Settings { vec4 gravity; float step; } settings;
layout(set = 0, binding = 1) buffer Particles { Particle particles[]; };
layout(set = 0, binding = 2) readonly buffer Fields { vec4 field[]; } fields[3];
layout(set = 0, binding = 3) buffer Unused { uint unused[]; };
void Move(inout Particle particle, in vec4 force) {
    float whole;
    particle.speed += (force + settings.gravity) * settings.step;
    particle.place += particle.speed * settings.step;
    particle.place.w = modf(particle.place.w, whole);
}
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= particles.length()) return;
    Move(particles[i], fields[which].field[i]);
}
