// SPDX-License-Identifier: Apache-2.0
#include "shaders/module_reader.h"

#include <algorithm>

namespace kronos::spirv {
namespace {

constexpr uint32_t kHeaderWords = 5;
constexpr uint32_t kLeastVersion = 0x10000;
constexpr uint32_t kGreatestVersion = 0x10600;
// SPIR-V's universal limit of the bound; and stripped modules leave gaps, but not that many.
constexpr size_t kGreatestBound = 4194303;
constexpr size_t kFreeBound = 65536;
constexpr size_t kBoundPerWord = 8;
// Offsets are 32 bits wide.
constexpr size_t kGreatestSize = size_t{1} << 30;

/// The literal string that begins at word `first` is `text`, or begins with it. False too if it has no end.
enum class Match { kWhole, kBeginning };
bool HoldsText(Instruction instruction, uint32_t first, std::string_view text, Match match) {
    for (size_t i = 0;; ++i) {
        const uint32_t word = first + static_cast<uint32_t>(i / 4);
        if (word >= instruction.count()) return false;
        const char letter = static_cast<char>(instruction[word] >> (8 * (i % 4)) & 0xff);
        if (i == text.size()) return match == Match::kBeginning || letter == 0;
        if (letter != text[i] || letter == 0) return false;
    }
}

uint8_t SetFlags(Instruction import) {
    if (HoldsText(import, 2, "GLSL.std.450", Match::kWhole)) return kGlsl;
    if (HoldsText(import, 2, "NonSemantic.", Match::kBeginning)) return kNonSemantic;
    if (HoldsText(import, 2, "OpenCL.DebugInfo.100", Match::kWhole)) return kNonSemantic;
    if (HoldsText(import, 2, "DebugInfo", Match::kWhole)) return kNonSemantic;
    return 0;
}

bool IsCoherence(uint32_t decoration) {
    return decoration == spv::DecorationCoherent || decoration == spv::DecorationVolatile;
}

}  // namespace

bool Module::Read(std::span<const uint32_t> module_words, std::string_view entry_point) {
    words = module_words;
    if (!ReadHeader()) return false;
    uint32_t word = kHeaderWords;
    while (word < words.size()) {
        const uint32_t count = At(word).count();
        if (count == 0 || count > words.size() - word || !ReadInstruction(word, entry_point)) return false;
        word += count;
    }
    return has_entry_ && has_memory_model_ && !in_function_;
}

bool Module::ReadHeader() {
    if (words.size() < kHeaderWords || words.size() > kGreatestSize || words[0] != spv::MagicNumber) return false;
    const uint32_t version = words[1];
    if (version < kLeastVersion || version > kGreatestVersion || (version & 0xff)) return false;
    const size_t bound = words[3];
    if (bound > kGreatestBound || bound > std::max(kFreeBound, words.size() * kBoundPerWord) || words[4] != 0)
        return false;
    ids.resize(bound);
    return true;
}

bool Module::ReadInstruction(uint32_t word, std::string_view entry_point) {
    const Instruction instruction = At(word);
    if (!DefineResult(instruction, word)) return false;
    switch (instruction.opcode()) {
        case spv::OpMemoryModel: {
            const uint32_t addressing = instruction[1];
            const uint32_t memory = instruction[2];
            has_memory_model_ = true;
            return (addressing == spv::AddressingModelLogical ||
                    addressing == spv::AddressingModelPhysicalStorageBuffer64) &&
                   (memory == spv::MemoryModelGLSL450 || memory == spv::MemoryModelVulkan);
        }
        case spv::OpEntryPoint:
            return ReadEntryPoint(instruction, entry_point);
        case spv::OpDecorate:
        case spv::OpMemberDecorate:
        case spv::OpGroupDecorate:
        case spv::OpGroupMemberDecorate:
            // Types take over what their members are decorated with, so the decorations have to come first.
            return !past_decorations_ && Decorate(instruction);
        case spv::OpFunction:
        case spv::OpFunctionParameter:
        case spv::OpFunctionEnd:
        case spv::OpLabel:
            return ReadFunction(instruction, word);
        default:
            return true;
    }
}

bool Module::DefineResult(Instruction instruction, uint32_t word) {
    switch (ShapeOf(instruction.opcode())) {
        case Shape::kNoResult:
            return true;
        case Shape::kResult: {
            const uint32_t id = instruction[1];
            if (!Define(id, word)) return false;
            const uint32_t opcode = instruction.opcode();
            if (opcode == spv::OpExtInstImport) ids[id].flags |= SetFlags(instruction);
            if (opcode == spv::OpString || opcode == spv::OpExtInstImport || opcode == spv::OpLabel ||
                opcode == spv::OpDecorationGroup)
                return true;
            past_decorations_ = true;
            ids[id].flags |= kType | TypeFlags(instruction);
            // A pointer without its storage class, a struct without its name: nothing shorter is read on.
            return instruction.count() >= (opcode == spv::OpTypePointer      ? 4u
                                           : opcode == kOpTypeUntypedPointer ? 3u
                                                                             : 2u);
        }
        case Shape::kTypedResult:
            past_decorations_ |= instruction.opcode() != spv::OpExtInst;
            return instruction[1] < ids.size() && Define(instruction[2], word);
        case Shape::kUnlisted:
            // It has a result, or an operand that looks like one. In the latter case the operand is defined elsewhere
            // too, which ends it all.
            if ((Flags(instruction[1]) & kType) && instruction.count() >= 3 && instruction[2] < ids.size() &&
                instruction[2] != 0 && !Defined(instruction[2]))
                ids[instruction[2]].definition = word;
            return true;
    }
    return false;
}

bool Module::Define(uint32_t id, uint32_t word) {
    if (id == 0 || id >= ids.size() || ids[id].definition) return false;
    ids[id].definition = word;
    return true;
}

uint8_t Module::TypeFlags(Instruction type) const {
    switch (type.opcode()) {
        case spv::OpTypeVoid:
        case spv::OpTypeBool:
        case spv::OpTypeInt:
        case spv::OpTypeFloat:
        case kOpTypeTensorLayoutNv:
        case kOpTypeTensorViewNv:
            return kPlain;
        case spv::OpTypeVector:
        case spv::OpTypeMatrix:
        case kOpTypeCooperativeMatrixKhr:
        case spv::OpTypeCooperativeMatrixNV:
        case spv::OpTypeArray:
        case spv::OpTypeRuntimeArray:
            return Flags(type[2]) & (kPlain | kCoherent);
        case spv::OpTypeStruct: {
            uint8_t all = kPlain;
            uint8_t any = 0;
            for (uint32_t i = 2; i < type.count(); ++i) {
                all &= Flags(type[i]);
                any |= Flags(type[i]);
            }
            return all | (any & kCoherent);
        }
        case spv::OpTypeImage:
        case spv::OpTypeSampler:
        case spv::OpTypeSampledImage:
            return kHandle;
        default:
            return 0;
    }
}

bool Module::Decorate(uint32_t target, uint32_t set, uint32_t binding, uint8_t flags) {
    if (target == 0 || target >= ids.size()) return false;
    Id& id = ids[target];
    // Decorated twice, and differently: neither is to be believed.
    if (set != Id::kUndecorated && id.set != Id::kUndecorated && id.set != set) return false;
    if (binding != Id::kUndecorated && id.binding != Id::kUndecorated && id.binding != binding) return false;
    if (set != Id::kUndecorated) id.set = set;
    if (binding != Id::kUndecorated) id.binding = binding;
    id.flags |= flags;
    any_coherent |= flags != 0;
    return true;
}

bool Module::Decorate(Instruction instruction) {
    constexpr uint32_t kNone = Id::kUndecorated;
    switch (instruction.opcode()) {
        case spv::OpDecorate: {
            const uint32_t what = instruction[2];
            const bool places = what == spv::DecorationDescriptorSet || what == spv::DecorationBinding;
            if (instruction.count() < (places ? 4u : 3u)) return false;
            return Decorate(instruction[1], what == spv::DecorationDescriptorSet ? instruction[3] : kNone,
                            what == spv::DecorationBinding ? instruction[3] : kNone, IsCoherence(what) ? kCoherent : 0);
        }
        case spv::OpMemberDecorate:
            return instruction.count() >= 4 &&
                   Decorate(instruction[1], kNone, kNone, IsCoherence(instruction[3]) ? kCoherent : 0);
        default: {
            const bool members = instruction.opcode() == spv::OpGroupMemberDecorate;
            if (!Defined(instruction[1])) return false;
            const Id group = ids[instruction[1]];
            for (uint32_t i = 2; i < instruction.count(); i += members ? 2 : 1) {
                if (!Decorate(instruction[i], members ? kNone : group.set, members ? kNone : group.binding,
                              group.flags & kCoherent))
                    return false;
            }
            return true;
        }
    }
}

bool Module::ReadEntryPoint(Instruction instruction, std::string_view entry_point) {
    if (instruction[1] != spv::ExecutionModelGLCompute || !HoldsText(instruction, 3, entry_point, Match::kWhole))
        return true;
    if (has_entry_) return false;
    has_entry_ = true;
    entry = instruction[2];
    return true;
}

bool Module::ReadFunction(Instruction instruction, uint32_t word) {
    const uint32_t index = static_cast<uint32_t>(functions.size());
    switch (instruction.opcode()) {
        case spv::OpFunction:
            if (in_function_) return false;
            in_function_ = true;
            ids[instruction[2]].function = index;
            functions.push_back({.begin = word + instruction.count()});
            return true;
        case spv::OpFunctionParameter:
            if (!in_function_ || functions.back().has_body) return false;
            ids[instruction[2]].function = index - 1;
            ids[instruction[2]].ordinal = functions.back().parameters++;
            return true;
        case spv::OpLabel:
            if (!in_function_) return false;
            functions.back().has_body = true;
            return true;
        default:
            if (!in_function_) return false;
            in_function_ = false;
            functions.back().end = word;
            return true;
    }
}

}  // namespace kronos::spirv
