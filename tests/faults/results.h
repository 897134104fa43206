// SPDX-License-Identifier: Apache-2.0
// What a program is told, seen by a layer above the one under test: the results of its calls, and of what its pipelines
// are made. The layer can also answer one call itself, for a run of the program that is told the same without the layer
// under test. C functions, found by dlsym in the layer's library; any thread may call.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>

extern "C" {

// A command by its canonical name, and what vk.xml allows it to return.
struct ResultsCommand {
    const char* name;
    const VkResult* good;
    uint32_t good_count;
    const VkResult* bad;
    uint32_t bad_count;
};

// `call`: of this command, from 1. `allowed`: vk.xml has this result for it. Called for all but VK_SUCCESS.
typedef void (*ResultsSeen)(const struct ResultsCommand* command, uint64_t call, VkResult result, int allowed);
// A compute pipeline that was made, of these words of SPIR-V.
typedef void (*ResultsPipeline)(VkPipeline pipeline, const uint32_t* code, uint64_t words,
                                const VkSpecializationInfo* specialization);

#define RESULTS_FUNCTIONS(F)                                                                                          \
    F(Watch, void, (ResultsSeen seen, ResultsPipeline pipeline))                                                      \
    /* The `call`-th call of the command gets `result`, and nothing below hears of it. */                             \
    /* Before an error is told, the devices become idle: the program need not know what is in use then. 0: not so. */ \
    F(WaitBeforeErrors, void, (int on))                                                                               \
    F(Answer, int, (const char* command, uint64_t call, VkResult result))                                             \
    F(Commands, const struct ResultsCommand*, (uint32_t * count))

#define RESULTS_DECLARE(name, result, parameters) result results##name parameters;
RESULTS_FUNCTIONS(RESULTS_DECLARE)
#undef RESULTS_DECLARE

}  // extern "C"
