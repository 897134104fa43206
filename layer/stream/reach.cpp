// SPDX-License-Identifier: Apache-2.0
#include "stream/reach.h"

namespace kronos {
namespace {

constexpr Kinds kStageKinds[] = {
    Of(Kind::kIndirectRead),
    Of(Kind::kUniformRead) | Of(Kind::kSampledRead) | Of(Kind::kStorageRead) | Of(Kind::kStorageWrite),
    Of(Kind::kCopyRead) | Of(Kind::kCopyWrite),
    Of(Kind::kBlitRead) | Of(Kind::kBlitWrite),
    Of(Kind::kResolveRead) | Of(Kind::kResolveWrite),
    Of(Kind::kClearWrite),
    Of(Kind::kHostRead) | Of(Kind::kHostWrite),
    Of(Kind::kOtherRead) | Of(Kind::kOtherWrite),
};
constexpr Kind kWriteKinds[] = {Kind::kStorageWrite, Kind::kCopyWrite, Kind::kBlitWrite, Kind::kResolveWrite,
                                Kind::kClearWrite,   Kind::kHostWrite, Kind::kOtherWrite};

}  // namespace

// Section "Memory Dependencies". What was made available becomes visible only by barriers that come after that.
void Reach::Apply(const Scopes& scopes, bool executes, Kinds writes, bool makes_available, bool makes_visible) {
    const bool made_available = executes && makes_available && writes && !(writes & ~scopes.available);
    const bool was_available = available & scopes.before;
    if (executes || (after & scopes.before)) after |= scopes.after;
    if (!made_available && !was_available) return;
    available |= scopes.after;
    if (makes_visible) visible |= scopes.visible;
}

void Earlier::Reset() {
    reach.fill({});
    for (size_t i = 0; i < kStages; ++i) reach[i].available = kStageKinds[i];
    ++version;
}

void Earlier::Apply(const Scopes& scopes, bool makes_available, bool makes_visible) {
    bool changed = false;
    for (size_t i = 0; i < kCount; ++i) {
        Reach& work = reach[i];
        const Kinds itself = i < kStages ? kStageKinds[i] : Of(kWriteKinds[i - kStages]);
        const Reach old = work;
        work.Apply(scopes, itself & scopes.before, i < kStages ? 0 : itself, makes_available, makes_visible);
        changed |= work != old;
    }
    if (changed) ++version;
}

}  // namespace kronos
