// SPDX-License-Identifier: Apache-2.0
// The SPIR-V instructions that were reviewed, and where each has its result. Pure; any thread.
//
// An opcode that is not in the list is not understood: uses.cpp takes what it touches for read and written. So the list
// holds instructions that touch no memory, and those whose accesses uses.cpp spells out; nothing else may enter it.
// Numbers, not the header's names, for what is newer than Debian 12's spirv-headers: the analysis says the same
// wherever it was built.
#pragma once

#include <array>
#include <cstdint>
#include <spirv/unified1/spirv.hpp>

namespace kronos::spirv {

/// Where an instruction has its result.
enum class Shape : uint8_t {
    kUnlisted,     ///< not reviewed
    kNoResult,     ///< has none
    kResult,       ///< an id without a type, its first operand: types, labels, strings
    kTypedResult,  ///< a type, then an id
};

constexpr uint32_t kOpTypeCooperativeMatrixKhr = 4456;
constexpr uint32_t kOpCooperativeMatrixLoadKhr = 4457;
constexpr uint32_t kOpCooperativeMatrixStoreKhr = 4458;
constexpr uint32_t kOpTypeUntypedPointer = 4417;
constexpr uint32_t kOpUntypedVariable = 4418;
constexpr uint32_t kOpUntypedAccessChain = 4419;
constexpr uint32_t kOpUntypedInBoundsAccessChain = 4420;
constexpr uint32_t kOpUntypedPtrAccessChain = 4423;
constexpr uint32_t kOpUntypedInBoundsPtrAccessChain = 4424;
constexpr uint32_t kOpUntypedArrayLength = 4425;
constexpr uint32_t kOpRawAccessChainNv = 5398;
constexpr uint32_t kOpCooperativeMatrixReduceNv = 5366;
constexpr uint32_t kOpCooperativeMatrixLoadTensorNv = 5367;
constexpr uint32_t kOpCooperativeMatrixStoreTensorNv = 5368;
constexpr uint32_t kOpCooperativeMatrixPerElementOpNv = 5369;
constexpr uint32_t kOpTypeTensorLayoutNv = 5370;
constexpr uint32_t kOpTypeTensorViewNv = 5371;

struct OpcodeRange {
    uint32_t first, last;
    Shape shape;
};

constexpr OpcodeRange kReviewed[] = {
    {spv::OpNop, spv::OpNop, Shape::kNoResult},
    {spv::OpUndef, spv::OpUndef, Shape::kTypedResult},
    {spv::OpSourceContinued, spv::OpMemberName, Shape::kNoResult},
    {spv::OpString, spv::OpString, Shape::kResult},
    {spv::OpLine, spv::OpLine, Shape::kNoResult},
    {spv::OpExtension, spv::OpExtension, Shape::kNoResult},
    {spv::OpExtInstImport, spv::OpExtInstImport, Shape::kResult},
    {spv::OpExtInst, spv::OpExtInst, Shape::kTypedResult},
    {spv::OpMemoryModel, spv::OpCapability, Shape::kNoResult},
    {spv::OpTypeVoid, spv::OpTypePipe, Shape::kResult},
    {spv::OpTypeForwardPointer, spv::OpTypeForwardPointer, Shape::kNoResult},
    {spv::OpConstantTrue, spv::OpConstantNull, Shape::kTypedResult},
    {spv::OpSpecConstantTrue, spv::OpSpecConstantOp, Shape::kTypedResult},
    {spv::OpFunction, spv::OpFunctionParameter, Shape::kTypedResult},
    {spv::OpFunctionEnd, spv::OpFunctionEnd, Shape::kNoResult},
    {spv::OpFunctionCall, spv::OpFunctionCall, Shape::kTypedResult},
    {spv::OpVariable, spv::OpLoad, Shape::kTypedResult},
    {spv::OpStore, spv::OpCopyMemorySized, Shape::kNoResult},
    {spv::OpAccessChain, spv::OpArrayLength, Shape::kTypedResult},
    {spv::OpInBoundsPtrAccessChain, spv::OpInBoundsPtrAccessChain, Shape::kTypedResult},
    {spv::OpDecorate, spv::OpMemberDecorate, Shape::kNoResult},
    {spv::OpDecorationGroup, spv::OpDecorationGroup, Shape::kResult},
    {spv::OpGroupDecorate, spv::OpGroupMemberDecorate, Shape::kNoResult},
    {spv::OpVectorExtractDynamic, spv::OpTranspose, Shape::kTypedResult},
    {spv::OpSampledImage, spv::OpImageRead, Shape::kTypedResult},
    {spv::OpImageWrite, spv::OpImageWrite, Shape::kNoResult},
    {spv::OpImage, spv::OpImageQuerySamples, Shape::kTypedResult},
    {spv::OpConvertFToU, spv::OpConvertPtrToU, Shape::kTypedResult},
    {spv::OpConvertUToPtr, spv::OpConvertUToPtr, Shape::kTypedResult},
    {spv::OpBitcast, spv::OpBitcast, Shape::kTypedResult},
    {spv::OpSNegate, spv::OpSMulExtended, Shape::kTypedResult},
    {spv::OpAny, spv::OpFUnordGreaterThanEqual, Shape::kTypedResult},
    {spv::OpShiftRightLogical, spv::OpBitCount, Shape::kTypedResult},
    {spv::OpDPdx, spv::OpFwidthCoarse, Shape::kTypedResult},
    {spv::OpControlBarrier, spv::OpMemoryBarrier, Shape::kNoResult},
    {spv::OpAtomicLoad, spv::OpAtomicLoad, Shape::kTypedResult},
    {spv::OpAtomicStore, spv::OpAtomicStore, Shape::kNoResult},
    {spv::OpAtomicExchange, spv::OpAtomicXor, Shape::kTypedResult},
    {spv::OpPhi, spv::OpPhi, Shape::kTypedResult},
    {spv::OpLoopMerge, spv::OpSelectionMerge, Shape::kNoResult},
    {spv::OpLabel, spv::OpLabel, Shape::kResult},
    {spv::OpBranch, spv::OpUnreachable, Shape::kNoResult},
    {spv::OpImageSparseSampleImplicitLod, spv::OpImageSparseTexelsResident, Shape::kTypedResult},
    {spv::OpNoLine, spv::OpNoLine, Shape::kNoResult},
    {spv::OpAtomicFlagTestAndSet, spv::OpAtomicFlagTestAndSet, Shape::kTypedResult},
    {spv::OpAtomicFlagClear, spv::OpAtomicFlagClear, Shape::kNoResult},
    {spv::OpImageSparseRead, spv::OpImageSparseRead, Shape::kTypedResult},
    {spv::OpModuleProcessed, spv::OpDecorateId, Shape::kNoResult},
    {spv::OpGroupNonUniformElect, spv::OpGroupNonUniformQuadSwap, Shape::kTypedResult},
    {spv::OpCopyLogical, spv::OpPtrDiff, Shape::kTypedResult},
    {spv::OpTerminateInvocation, spv::OpTerminateInvocation, Shape::kNoResult},
    {kOpTypeUntypedPointer, kOpTypeUntypedPointer, Shape::kResult},
    {kOpUntypedVariable, kOpUntypedInBoundsAccessChain, Shape::kTypedResult},
    {spv::OpSubgroupBallotKHR, spv::OpSubgroupFirstInvocationKHR, Shape::kTypedResult},
    {kOpUntypedPtrAccessChain, kOpUntypedArrayLength, Shape::kTypedResult},
    {4428, 4432, Shape::kTypedResult},  // OpSubgroupAllKHR .. ReadInvocationKHR, OpGroupNonUniformRotateKHR
    {4450, 4455, Shape::kTypedResult},  // OpSDot .. OpSUDotAccSat
    {kOpTypeCooperativeMatrixKhr, kOpTypeCooperativeMatrixKhr, Shape::kResult},
    {kOpCooperativeMatrixLoadKhr, kOpCooperativeMatrixLoadKhr, Shape::kTypedResult},
    {kOpCooperativeMatrixStoreKhr, kOpCooperativeMatrixStoreKhr, Shape::kNoResult},
    {4459, 4460, Shape::kTypedResult},  // OpCooperativeMatrixMulAddKHR, OpCooperativeMatrixLengthKHR
    {4461, 4463, Shape::kTypedResult},  // OpConstantCompositeReplicateEXT .. OpCompositeConstructReplicateEXT
    {5056, 5056, Shape::kTypedResult},  // OpReadClockKHR
    {spv::OpTypeRayQueryKHR, spv::OpTypeRayQueryKHR, Shape::kResult},
    {spv::OpTypeAccelerationStructureKHR, spv::OpTypeAccelerationStructureKHR, Shape::kResult},
    {spv::OpTypeCooperativeMatrixNV, spv::OpTypeCooperativeMatrixNV, Shape::kResult},
    {spv::OpCooperativeMatrixLoadNV, spv::OpCooperativeMatrixLoadNV, Shape::kTypedResult},
    {spv::OpCooperativeMatrixStoreNV, spv::OpCooperativeMatrixStoreNV, Shape::kNoResult},
    {spv::OpCooperativeMatrixMulAddNV, spv::OpCooperativeMatrixLengthNV, Shape::kTypedResult},
    {5293, 5293, Shape::kTypedResult},  // OpCooperativeMatrixConvertNV
    {kOpCooperativeMatrixReduceNv, kOpCooperativeMatrixLoadTensorNv, Shape::kTypedResult},
    {kOpCooperativeMatrixStoreTensorNv, kOpCooperativeMatrixStoreTensorNv, Shape::kNoResult},
    {kOpCooperativeMatrixPerElementOpNv, kOpCooperativeMatrixPerElementOpNv, Shape::kTypedResult},
    {kOpTypeTensorLayoutNv, kOpTypeTensorViewNv, Shape::kResult},
    {5372, 5379, Shape::kTypedResult},  // OpCreateTensorLayoutNV .. OpTensorViewSetStrideNV
    {5382, 5382, Shape::kTypedResult},  // OpTensorViewSetClipNV
    {5384, 5384, Shape::kTypedResult},  // OpTensorLayoutSetBlockSizeNV
    {5390, 5390, Shape::kTypedResult},  // OpCooperativeMatrixTransposeNV
    {kOpRawAccessChainNv, kOpRawAccessChainNv, Shape::kTypedResult},
    {5614, 5615, Shape::kTypedResult},  // OpAtomicFMinEXT, OpAtomicFMaxEXT
    {5630, 5630, Shape::kNoResult},     // OpAssumeTrueKHR
    {5631, 5631, Shape::kTypedResult},  // OpExpectKHR
    {5632, 5633, Shape::kNoResult},     // OpDecorateString, OpMemberDecorateString
    {6035, 6035, Shape::kTypedResult},  // OpAtomicFAddEXT
    {6401, 6408, Shape::kTypedResult},  // OpGroupIMulKHR .. OpGroupLogicalXorKHR
    {6916, 6917, Shape::kTypedResult},  // OpFDot2MixAcc32VALVE, OpFDot2MixAcc16VALVE
};

constexpr uint32_t kTableSize = 6918;
constexpr auto kShapes = [] {
    std::array<Shape, kTableSize> shapes{};
    for (const OpcodeRange& range : kReviewed)
        for (uint32_t opcode = range.first; opcode <= range.last; ++opcode) shapes[opcode] = range.shape;
    return shapes;
}();

constexpr Shape ShapeOf(uint32_t opcode) { return opcode < kTableSize ? kShapes[opcode] : Shape::kUnlisted; }

// The ranges rest on the order of the header's numbers; these are their neighbours.
static_assert(ShapeOf(spv::OpImageSparseTexelsResident) == Shape::kTypedResult);
static_assert(ShapeOf(spv::OpLifetimeStart) == Shape::kUnlisted);
static_assert(ShapeOf(spv::OpTypeForwardPointer) == Shape::kNoResult);
static_assert(ShapeOf(spv::OpGenericPtrMemSemantics) == Shape::kUnlisted);
static_assert(ShapeOf(spv::OpSatConvertSToU) == Shape::kUnlisted);

}  // namespace kronos::spirv
