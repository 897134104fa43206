// SPDX-License-Identifier: Apache-2.0
// Arguments out of the tables: every pointer has memory behind it, every count its array, every handle an object.
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "world.h"

namespace whole_api {
namespace {

constexpr size_t kLeast = 64;  // elements behind any pointer, beyond what a count says zero
constexpr size_t kData = 4096;

template <typename T>
void Put(uint8_t* at, T value) {
    std::memcpy(at, &value, sizeof(T));
}
template <typename T>
T Read(const uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
}

void PutNumber(uint8_t* at, uint32_t size, uint64_t value) { std::memcpy(at, &value, size); }
uint64_t ReadNumber(const uint8_t* at, uint32_t size) {
    uint64_t value = 0;
    std::memcpy(&value, at, size);
    return value;
}

const Field* NextOf(const Struct& type) {
    for (uint32_t i = 0; i < type.field_count; ++i)
        if (type.fields[i].kind == Kind::kNext) return &type.fields[i];
    return nullptr;
}

const Struct* StructOfType(VkStructureType type) {
    static const auto* by_type = [] {
        auto* map = new std::map<uint32_t, const Struct*>;
        for (uint32_t i = 0; i < kStructCount; ++i)
            if (kStructs[i].type != VK_STRUCTURE_TYPE_APPLICATION_INFO) (*map)[kStructs[i].type] = &kStructs[i];
        return map;
    }();
    const auto found = by_type->find(type);
    return found == by_type->end() ? nullptr : found->second;
}

bool Contains(const char* text, const char* part) { return std::strstr(text, part) != nullptr; }

}  // namespace

void* Arena::Take(size_t size) {
    blocks_.push_back(std::make_unique<uint64_t[]>((size + 15) / sizeof(uint64_t)));
    return blocks_.back().get();
}

uint64_t World::CountFor(const Field& field, const Field* siblings, const uint8_t* base) const {
    if (field.length == kOne) return 1;
    if (field.length < 0) return 2;
    const Field& count = siblings[field.length];
    if (count.pointers == 0) return ReadNumber(base + count.offset, count.size);
    const auto* behind = Read<const uint8_t*>(base + count.offset);
    return behind ? ReadNumber(behind, count.size) : 0;
}

const void* World::Chain(const std::vector<int>& extenders) {
    const bool outer = in_chain_;
    in_chain_ = true;
    void* first = nullptr;
    for (auto i = extenders.rbegin(); i != extenders.rend(); ++i) {
        const Struct& type = kStructs[*i];
        auto* memory = static_cast<uint8_t*>(arena.Take(type.size));
        FillStruct(type, memory);
        Put(memory + NextOf(type)->offset, first);
        first = memory;
    }
    in_chain_ = outer;
    return first;
}

void World::FillStruct(const Struct& type, void* memory) {
    auto* base = static_cast<uint8_t*>(memory);
    // Counts first: others follow them.
    for (const bool counts : {true, false}) {
        for (uint32_t i = 0; i < type.field_count; ++i) {
            const Field& field = type.fields[i];
            if (field.counts == counts) FillField(field, type.fields, type.field_count, base, &type);
        }
    }
    FixStruct(type, memory);
}

void World::FillElement(const Field& field, uint8_t* at) {
    switch (field.kind) {
        case Kind::kNumber:
            if (field.size == sizeof(uint64_t))
                PutNumber(at, field.size,
                          4 * (Random(4) + (Contains(field.name, "ize") || Contains(field.name, "ange") ? 1 : 0)));
            else
                PutNumber(at, field.size, Contains(field.name, "ount") ? 1 : Random(4));
            break;
        case Kind::kBool:
            Put<VkBool32>(at, Random(2));
            break;
        case Kind::kFloat:
            if (field.size == sizeof(double))
                Put(at, 0.25 * Random(5));
            else
                Put(at, 0.25F * static_cast<float>(Random(5)));
            break;
        case Kind::kEnum:
        case Kind::kFlags: {
            const Enum& values = kEnums[field.index];
            const bool none = values.count == 0 || (field.kind == Kind::kFlags && field.optional && Random(2) == 0);
            PutNumber(at, field.size, none ? 0 : values.values[Random(values.count)]);
            break;
        }
        case Kind::kHandle:
            Put(at, First(field.index));
            break;
        case Kind::kStruct:
            FillStruct(kStructs[field.index], at);
            break;
        case Kind::kAddress:
            Put<VkDeviceAddress>(at, 0x10000 + uint64_t{256} * Random(4));
            break;
        default:
            break;  // zero
    }
}

void World::FillField(const Field& field, const Field* siblings, uint32_t sibling_count, uint8_t* base,
                      const Struct* owner) {
    uint8_t* const at = base + field.offset;
    if (field.kind == Kind::kType) return Put(at, owner->type);
    if (field.kind == Kind::kNext) {
        if (in_chain_) return;
        const int me = static_cast<int>(owner - kStructs);
        if (chains.on == me) return Put(at, Chain(chains.extenders));
        if (!chains.anywhere || owner->extender_count == 0 || Random(2) == 0) return;
        std::vector<int> some(owner->extenders, owner->extenders + owner->extender_count);
        for (size_t i = some.size(); i > 1; --i) std::swap(some[i - 1], some[Random(static_cast<uint32_t>(i))]);
        some.resize(std::min<size_t>(some.size(), 1 + Random(3)));
        return Put(at, Chain(some));
    }
    if (field.kind == Kind::kFunction || field.kind == Kind::kAllocator) return;  // none
    if (field.counts) {
        bool data = false, names = false;
        const auto me = static_cast<int16_t>(&field - siblings);
        for (uint32_t i = 0; i < sibling_count; ++i) {
            data = data || (siblings[i].length == me && siblings[i].kind == Kind::kVoid && siblings[i].pointers == 1);
            names = names || (siblings[i].length == me && siblings[i].kind == Kind::kChar);
        }
        const uint64_t count = names ? 0 : data || field.size == sizeof(uint64_t) ? 16 : 1 + Random(2);
        if (field.pointers == 0) return PutNumber(at, field.size, count);
        auto* behind = static_cast<uint8_t*>(arena.Take(sizeof(uint64_t)));
        PutNumber(behind, field.size, count);
        return Put(at, behind);
    }
    if (field.pointers == 0) {
        if (field.kind == Kind::kChar) {
            if (field.fixed > 8) std::snprintf(reinterpret_cast<char*>(at), field.fixed, "text%u", Random(10));
            return;
        }
        for (uint32_t i = 0; i < field.fixed; ++i) FillElement(field, at + size_t{i} * field.size);
        return;
    }
    const uint64_t count = field.fixed > 1 ? field.fixed : CountFor(field, siblings, base);
    if (field.pointers == 2) {
        if (field.kind == Kind::kChar || (field.optional && field.kind == Kind::kStruct))
            return;  // what pGeometries says, say
        auto** pointers = arena.Take<uint8_t*>(kLeast);
        for (uint64_t i = 0; field.is_const && i < count; ++i) {
            pointers[i] = static_cast<uint8_t*>(arena.Take(std::max<size_t>(kData, size_t{field.size} * kLeast)));
            FillElement(field, pointers[i]);
        }
        return Put(at, pointers);
    }
    if (field.optional && field.length == kOne && field.is_const && Random(4) == 0) return;
    if (field.kind == Kind::kChar || field.kind == Kind::kVoid) {
        auto* data = static_cast<uint8_t*>(arena.Take(kData));
        if (field.kind == Kind::kChar && field.is_const)
            std::snprintf(reinterpret_cast<char*>(data), 16, "text%u", Random(10));
        else if (field.is_const)
            for (uint32_t i = 0; i < 64; ++i) data[i] = static_cast<uint8_t>(Random(256));
        return Put(at, data);
    }
    // An enumeration is asked for its size too.
    if (!field.is_const && field.optional && field.length >= 0 && siblings[field.length].pointers == 1 &&
        Random(3) == 0)
        return;
    auto* memory = static_cast<uint8_t*>(arena.Take(size_t{field.size} * std::max<uint64_t>(count, kLeast)));
    for (uint64_t i = 0; i < count; ++i) {
        uint8_t* const element = memory + i * field.size;
        if (field.is_const) {
            FillElement(field, element);
        } else if (field.kind == Kind::kStruct) {
            // An output: what it is and its chain.
            const Struct& type = kStructs[field.index];
            for (uint32_t j = 0; j < type.field_count; ++j)
                if (type.fields[j].kind == Kind::kType || type.fields[j].kind == Kind::kNext)
                    FillField(type.fields[j], type.fields, type.field_count, element, &type);
        }
    }
    Put(at, memory);
}

void World::FillArguments(Call* call) {
    const Command& command = *call->command;
    call->slots.assign(std::max(command.parameter_count, 1U), 0);
    auto* base = reinterpret_cast<uint8_t*>(call->slots.data());
    for (const bool counts : {true, false}) {
        for (uint32_t i = 0; i < command.parameter_count; ++i) {
            const Field& field = command.parameters[i];
            if (field.counts == counts) FillField(field, command.parameters, command.parameter_count, base, nullptr);
        }
    }
    FixArguments(call);
}

std::string World::Text(const Field& field, const uint8_t* memory, uint64_t count) const {
    std::string text;
    for (uint64_t i = 0; i < count; ++i) {
        const uint8_t* const at = memory + i * field.size;
        if (i > 0) text += ' ';
        switch (field.kind) {
            case Kind::kHandle:
            case Kind::kAddress:
            case Kind::kFunction:
                text += ReadNumber(at, field.size) ? "some" : "none";  // not the same twice
                break;
            case Kind::kStruct: {
                const Struct* type = &kStructs[field.index];
                text += '{';
                for (const uint8_t* one = at; type && one;) {
                    const uint8_t* next = nullptr;
                    if (one != at) text += std::string(" +") + type->name;
                    for (uint32_t j = 0; j < type->field_count; ++j) {
                        const Field& member = type->fields[j];
                        if (member.kind == Kind::kNext) next = Read<const uint8_t*>(one + member.offset);
                        if (member.pointers || member.kind == Kind::kNext || member.kind == Kind::kType) continue;
                        // A union; and an array that need not be full.
                        if (member.kind == Kind::kOpaque || (member.kind == Kind::kHandle && member.fixed > 1))
                            continue;
                        text += ' ';
                        text += member.name;
                        text += '=';
                        text += Text(member, one + member.offset, member.kind == Kind::kChar ? 1 : member.fixed);
                    }
                    one = next;
                    type = next ? StructOfType(Read<VkStructureType>(next)) : nullptr;
                }
                text += '}';
                break;
            }
            case Kind::kChar:
                text += '"' +
                        std::string(reinterpret_cast<const char*>(at), strnlen(reinterpret_cast<const char*>(at), 64)) +
                        '"';
                break;
            default:
                text += std::to_string(ReadNumber(at, std::min<uint32_t>(field.size, 8)));
                break;
        }
    }
    return text;
}

std::string World::OutputsText(const Call& call) const {
    std::string text;
    const auto* base = reinterpret_cast<const uint8_t*>(call.slots.data());
    for (uint32_t i = 0; i < call.command->parameter_count; ++i) {
        const Field& field = call.command->parameters[i];
        if (field.is_const || field.pointers != 1 || field.kind == Kind::kAllocator || field.kind == Kind::kOpaque)
            continue;
        const auto* memory = Read<const uint8_t*>(base + field.offset);
        text += std::string(" ") + field.name + "=";
        const uint64_t count = std::min<uint64_t>(CountFor(field, call.command->parameters, base), kLeast);
        text += memory ? "[" + Text(field, memory, count) + "]" : "null";
    }
    return text;
}

}  // namespace whole_api
