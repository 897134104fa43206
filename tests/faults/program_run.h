// SPDX-License-Identifier: Apache-2.0
// One run of the program in a process of its own, forked before the program began, with one fault or none. One thread.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "mock_control.h"
#include "results.h"

namespace faults {

struct Fault {
    enum class Kind {
        None,
        Driver,   ///< the driver's `call`-th call of the command returns `result`
        Program,  ///< the program's own `call`-th call does, and nothing below hears of it
        Heap,     ///< the layer's `call`-th allocation fails
    };
    Kind kind = Kind::None;
    std::string command;
    uint64_t call = 0;
    VkResult result = VK_SUCCESS;
    auto operator<=>(const Fault&) const = default;
};
/// "vkQueueSubmit:3:VK_ERROR_DEVICE_LOST", "heap:17".
std::string Text(const Fault& fault);

/// What the program was told, where that was not VK_SUCCESS.
struct Told {
    std::string command;
    uint64_t call = 0;
    VkResult result = VK_SUCCESS;
    bool allowed = true;
};

struct Outcome {
    int exit_code = -1;
    int signal = 0;
    bool hung = false;
    bool reported = false;                  ///< it came to its end, so that what follows is all there is
    std::vector<Told> told;                 ///< in the order it was told
    std::set<std::string> broken;           ///< rules that the driver saw broken, without numbers
    std::set<std::string> left;             ///< kinds of objects of the driver that were there at the end
    uint64_t dispatches = 0;                ///< that were executed
    uint64_t dispatch_sum = 0;              ///< of their groups and push constants, in whatever order
    std::map<std::string, uint64_t> calls;  ///< of the driver's commands that return a result
    uint64_t allocations = 0;               ///< by the layer
    std::vector<uint64_t> allocations_to_fail;
    std::string output, errors;

    /// A signal, no end, or what a sanitizer or the C++ runtime found.
    bool Broke() const;
};

class ProgramRunner {
  public:
    /// `program`: called in the forked process; its return value is the exit code. `deadline`: seconds, after which a
    /// run is ended and counts as hung. `tidy`: the program destroys what it made when it is told an error, without a
    /// wait; the device is made idle for it.
    ProgramRunner(int (*program)(), int deadline, bool tidy);
    Outcome Run(const Fault& fault, bool layered);
    /// All commands that return a result.
    static std::span<const ResultsCommand> Commands();

  private:
    [[noreturn]] void BeTheProgram(const Fault& fault, bool layered) const;
    int (*program_)();
    int deadline_;
    bool tidy_;
    mock::Driver mock_;
};

}  // namespace faults
