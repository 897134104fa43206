// SPDX-License-Identifier: Apache-2.0
// The events of a trace as text: one JSON object each, as Chrome's trace format has them and Perfetto reads them. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kronos {

/// Where an event is shown: a thread of the program, or a row that the layer makes up.
struct TraceTrack {
    int pid = 0;
    uint32_t tid = 0;
};

/// Of what belongs to the process and to no row.
inline TraceTrack TrackOfProcess(int pid) { return {pid, static_cast<uint32_t>(pid)}; }
/// A row of the layer's own, which no thread's number meets: those of Linux are below 2^22. Readers look for names by
/// `tid` alone, so that several processes in one file must differ. `row`: below 2^15.
inline TraceTrack MadeUpTrack(int pid, uint32_t row) {
    return {pid, (uint32_t{1} << 30) + ((static_cast<uint32_t>(pid) & 0x3fffu) << 15) + (row & 0x7fffu)};
}

/// Times are nanoseconds of the layer's clock. `arguments`: the inside of a JSON object, may be empty. `name`: any
/// text.
std::string SliceEvent(TraceTrack track, std::string_view name, uint64_t begin_ns, uint64_t end_ns,
                       std::string_view arguments);
/// An arrow, from the slice that is there at that time to the one on another track; both are written before. Its two
/// events are one line. `id`: of this process, used once.
std::string FlowEvents(uint64_t id, TraceTrack from, uint64_t from_ns, TraceTrack to, uint64_t to_ns);
/// `unit`: what the number is of.
std::string CounterEvent(TraceTrack track, std::string_view name, std::string_view unit, uint64_t at_ns,
                         uint64_t value);
/// Something that happened to the process.
std::string InstantEvent(TraceTrack track, std::string_view name, uint64_t at_ns);
std::string ProcessNameEvent(TraceTrack track, std::string_view name);
std::string TrackNameEvent(TraceTrack track, std::string_view name);

}  // namespace kronos
