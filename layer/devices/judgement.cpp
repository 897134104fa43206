// SPDX-License-Identifier: Apache-2.0
#include "devices/judgement.h"

#include <map>
#include <mutex>

#include "support/fork_mutex.h"
#include "support/formatted.h"

namespace kronos {
namespace {

struct Remembered {
    CostProbe::Verdict verdict = CostProbe::Verdict::kUndecided;
    std::string line;
};

// Never destroyed: programs call Vulkan after static objects have died.
struct Memory {
    ForkMutex mutex{LockRank::kJudgements};
    std::map<std::string, Remembered> by_driver;  // and setting
};
Memory& All() {
    static Memory& memory = *new Memory;
    return memory;
}

std::string Key(const std::string& driver, const CostKind& kind) { return Format("{}|{}", driver, kind.setting); }

std::string Took(std::string_view call, uint64_t ns) {
    return ns == UINT64_MAX ? Format("{} was not called", call) : Format("{} took {} ns", call, ns);
}

}  // namespace

void RememberVerdict(const Log& log, const std::string& driver, const CostKind& kind, const CostProbe& probe) {
    const bool dear = probe.verdict() == CostProbe::Verdict::kDear;
    Remembered found{probe.verdict(),
                     Format("{} = auto: {}; {}, {}; from {} ns on it is worth while", kind.setting,
                            dear ? "on, the driver is slow" : "off, the driver is fast",
                            Took(kind.make, probe.made_ns()), Took(kind.drop, probe.dropped_ns()), probe.limit_ns())};
    log.Info("{}", found.line);
    Memory& memory = All();
    std::lock_guard lock(memory.mutex);
    memory.by_driver[Key(driver, kind)] = std::move(found);
}

void RecallVerdict(const Log& log, const std::string& driver, const CostKind& kind, CostProbe& probe) {
    Memory& memory = All();
    Remembered found;
    {
        std::lock_guard lock(memory.mutex);
        const auto at = memory.by_driver.find(Key(driver, kind));
        if (at == memory.by_driver.end()) return;
        found = at->second;
    }
    probe.Decide(found.verdict);
    log.Info("{} (measured on an earlier device)", found.line);
}

}  // namespace kronos
