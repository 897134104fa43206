// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_events.h"

#include "support/formatted.h"
#include "support/json_text.h"

namespace kronos {
namespace {

// Microseconds, as the format has them.
std::string Microseconds(uint64_t ns) { return Format("{}.{:03}", ns / 1000, ns % 1000); }

std::string Common(TraceTrack track, char kind, std::string_view name, uint64_t at_ns) {
    return Format("{{\"ph\":\"{}\",\"pid\":{},\"tid\":{},\"ts\":{},\"name\":{}", kind, track.pid, track.tid,
                  Microseconds(at_ns), JsonText(name));
}

}  // namespace

std::string SliceEvent(TraceTrack track, std::string_view name, uint64_t begin_ns, uint64_t end_ns,
                       std::string_view arguments) {
    return Common(track, 'X', name, begin_ns) +
           Format(",\"dur\":{},\"args\":{{{}}}}}", Microseconds(end_ns - begin_ns), arguments);
}

std::string FlowEvents(uint64_t id, TraceTrack from, uint64_t from_ns, TraceTrack to, uint64_t to_ns) {
    // In hexadecimal digits, as readers take it.
    const std::string which =
        Format(",\"cat\":\"submission\",\"id\":\"{:x}\"", (static_cast<uint64_t>(from.pid) << 32) | id);
    return Common(from, 's', "submission", from_ns) + which + "}," + Common(to, 'f', "submission", to_ns) + which +
           ",\"bp\":\"e\"}";
}

std::string CounterEvent(TraceTrack track, std::string_view name, std::string_view unit, uint64_t at_ns,
                         uint64_t value) {
    return Common(track, 'C', name, at_ns) + Format(",\"args\":{{{}:{}}}}}", JsonText(unit), value);
}

std::string InstantEvent(TraceTrack track, std::string_view name, uint64_t at_ns) {
    return Common(track, 'i', name, at_ns) + ",\"s\":\"p\"}";
}

std::string ProcessNameEvent(TraceTrack track, std::string_view name) {
    return Common(track, 'M', "process_name", 0) + Format(",\"args\":{{\"name\":{}}}}}", JsonText(name));
}

std::string TrackNameEvent(TraceTrack track, std::string_view name) {
    return Common(track, 'M', "thread_name", 0) + Format(",\"args\":{{\"name\":{}}}}}", JsonText(name));
}

}  // namespace kronos
