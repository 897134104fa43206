// SPDX-License-Identifier: Apache-2.0
// What a trace cannot measure: submissions go to the driver all the same, and the log says so once.

#include <fstream>
#include <iterator>
#include <string>

#include "../sanitizers/which.h"
#include "submits_fixture.h"

namespace {

using layered::SubmitsTest;

class TraceTest : public SubmitsTest {
  protected:
    struct Written {
        uint64_t calls = 0;     // of the driver
        uint64_t failed = 0;    // of these
        uint64_t measured = 0;  // on the device
    };

    void StartTraced() { Start({{"trace_file", trace.path()}, {"log_file", log.path()}}); }
    // When nothing is traced any more.
    Written Trace() {
        End();
        Written written;
        std::ifstream in(trace.path());
        std::string text(std::istreambuf_iterator<char>(in), {});
        // The array is never closed.
        text.replace(text.rfind(','), std::string::npos, "]");
        for (const auto& event : nlohmann::json::parse(text)) {
            if (event.value("ph", "") != "X") continue;
            const std::string name = event["name"];
            if (name == "vkQueueSubmit") {
                ++written.calls;
                written.failed += event["args"].contains("result");
            }
            if (name.starts_with("submission ")) ++written.measured;
        }
        return written;
    }
    // Lines of the log with that text.
    uint64_t Said(const std::string& text) const {
        std::ifstream in(log.path());
        uint64_t lines = 0;
        for (std::string line; std::getline(in, line);) lines += line.find(text) != std::string::npos;
        return lines;
    }

    layered::ScratchFile trace, log;
};

TEST_F(TraceTest, StructuresThatAreNotKnown) {
    StartTraced();
    VkDeviceGroupSubmitInfo group = {};
    group.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(device->Submit(Recorded(), VK_NULL_HANDLE, &group), VK_SUCCESS);
    const Written written = Trace();
    EXPECT_EQ(written.calls, 3u);
    EXPECT_EQ(written.measured, 1u);
    EXPECT_EQ(Said("not understood"), 1u);
}

// What there was no memory for may have been the timestamps.
TEST_F(TraceTest, WithoutMemoryForTimestamps) {
    StartTraced();
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS) << "it was tried without them";
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    const Written written = Trace();
    EXPECT_EQ(written.calls, 3u);
    EXPECT_EQ(written.failed, 1u);
    EXPECT_EQ(written.measured, 1u);
    EXPECT_EQ(Said("no time on the GPU"), 0u);
}

TEST_F(TraceTest, TheDriversErrorsAreTheProgramsWithTimestampsToo) {
    StartTraced();
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_UNKNOWN);
    EXPECT_EQ(device->Submit(Recorded()), VK_ERROR_UNKNOWN);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    const Written written = Trace();
    EXPECT_EQ(written.calls, 2u);
    EXPECT_EQ(written.failed, 1u);
    EXPECT_EQ(written.measured, 1u);
}

// What was made for timestamps is destroyed with it; the fixture looks.
TEST_F(TraceTest, OfALostDevice) {
    StartTraced();
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    mock.Fail("vkQueueSubmit", 1, VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(device->Submit(Recorded()), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS) << "this driver goes on, and the program hears what it says";
    const Written written = Trace();
    EXPECT_EQ(written.calls, 3u);
    EXPECT_EQ(written.failed, 1u);
}

TEST_F(TraceTest, MoreThanAreMeasuredAtATime) {
    constexpr uint64_t kMeasured = 1024, kMore = 3;
    StartTraced();
    for (uint64_t i = 0; i < kMeasured + kMore; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    const Written written = Trace();
    EXPECT_EQ(written.calls, kMeasured + kMore);
    EXPECT_EQ(written.measured, kMeasured);
    EXPECT_EQ(Said("more of them are pending"), 1u);
}

TEST_F(TraceTest, WhereTheDriverMakesNothingForIt) {
    StartTraced();
    EXPECT_TRUE(Recorded());
    mock.Fail("vkCreateCommandPool", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    const Written written = Trace();
    EXPECT_EQ(written.calls, 2u);
    EXPECT_EQ(written.measured, 0u);
    EXPECT_EQ(Said("the driver makes no more queries, events or command buffers"), 1u);
}

// A device is asked for with the extension that tells of both clocks, and without it where that fails.
TEST_F(TraceTest, ADeviceThatCannotBeMadeWithAnotherExtension) {
    instance.emplace(true, ToFile({{"trace_file", trace.path()}, {"log_file", log.path()}}));
    mock.Fail("vkCreateDevice", 1, VK_ERROR_EXTENSION_NOT_PRESENT);
    device.emplace(*instance);
    ASSERT_EQ(device->result, VK_SUCCESS);
    EXPECT_EQ(mock.Calls("vkCreateDevice"), 2u);
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    EXPECT_EQ(Trace().measured, 1u);
}

// Its parent's thread writes the trace, and only the parent's device is done with it.
#ifndef KRONOS_ANY_SANITIZER
TEST_F(TraceTest, AChildOfForkMayDestroyWhatItInherits) {
    StartTraced();
    EXPECT_EQ(device->Submit(Recorded()), VK_SUCCESS);
    layered::InAChild([&] {
        vkDestroyDevice(device->handle, nullptr);
        return true;
    });
    const Written written = Trace();
    EXPECT_EQ(written.calls, 1u);
    EXPECT_EQ(written.measured, 1u);
}
#endif

}  // namespace
