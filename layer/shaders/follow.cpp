// SPDX-License-Identifier: Apache-2.0
// From the id of an access to the variables behind it.
#include <algorithm>
#include <tuple>

#include "shaders/use_finder.h"

namespace kronos::spirv {
namespace {

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

}  // namespace

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

uint32_t UseFinder::TypeOf(uint32_t id) const {
    if (!module_.Defined(id)) return 0;
    const Instruction definition = DefinitionOf(id);
    const Shape shape = ShapeOf(definition.opcode());
    return shape == Shape::kTypedResult || shape == Shape::kUnlisted ? definition[1] : 0;
}

Place UseFinder::PlaceOf(uint32_t id) const {
    const uint32_t type = TypeOf(id);
    if (!(module_.Flags(type) & kType)) return Place::kUnknown;
    if (module_.Flags(type) & kHandle) return Place::kBinding;
    return IsPointer(id) ? PlaceOfClass(DefinitionOf(type)[2]) : Place::kUnknown;
}

bool UseFinder::IsPointer(uint32_t id) const {
    const uint32_t type = TypeOf(id);
    if (!module_.Defined(type)) return false;
    const uint32_t opcode = DefinitionOf(type).opcode();
    return opcode == spv::OpTypePointer || opcode == kOpTypeUntypedPointer;
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
    if (facts.flags & kCoherent) marks |= marks & OfAny(kReadWrite) ? OfAny(kReadWrite) : kReadWrite;
    if ((facts.marks | marks) == facts.marks) return true;
    facts.marks |= marks;
    to_follow_.push_back(id);
    return true;
}

bool UseFinder::Follow(uint32_t id) {
    const Id& facts = module_.ids[id];
    const Marks marks = facts.marks;
    const Instruction from = DefinitionOf(id);
    switch (from.opcode()) {
        case spv::OpVariable:
            return AddVariable(id, BindingUse::kAnyElement, marks);
        case kOpUntypedVariable:
            return AddVariable(id, BindingUse::kAnyElement, kReadWrite);
        case spv::OpAccessChain:
        case spv::OpInBoundsAccessChain:
            return FollowChain(from, marks);
        case spv::OpPtrAccessChain:
        case spv::OpInBoundsPtrAccessChain:
        case kOpRawAccessChainNv:
            return Mark(from[3], OfAny(marks));
        case kOpUntypedAccessChain:
        case kOpUntypedInBoundsAccessChain:
        case kOpUntypedPtrAccessChain:
        case kOpUntypedInBoundsPtrAccessChain:
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
    const bool from_descriptor = (module_.Flags(load[1]) & kHandle) && IsPointer(load[3]) &&
                                 DefinitionOf(TypeOf(load[3]))[2] == spv::StorageClassUniformConstant;
    return from_descriptor && Mark(load[3], marks);
}

bool UseFinder::FollowParameter(const Id& parameter, Marks marks) {
    const Function& function = module_.functions[parameter.function];
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
    const bool coherent = (facts.flags | module_.Flags(pointer[3])) & kCoherent;
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

}  // namespace kronos::spirv
