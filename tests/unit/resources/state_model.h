// SPDX-License-Identifier: Apache-2.0
// What the compute bind point has bound, by the letter of the specification: sections "Pipeline Layout Compatibility",
// "Descriptor Set Binding", "Push Constant Updates" and "Push Descriptor Updates". Slow and simple, for tests; shares
// nothing with the layer. Where the specification can be read in several ways, each is a Reading.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kronos::model {

/// A pipeline layout as it was created. Equal numbers in `sets` are set layouts that are identically defined.
struct Layout {
    std::vector<uint64_t> sets;
    std::vector<std::array<uint32_t, 3>> ranges;
    bool independent = false;
    bool provable = true;    ///< the layer can know all of it
    bool comparable = true;  ///< false: compatible with nothing
};
bool CompatibleForSet(const Layout& a, const Layout& b, size_t set);
bool CompatibleForConstants(const Layout& a, const Layout& b);

/// What a descriptor or a set was made of: numbers of lives, versions, offsets.
using Content = std::vector<uint64_t>;

struct Command {
    enum class Kind : uint8_t { kPipeline, kSets, kConstants, kDescriptors, kExecute, kDispatch };
    Kind kind = Kind::kDispatch;
    uint64_t pipeline = 0;
    const Layout* layout = nullptr;
    uint32_t first = 0;                  ///< set; of constants, word
    std::vector<Content> sets;           ///< from `first` on
    uint32_t stages = 0;                 ///< bits below kStages
    std::vector<uint32_t> words;         ///< push constants
    std::map<uint32_t, Content> writes;  ///< by descriptor of set `first`
    bool provable = true;                ///< the layer can know all of it
};

struct Reading {
    bool empty_disturbs = false;      ///< to bind to a number that has never been bound disturbs those above
    bool lower_together = false;      ///< one incompatible lower set, and all lower sets are disturbed
    bool constants_together = false;  ///< to push with another layout makes what was pushed before undefined
};

class State {
  public:
    static constexpr size_t kSets = 10;
    static constexpr size_t kStages = 2;
    static constexpr size_t kWords = 80;

    explicit State(const Reading& reading) : reading_(reading) {}
    void Apply(const Command& command);
    /// What the command touches may be anything then.
    void Forget(const Command& command);
    /// Forgets the sets whose layouts the readings do not agree on, in all of them.
    static void ForgetDisputed(std::vector<State>& states);
    /// Nothing of it differs, whatever may be done next.
    bool operator==(const State& other) const;
    /// What this state has defined and the other has not, or not the same; empty: nothing.
    std::string Missing(const State& other) const;

  private:
    struct Slot {
        const Layout* layout = nullptr;  ///< nullptr: never bound
        bool pushed = false;
        Content set;                              ///< empty: undefined
        std::map<uint32_t, Content> descriptors;  ///< of pushed; others are undefined
    };
    struct Word {
        const Layout* layout = nullptr;  ///< nullptr: undefined
        uint32_t value = 0;
    };

    void Disturb(size_t set, const Layout& layout);
    static void Undefine(Slot& slot, const Layout& layout);
    bool Usable(size_t set) const;

    Reading reading_;
    uint64_t pipeline_ = 0;
    std::array<Slot, kSets> slots_;
    std::array<std::array<Word, kWords>, kStages> constants_;
};

}  // namespace kronos::model
