// SPDX-License-Identifier: Apache-2.0
// Where the functions that are reached access something, and through which id.
#include "shaders/use_finder.h"

namespace kronos::spirv {
namespace {

// Memory operands (SPIR-V 3.26) and image operands (3.14) that share an access with other invocations, or are not
// known: the access may be more than it says.
bool SharesMemory(uint32_t mask) {
    return mask &
           ~(spv::MemoryAccessAlignedMask | spv::MemoryAccessNontemporalMask | spv::MemoryAccessNonPrivatePointerMask);
}
bool SharesTexels(uint32_t mask) {
    return mask & (spv::ImageOperandsMakeTexelAvailableMask | spv::ImageOperandsMakeTexelVisibleMask |
                   spv::ImageOperandsVolatileTexelMask);
}

}  // namespace

// Through a pointer, with the memory operands that begin at word `operands`: one mask with its arguments, or two.
bool UseFinder::Access(uint32_t pointer, Marks marks, Instruction instruction, uint32_t operands) {
    for (int masks = 0; masks < 2 && operands < instruction.count(); ++masks) {
        if (SharesMemory(instruction[operands])) marks = kReadWrite;
        operands += instruction[operands] & spv::MemoryAccessAlignedMask ? 2 : 1;
    }
    return Mark(pointer, marks);
}

bool UseFinder::Reach(uint32_t function) {
    if (!module_.Defined(function) || DefinitionOf(function).opcode() != spv::OpFunction) return false;
    const uint32_t index = module_.ids[function].function;
    Function& facts = module_.functions[index];
    if (!facts.has_body) return false;
    if (facts.reached) return true;
    facts.reached = true;
    to_scan_.push_back(index);
    return true;
}

// Of the operands from `operands` on, those that are functions are called.
bool UseFinder::ReachUnseen(Instruction instruction, uint32_t operands) {
    for (uint32_t i = operands; i < instruction.count(); ++i) {
        const uint32_t id = instruction[i];
        if (!module_.Defined(id) || DefinitionOf(id).opcode() != spv::OpFunction) continue;
        if (!Reach(id)) return false;
        module_.functions[module_.ids[id].function].called_unseen = true;
    }
    return true;
}

bool UseFinder::Scan(const Function& function, uint32_t index) {
    for (uint32_t word = function.begin; word < function.end; word += module_.At(word).count())
        if (!ScanInstruction(module_.At(word), word, index)) return false;
    return true;
}

bool UseFinder::ScanInstruction(Instruction instruction, uint32_t word, uint32_t function) {
    const uint32_t opcode = instruction.opcode();
    switch (opcode) {
        case spv::OpLoad:
            // To load an image is no access to it; what is done with it is.
            if (module_.Flags(instruction[1]) & kHandle) return true;
            return Access(instruction[3], kRead, instruction, 4);
        case spv::OpStore:
            return Access(instruction[1], kWrite, instruction, 3);
        case spv::OpCopyMemory:
            return Access(instruction[1], kWrite, instruction, 3) && Access(instruction[2], kRead, instruction, 3);
        case spv::OpCopyMemorySized:
            return Access(instruction[1], kWrite, instruction, 4) && Access(instruction[2], kRead, instruction, 4);
        case kOpCooperativeMatrixLoadKhr:
        case spv::OpCooperativeMatrixLoadNV:
            return Access(instruction[3], kRead, instruction, 6);
        case kOpCooperativeMatrixStoreKhr:
        case spv::OpCooperativeMatrixStoreNV:
            return Access(instruction[1], kWrite, instruction, 5);
        case kOpCooperativeMatrixLoadTensorNv:
        case kOpCooperativeMatrixStoreTensorNv:
        case kOpCooperativeMatrixReduceNv:
        case kOpCooperativeMatrixPerElementOpNv:
            return ScanTensor(instruction);
        case spv::OpAtomicStore:
        case spv::OpAtomicFlagClear:
            return Mark(instruction[1], kReadWrite);
        case spv::OpAtomicLoad:
        case spv::OpAtomicExchange:
        case spv::OpAtomicCompareExchange:
        case spv::OpAtomicCompareExchangeWeak:
        case spv::OpAtomicIIncrement:
        case spv::OpAtomicIDecrement:
        case spv::OpAtomicIAdd:
        case spv::OpAtomicISub:
        case spv::OpAtomicSMin:
        case spv::OpAtomicUMin:
        case spv::OpAtomicSMax:
        case spv::OpAtomicUMax:
        case spv::OpAtomicAnd:
        case spv::OpAtomicOr:
        case spv::OpAtomicXor:
        case spv::OpAtomicFlagTestAndSet:
        case spv::OpAtomicFMinEXT:
        case spv::OpAtomicFMaxEXT:
        case spv::OpAtomicFAddEXT:
            return Mark(instruction[3], kReadWrite);
        case spv::OpConvertPtrToU:
        case spv::OpBitcast:
            // An address that is taken of anything but a physical pointer is out of sight from here on.
            return (module_.Flags(TypeOf(instruction[3])) & kPlain) || PlaceOf(instruction[3]) == Place::kAddresses;
        case spv::OpExtInst:
            return ScanExtended(instruction);
        case spv::OpFunctionCall:
            return ScanCall(instruction, word);
        case spv::OpReturnValue: {
            Function& facts = module_.functions[function];
            returns_.push_back({word, facts.last_return});
            facts.last_return = static_cast<uint32_t>(returns_.size());
            return true;
        }
        default:
            return ShapeOf(opcode) == Shape::kUnlisted ? ScanUnlisted(instruction, word) : ScanImage(instruction);
    }
}

// SPV_NV_cooperative_matrix2: these call functions of the module, with parts of the matrix or of what they load.
bool UseFinder::ScanTensor(Instruction instruction) {
    switch (instruction.opcode()) {
        case kOpCooperativeMatrixLoadTensorNv:
            return Mark(instruction[3], SharesMemory(instruction[6]) ? kReadWrite : kRead) &&
                   ReachUnseen(instruction, 7);
        case kOpCooperativeMatrixStoreTensorNv:
            return Mark(instruction[1], SharesMemory(instruction[4]) ? kReadWrite : kWrite) &&
                   ReachUnseen(instruction, 5);
        default:
            for (uint32_t i = 5; i < instruction.count(); ++i)
                if (!Touch(instruction[i], 0)) return false;
            return ReachUnseen(instruction, 4);
    }
}

bool UseFinder::ScanImage(Instruction instruction) {
    switch (instruction.opcode()) {
        case spv::OpImageWrite:
            return Mark(instruction[1], SharesTexels(instruction[4]) ? kReadWrite : kWrite);
        case spv::OpImageRead:
        case spv::OpImageSparseRead:
            return Mark(instruction[3], SharesTexels(instruction[5]) ? kReadWrite : kRead);
        case spv::OpImageSampleImplicitLod:
        case spv::OpImageSampleExplicitLod:
        case spv::OpImageSampleDrefImplicitLod:
        case spv::OpImageSampleDrefExplicitLod:
        case spv::OpImageSampleProjImplicitLod:
        case spv::OpImageSampleProjExplicitLod:
        case spv::OpImageSampleProjDrefImplicitLod:
        case spv::OpImageSampleProjDrefExplicitLod:
        case spv::OpImageFetch:
        case spv::OpImageGather:
        case spv::OpImageDrefGather:
        case spv::OpImageSparseSampleImplicitLod:
        case spv::OpImageSparseSampleExplicitLod:
        case spv::OpImageSparseSampleDrefImplicitLod:
        case spv::OpImageSparseSampleDrefExplicitLod:
        case spv::OpImageSparseSampleProjImplicitLod:
        case spv::OpImageSparseSampleProjExplicitLod:
        case spv::OpImageSparseSampleProjDrefImplicitLod:
        case spv::OpImageSparseSampleProjDrefExplicitLod:
        case spv::OpImageSparseFetch:
        case spv::OpImageSparseGather:
        case spv::OpImageSparseDrefGather:
            return Mark(instruction[3], kRead);
        default:
            return true;
    }
}

bool UseFinder::ScanExtended(Instruction instruction) {
    const uint8_t set = module_.Flags(instruction[3]);
    if (set & kNonSemantic) return true;
    // GLSL.std.450's Modf, Frexp and Interpolate* take pointers, and nothing else of it does.
    if (!(set & kGlsl)) addresses_ = Use::kReadWrite;
    for (uint32_t i = 5; i < instruction.count(); ++i)
        if (!Touch(instruction[i], 0)) return false;
    return true;
}

bool UseFinder::ScanCall(Instruction call, uint32_t word) {
    if (!Reach(call[3])) return false;
    Function& callee = module_.functions[module_.ids[call[3]].function];
    if (call.count() != 4 + callee.parameters) return false;
    calls_.push_back({word, callee.last_call});
    callee.last_call = static_cast<uint32_t>(calls_.size());
    return true;
}

// Any word may be an id. It may use an address that no pointer shows, and call functions.
bool UseFinder::ScanUnlisted(Instruction instruction, uint32_t word) {
    addresses_ = Use::kReadWrite;
    for (uint32_t i = 1; i < instruction.count(); ++i)
        if (!Touch(instruction[i], word)) return false;
    return ReachUnseen(instruction, 1);
}

// Of the instruction at `word`, which may be the operand's definition.
bool UseFinder::Touch(uint32_t operand, uint32_t word) {
    if (operand == 0 || operand >= module_.ids.size()) return true;
    if (!module_.Defined(operand)) return false;
    if (module_.ids[operand].definition == word) return true;
    const Instruction definition = DefinitionOf(operand);
    if (definition.opcode() == spv::OpFunction) return true;
    if (ShapeOf(definition.opcode()) == Shape::kResult) return true;
    if (module_.Flags(definition[1]) & kPlain) return true;
    return Mark(operand, OfAny(kReadWrite));
}

}  // namespace kronos::spirv
