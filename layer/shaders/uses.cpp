// SPDX-License-Identifier: Apache-2.0
// First every function that the entry point can reach is scanned for accesses; then each access is followed from the
// pointer or handle that it names back to the variables it may come from. What is followed is the accesses, not sets of
// variables: an id has four marks at most, so loops through OpPhi end, and the work is linear in the module.
#include "shaders/uses.h"

#include <algorithm>
#include <new>
#include <tuple>

#include "shaders/module_reader.h"

namespace kronos {
namespace {

using spirv::Id;
using spirv::Instruction;
using spirv::Module;
using spirv::Shape;

/// What is done through an id: reads and writes, and the same to elements of a descriptor array other than the one that
/// the access chain ahead names.
using Marks = uint8_t;
constexpr Marks kRead = 1;
constexpr Marks kWrite = 2;
constexpr Marks kReadWrite = kRead | kWrite;
constexpr Marks OfAny(Marks marks) { return static_cast<Marks>((marks | marks << 2) & 0xc); }
constexpr Use UseOf(Marks marks) { return static_cast<Use>((marks | marks >> 2) & 3); }

/// Where the pointers of a type point to, or where a handle comes from.
enum class Place {
    kNowhere,    ///< to memory of the invocation, the workgroup or the command buffer: no descriptor
    kAddresses,  ///< to any buffer with an address
    kBinding,    ///< to a descriptor, to be followed
    kUnknown,
};

Place PlaceOfClass(uint32_t storage_class) {
    switch (storage_class) {
        case spv::StorageClassInput:
        case spv::StorageClassOutput:
        case spv::StorageClassWorkgroup:
        case spv::StorageClassPrivate:
        case spv::StorageClassFunction:
        case spv::StorageClassPushConstant:
            return Place::kNowhere;
        case spv::StorageClassPhysicalStorageBuffer:
            return Place::kAddresses;
        case spv::StorageClassUniformConstant:
        case spv::StorageClassUniform:
        case spv::StorageClassStorageBuffer:
        case spv::StorageClassImage:
            return Place::kBinding;
        default:
            return Place::kUnknown;
    }
}

class UseFinder {
  public:
    explicit UseFinder(Module& module) : module_(module) {}

    /// False: not understood.
    bool Find(ShaderUses& uses);

  private:
    struct Link {
        uint32_t word = 0;
        uint32_t previous = 0;
    };

    Instruction DefinitionOf(uint32_t id) const { return module_.Definition(id); }
    uint32_t TypeOf(uint32_t id) const;
    Place PlaceOf(uint32_t id) const;
    bool IsPointer(uint32_t id) const;
    bool Mark(uint32_t id, Marks marks);
    bool Access(uint32_t pointer, Marks marks, Instruction instruction, uint32_t operands);

    bool Reach(uint32_t function);
    bool ReachUnseen(Instruction instruction, uint32_t operands);
    bool Scan(const spirv::Function& function, uint32_t index);
    bool ScanInstruction(Instruction instruction, uint32_t word, uint32_t function);
    bool ScanTensor(Instruction instruction);
    bool ScanImage(Instruction instruction);
    bool ScanExtended(Instruction instruction);
    bool ScanCall(Instruction call, uint32_t word);
    bool ScanUnlisted(Instruction instruction, uint32_t word);
    bool Touch(uint32_t operand, uint32_t word);

    bool Follow(uint32_t id);
    bool FollowChain(Instruction chain, Marks marks);
    bool FollowLoad(Instruction load, Marks marks);
    bool FollowParameter(const Id& parameter, Marks marks);
    bool FollowReturns(const Id& function, Marks marks);
    bool AddVariable(uint32_t variable, uint32_t element, Marks marks);
    uint32_t ConstantIndex(uint32_t id) const;

