// SPDX-License-Identifier: Apache-2.0
// Control of the mock driver from a test in the same process: a C interface, found by dlsym in libkronos_mock_icd.so,
// and mock::Driver, which loads it. All functions may be called from any thread. Handles are the driver's own: the
// loader passes them through; a layer that wraps handles would need to unwrap them first.
#pragma once
#include <dlfcn.h>
#include <vulkan/vulkan.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {

enum MockMode { kMockModeOff = 0, kMockModeCounts = 1, kMockModeFull = 2 };

// One dispatch as it is executed, on its queue's thread.
struct MockDispatch {
    VkQueue queue;
    VkCommandBuffer command_buffer;
    VkPipeline pipeline;
    uint32_t base_group[3];
    uint32_t group_count[3];
    const void* push_constants;
    uint32_t push_constant_size;
    const void* state;  // for mockControlDispatchBuffer
};

typedef void (*MockTextVisitor)(void* user, const char* text);
typedef void (*MockCallVisitor)(void* user, uint32_t thread, const char* command, const char* text);
typedef void (*MockObjectVisitor)(void* user, VkObjectType type, uint64_t handle, const char* name);
typedef void (*MockDispatchCallback)(void* user, const struct MockDispatch* dispatch);
typedef void (*MockFreeCallback)(void* user, VkDeviceMemory memory);
typedef void (*MockBeginCallback)(void* user, VkCommandBuffer command_buffer);
typedef void (*MockSubmitCallback)(void* user, VkQueue queue);

// Each line: name, result, parameters. The C functions are mockControl<name>.
#define MOCK_CONTROL_FUNCTIONS(F)                                                                                      \
    /* Everything back to the start: configuration (of the environment), calls, counts, ids, failures, gates, hook. */ \
    F(Reset, void, (void))                                                                                             \
    /* JSON text as in README.md; holds for instances created from now on. `complaints` gets a line per fault. */      \
    F(Configure, void, (const char* json, MockTextVisitor complaints, void* user))                                     \
    F(SetMode, void, (int mode))                                                                                       \
    F(VisitCalls, void, (MockCallVisitor visit, void* user))                                                           \
    F(ClearCalls, void, (void))                                                                                        \
    /* A line "# text" among the calls of MOCK_ICD_RECORD. */                                                          \
    F(Note, void, (const char* text))                                                                                  \
    /* Calls under exactly this name; with aliases, under every name of the command. */                                \
    F(Count, uint64_t, (const char* command, int with_aliases))                                                        \
    /* The `call`-th call from now (1: the next) returns `result`; 0: every call. 0 when there is no such command      \
       or it returns no VkResult. Aliases count as the same command. */                                                \
    F(Fail, int, (const char* command, uint64_t call, VkResult result))                                                \
    F(ClearFailures, void, (void))                                                                                     \
    F(LoseDevice, void, (VkDevice device))                                                                             \
    /* A closed gate keeps submissions from starting. Null: all queues, those still to be created too. */              \
    F(CloseGate, void, (VkQueue queue))                                                                                \
    F(OpenGate, void, (VkQueue queue))                                                                                 \
    /* Lets `count` more submissions through a closed gate. */                                                         \
    F(LetThrough, void, (VkQueue queue, uint64_t count))                                                               \
    F(Submitted, uint64_t, (VkQueue queue))                                                                            \
    F(Completed, uint64_t, (VkQueue queue))                                                                            \
    /* Waits until `count` submissions in all have completed on the queue, or its device is lost. */                   \
    F(WaitCompleted, void, (VkQueue queue, uint64_t count))                                                            \
    /* Null takes it away. Only what is recorded while a callback is set is passed to it. */                           \
    F(SetDispatchCallback, void, (MockDispatchCallback callback, void* user))                                          \
    /* Called inside vkFreeMemory, before anything is freed, on the caller's thread. Null takes it away; a call that   \
       has begun goes on. */                                                                                           \
    F(SetFreeCallback, void, (MockFreeCallback callback, void* user))                                                  \
    /* The same, inside vkBeginCommandBuffer. */                                                                       \
    F(SetBeginCallback, void, (MockBeginCallback callback, void* user))                                                \
    /* The same, inside vkQueueSubmit and vkQueueSubmit2, where no lock is held. */                                    \
    F(SetSubmitCallback, void, (MockSubmitCallback callback, void* user))                                              \
    /* Where the bytes of a buffer descriptor are; 0 when there is none. */                                            \
    F(DispatchBuffer, int,                                                                                             \
      (const struct MockDispatch* dispatch, uint32_t set, uint32_t binding, uint32_t element, void** data,             \
       uint64_t* size))                                                                                                \
    /* The handles of the next `count` memories begin with these 16 bits. */                                           \
    F(TagMemories, void, (uint16_t bits, uint32_t count))                                                              \
    F(MemoryData, void*, (VkDeviceMemory memory))                                                                      \
    F(BufferData, void*, (VkBuffer buffer))                                                                            \
    F(VisitViolations, void, (MockTextVisitor visit, void* user))                                                      \
    F(ClearViolations, void, (void))                                                                                   \
    F(VisitLiveObjects, void, (MockObjectVisitor visit, void* user))

