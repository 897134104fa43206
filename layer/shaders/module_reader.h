// SPDX-License-Identifier: Apache-2.0
// A SPIR-V module as flat tables: where each id is defined, how it is decorated, where the functions are. Belongs to
// one call of FindUses; externally synchronized.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shaders/opcodes.h"

namespace kronos::spirv {

/// Facts about an id.
enum IdFlags : uint8_t {
    kType = 1 << 0,         ///< a reviewed OpType*
    kPlain = 1 << 1,        ///< a type of numbers alone: no pointer and no handle is inside
    kHandle = 1 << 2,       ///< an image, sampler or sampled-image type
    kCoherent = 1 << 3,     ///< decorated Coherent or Volatile; of a type: a member inside is
    kGlsl = 1 << 4,         ///< the GLSL.std.450 instruction set
    kNonSemantic = 1 << 5,  ///< an instruction set that does nothing: debug information, NonSemantic.*
};

struct Id {
    static constexpr uint32_t kUndecorated = ~0u;
    uint32_t definition = 0;          ///< the word where the defining instruction begins; 0: nothing that was reviewed
    uint32_t set = kUndecorated;      ///< DescriptorSet
    uint32_t binding = kUndecorated;  ///< Binding
    uint32_t function = 0;            ///< of OpFunction and OpFunctionParameter: an index of Module::functions
    uint32_t ordinal = 0;             ///< of OpFunctionParameter: which one
    uint8_t flags = 0;                ///< of IdFlags
    uint8_t marks = 0;                ///< for UseFinder
};

struct Function {
    uint32_t begin = 0;  ///< the word after OpFunction
    uint32_t end = 0;    ///< the word of OpFunctionEnd
    uint32_t parameters = 0;
    bool has_body = false;
    // The rest is for UseFinder: lists in its own tables, by index plus one.
    bool reached = false;
    bool called_unseen = false;  ///< by an instruction other than OpFunctionCall, with arguments that are not known
    uint32_t last_call = 0;
    uint32_t last_return = 0;
};

/// An instruction in the module's words. Operands beyond its end read as 0, which is no id.
class Instruction {
  public:
    explicit Instruction(const uint32_t* words) : words_(words) {}
    uint32_t opcode() const { return *words_ & 0xffff; }
    uint32_t count() const { return *words_ >> 16; }
    /// Word `index` of it; word 0 is opcode and count.
    uint32_t operator[](uint32_t index) const { return index < count() ? words_[index] : 0; }

  private:
    const uint32_t* words_;
};

/// Everything is set by Read, and only meaningful if that succeeded: then every instruction lies within the words,
/// ids with a definition are defined once, functions do not overlap and have an end.
struct Module {
    std::span<const uint32_t> words;
    std::vector<Id> ids;
    std::vector<Function> functions;
    uint32_t entry = 0;         ///< the id of the entry point's function, which may be nonsense
    bool any_coherent = false;  ///< something is decorated Coherent or Volatile

    /// False if this is no module that the analysis can rely on, or has not exactly one compute entry point of that
    /// name. Throws std::bad_alloc. The words must outlive the module.
    bool Read(std::span<const uint32_t> words, std::string_view entry_point);

    Instruction At(uint32_t word) const { return Instruction(&words[word]); }
    bool Defined(uint32_t id) const { return id < ids.size() && ids[id].definition; }
    /// The instruction that defines it. Only for Defined ids.
    Instruction Definition(uint32_t id) const { return At(ids[id].definition); }
    /// Its facts; none if it is no id.
    uint8_t Flags(uint32_t id) const { return id < ids.size() ? ids[id].flags : 0; }

  private:
    bool ReadHeader();
    bool ReadInstruction(uint32_t word, std::string_view entry_point);
    bool DefineResult(Instruction instruction, uint32_t word);
    bool Define(uint32_t id, uint32_t word);
    bool Decorate(Instruction instruction);
    bool Decorate(uint32_t target, uint32_t set, uint32_t binding, uint8_t flags);
    bool ReadEntryPoint(Instruction instruction, std::string_view entry_point);
    bool ReadFunction(Instruction instruction, uint32_t word);
    uint8_t TypeFlags(Instruction type) const;

    bool has_entry_ = false;
    bool has_memory_model_ = false;
    bool past_decorations_ = false;
    bool in_function_ = false;
};

}  // namespace kronos::spirv
