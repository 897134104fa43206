// SPDX-License-Identifier: Apache-2.0
// Runs programs on the mock driver and notices what happened too early, twice, never, or was reported wrongly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "layered.h"
#include "program.h"

namespace happens_before {

/// One instance; each program gets a device of its own. The mock driver's dispatches are its while it lives.
class Runner {
  public:
    Runner(mock::Driver& mock, const layered::Instance& instance);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// What went wrong, a line each.
    std::vector<std::string> Run(const Program& program);

  private:
    struct State;
    mock::Driver& mock_;
    const layered::Instance& instance_;
    std::unique_ptr<State> state_;
};

}  // namespace happens_before
