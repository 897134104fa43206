// SPDX-License-Identifier: Apache-2.0
// The layer's reading of stage and access flags against the model's.
#include "stream/scopes.h"

#include <gtest/gtest.h>

#include <random>

#include "model.h"
#include "recording.h"

namespace kronos::oracle {
namespace {

constexpr Kinds kOther = Of(Kind::kOtherRead) | Of(Kind::kOtherWrite);
// Logically before or after the reading of indirect arguments.
constexpr VkPipelineStageFlags2 kGraphicsStages =
    VK_PIPELINE_STAGE_2_ALL_GRAPHICS_BIT | VK_PIPELINE_STAGE_2_VERTEX_INPUT_BIT |
    VK_PIPELINE_STAGE_2_VERTEX_ATTRIBUTE_INPUT_BIT | VK_PIPELINE_STAGE_2_FRAGMENT_SHADER_BIT |
    VK_PIPELINE_STAGE_2_COLOR_ATTACHMENT_OUTPUT_BIT;
constexpr VkPipelineStageFlags2 kUnknownStages = VK_PIPELINE_STAGE_2_ACCELERATION_STRUCTURE_BUILD_BIT_KHR;
constexpr VkAccessFlags2 kUnknownAccesses =
    VK_ACCESS_2_ACCELERATION_STRUCTURE_READ_BIT_KHR | VK_ACCESS_2_ACCELERATION_STRUCTURE_WRITE_BIT_KHR;

class RandomMasks {
  public:
    explicit RandomMasks(uint32_t seed) : engine_(seed) {}
    Masks Next() {
        const Masks all = ModelledFlags();
        return {Some(all.source_stages & ~kUnknownStages), Some(all.source_access & ~kUnknownAccesses),
                Some(all.destination_stages & ~kUnknownStages), Some(all.destination_access & ~kUnknownAccesses)};
    }
    Kinds SomeKinds() { return static_cast<Kinds>(Some(kAllKinds)); }

  private:
    uint64_t Some(uint64_t all) {
        uint64_t some = all & engine_();
        for (uint64_t thin = engine_() % 4; thin > 0; --thin) some &= engine_();
        return some;
    }
    std::mt19937_64 engine_;
};

// A kind is surely in a set if all that it stands for is, and perhaps if any of it is.
void ExpectBetween(const char* what, Kinds least, Kinds most, Atoms atoms, bool graphics) {
    for (int i = 0; i < static_cast<int>(Kind::kCount); ++i) {
        const Kinds kind = Kinds{1} << i;
        const Atoms own = AtomsOf(kind);
        EXPECT_TRUE(!(least & kind) || !(own & ~atoms)) << what << ": kind " << i << " is not surely meant";
        EXPECT_TRUE(!(own & atoms) || (most & kind)) << what << ": kind " << i << " may be meant";
        // Only revisions of the specification, and what is not modelled, make a difference between the two.
        if (graphics || (kind & (kOther | Of(Kind::kUniformRead)))) continue;
        EXPECT_EQ((least & kind) != 0, (own & atoms) == own) << what << ": kind " << i;
    }
}

// All atoms of these stages.
Atoms AtomsIn(Stages stages) {
    Atoms atoms = 0;
    for (Atoms atom = 1; atom; atom <<= 1)
        if (StagesOf(atom) & stages) atoms |= atom;
    return atoms;
}

TEST(Scopes, AreBetweenTheLeastAndTheMost) {
    RandomMasks random(1);
    for (int i = 0; i < 20'000; ++i) {
        const Masks masks = random.Next();
        SCOPED_TRACE(Print(masks));
        const Sets sets = Expand(masks);
        const bool graphics = (masks.source_stages | masks.destination_stages) & kGraphicsStages;
        const Scopes least = ScopesOf(masks, true);
        const Scopes most = ScopesOf(masks, false);
        ExpectBetween("before", least.before, most.before, AtomsIn(sets.before), graphics);
        ExpectBetween("after", least.after, most.after, AtomsIn(sets.after), graphics);
        ExpectBetween("available", least.available & kWrites, most.available, sets.available, graphics);
        ExpectBetween("visible", least.visible, most.visible, sets.visible, graphics);
        EXPECT_EQ(most.available & ~kWrites, 0u);
        if (HasFailure()) break;
    }
}

TEST(Scopes, KnowTheirFlags) {
    RandomMasks random(2);
    for (int i = 0; i < 1000; ++i) {
        Masks masks = random.Next();
        EXPECT_TRUE(KnownFlags(masks)) << Print(masks);
        const uint64_t unknown = uint64_t{1} << (50 + i % 14);
        for (VkFlags64 Masks::*mask :
             {&Masks::source_stages, &Masks::source_access, &Masks::destination_stages, &Masks::destination_access}) {
            Masks other = masks;
            other.*mask |= unknown;
            EXPECT_FALSE(KnownFlags(other)) << Print(other);
        }
    }
}

TEST(Scopes, NarrowedLoseOnlyWhatNobodyDoes) {
    RandomMasks random(3);
    for (int i = 0; i < 20'000; ++i) {
        const Masks masks = random.Next();
        const Kinds before = random.SomeKinds(), after = random.SomeKinds();
        const Masks narrowed = Narrowed(masks, before, after);
        SCOPED_TRACE(Print(masks) + "  narrowed  " + Print(narrowed));
        EXPECT_EQ(narrowed.source_stages, masks.source_stages);
        EXPECT_EQ(narrowed.destination_stages, masks.destination_stages);
        Masks both = Primitive(masks);
        both |= Primitive(narrowed);
        EXPECT_EQ(both, Primitive(masks)) << "wider";
        const Sets wide = Expand(masks), narrow = Expand(narrowed);
        EXPECT_EQ(wide.available & AtomsOf(before) & ~narrow.available, 0u);
        EXPECT_EQ(wide.visible & AtomsOf(after) & ~narrow.visible, 0u);
        if (HasFailure()) break;
    }
}

TEST(Scopes, NarrowedLoseWhatIsDear) {
    const Masks narrowed =
        Narrowed(kEverything, Of(Kind::kStorageWrite), Of(Kind::kStorageRead) | Of(Kind::kStorageWrite));
    EXPECT_EQ(narrowed.source_access, kShaderWrite);
    EXPECT_EQ(narrowed.destination_access, kShaderBoth);
}

}  // namespace
}  // namespace kronos::oracle