#define MOCK_DECLARE(name, result, parameters) result mockControl##name parameters;
MOCK_CONTROL_FUNCTIONS(MOCK_DECLARE)
#undef MOCK_DECLARE

}  // extern "C"

namespace mock {

// The driver's controls. It keeps the library loaded, so that settings outlive instances. Resets it at both ends.
class Driver {
  public:
    struct Call {
        uint32_t thread;
        std::string command;
        std::string text;
    };

#ifdef KRONOS_MOCK_ICD_LIBRARY
    Driver() : Driver(KRONOS_MOCK_ICD_LIBRARY) {}
#endif
    explicit Driver(const char* library) : library_(dlopen(library, RTLD_NOW | RTLD_LOCAL)) {
        if (library_ == nullptr) throw std::runtime_error(dlerror());
#define MOCK_LOAD(name, result, parameters)                                              \
    name = reinterpret_cast<result(*) parameters>(dlsym(library_, "mockControl" #name)); \
    if (name == nullptr) throw std::runtime_error("the mock driver has no mockControl" #name);
        MOCK_CONTROL_FUNCTIONS(MOCK_LOAD)
#undef MOCK_LOAD
        Reset();
    }
    ~Driver() {
        Reset();
        dlclose(library_);
    }
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;

    // The C functions, without their prefix.
#define MOCK_MEMBER(name, result, parameters) result(*name) parameters = nullptr;
    MOCK_CONTROL_FUNCTIONS(MOCK_MEMBER)
#undef MOCK_MEMBER

    // Returns the complaints.
    std::vector<std::string> Use(const std::string& json) {
        std::vector<std::string> lines;
        Configure(json.c_str(), AddText, &lines);
        return lines;
    }
    std::vector<Call> Calls() {
        std::vector<Call> calls;
        VisitCalls(
            [](void* user, uint32_t thread, const char* command, const char* text) {
                static_cast<std::vector<Call>*>(user)->push_back({thread, command, text});
            },
            &calls);
        return calls;
    }
    std::vector<std::string> Violations() {
        std::vector<std::string> lines;
        VisitViolations(AddText, &lines);
        return lines;
    }
    std::vector<std::string> LiveObjects() {
        std::vector<std::string> names;
        VisitLiveObjects([](void* user, VkObjectType, uint64_t, const char* name) { AddText(user, name); }, &names);
        return names;
    }
    uint64_t Calls(const char* command) { return Count(command, 1); }
    void OnDispatch(std::function<void(const MockDispatch&)> function) {
        SetDispatchCallback(nullptr, nullptr);
        on_dispatch_ = std::move(function);
        if (!on_dispatch_) return;
        SetDispatchCallback(
            [](void* user, const MockDispatch* dispatch) { static_cast<Driver*>(user)->on_dispatch_(*dispatch); },
            this);
    }
    void OnFree(std::function<void(VkDeviceMemory)> function) {
        SetFreeCallback(nullptr, nullptr);
        on_free_ = std::move(function);
        if (!on_free_) return;
        SetFreeCallback([](void* user, VkDeviceMemory memory) { static_cast<Driver*>(user)->on_free_(memory); }, this);
    }
    void OnBegin(std::function<void(VkCommandBuffer)> function) {
        SetBeginCallback(nullptr, nullptr);
        on_begin_ = std::move(function);
        if (!on_begin_) return;
        SetBeginCallback([](void* user, VkCommandBuffer buffer) { static_cast<Driver*>(user)->on_begin_(buffer); },
                         this);
    }
    void OnSubmit(std::function<void(VkQueue)> function) {
        SetSubmitCallback(nullptr, nullptr);
        on_submit_ = std::move(function);
        if (!on_submit_) return;
        SetSubmitCallback([](void* user, VkQueue queue) { static_cast<Driver*>(user)->on_submit_(queue); }, this);
    }

  private:
    static void AddText(void* user, const char* text) {
        static_cast<std::vector<std::string>*>(user)->emplace_back(text);
    }
    void* library_;
    std::function<void(const MockDispatch&)> on_dispatch_;
    std::function<void(VkDeviceMemory)> on_free_;
    std::function<void(VkCommandBuffer)> on_begin_;
    std::function<void(VkQueue)> on_submit_;
};

}  // namespace mock
