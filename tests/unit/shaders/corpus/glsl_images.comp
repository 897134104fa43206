// SPDX-License-Identifier: Apache-2.0
// uses: 0.0 r, 0.1 w, 0.2[2] r, 0.3 r, 0.4 w, 0.5 rw
#version 450
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0) uniform sampler2D filtered;
layout(set = 0, binding = 1, rgba8) uniform writeonly image2D target;
layout(set = 0, binding = 2, rgba8) uniform readonly image2D sources[4];
layout(set = 0, binding = 3) uniform samplerBuffer texels;
layout(set = 0, binding = 4, r32f) uniform imageBuffer written;
layout(set = 0, binding = 5, r32ui) uniform uimage2D counters;
vec4 Fetch(vec2 at) { return textureLod(filtered, at, 0.0); }
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    vec4 color = Fetch(vec2(at) / vec2(imageSize(target))) + imageLoad(sources[2], at) + texelFetch(texels, at.x);
    imageStore(target, at, color);
    imageStore(written, at.x, color);
    imageAtomicAdd(counters, at, 1u);
}
