// SPDX-License-Identifier: Apache-2.0
// Fills one command buffer with random commands, with the barriers that they need (and some that they do not).
// Lives while one command buffer is recorded, on its worker's thread.
//
// Every recording begins with a full barrier, so within it only its own commands are hazards. These are tracked by
// slice; what is needed becomes, by chance, a global barrier, one for each slice, or an event.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "counts.h"
#include "gpu.h"
#include "resources.h"
#include "rng.h"

namespace random_program {

// How a command uses a slice; a mask.
enum Kind : uint32_t {
    kShaderRead = 1,
    kShaderWrite = 2,
    kUniformRead = 4,
    kTransferRead = 8,
    kTransferWrite = 16,
    kIndirectRead = 32,
    kEverything = 64,  // in barriers only: all commands
    kHostRead = 128,   // in barriers only
};

struct Access {
    uint32_t object;
    uint32_t slice;
    uint32_t slices;
    Kind kind;
};

class Recorder {
  public:
    Recorder(const Gpu& gpu, Rng& rng, Counts& counts, Resources& resources, Recording& recording);

    // Between vkBeginCommandBuffer and vkEndCommandBuffer, which are the worker's: Begin, anything, End.
    void Begin();
    void End();
    void RandomCommand();
    // secondaries: executable; the worker has seen to it that they may be executed here.
    void Execute(const std::vector<Recording*>& secondaries);

    // For the worker's own purposes.
    void InitialiseImages();
    void Fill(uint32_t object, uint32_t slice, uint32_t slices, uint32_t value);
    void CopySlices(uint32_t from, uint32_t from_slice, uint32_t to, uint32_t to_slice, uint32_t slices);
    void ImageToBuffer(uint32_t image, uint32_t object, uint32_t slice);
    void Timestamps(uint32_t first_query, bool copy, bool reset);
    void MakeVisibleToHost();
    void WaitForHostEvent(VkEvent event);

  private:
    struct SliceState {
        uint32_t written = 0;  // Kind of the last write, 0: none since the last full barrier
        uint32_t seen_by = 0;  // Kinds to which it has been made visible
        uint32_t read = 0;     // Kinds of reads since
    };
    struct Barrier {
        uint32_t source = 0;  // Kinds
        uint32_t target = 0;
        std::vector<Access> slices;  // empty: a global memory barrier
    };

    bool Flip() { return rng_.OneIn(2); }
    SliceState& StateOf(uint32_t object, uint32_t slice) { return states_[object * kMostSlices + slice]; }
    // Records what accesses need; call right before the command that does them.
    void Resolve(const std::vector<Access>& accesses);
    void Emit(const Barrier& barrier, VkEvent event);
    void Emit1(const Barrier& barrier, VkEvent event);
    void Emit2(const Barrier& barrier, VkEvent event);
    void FullBarrier();
    void ForgetHazards() { states_.fill({}); }

    void Dispatch();
    const Set* PickSet(SetKind kind);
    void BindSet(Layout layout, uint32_t index, const Set& set);
    void PushSet(uint32_t source, uint32_t source_slice, uint32_t target, uint32_t target_slice);
    void Push(Layout layout);
    void CopyBuffers();
    void Update();
    void CopyImages();
    void BufferToImage();
    void ClearImage();
    void Blit();
    // Moves an image out of its usual layout GENERAL, or back; a full barrier for that image.
    void Transition(uint32_t image, VkImageLayout from, VkImageLayout to);
    // Chooses a layout for a transfer and goes there.
    VkImageLayout Enter(uint32_t image, VkImageLayout transfer);
    void Leave(uint32_t image, VkImageLayout layout);

    uint32_t DataBuffer() { return rng_.Below(kDataBuffers); }
    uint32_t SliceOf(uint32_t object, uint32_t slices);

    const Gpu& gpu_;
    const Api& api_;
    Rng& rng_;
    Counts& counts_;
    Resources& resources_;
    Recording& recording_;
    VkCommandBuffer commands_;
    std::array<SliceState, size_t{kObjects} * kMostSlices> states_{};
    uint32_t events_used_ = 0;
    uint32_t away_ = 0;  // images in another layout than GENERAL
    bool timestamps_used_ = false;
    // What is bound, as far as it is still valid.
    const Pipeline* bound_pipeline_ = nullptr;
    int bound_layout_ = -1;
    std::array<const Set*, 2> bound_sets_{};
    bool pushed_ = false;
};

}  // namespace random_program
