// SPDX-License-Identifier: Apache-2.0
// The control interface of mock_control.h and the environment variables.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "control_state.h"
#include "mock_control.h"
#include "recording.h"
#include "tables.h"

namespace mock {

std::atomic<bool> g_track_dispatches{false};
std::atomic<bool> g_watch_frees{false};
std::atomic<bool> g_watch_begins{false};
std::atomic<bool> g_watch_submits{false};

namespace {

struct Control {
    std::mutex mutex;  // guards all below
    Config config = DefaultConfig();
    Config environment = DefaultConfig();
    bool gate_new_queues = false;
    MockDispatchCallback callback = nullptr;
    void* callback_user = nullptr;
    MockFreeCallback free_callback = nullptr;
    void* free_callback_user = nullptr;
    MockBeginCallback begin_callback = nullptr;
    void* begin_callback_user = nullptr;
    MockSubmitCallback submit_callback = nullptr;
    void* submit_callback_user = nullptr;
    RecordMode start_mode = RecordMode::kCounts;
};

Control& TheControl() {
    static Control* control = new Control;
    return *control;
}

void Apply(const Config& config) {
    SetHandleReuse(config.handle_reuse);
    ClearFailures();
    for (const FailureConfig& failure : config.failures) {
        InjectFailure(static_cast<Command>(FindCommand(failure.command.c_str())->canonical), failure.call,
                      failure.result);
    }
    if (config.record_mode >= 0) SetRecordMode(static_cast<RecordMode>(config.record_mode));
}

void ReadEnvironment() {
    Control& control = TheControl();
    if (const char* path = std::getenv("MOCK_ICD_RECORD"); path != nullptr && *path != '\0') {
        if (OpenRecordFile(path)) {
            control.start_mode = RecordMode::kFull;
        } else {
            std::fprintf(stderr, "mock_icd: MOCK_ICD_RECORD: cannot write %s; nothing is recorded\n", path);
        }
    }
    SetRecordMode(control.start_mode);
    const char* path = std::getenv("MOCK_ICD_CONFIG");
    if (path == nullptr || *path == '\0') return;
    std::ifstream file(path);
    if (!file) {
        std::fprintf(stderr, "mock_icd: MOCK_ICD_CONFIG: cannot read %s; the defaults are used\n", path);
        return;
    }
    std::stringstream text;
    text << file.rdbuf();
    std::vector<std::string> messages;
    control.environment = ParseConfig(text.str(), path, &messages);
    control.config = control.environment;
    for (const std::string& message : messages) std::fprintf(stderr, "mock_icd: %s\n", message.c_str());
    Apply(control.config);
}

// Calls `act` for the queue, or for every queue there is; the lock of its device is held.
template <typename F>
void ForQueues(VkQueue handle, F act) {
    const auto one = [&](Queue* queue) {
        std::lock_guard lock(queue->device->sync->mutex);
        act(queue);
        queue->work.notify_all();
    };
    if (handle != VK_NULL_HANDLE) return one(Of(handle));
    ForEachLive(nullptr, [&](const LiveObject& object) {
        if (object.type == VK_OBJECT_TYPE_QUEUE) one(ToHandle<Queue*>(object.handle));
    });
}

void SetGate(VkQueue queue, bool closed) {
    if (queue == VK_NULL_HANDLE) {
        std::lock_guard lock(TheControl().mutex);
        TheControl().gate_new_queues = closed;
    }
    ForQueues(queue, [closed](Queue* q) {
        q->gate_closed = closed;
        q->tickets = 0;
    });
}

bool ResolveBuffer(Descriptor descriptor, uint64_t dynamic_offset, void** data, uint64_t* size) {
    if (const auto* view = static_cast<BufferView*>(FindObject(descriptor.handle, BufferView::kType))) {
        descriptor = {descriptor.type, FromHandle(view->buffer), view->offset, view->range};
    }
    const auto* buffer = static_cast<Buffer*>(FindObject(descriptor.handle, Buffer::kType));
    if (buffer == nullptr || buffer->data == nullptr) return false;
    const uint64_t offset = descriptor.offset + dynamic_offset;
    if (offset > buffer->size) return false;
    *size = descriptor.range == VK_WHOLE_SIZE ? buffer->size - offset : descriptor.range;
    *data = BufferBytes(descriptor.handle, offset, *size, "a dispatch");
    return *data != nullptr;
}

bool IsDynamic(VkDescriptorType type) {
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC || type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

}  // namespace

void LoadEnvironment() {
    static const bool loaded = [] {
        ReadEnvironment();
        return true;
    }();
    (void)loaded;
}

Config CurrentConfig() {
    std::lock_guard lock(TheControl().mutex);
    return TheControl().config;
}

bool NewQueuesGated() {
    std::lock_guard lock(TheControl().mutex);
    return TheControl().gate_new_queues;
}

void CallDispatchCallback(Queue* queue, CommandBuffer* buffer, const DispatchState& state, const uint32_t base[3],
                          const uint32_t groups[3]) {
    MockDispatchCallback callback = nullptr;
    void* user = nullptr;
    {
        std::lock_guard lock(TheControl().mutex);
        callback = TheControl().callback;
        user = TheControl().callback_user;
    }
    if (callback == nullptr) return;
    const MockDispatch dispatch = {ToHandle<VkQueue>(FromHandle(queue)),
                                   ToHandle<VkCommandBuffer>(FromHandle(buffer)),
                                   state.pipeline,
                                   {base[0], base[1], base[2]},
                                   {groups[0], groups[1], groups[2]},
                                   state.push_constants.data(),
                                   state.push_constant_size,
                                   &state};
    callback(user, &dispatch);
}

namespace {

// One of the control's callbacks and its user, read together, with what they are about.
template <class Callback, class Handle>
void CallBack(Callback Control::*callback, void* Control::*user, Handle about) {
    Callback call = nullptr;
    void* call_user = nullptr;
    {
        std::lock_guard lock(TheControl().mutex);
        call = TheControl().*callback;
        call_user = TheControl().*user;
    }
    if (call != nullptr) call(call_user, about);
}

}  // namespace

void CallFreeCallback(VkDeviceMemory memory) {
    CallBack(&Control::free_callback, &Control::free_callback_user, memory);
}

void CallBeginCallback(VkCommandBuffer buffer) {
    CallBack(&Control::begin_callback, &Control::begin_callback_user, buffer);
}

void CallSubmitCallback(VkQueue queue) { CallBack(&Control::submit_callback, &Control::submit_callback_user, queue); }

}  // namespace mock

#pragma GCC visibility push(default)
extern "C" {

void mockControlReset(void) {
    mock::LoadEnvironment();
    mockControlOpenGate(VK_NULL_HANDLE);
    mockControlSetDispatchCallback(nullptr, nullptr);
    mockControlSetFreeCallback(nullptr, nullptr);
    mockControlSetBeginCallback(nullptr, nullptr);
    mockControlSetSubmitCallback(nullptr, nullptr);
    mockControlTagMemories(0, 0);
    mock::Config config;
    {
        mock::Control& control = mock::TheControl();
        std::lock_guard lock(control.mutex);
        control.config = control.environment;
        config = control.config;
        mock::SetRecordMode(control.start_mode);
    }
    mock::Apply(config);
    mock::ClearCalls();
    mock::ClearViolations();
    mock::ResetObjectIds();
}

void mockControlConfigure(const char* json, MockTextVisitor complaints, void* user) {
    mock::LoadEnvironment();
    std::vector<std::string> messages;
    const mock::Config config = mock::ParseConfig(json, "configuration", &messages);
    {
        std::lock_guard lock(mock::TheControl().mutex);
        mock::TheControl().config = config;
    }
    mock::Apply(config);
    for (const std::string& message : messages) {
        if (complaints != nullptr) complaints(user, message.c_str());
    }
}

void mockControlSetMode(int mode) {
    mock::LoadEnvironment();
    mock::SetRecordMode(static_cast<mock::RecordMode>(mode));
}

void mockControlVisitCalls(MockCallVisitor visit, void* user) {
    mock::VisitCalls([&](const mock::RecordedCall& call) {
        visit(user, call.thread, mock::kCommands[call.command].name, call.text.c_str());
    });
}

void mockControlClearCalls(void) { mock::ClearCalls(); }

void mockControlNote(const char* text) { mock::NoteInRecord(text); }

uint64_t mockControlCount(const char* command, int with_aliases) {
    const mock::CommandInfo* info = mock::FindCommand(command);
    if (info == nullptr) return 0;
    if (with_aliases == 0) return mock::CountOf(static_cast<mock::Command>(info - mock::kCommands));
    uint64_t sum = 0;
    for (uint32_t i = 0; i < mock::kCommandTableSize; ++i) {
        if (mock::kCommands[i].canonical == info->canonical) sum += mock::CountOf(static_cast<mock::Command>(i));
    }
    return sum;
}

int mockControlFail(const char* command, uint64_t call, VkResult result) {
    const mock::CommandInfo* info = mock::FindCommand(command);
    if (info == nullptr || !info->returns_result) return 0;
    mock::InjectFailure(static_cast<mock::Command>(info->canonical), call, result);
    return 1;
}

void mockControlTagMemories(uint16_t bits, uint32_t count) { mock::TagMemories(bits, count); }
void mockControlClearFailures(void) { mock::ClearFailures(); }
void mockControlLoseDevice(VkDevice device) { mock::LoseDevice(mock::Of(device)); }
void mockControlCloseGate(VkQueue queue) { mock::SetGate(queue, true); }
void mockControlOpenGate(VkQueue queue) { mock::SetGate(queue, false); }

void mockControlLetThrough(VkQueue queue, uint64_t count) {
    mock::ForQueues(queue, [count](mock::Queue* q) { q->tickets += count; });
}

uint64_t mockControlSubmitted(VkQueue queue) {
    std::lock_guard lock(mock::Of(queue)->device->sync->mutex);
    return mock::Of(queue)->submitted;
}

uint64_t mockControlCompleted(VkQueue queue) {
    std::lock_guard lock(mock::Of(queue)->device->sync->mutex);
    return mock::Of(queue)->completed;
}

void mockControlWaitCompleted(VkQueue queue, uint64_t count) {
    mock::Queue* q = mock::Of(queue);
    mock::Sync& sync = *q->device->sync;
    std::unique_lock lock(sync.mutex);
    sync.changed.wait(lock, [&] { return sync.lost || q->completed >= count; });
}

void mockControlSetDispatchCallback(MockDispatchCallback callback, void* user) {
    mock::Control& control = mock::TheControl();
    std::lock_guard lock(control.mutex);
    control.callback = callback;
    control.callback_user = user;
    mock::g_track_dispatches = callback != nullptr;
}

void mockControlSetFreeCallback(MockFreeCallback callback, void* user) {
    mock::Control& control = mock::TheControl();
    std::lock_guard lock(control.mutex);
    control.free_callback = callback;
    control.free_callback_user = user;
    mock::g_watch_frees = callback != nullptr;
}

void mockControlSetBeginCallback(MockBeginCallback callback, void* user) {
    mock::Control& control = mock::TheControl();
    std::lock_guard lock(control.mutex);
    control.begin_callback = callback;
    control.begin_callback_user = user;
    mock::g_watch_begins = callback != nullptr;
}

void mockControlSetSubmitCallback(MockSubmitCallback callback, void* user) {
    mock::Control& control = mock::TheControl();
    std::lock_guard lock(control.mutex);
    control.submit_callback = callback;
    control.submit_callback_user = user;
    mock::g_watch_submits = callback != nullptr;
}

int mockControlDispatchBuffer(const MockDispatch* dispatch, uint32_t set, uint32_t binding, uint32_t element,
                              void** data, uint64_t* size) {
    const auto* state = static_cast<const mock::DispatchState*>(dispatch->state);
    const auto bound = state->sets.find(set);
    if (bound == state->sets.end()) return 0;
    const auto pushed = bound->second.pushed.find({binding, element});
    if (pushed != bound->second.pushed.end()) return mock::ResolveBuffer(pushed->second, 0, data, size) ? 1 : 0;
    const auto* object = mock::Find<mock::DescriptorSet>(bound->second.set);
    if (object == nullptr) return 0;
    // Dynamic offsets are in the order of binding numbers, then elements.
    uint32_t dynamic = 0;
    for (const auto& [number, at] : object->layout->bindings) {
        if (number != binding) {
            if (number < binding && mock::IsDynamic(at.type)) dynamic += at.count;
            continue;
        }
        if (element >= at.count) return 0;
        const uint32_t index = dynamic + element;
        const bool offset = mock::IsDynamic(at.type) && index < bound->second.dynamic_offsets.size();
        return mock::ResolveBuffer(object->descriptors[at.first + element],
                                   offset ? bound->second.dynamic_offsets[index] : 0, data, size)
                   ? 1
                   : 0;
    }
    return 0;
}

void* mockControlMemoryData(VkDeviceMemory memory) {
    const auto* found = mock::Find<mock::Memory>(memory);
    return found == nullptr ? nullptr : found->data;
}

void* mockControlBufferData(VkBuffer buffer) {
    const auto* found = mock::Find<mock::Buffer>(buffer);
    return found == nullptr ? nullptr : found->data;
}

void mockControlVisitViolations(MockTextVisitor visit, void* user) {
    mock::VisitViolations([&](const std::string& text) { visit(user, text.c_str()); });
}

void mockControlClearViolations(void) { mock::ClearViolations(); }

void mockControlVisitLiveObjects(MockObjectVisitor visit, void* user) {
    mock::ForEachLive(nullptr, [&](const mock::LiveObject& object) {
        visit(user, object.type, object.handle, mock::HandleName(object.type, object.handle).c_str());
    });
}

}  // extern "C"
#pragma GCC visibility pop
