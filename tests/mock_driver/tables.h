// SPDX-License-Identifier: Apache-2.0
// The generated tables: commands and what provides them, feature and property structures, extensions, handle types.
// Constant data: any thread may read.
#pragma once
#include <string>

#include "vk_headers.h"

namespace mock {

enum class Level { kGlobal, kInstance, kPhysicalDevice, kDevice };
enum class Kind { kU8, kU16, kU32, kI32, kU64, kI64, kSize, kF32, kBool, kChar };

// A core version (0: none) or an extension that provides something, and a condition in vk.xml's `depends` language.
struct Way {
    uint32_t version;
    const char* extension;
    const char* depends;
};
struct CommandInfo {
    const char* name;
    PFN_vkVoidFunction function;
    Level level;
    uint32_t canonical;  // the command this one is an alias of, or itself
    bool returns_result;
    const Way* ways;
    uint32_t way_count;
};
struct Member {
    const char* name;
    uint32_t offset;
    Kind kind;
    uint32_t count;
};
struct StructInfo {
    const char* name;
    VkStructureType type;
    const Member* members;
    uint32_t member_count;
    const Way* providers;
    uint32_t provider_count;
};
struct ExtensionInfo {
    const char* name;
    uint32_t spec_version;
    bool is_device;
};
struct TypeName {
    VkObjectType type;
    const char* short_name;
    const char* name;
};

extern const CommandInfo kCommands[];  // sorted by name
extern const uint32_t kCommandTableSize;
extern const StructInfo kFeaturesStructs[];
extern const uint32_t kFeaturesStructCount;
extern const StructInfo kPropertiesStructs[];
extern const uint32_t kPropertiesStructCount;
extern const StructInfo kLimitsStruct;
extern const StructInfo kCoreFeaturesStruct;
extern const StructInfo kSparsePropertiesStruct;
extern const ExtensionInfo kExtensions[];
extern const uint32_t kExtensionCount;
extern const TypeName kTypeNames[];
extern const uint32_t kTypeNameCount;

// The command of that name, or null.
const CommandInfo* FindCommand(const char* name);
const TypeName& NameOfType(VkObjectType type);
const ExtensionInfo* FindExtension(const std::string& name);
const char* ResultName(VkResult result);
// Reads a name such as VK_ERROR_DEVICE_LOST; false when it is none.
bool ParseResult(const std::string& name, VkResult* result);

}  // namespace mock
