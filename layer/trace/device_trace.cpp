// SPDX-License-Identifier: Apache-2.0
#include "trace/device_trace.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "support/formatted.h"
#include "support/json_text.h"

namespace kronos {
namespace {

constexpr uint64_t kCalibrateEveryNs = 500'000'000;
constexpr uint64_t kLastNs = 1'000'000'000;  // so long a device that is destroyed is waited for

// Rows of the layer's own in this process.
std::atomic<uint32_t> rows{0};
uint32_t NextRow() { return rows.fetch_add(1, std::memory_order_relaxed); }

// Of the driver, on all devices: arrows of two devices must not have one number.
std::atomic<uint64_t> calls_so_far{0};

uint32_t ThreadNumber() {
    thread_local const auto number = static_cast<uint32_t>(syscall(SYS_gettid));
    return number;
}

bool CanMeasure(const VkQueueFamilyProperties& family) {
    // Section "Query Pool Operation": queries are reset by queues for graphics or compute.
    return family.timestampValidBits && (family.queueFlags & (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT));
}

}  // namespace

QueueTrace::QueueTrace(DeviceTrace& all, uint32_t number, uint32_t family, std::unique_ptr<GpuTimes> times,
                       uint32_t valid_bits, double period_ns)
    : all_(all),
      calls_(MadeUpTrack(all.device_.pid, NextRow())),
      gpu_(MadeUpTrack(all.device_.pid, NextRow())),
      held_name_(Format("queue {}: held submissions", number)),
      times_(std::move(times)),
      clock_(valid_bits, period_ns),
      calibrates_(all.device_.calibrated != nullptr) {
    const std::string name = Format("{}queue {} (family {})", all.prefix_, number, family);
    all.writer_->AddName(TrackNameEvent(calls_, name + ": submissions"));
    if (times_) all.writer_->AddName(TrackNameEvent(gpu_, name + ": GPU"));
}

void QueueTrace::Gives(uint64_t buffers) {
    if (all_.Inherited()) return;
    if (!giving_) gives_since_ns_ = NowNs();
    giving_ = true;
    gives_buffers_ += buffers;
}

void QueueTrace::Gave(Counter why, uint64_t submissions, uint64_t folded) {
    if (all_.Inherited()) return;
    all_.Safely([&] {
        const bool held = why != Counter::kCount;
        const std::string_view reason = held ? kCounterNames[static_cast<size_t>(why)] : std::string_view();
        for (const Unsent& one : unsent_) Send(one, reason, submissions, folded, gives_buffers_);
        if (held)
            all_.ThreadSlice(reason, gives_since_ns_, NowNs(),
                             Format("\"submissions\":{},\"folded\":{}", submissions, folded));
        if (held_) all_.Count(held_name_, "submissions", held_ = 0);
    });
    for (const Unsent& one : unsent_) Watch(one);
    unsent_.clear();
    giving_ = false;
    gives_buffers_ = 0;
}

void QueueTrace::Held() {
    if (all_.Inherited()) return;
    all_.Safely([&] { all_.Count(held_name_, "submissions", ++held_); });
}

void QueueTrace::ReturnSlot(GpuTimes::Slot* slot) { times_->Return(slot); }

GpuTimes::Slot* QueueTrace::TakeSlot() {
    if (!times_) return nullptr;
    GpuTimes::Slot* slot = times_->Take();
    if (!slot && !full_told_ && !times_->Ended()) {
        full_told_ = true;
        all_.Safely([&] {
            all_.log_->Warn("trace: some submissions have no time on the GPU: {}",
                            times_->Failed() ? "the driver makes no more queries, events or command buffers"
                                             : "more of them are pending than are measured at a time");
        });
    }
    return slot;
}

void QueueTrace::Called(const Call& call) {
    const Unsent one = {call, calls_so_far.fetch_add(1, std::memory_order_relaxed) + 1};
    bool waits = false;
    all_.Safely([&] {
        if (giving_) {
            unsent_.push_back(one);
            waits = true;
        } else {
            Send(one, {}, 1, 0, 0);
        }
    });
    if (!waits) Watch(one);
}

// For when it is done on the GPU: the arrow from it to that comes behind it in the file.
void QueueTrace::Watch(const Unsent& one) {
    const Call& call = one.call;
    if (!call.slot) return;
    if (call.result == VK_SUCCESS)
        times_->Fly(call.slot, one.number, call.begin_ns, call.end_ns);
    else if (call.result == VK_ERROR_DEVICE_LOST)
        times_->Lose();
    else
        times_->Return(call.slot);
}

void QueueTrace::Send(const Unsent& one, std::string_view reason, uint64_t submissions, uint64_t folded,
                      uint64_t asked_buffers) {
    const Call& call = one.call;
    std::string arguments =
        Format("\"submission\":{},\"batches\":{},\"command_buffers\":{}", one.number, call.infos, call.buffers);
    if (!reason.empty()) arguments += Format(",\"flush\":{},\"submissions\":{}", JsonText(reason), submissions);
    if (folded) arguments += Format(",\"folded\":{}", folded);
    if (asked_buffers && asked_buffers != call.buffers)
        arguments += Format(",\"command_buffers_of_program\":{}", asked_buffers);
    if (call.result != VK_SUCCESS) arguments += Format(",\"result\":{}", static_cast<int>(call.result));
    all_.writer_->Add(SliceEvent(calls_, call.name, call.begin_ns, call.end_ns, arguments));
}

// Of the clock that timestamps show: section "Calibrated Timestamps".
void QueueTrace::Calibrate(uint64_t now_ns) {
    if (!calibrates_ || (calibrated_ns_ && now_ns - calibrated_ns_ < kCalibrateEveryNs)) return;
    VkCalibratedTimestampInfoKHR clocks[2] = {};
    clocks[0].sType = clocks[1].sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR;
    clocks[0].timeDomain = VK_TIME_DOMAIN_DEVICE_KHR;
    clocks[1].timeDomain = VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR;
    uint64_t at[2] = {};
    uint64_t deviation = 0;
    calibrates_ = all_.device_.calibrated(all_.device_.driver.device, 2, clocks, at, &deviation) == VK_SUCCESS;
    if (calibrates_) clock_.Calibrate(at[0], at[1]);
    calibrated_ns_ = now_ns;
}

void QueueTrace::Collect() {
    if (!times_) return;
    times_->Collect([&](const GpuTime& time) {
        const uint64_t now = NowNs();
        Calibrate(now);
        const GpuClock::Span span = clock_.Place(time.begin_ticks, time.end_ticks, time.call_begin_ns, now);
        const uint64_t called_ns = time.call_begin_ns + (time.call_end_ns - time.call_begin_ns) / 2;
        all_.Safely([&] {
            // One line: where a process that is killed has written a part of it, readers drop that.
            all_.writer_->Add(SliceEvent(gpu_, Format("submission {}", time.submission), span.begin_ns, span.end_ns,
                                         Format("\"submission\":{}", time.submission)) +
                              "," + FlowEvents(time.submission, calls_, called_ns, gpu_, span.begin_ns));
        });
    });
}

DeviceTrace::DeviceTrace(TraceDevice device, std::shared_ptr<TraceWriter> writer, std::shared_ptr<Log> log)
    : device_(std::move(device)),
      writer_(std::move(writer)),
      log_(std::move(log)),
      prefix_(Format("device {} ", device_.index)) {
    const TraceTrack process = TrackOfProcess(device_.pid);
    writer_->AddName(ProcessNameEvent(process, device_.program));
    writer_->Add(InstantEvent(process, Format("device {}: {}", device_.index, device_.name), NowNs()));
    if (!device_.why_no_times.empty()) log_->Warn("trace: no times on the GPU: {}", device_.why_no_times);
}

DeviceTrace::~DeviceTrace() {
    // What the program has waited for is done, and what says so will be seen soon.
    const uint64_t begin = NowNs();
    for (QueueTrace* queue = queues_.load(); queue;) {
        queue->Gave(Counter::kCount, 1, 0);
        for (queue->Collect(); queue->times_ && queue->times_->AnyFlying(); queue->Collect()) {
            if (NowNs() - begin > kLastNs) {
                queue->times_->Abandon();
                break;
            }
            constexpr timespec kPause = {0, 50'000};
            nanosleep(&kPause, nullptr);
        }
        QueueTrace* next = queue->next_;
        delete queue;
        queue = next;
    }
}

QueueTrace* DeviceTrace::AddQueue(uint32_t family, bool plain) {
    if (Inherited()) return nullptr;
    const uint32_t number = queue_count_.fetch_add(1, std::memory_order_relaxed);
    std::unique_ptr<GpuTimes> times;
    const bool can = plain && family < device_.families.size() && CanMeasure(device_.families[family]);
    if (can && device_.why_no_times.empty()) times = std::make_unique<GpuTimes>(device_.driver, family);
    if (!can)
        log_->Warn("trace: queue {} of family {} has no times on the GPU: {}", number, family,
                   plain ? "it cannot write timestamps, or not reset them" : "it was made with flags");
    auto* made = new QueueTrace(*this, number, family, std::move(times),
                                can ? device_.families[family].timestampValidBits : 64, device_.timestamp_period_ns);
    made->next_ = queues_.load(std::memory_order_relaxed);
    while (!queues_.compare_exchange_weak(made->next_, made, std::memory_order_release, std::memory_order_relaxed)) {
    }
    return made;
}

void DeviceTrace::NotUnderstood() {
    if (not_understood_told_.test_and_set(std::memory_order_relaxed)) return;
    Safely([&] {
        log_->Warn(
            "trace: some submissions have no time on the GPU: they have structures or flags that are not understood");
    });
}

void DeviceTrace::ThreadSlice(std::string_view name, uint64_t begin_ns, uint64_t end_ns,
                              std::string_view arguments) noexcept {
    Safely([&] {
        const TraceTrack thread = {device_.pid, ThreadNumber()};
        writer_->Add(SliceEvent(thread, name, begin_ns, end_ns, arguments));
    });
}

void DeviceTrace::Collect() noexcept {
    for (QueueTrace* queue = queues_.load(std::memory_order_acquire); queue; queue = queue->next_) queue->Collect();
}

void DeviceTrace::Count(std::string_view what, std::string_view unit, uint64_t value) {
    writer_->Add(CounterEvent(TrackOfProcess(device_.pid), prefix_ + std::string(what), unit, NowNs(), value));
}

void DeviceTrace::Allocated(VkDeviceMemory memory, uint64_t bytes) noexcept {
    Safely([&] {
        sizes_.Insert(memory, bytes);
        const uint64_t count = allocations_.fetch_add(1, std::memory_order_relaxed) + 1;
        const uint64_t all = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        Count("driver memory", "allocations", count);
        Count("driver memory", "bytes", all);
    });
}

void DeviceTrace::Freed(VkDeviceMemory memory) noexcept {
    const uint64_t bytes = sizes_.Erase(memory);
    if (!bytes) return;  // it was made when there was no memory for its size
    Safely([&] {
        const uint64_t count = allocations_.fetch_sub(1, std::memory_order_relaxed) - 1;
        const uint64_t all = bytes_.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
        Count("driver memory", "allocations", count);
        Count("driver memory", "bytes", all);
    });
}

void DeviceTrace::Idle(uint64_t bytes) noexcept {
    if (idle_.exchange(bytes, std::memory_order_relaxed) == bytes) return;
    Safely([&] { Count("idle memory", "bytes", bytes); });
}

void TracedWait::End() noexcept {
    if (trace_->Inherited()) return;
    trace_->ThreadSlice(name_, begin_ns_, NowNs());
    trace_->Collect();
}

}  // namespace kronos
