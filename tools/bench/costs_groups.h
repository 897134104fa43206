// SPDX-License-Identifier: Apache-2.0
// The groups of measurements; each prints its own rows.
#pragma once

#include "costs_device.h"
#include "costs_report.h"

namespace kronos::bench {

// costs_host.cpp
void MeasureBasics(Device& device, Report& report);
void MeasureFences(Device& device, Report& report);
void MeasureSubmits(Device& device, Report& report);
void MeasureFusion(Device& device, Report& report);
// costs_commands.cpp
void MeasureBarriers(Device& device, Report& report);
void MeasureEvents(Device& device, Report& report);
// costs_queues.cpp
void MeasureQueues(Device& device, Report& report);
// costs_memory.cpp
void MeasureRanges(Device& device, Report& report);
void MeasureMemoryTypes(Device& device, Report& report);
// costs_waits.cpp
void MeasureWaits(Device& device, Report& report);
// costs_replaced.cpp
void MeasureReplaced(Device& device, Report& report);

}  // namespace kronos::bench