    Module& module_;
    std::vector<uint32_t> to_scan_;    // functions, by index
    std::vector<uint32_t> to_follow_;  // ids with marks that were not followed yet
    std::vector<Link> calls_;          // of each function, from its last to its first
    std::vector<Link> returns_;
    std::vector<BindingUse> found_;
    Use addresses_ = Use::kNone;
};

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

uint32_t UseFinder::TypeOf(uint32_t id) const {
    if (!module_.Defined(id)) return 0;
    const Instruction definition = DefinitionOf(id);
    const Shape shape = spirv::ShapeOf(definition.opcode());
    return shape == Shape::kTypedResult || shape == Shape::kUnlisted ? definition[1] : 0;
}

Place UseFinder::PlaceOf(uint32_t id) const {
    const uint32_t type = TypeOf(id);
    if (!(module_.Flags(type) & spirv::kType)) return Place::kUnknown;
    if (module_.Flags(type) & spirv::kHandle) return Place::kBinding;
    return IsPointer(id) ? PlaceOfClass(DefinitionOf(type)[2]) : Place::kUnknown;
}

bool UseFinder::IsPointer(uint32_t id) const {
    const uint32_t type = TypeOf(id);
    if (!module_.Defined(type)) return false;
    const uint32_t opcode = DefinitionOf(type).opcode();
    return opcode == spv::OpTypePointer || opcode == spirv::kOpTypeUntypedPointer;
}

bool UseFinder::Mark(uint32_t id, Marks marks) {
    switch (PlaceOf(id)) {
        case Place::kNowhere:
            return true;
        case Place::kAddresses:
            // The pointer's own type may not name the struct whose member is coherent.
            addresses_ = addresses_ | (module_.any_coherent ? Use::kReadWrite : UseOf(marks));
            return true;
        case Place::kUnknown:
            return false;
        case Place::kBinding:
            break;
    }
    Id& facts = module_.ids[id];
    if (facts.flags & spirv::kCoherent) marks |= marks & OfAny(kReadWrite) ? OfAny(kReadWrite) : kReadWrite;
    if ((facts.marks | marks) == facts.marks) return true;
    facts.marks |= marks;
    to_follow_.push_back(id);
    return true;
}

// Through a pointer, with the memory operands that begin at word `operands`: one mask with its arguments, or two.
bool UseFinder::Access(uint32_t pointer, Marks marks, Instruction instruction, uint32_t operands) {
    for (int masks = 0; masks < 2 && operands < instruction.count(); ++masks) {
        if (SharesMemory(instruction[operands])) marks = kReadWrite;
        operands += instruction[operands] & spv::MemoryAccessAlignedMask ? 2 : 1;
    }
    return Mark(pointer, marks);
}

bool UseFinder::Find(ShaderUses& uses) {
    if (!Reach(module_.entry)) return false;
    while (!to_scan_.empty()) {
        const uint32_t index = to_scan_.back();
        to_scan_.pop_back();
        if (!Scan(module_.functions[index], index)) return false;
    }
    while (!to_follow_.empty()) {
        const uint32_t id = to_follow_.back();
        to_follow_.pop_back();
        if (!Follow(id)) return false;
    }

    std::sort(found_.begin(), found_.end(), [](const BindingUse& a, const BindingUse& b) {
        // kAnyElement is the greatest, so it comes last.
        return std::tie(a.set, a.binding, a.element) < std::tie(b.set, b.binding, b.element);
    });
    for (const BindingUse& one : found_) {
        std::vector<BindingUse>& all = uses.bindings;
        if (!all.empty() && all.back().set == one.set && all.back().binding == one.binding &&
            all.back().element == one.element) {
            all.back().use = all.back().use | one.use;
        } else {
            all.push_back(one);
        }
    }
    uses.addresses = addresses_;
    return true;
}

bool UseFinder::Reach(uint32_t function) {
    if (!module_.Defined(function) || DefinitionOf(function).opcode() != spv::OpFunction) return false;
    const uint32_t index = module_.ids[function].function;
    spirv::Function& facts = module_.functions[index];
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

bool UseFinder::Scan(const spirv::Function& function, uint32_t index) {
    for (uint32_t word = function.begin; word < function.end; word += module_.At(word).count())
        if (!ScanInstruction(module_.At(word), word, index)) return false;
    return true;
}

bool UseFinder::ScanInstruction(Instruction instruction, uint32_t word, uint32_t function) {
    const uint32_t opcode = instruction.opcode();
    switch (opcode) {
        case spv::OpLoad:
            // To load an image is no access to it; what is done with it is.
            if (module_.Flags(instruction[1]) & spirv::kHandle) return true;
            return Access(instruction[3], kRead, instruction, 4);
        case spv::OpStore:
            return Access(instruction[1], kWrite, instruction, 3);
        case spv::OpCopyMemory:
            return Access(instruction[1], kWrite, instruction, 3) && Access(instruction[2], kRead, instruction, 3);
        case spv::OpCopyMemorySized:
            return Access(instruction[1], kWrite, instruction, 4) && Access(instruction[2], kRead, instruction, 4);
        case spirv::kOpCooperativeMatrixLoadKhr:
        case spv::OpCooperativeMatrixLoadNV:
            return Access(instruction[3], kRead, instruction, 6);
        case spirv::kOpCooperativeMatrixStoreKhr:
        case spv::OpCooperativeMatrixStoreNV:
            return Access(instruction[1], kWrite, instruction, 5);
        case spirv::kOpCooperativeMatrixLoadTensorNv:
        case spirv::kOpCooperativeMatrixStoreTensorNv:
        case spirv::kOpCooperativeMatrixReduceNv:
        case spirv::kOpCooperativeMatrixPerElementOpNv:
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
            return (module_.Flags(TypeOf(instruction[3])) & spirv::kPlain) ||
                   PlaceOf(instruction[3]) == Place::kAddresses;
        case spv::OpExtInst:
            return ScanExtended(instruction);
        case spv::OpFunctionCall:
            return ScanCall(instruction, word);
        case spv::OpReturnValue: {
            spirv::Function& facts = module_.functions[function];
            returns_.push_back({word, facts.last_return});
            facts.last_return = static_cast<uint32_t>(returns_.size());
            return true;
        }
        default:
            return spirv::ShapeOf(opcode) == Shape::kUnlisted ? ScanUnlisted(instruction, word)
                                                              : ScanImage(instruction);
    }
}

// SPV_NV_cooperative_matrix2: these call functions of the module, with parts of the matrix or of what they load.
bool UseFinder::ScanTensor(Instruction instruction) {
    switch (instruction.opcode()) {
        case spirv::kOpCooperativeMatrixLoadTensorNv:
            return Mark(instruction[3], SharesMemory(instruction[6]) ? kReadWrite : kRead) &&
                   ReachUnseen(instruction, 7);
        case spirv::kOpCooperativeMatrixStoreTensorNv:
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
    if (set & spirv::kNonSemantic) return true;
    // GLSL.std.450's Modf, Frexp and Interpolate* take pointers, and nothing else of it does.
    if (!(set & spirv::kGlsl)) addresses_ = Use::kReadWrite;
    for (uint32_t i = 5; i < instruction.count(); ++i)
        if (!Touch(instruction[i], 0)) return false;
    return true;
}

bool UseFinder::ScanCall(Instruction call, uint32_t word) {
    if (!Reach(call[3])) return false;
    spirv::Function& callee = module_.functions[module_.ids[call[3]].function];
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
    if (spirv::ShapeOf(definition.opcode()) == Shape::kResult) return true;
    if (module_.Flags(definition[1]) & spirv::kPlain) return true;
    return Mark(operand, OfAny(kReadWrite));
}

bool UseFinder::Follow(uint32_t id) {
    const Id& facts = module_.ids[id];
    const Marks marks = facts.marks;
    const Instruction from = DefinitionOf(id);
    switch (from.opcode()) {
        case spv::OpVariable:
            return AddVariable(id, BindingUse::kAnyElement, marks);
        case spirv::kOpUntypedVariable:
            return AddVariable(id, BindingUse::kAnyElement, kReadWrite);
        case spv::OpAccessChain:
        case spv::OpInBoundsAccessChain:
            return FollowChain(from, marks);
        case spv::OpPtrAccessChain:
        case spv::OpInBoundsPtrAccessChain:
        case spirv::kOpRawAccessChainNv:
            return Mark(from[3], OfAny(marks));
        case spirv::kOpUntypedAccessChain:
        case spirv::kOpUntypedInBoundsAccessChain:
        case spirv::kOpUntypedPtrAccessChain:
        case spirv::kOpUntypedInBoundsPtrAccessChain:
            return Mark(from[4], OfAny(kReadWrite));
        case spv::OpCopyObject:
        case spv::OpImage:
        case spv::OpImageTexelPointer:
            return Mark(from[3], marks);
        case spv::OpSampledImage:
            return Mark(from[3], marks) && Mark(from[4], marks);
        case spv::OpSelect:
            return Mark(from[4], marks) && Mark(from[5], marks);
        case spv::OpPhi:
            for (uint32_t i = 3; i < from.count(); i += 2)
                if (!Mark(from[i], marks)) return false;
            return true;
        case spv::OpLoad:
            return FollowLoad(from, marks);
        case spv::OpFunctionParameter:
            return FollowParameter(facts, marks);
        case spv::OpFunctionCall:
            return Mark(from[3], marks);
        case spv::OpFunction:
            return FollowReturns(facts, marks);
        case spv::OpConstantNull:
            return true;
        default:
            return false;
    }
}

bool UseFinder::FollowChain(Instruction chain, Marks marks) {
    const uint32_t base = chain[3];
    const bool names_element = chain.count() > 4 && !(marks & OfAny(kReadWrite)) && IsPointer(base) &&
                               DefinitionOf(base).opcode() == spv::OpVariable;
    if (!names_element) return Mark(base, marks);
    // Is it an array of descriptors? Of one dimension: more are not allowed, and their elements have no number.
    const Instruction pointer = DefinitionOf(TypeOf(base));
    const auto is_array = [&](uint32_t type) {
        if (!module_.Defined(type)) return false;
        const uint32_t opcode = DefinitionOf(type).opcode();
        return opcode == spv::OpTypeArray || opcode == spv::OpTypeRuntimeArray;
    };
    if (!is_array(pointer[3]) || is_array(DefinitionOf(pointer[3])[2])) return Mark(base, marks);
    return AddVariable(base, ConstantIndex(chain[4]), marks);
}

// A handle that was loaded from its descriptor. Other handles and pointers that were loaded may be any.
bool UseFinder::FollowLoad(Instruction load, Marks marks) {
    const bool from_descriptor = (module_.Flags(load[1]) & spirv::kHandle) && IsPointer(load[3]) &&
                                 DefinitionOf(TypeOf(load[3]))[2] == spv::StorageClassUniformConstant;
    return from_descriptor && Mark(load[3], marks);
}

bool UseFinder::FollowParameter(const Id& parameter, Marks marks) {
    const spirv::Function& function = module_.functions[parameter.function];
    uint32_t link = function.last_call;
    if (!link || function.called_unseen) return false;
    for (; link; link = calls_[link - 1].previous)
        if (!Mark(module_.At(calls_[link - 1].word)[4 + parameter.ordinal], marks)) return false;
    return true;
}

bool UseFinder::FollowReturns(const Id& function, Marks marks) {
    for (uint32_t link = module_.functions[function.function].last_return; link; link = returns_[link - 1].previous)
        if (!Mark(module_.At(returns_[link - 1].word)[1], marks)) return false;
    return true;
}

bool UseFinder::AddVariable(uint32_t variable, uint32_t element, Marks marks) {
    if (!IsPointer(variable)) return false;
    const Id& facts = module_.ids[variable];
    const Instruction definition = DefinitionOf(variable);
    const Instruction pointer = DefinitionOf(definition[1]);
    if (definition[3] != pointer[2] || definition[3] == spv::StorageClassImage) return false;
    if (facts.set == Id::kUndecorated || facts.binding == Id::kUndecorated) return false;
    const bool coherent = (facts.flags | module_.Flags(pointer[3])) & spirv::kCoherent;
    found_.push_back({facts.set, facts.binding, element, coherent ? Use::kReadWrite : UseOf(marks)});
    return true;
}

// kAnyElement unless it is a constant that no specialization changes.
uint32_t UseFinder::ConstantIndex(uint32_t id) const {
    if (!module_.Defined(id)) return BindingUse::kAnyElement;
    const Instruction constant = DefinitionOf(id);
    const bool one_word = constant.opcode() == spv::OpConstant && constant.count() == 4;
    return one_word ? constant[3] : BindingUse::kAnyElement;
}

ShaderUses Everything() { return {.bindings = {}, .addresses = Use::kReadWrite, .everything = true}; }

}  // namespace

ShaderUses FindUses(std::span<const uint32_t> words, std::string_view entry_point) noexcept {
    try {
        Module module;
        ShaderUses uses;
        if (!module.Read(words, entry_point) || !UseFinder(module).Find(uses)) return Everything();
        return uses;
    } catch (const std::bad_alloc&) {
        return Everything();
    }
}

}  // namespace kronos
