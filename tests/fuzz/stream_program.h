// SPDX-License-Identifier: Apache-2.0
// A program that records commands as the layer's hooks take them, above a driver that writes down what it gets; and
// what must hold of the two. One thread.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command_text.h"
#include "stream/hold.h"
#include "stream_world.h"

namespace kronos::fuzz {

inline void Demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::abort();
}

/// What the driver got.
inline std::vector<Call> driver_calls;

template <auto Slot>
struct Fake;
template <class... Args, void (VKAPI_PTR* VkuDeviceDispatchTable::*Slot)(VkCommandBuffer, Args...)>
struct Fake<Slot> {
    inline static const char* name = nullptr;
    inline static bool barrier = false;
    inline static bool state = false;
    static Call Made(Args... args) {
        Call call{name, {}, barrier, state};
        Writer(call.bytes).Arguments(args...);
        return call;
    }
    static VKAPI_ATTR void VKAPI_CALL Run(VkCommandBuffer, Args... args) { driver_calls.push_back(Made(args...)); }
};

inline const VkuDeviceDispatchTable& DriverTable() {
    static const VkuDeviceDispatchTable table = [] {
        VkuDeviceDispatchTable made = {};
        const auto set = [&]<auto Slot>(const char* name, bool barrier = false) {
            Fake<Slot>::name = name;
            Fake<Slot>::barrier = barrier;
            const std::string_view text = name;
            Fake<Slot>::state = text.starts_with("CmdBind") || text.starts_with("CmdPush");
            made.*Slot = Fake<Slot>::Run;
        };
#define COMMAND(scope, name, version, gate, ...)
#define COUNTED(name, counter, version, gate, ...) set.template operator()<&VkuDeviceDispatchTable::name>(#name);
#define PASSED(name, version, gate, ...) set.template operator()<&VkuDeviceDispatchTable::name>(#name);
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
        set.template operator()<&VkuDeviceDispatchTable::CmdBindDescriptorSets>("CmdBindDescriptorSets");
        set.template operator()<&VkuDeviceDispatchTable::CmdBindDescriptorSets2>("CmdBindDescriptorSets2");
        set.template operator()<&VkuDeviceDispatchTable::CmdPipelineBarrier>("CmdPipelineBarrier", true);
        set.template operator()<&VkuDeviceDispatchTable::CmdPipelineBarrier2>("CmdPipelineBarrier2", true);
        set.template operator()<&VkuDeviceDispatchTable::CmdExecuteCommands>("CmdExecuteCommands");
        return made;
    }();
    return table;
}

class Program {
  public:
    Program(const Resources& resources, RecorderMode mode, bool narrow, bool drops)
        : mode_(mode),
          narrow_(narrow),
          drops_(drops),
          recorder_(resources, {.mode = mode, .narrow = narrow, .drops = drops, .keeps_most = 8}) {
        DriverTable();  // which names the commands
    }

    void Begin(bool plain) {
        calls_.clear();
        driver_calls.clear();
        held_ = mode_ == RecorderMode::kHold && plain;
        recorder_.Begin(stream_, plain);
    }
    /// The command, which surely touches `touches`. As the hooks do it.
    template <auto Slot, class... Args>
    void Do(bool (*hold)(Recorder&, Args...), std::vector<Touch> touches, std::type_identity_t<Args>... args) {
        Asked asked{Fake<Slot>::Made(args...), std::move(touches)};
        if (Held(hold, args...)) return calls_.push_back(std::move(asked));
        calls_.push_back(std::move(asked));
        (DriverTable().*Slot)(kBuffer, args...);
    }
    /// A push by template, which the driver gets as `held` if it waited.
    template <auto Slot, class... Args>
    void DoAs(const Call& held, bool (*hold)(Recorder&, Args...), std::type_identity_t<Args>... args) {
        if (Held(hold, args...)) return calls_.push_back({held, {}});
        calls_.push_back({Fake<Slot>::Made(args...), {}});
        (DriverTable().*Slot)(kBuffer, args...);
    }
    /// What is not held, whatever it is: the recording ends before it.
    void GiveUp() { Finish(); }
    void End() {
        Finish();
        Check();
    }

