// SPDX-License-Identifier: Apache-2.0
#include "stream/reach.h"

namespace kronos {
namespace {

constexpr Earlier::Lanes kOfStages = {
    Of(Kind::kIndirectRead),
    Of(Kind::kUniformRead) | Of(Kind::kSampledRead) | Of(Kind::kStorageRead) | Of(Kind::kStorageWrite),
    Of(Kind::kCopyRead) | Of(Kind::kCopyWrite),
    Of(Kind::kBlitRead) | Of(Kind::kBlitWrite),
    Of(Kind::kResolveRead) | Of(Kind::kResolveWrite),
    Of(Kind::kClearWrite),
    Of(Kind::kHostRead) | Of(Kind::kHostWrite),
    Of(Kind::kOtherRead) | Of(Kind::kOtherWrite),
};
constexpr Earlier::Lanes kOfWrites = {0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      0,
                                      Of(Kind::kStorageWrite),
                                      Of(Kind::kCopyWrite),
                                      Of(Kind::kBlitWrite),
                                      Of(Kind::kResolveWrite),
                                      Of(Kind::kClearWrite),
                                      Of(Kind::kHostWrite),
                                      Of(Kind::kOtherWrite)};

// All, or none.
constexpr Kinds AllIf(Kinds any) { return any ? ~Kinds{0} : 0; }

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
    after = visible = {};
    available = kOfStages;
    ++version;
}

// As Reach::Apply, without branches.
void Earlier::Apply(const Scopes& scopes, bool makes_available, bool makes_visible) {
    // Copies, for who knows what the stores below change.
    const Kinds before = scopes.before, later = scopes.after;
    const Kinds made_available = makes_available ? scopes.before & scopes.available : 0;
    const Kinds made_visible = makes_visible ? scopes.visible : 0;
    Kinds changed = 0;
    for (size_t i = 0; i < kLanes; ++i) {
        const Kinds ordered = AllIf((kOfStages[i] | kOfWrites[i] | after[i]) & before);
        const Kinds reaches = AllIf((kOfWrites[i] & made_available) | (available[i] & before));
        const Reach now = {after[i] | (ordered & later), available[i] | (reaches & later),
                           visible[i] | (reaches & made_visible)};
        changed |= (now.after ^ after[i]) | (now.available ^ available[i]) | (now.visible ^ visible[i]);
        after[i] = now.after;
        available[i] = now.available;
        visible[i] = now.visible;
    }
    if (changed) ++version;
}

}  // namespace kronos
