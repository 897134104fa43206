// SPDX-License-Identifier: Apache-2.0
// The steps of a worker.
#include "worker.h"

#include <cstdio>
#include <cstdlib>

namespace random_program {

Worker::Worker(Gpu& gpu, uint64_t seed, Counts& total) : gpu_(gpu), api_(gpu.api), rng_(seed), total_(total) {
    CreateResources();
    CreatePipelines();
    CreateSetPools();
    CreateCommandPools();
    CreateSynchronisation();
    own_query_ = next_query_;
    RunNow([this](Recorder& recorder) {
        recorder.InitialiseImages();
        for (uint32_t i = 0; i < kDataBuffers; ++i) recorder.Fill(i, 0, resources_.buffers[i].slices, i + 1);
    });
    resources_.images_ready = true;
    for (int i = 0; i < 3; ++i) AllocateSets();
}

Worker::~Worker() {
    WaitDevice();
    for (const SetPool& pool : set_pools_) api_.DestroyDescriptorPool(gpu_.device, pool.handle, nullptr);
    for (const CommandPool& pool : command_pools_) {
        api_.DestroyCommandPool(gpu_.device, pool.handle, nullptr);
        for (const auto& recording : pool.recordings) {
            for (VkEvent event : recording->events) api_.DestroyEvent(gpu_.device, event, nullptr);
        }
    }
    DestroySynchronisation();
    DestroyResources();
    total_.Add(counts_);
}

void Worker::Run(uint64_t steps) {
    for (uint64_t i = 0; i < steps; ++i) Step();
    ReadBack();
}

void Worker::Step() {
    switch (rng_.Below(40)) {
        case 0:
        case 1:
            return ChurnMemory();
        case 2:
        case 3:
            return AllocateSets();
        case 4:
            return FreeSet();
        case 5:
            return rng_.OneIn(3) ? ResetSets() : WriteSets();
        case 6:
            return WriteSets();
        case 7:
            return CopySet();
        case 8:
            return UploadAndRead();
        case 9:
            return UseQueries();
        case 10:
            return UseHostEvent();
        case 11:
            return RenewFence();
        case 12:
            return ReallocateRecording();
        case 13:
            return rng_.OneIn(4) ? TrimOrResetPool() : ReallocateRecording();
        case 14:
            return rng_.OneIn(3) ? Replace() : Poll();
        case 15:
            return SubmitNothing();
        case 16:
        case 17:
            return Poll();
        case 18:
        case 19:
        case 20:
            return WaitSomehow();
        case 21:
            return rng_.OneIn(3) ? WaitDevice() : WaitSomehow();
        case 22:
        case 23:
        case 24:
            return Record(*PickRecording(true));
        case 25:
        case 26:
        case 27:
        case 28:
        case 29:
        case 30:
            return Record(*PickRecording(false));
        default:
            return SubmitSome();
    }
}

// A buffer and its memory go, a new one comes in their place.
void Worker::Replace() {
    const uint32_t object = rng_.Between(2, kDataBuffers - 1);
    // Any recording may use it, by copies or pushed descriptors.
    for (CommandPool& pool : command_pools_) {
        for (const auto& recording : pool.recordings) Invalidate(*recording);
    }
    for (const auto& set : resources_.sets) {
        const bool second = set->kind == SetKind::Pair && set->object[1] == object;
        if (set->object[0] == object || second) set->written = false;
    }
    Buffer& buffer = resources_.buffers[object];
    api_.DestroyBuffer(gpu_.device, buffer.handle, nullptr);
    Free(buffer.memory);
    CreateBuffer(object, rng_.Between(8, kMostSlices), rng_.OneIn(2));
    const uint32_t value = rng_.Bits();
    RunNow([&](Recorder& recorder) { recorder.Fill(object, 0, buffer.slices, value); });
}

void Worker::UploadAndRead() {
    const uint32_t object = rng_.Below(kDataBuffers);
    const uint32_t slices = rng_.Between(1, 4);
    const uint32_t slice = rng_.Below(resources_.buffers[object].slices - slices + 1);
    const Memory& staging = resources_.buffers[kStaging].memory;
    auto* words = static_cast<uint32_t*>(Map(staging));
    for (uint32_t i = 0; i < size_t{slices} * kSliceBytes / sizeof(uint32_t); ++i) words[i] = rng_.Bits();
    Flush(staging);
    const bool keep_mapped = rng_.OneIn(2);
    if (!keep_mapped) Unmap(staging);
    RunNow([&](Recorder& recorder) {
        recorder.CopySlices(kStaging, 0, object, slice, slices);
        recorder.CopySlices(object, 0, kStaging, 4, 4);
        recorder.MakeVisibleToHost();
    });
    if (!keep_mapped) words = static_cast<uint32_t*>(Map(staging));
    Invalidate(staging);
    Hash(words + size_t{4} * kSliceBytes / sizeof(uint32_t), size_t{4} * kSliceBytes);
    Unmap(staging);
}

void Worker::UseQueries() {
    for (const Lane& lane : gpu_.lanes) {
        if (!lane.timestamps) return;
    }
    const bool on_host = gpu_.features.query_reset && rng_.OneIn(2);
    if (on_host) api_.ResetQueryPool(gpu_.device, resources_.queries, own_query_, 2);
    RunNow([&](Recorder& recorder) { recorder.Timestamps(own_query_, false, !on_host); });
    std::array<uint64_t, 2> results{};
    CHECK(api_.GetQueryPoolResults(gpu_.device, resources_.queries, own_query_, 2, sizeof(results), results.data(),
                                   sizeof(uint64_t), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
}

void Worker::UseHostEvent() {
    CHECK(api_.SetEvent(gpu_.device, host_event_));
    RunNow([this](Recorder& recorder) { recorder.WaitForHostEvent(host_event_); });
    const VkResult set = api_.GetEventStatus(gpu_.device, host_event_);
    CHECK(api_.ResetEvent(gpu_.device, host_event_));
    const VkResult reset = api_.GetEventStatus(gpu_.device, host_event_);
    if (set == VK_EVENT_SET && reset == VK_EVENT_RESET) return;
    std::fprintf(stderr,
                 "random_program: an event's status was %d and %d, VK_EVENT_SET and VK_EVENT_RESET were "
                 "needed; giving up\n",
                 static_cast<int>(set), static_cast<int>(reset));
    std::exit(2);
}

void Worker::ReadBack() {
    const Memory& staging = resources_.buffers[kStaging].memory;
    for (uint32_t object = 0; object < kDataBuffers + kImages; ++object) {
        const bool image = object >= kDataBuffers;
        const uint32_t slices = image ? 1 : resources_.buffers[object].slices;
        RunNow([&](Recorder& recorder) {
            if (image) {
                recorder.ImageToBuffer(object - kDataBuffers, kStaging, 0);
            } else {
                recorder.CopySlices(object, 0, kStaging, 0, slices);
            }
            recorder.MakeVisibleToHost();
        });
        const void* const data = Map(staging);
        Invalidate(staging);
        Hash(data, size_t{slices} * kSliceBytes);
        Unmap(staging);
    }
}

void Worker::Hash(const void* data, size_t bytes) {
    const auto* const at = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < bytes; ++i) checksum_ = (checksum_ ^ at[i]) * 1099511628211ULL;
}

}  // namespace random_program
