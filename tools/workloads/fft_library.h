// SPDX-License-Identifier: Apache-2.0
// VkFFT's header, with the headers of ours that it would else look for beside itself. For fft_writing.cpp.
#pragma once

#include <glslang/Include/glslang_c_interface.h>
#include <vulkan/vulkan.h>

#ifdef KRONOS_OLD_VKFFT
// VkFFT 1.2 lists glslang's limits by position, and later versions of glslang have more of them. It gets a list of its
// own shape to fill, whose address is that of glslang's defaults: they hold the same numbers.
#include <glslang/Public/resource_limits_c.h>
struct VkFftLimits {
    int numbers[93];
    glslang_limits_t limits;
    const glslang_resource_t* operator&() const { return glslang_default_resource(); }
};
#define glslang_resource_t VkFftLimits
#include <vkFFT.h>
#undef glslang_resource_t
#else
#include <vkFFT.h>
#endif
