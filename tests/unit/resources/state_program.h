// SPDX-License-Identifier: Apache-2.0
// Random programs of binds, pushes and dispatches, above the recorder: what each command means by lives of objects, and
// what the driver gets of it. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "recording.h"
#include "state_driver.h"
#include "state_model.h"
#include "world.h"

namespace kronos::model {

class Program {
  public:
    explicit Program(uint64_t seed);

    /// What the program did, and what of it the driver got.
    struct Recorded {
        std::vector<Command> commands;
        std::vector<std::optional<Command>> given;  ///< for each of the commands; of a bind, perhaps fewer sets
        size_t held = 0;                            ///< of the commands; the rest went straight to the driver
        std::string fault;                          ///< the driver got what the program did not say; empty: it did not
    };
    Recorded Record(uint32_t commands);

    const Counters& decisions() const { return decisions_; }

  private:
    struct Object {
        uint64_t life = 0;
        uint64_t version = 0;
        size_t of = 0;  ///< definition of a set's layout; layout of a pipeline
    };

    uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
    bool Rarely(uint32_t one_in) { return Below(one_in) == 0; }

    void MakeSetLayout(uint32_t definition, uint32_t which);
    void MakeLayout(uint32_t number);
    void MakePipeline(uint32_t number);
    void MakeSet(uint32_t number);
    void MakeBuffer(uint32_t number);
    void WriteSet(uint32_t number);
    void ChangeSomething();

    template <auto Slot, class... Args>
    void Do(bool (*hold)(Recorder&, Args...), Command command, std::type_identity_t<Args>... args);
    void BindPipeline(uint32_t number);
    void BindSets();
    void PushConstants();
    void PushDescriptors();
    void Dispatch();
    std::optional<Command> Given(const Raw& got, const Raw& asked, const Command& command, std::string& fault) const;

    std::mt19937_64 random_;
    World world_;
    Recording recorder_;
    RecordingCounters counters_;
    Counters decisions_;

    uint64_t last_life_ = 0;
    std::deque<Layout> layouts_;  ///< all that ever were
    std::vector<const Layout*> layout_;
    std::vector<Object> pipelines_, sets_, buffers_;
    // Of this recording.
    uint32_t used_layouts_ = 0;
    uint32_t bound_ = 0;  ///< pipeline
    uint64_t bound_life_ = 0;

    std::vector<Command> commands_;
    std::vector<Raw> asked_;
};

}  // namespace kronos::model
