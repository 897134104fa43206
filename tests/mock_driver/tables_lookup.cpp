// SPDX-License-Identifier: Apache-2.0
// Look-ups in the generated tables.
#include <algorithm>
#include <cstring>

#include "tables.h"

namespace mock {
namespace {

struct ResultRow {
    VkResult result;
    const char* name;
};
#define ROW(result) \
    { result, #result }
const ResultRow kResults[] = {
    ROW(VK_SUCCESS),
    ROW(VK_NOT_READY),
    ROW(VK_TIMEOUT),
    ROW(VK_EVENT_SET),
    ROW(VK_EVENT_RESET),
    ROW(VK_INCOMPLETE),
    ROW(VK_ERROR_OUT_OF_HOST_MEMORY),
    ROW(VK_ERROR_OUT_OF_DEVICE_MEMORY),
    ROW(VK_ERROR_INITIALIZATION_FAILED),
    ROW(VK_ERROR_DEVICE_LOST),
    ROW(VK_ERROR_MEMORY_MAP_FAILED),
    ROW(VK_ERROR_LAYER_NOT_PRESENT),
    ROW(VK_ERROR_EXTENSION_NOT_PRESENT),
    ROW(VK_ERROR_FEATURE_NOT_PRESENT),
    ROW(VK_ERROR_INCOMPATIBLE_DRIVER),
    ROW(VK_ERROR_TOO_MANY_OBJECTS),
    ROW(VK_ERROR_FORMAT_NOT_SUPPORTED),
    ROW(VK_ERROR_FRAGMENTED_POOL),
    ROW(VK_ERROR_UNKNOWN),
    ROW(VK_ERROR_OUT_OF_POOL_MEMORY),
    ROW(VK_ERROR_INVALID_EXTERNAL_HANDLE),
    ROW(VK_ERROR_FRAGMENTATION),
    ROW(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS),
    ROW(VK_PIPELINE_COMPILE_REQUIRED),
    ROW(VK_ERROR_SURFACE_LOST_KHR),
    ROW(VK_ERROR_NATIVE_WINDOW_IN_USE_KHR),
    ROW(VK_SUBOPTIMAL_KHR),
    ROW(VK_ERROR_OUT_OF_DATE_KHR),
    ROW(VK_ERROR_VALIDATION_FAILED_EXT),
    ROW(VK_ERROR_INVALID_SHADER_NV),
    ROW(VK_ERROR_NOT_PERMITTED_KHR),
    ROW(VK_ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT),
    ROW(VK_THREAD_IDLE_KHR),
    ROW(VK_THREAD_DONE_KHR),
    ROW(VK_OPERATION_DEFERRED_KHR),
    ROW(VK_OPERATION_NOT_DEFERRED_KHR),
    ROW(VK_ERROR_COMPRESSION_EXHAUSTED_EXT),
};
#undef ROW

}  // namespace

const CommandInfo* FindCommand(const char* name) {
    const CommandInfo* end = kCommands + kCommandTableSize;
    const CommandInfo* found = std::lower_bound(
        kCommands, end, name, [](const CommandInfo& c, const char* n) { return std::strcmp(c.name, n) < 0; });
    return found != end && std::strcmp(found->name, name) == 0 ? found : nullptr;
}

const TypeName& NameOfType(VkObjectType type) {
    static const TypeName unknown = {VK_OBJECT_TYPE_UNKNOWN, "object", "object"};
    for (uint32_t i = 0; i < kTypeNameCount; ++i) {
        if (kTypeNames[i].type == type) return kTypeNames[i];
    }
    return unknown;
}

const ExtensionInfo* FindExtension(const std::string& name) {
    for (uint32_t i = 0; i < kExtensionCount; ++i) {
        if (name == kExtensions[i].name) return &kExtensions[i];
    }
    return nullptr;
}

const char* ResultName(VkResult result) {
    for (const ResultRow& row : kResults) {
        if (row.result == result) return row.name;
    }
    return "VK_ERROR_unnamed";
}

bool ParseResult(const std::string& name, VkResult* result) {
    for (const ResultRow& row : kResults) {
        if (name == row.name) {
            *result = row.result;
            return true;
        }
    }
    return false;
}

}  // namespace mock
