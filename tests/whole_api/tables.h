// SPDX-License-Identifier: Apache-2.0
// What generate.py tells of the registry: structures and commands as data, so that arguments are built and compared by
// the same few functions for all of them. Constant.
#pragma once
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace whole_api {

enum class Kind : uint8_t {
    kType,       // sType
    kNext,       // pNext
    kNumber,     // an integer
    kBool,       // VkBool32
    kFloat,      // float or double
    kEnum,       // one of Enum's values
    kFlags,      // a mask of Enum's values
    kHandle,     // index: kHandleNames
    kStruct,     // index: kStructs
    kOpaque,     // a union, or a codec's structure: zeros are valid
    kChar,       // text
    kVoid,       // data
    kAddress,    // VkDeviceAddress
    kFunction,   // a callback
    kAllocator,  // pAllocator
};

enum Length : int16_t { kOne = -1, kText = -2, kOther = -3 };  // else the number of the member that counts

struct Field {
    const char* name;
    Kind kind;
    int16_t index;
    uint32_t offset;
    uint32_t size;   // of one element
    uint32_t fixed;  // elements of an array that is a member
    uint8_t pointers;
    bool is_const, optional, counts;
    int16_t length;
};

struct Struct {
    const char* name;
    VkStructureType type;
    uint32_t size;
    const Field* fields;
    uint32_t field_count;
    const int16_t* extenders;
    uint32_t extender_count;
    bool returned_only;
};

struct Enum {
    const char* name;
    const uint64_t* values;
    uint32_t count;
    bool mask;
};

enum class Level { kGlobal, kInstance, kPhysicalDevice, kDevice, kQueue, kCommandBuffer };

// What has a command: a core version, or an extension.
struct Way {
    uint32_t version;
    const char* extension;
};

struct Command {
    const char* name;
    const char* canonical;
    Level level;
    uint64_t (*call)(PFN_vkVoidFunction, const uint64_t*);
    const Field* parameters;  // each at 8 bytes
    uint32_t parameter_count;
    bool has_result;
    const Way* ways;
    uint32_t way_count;
};

struct ExtensionName {
    const char* name;
    bool is_device;
};

extern const Struct kStructs[];
extern const uint32_t kStructCount;
extern const char* const kHandleNames[];
extern const uint32_t kHandleCount;
extern const Command kCommands[];
extern const uint32_t kCommandCount;
extern const Enum kEnums[];
extern const ExtensionName kExtensions[];
extern const uint32_t kExtensionCount;

// A parameter out of its 8 bytes, and a result as 8 bytes.
template <typename T>
T As(const uint64_t& slot) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    T value;
    std::memcpy(&value, &slot, sizeof(T));
    return value;
}
template <typename T>
uint64_t Number(T value) {
    static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>);
    uint64_t slot = 0;
    std::memcpy(&slot, &value, sizeof(T));
    return slot;
}

}  // namespace whole_api