  private:
    struct Asked {
        Call call;
        std::vector<Touch> touches;
    };
    inline static const VkCommandBuffer kBuffer = H<VkCommandBuffer>(1);

    template <class... Args>
    bool Held(bool (*hold)(Recorder&, Args...), Args... args) {
        if (!recorder_.Active()) return false;
        recorder_.Next(Counter::kCount);
        if (hold(recorder_, args...)) return recorder_.Holding();
        Finish();
        return false;
    }
    void Finish() {
        if (recorder_.Active())
            ended_ = static_cast<size_t>(
                std::count_if(calls_.begin(), calls_.end(), [](const Asked& asked) { return !asked.call.barrier; }));
        recorder_.Finish(DriverTable(), kBuffer, counters_, &decisions_, true);
        Demand(!recorder_.Active(), "a recording that is finished is no more");
    }
    // How many barriers came before each command that is none, and at the end before its end.
    template <class Calls, class Of>
    static std::vector<size_t> Barriers(const Calls& calls, Of of) {
        std::vector<size_t> before;
        size_t count = 0;
        for (const auto& call : calls) {
            if (of(call).barrier)
                ++count;
            else
                before.push_back(count);
        }
        before.push_back(count);
        return before;
    }
    void Check() {
        if (drops_ && held_) {
            // Of binds and pushes the driver gets no more than there are; all else is as without.
            const auto given = std::erase_if(driver_calls, [](const Call& call) { return call.state; });
            // Those before the recording ended, which the barriers are counted from.
            size_t before = 0, place = 0;
            for (const Asked& asked : calls_) {
                if (asked.call.barrier) continue;
                if (place++ < ended_ && asked.call.state) ++before;
            }
            ended_ -= before;
            const auto asked = std::erase_if(calls_, [](const Asked& one) { return one.call.state; });
            Demand(given <= asked, "no more binds and pushes than the program's");
        }
        const auto asked_call = [](const Asked& asked) -> const Call& { return asked.call; };
        const auto driver_call = [](const Call& call) -> const Call& { return call; };
        // The program's commands, in its order.
        std::vector<const Asked*> commands;
        for (const Asked& asked : calls_)
            if (!asked.call.barrier) commands.push_back(&asked);
        size_t got = 0;
        for (const Call& call : driver_calls) {
            if (call.barrier) continue;
            Demand(got < commands.size() && call == commands[got]->call, "the driver gets the program's commands");
            ++got;
        }
        Demand(got == commands.size(), "the driver gets all commands");
        // Never more barriers than the program's, and none lost that orders two of them.
        const std::vector<size_t> asked = Barriers(calls_, asked_call);
        const std::vector<size_t> given = Barriers(driver_calls, driver_call);
        // One more where the recording ended, for what narrowing took away.
        for (size_t i = 0; i < given.size(); ++i)
            Demand(given[i] <= asked[i] + (narrow_ && i >= ended_ ? 1 : 0), "never more barriers than the program's");
        Demand(given.back() > 0 || asked.back() == 0, "a barrier is left");
        if (!held_) Demand(given == asked, "what is not held is as it was");
        for (size_t later = 0; later < commands.size(); ++later)
            for (size_t earlier = 0; earlier < later; ++earlier) {
                if (asked[earlier] == asked[later] || given[earlier] < given[later]) continue;
                for (const Touch& a : commands[earlier]->touches)
                    for (const Touch& b : commands[later]->touches)
                        Demand(!a.Conflicts(b), "a barrier is left between what conflicts");
            }
    }

    const RecorderMode mode_;
    const bool narrow_;
    const bool drops_;
    bool held_ = false;
    size_t ended_ = 0;  ///< commands before the end of the recording
    Recorder recorder_;
    Stream stream_;
    RecordingCounters counters_;
    Counters decisions_;
    std::vector<Asked> calls_;
};

}  // namespace kronos::fuzz
