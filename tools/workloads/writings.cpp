// SPDX-License-Identifier: Apache-2.0
// Which writing executes which workload: the one list of what each mechanism changes in the expert writing.
#include "alloc_storm.h"
#include "batch.h"
#include "host_turns.h"
#include "naive.h"
#ifdef KRONOS_HAVE_VKFFT
#include "fft_writing.h"
#endif

namespace kronos::workloads {
namespace {

// What isolates a mechanism waits once, as programs do, and without what Vulkan 1.1 has not.
Recipe Naive(Program program) {
    Recipe recipe{.waits = Recipe::Waits::Blocking};
    switch (program) {
        case Program::Independent:
        case Program::FanOut:
            recipe.barriers = Recipe::Barriers::AfterEach;
            break;
        case Program::Chain:
            recipe.barriers = Recipe::Barriers::AroundEach;
            break;
        case Program::WideBarriers:
            recipe.barriers = Recipe::Barriers::Wide;
            break;
        case Program::BackToBackBarriers:
            recipe.barriers = Recipe::Barriers::ThreeInARow;
            break;
        case Program::ManySubmits:
            recipe.submits = Recipe::Submits::PerDispatch;
            break;
        case Program::FencePerSubmit:
            recipe.submits = Recipe::Submits::PerDispatch;
            recipe.waits = Recipe::Waits::FenceEach;
            break;
        case Program::SubmitAndWait:
            recipe.submits = Recipe::Submits::PerDispatch;
            recipe.waits = Recipe::Waits::IdleEach;
            break;
        case Program::FirstTouch:
            recipe.sets = SetUse::EachRewritten;
            recipe.new_buffers = true;
            recipe.slab_bytes = 0;
            break;
        case Program::IdenticalWrites:
            recipe.sets = SetUse::EachRewritten;
            break;
        case Program::SetsPerDispatch:
            recipe.sets = SetUse::EachAllocated;
            break;
        case Program::SetRing:
            recipe.sets = SetUse::Ring;
            break;
        case Program::RedundantBinds:
            recipe.binds = 4;
            break;
        case Program::TwoQueues:
            recipe.barriers = Recipe::Barriers::None;
            recipe.submits = Recipe::Submits::TwoQueues;
            break;
        default:  // these have writings of their own
            break;
    }
    return recipe;
}

Recipe Expert(Program program) {
    Recipe recipe;
    if (program == Program::FirstTouch) {
        recipe.sets = SetUse::EachRewritten;  // of new buffers
        recipe.new_buffers = true;
    }
    // Its twin has as many submits: only the fences differ.
    if (program == Program::FencePerSubmit) recipe.submits = Recipe::Submits::PerDispatch;
    return recipe;
}

}  // namespace

std::unique_ptr<Writing> MakeWriting(const WorkloadKind& kind, bool expert, const Job& job) {
    switch (kind.program) {
        case Program::General:
            if (!expert) return std::make_unique<NaiveWriting>(job);
            break;
        case Program::PingPong:
            return std::make_unique<HostTurns>(job, expert ? TurnWait::Spinning : TurnWait::Blocking);
        case Program::PollMapped:
            return std::make_unique<HostTurns>(job, TurnWait::PollMapped);
        case Program::AllocStorm:
            return std::make_unique<AllocStorm>(job, expert);
        case Program::VkFft:
#ifdef KRONOS_HAVE_VKFFT
            return MakeFftWriting(job, expert);
#endif
            break;
        default:
            break;
    }
    return std::make_unique<BatchWriting>(job, expert ? Expert(kind.program) : Naive(kind.program));
}

size_t FaultyBuffer(const Workload& workload) {
    size_t index = 0;
    while (workload.buffers()[index].initial.empty()) ++index;
    return index;
}

Words Corrupted(Words words) {
    // Another number as an integer and as a float; with its lowest bit, no even factor multiplies the change away.
    words[0] ^= 0x40000001;
    return words;
}

}  // namespace kronos::workloads
