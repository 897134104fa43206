// SPDX-License-Identifier: Apache-2.0
// The analysis behind FindUses. Belongs to one call of it; externally synchronized.
//
// First every function that the entry point can reach is scanned for accesses; then each access is followed from the
// pointer or handle that it names back to the variables it may come from. What is followed is the accesses, not sets of
// variables: an id has four marks at most, so loops through OpPhi end, and the work is linear in the module.
#pragma once

#include <cstdint>
#include <vector>

#include "shaders/module_reader.h"
#include "shaders/uses.h"

namespace kronos::spirv {

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

/// Finds the uses of one module: Scan* gives marks to ids, Follow* hands them on. All return false for what is not
/// understood, which ends the analysis.
class UseFinder {
  public:
    explicit UseFinder(Module& module) : module_(module) {}

    /// Once, of a module that was read. False: not understood. Throws std::bad_alloc.
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
    bool Scan(const Function& function, uint32_t index);
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

}  // namespace kronos::spirv
