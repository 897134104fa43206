#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs selftest.cpp's program under the spy, below and above, and compares every number with the ones known by hand."""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

COUNTERS = {
    "dispatches": 3 + 2 + 1 + 10 + 5 + 7 + 4 + 2000, "barrier_calls": 3, "barriers": 3 + 1 + 0, "event_commands": 3,
    "transfers": 2, "pipeline_binds": 1 + 1 + 1 + 4 + 2 + 2, "set_binds": 1 + 2, "pushes": 1 + 2, "push_descriptors": 0,
    "redundant_binds": 2, "redundant_pushes": 1,
    "secondaries": 2, "recordings": 1 + 2 + 4 + 2, "descriptor_updates": 3, "descriptor_writes": 2 + 1 + 1,
    "sets_allocated": 3, "pool_resets": 1, "submits": 4, "submit_infos": 2 + 1 + 1 + 0, "command_buffers": 3 + 1 + 1,
    "semaphore_waits": 2, "semaphore_signals": 2, "dispatches_submitted": (8 + 1) + 5 + 4 + 8, "sparse_binds": 0,
    "presents": 0, "waits": 3, "polls": 1, "fences_created": 1, "fences_destroyed": 1, "fence_resets": 1,
    "allocations": 2, "allocated_bytes": 4096 + 256, "frees": 2, "freed_bytes": 4096 + 256, "maps": 1, "unmaps": 1,
    "flushes": 1, "invalidates": 1,
}
# With --leak the program ends before these.
LEAKED = {"pool_resets": 0, "fences_destroyed": 0, "frees": 1, "freed_bytes": 256}
CALLS = {
    "vkCreateInstance": 1, "vkCreateDevice": 1, "vkDestroyDevice": 1, "vkQueueSubmit": 3, "vkQueueSubmit2KHR": 1,
    "vkCmdPipelineBarrier": 2, "vkCmdPipelineBarrier2KHR": 1, "vkCmdDispatch": COUNTERS["dispatches"] - 1,
    "vkCmdDispatchBase": 1, "vkFreeMemory": 3, "vkDestroyFence": 2, "vkAllocateDescriptorSets": 2,
    "vkUpdateDescriptorSets": 2, "vkUpdateDescriptorSetWithTemplate": 1, "vkResetCommandPool": 1,
    "vkDestroyCommandPool": 2, "vkCreateComputePipelines": 1, "vkCreateShaderModule": 1, "vkGetDeviceQueue": 1,
}
failures = 0


def expect(case, what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"{case}: {what} is {got}, {wanted} was expected")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--below", required=True, help="folder of the manifest of the lower spy")
    parser.add_argument("--above", required=True, help="folder of the manifest of the upper spy")
    parser.add_argument("--icd", required=True, help="a driver's manifest")
    options = parser.parse_args()

    def run(folder, *arguments, out="below.json", **extra):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("KRONOS_", "SPY_"))}
        environment.update(
            VK_DRIVER_FILES=options.icd, VK_ICD_FILENAMES=options.icd,
            VK_LAYER_PATH=os.pathsep.join([options.above, options.below]),
            VK_INSTANCE_LAYERS="VK_LAYER_KRONOS_TEST_spy_above:VK_LAYER_KRONOS_TEST_spy",
            SPY_OUT=os.path.join(folder, out), SPY_ABOVE_OUT=os.path.join(folder, "above.json"))
        environment.update(extra)
        done = subprocess.run([options.program, *arguments], env=environment, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            sys.exit(f"{options.program} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stderr

    def read(folder, name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return json.load(file)

    with tempfile.TemporaryDirectory() as folder:
        run(folder)
        # Without Mesa's implicit layer ours is the uppermost.
        run(folder, out="uppermost.json", NODEVICE_SELECT="1")
        for name in ("below.json", "above.json", "uppermost.json"):
            report = read(folder, name)
            expect(name, "the list of counters", sorted(report["counters"]), sorted(COUNTERS))
            for counter, value in COUNTERS.items():
                expect(name, counter, report["counters"].get(counter), value)
            for call, value in CALLS.items():
                expect(name, call, report["calls"].get(call), value)
            expect(name, "vkDestroyInstance, which comes after the report,", report["calls"].get("vkDestroyInstance"),
                   None)

        run(folder, "--leak")
        for name in ("below.json", "above.json"):
            counters = read(folder, name)["counters"]
            for counter, value in (COUNTERS | LEAKED).items():
                expect(f"--leak, {name}", counter, counters.get(counter), value)

        for wrong in COUNTERS:
            run(folder, SPY_MISCOUNT=wrong)
            for counter, value in COUNTERS.items():
                expect(f"SPY_MISCOUNT={wrong}", counter, read(folder, "below.json")["counters"].get(counter),
                       value + (counter == wrong))
            expect(f"SPY_MISCOUNT={wrong}", "the spy above", read(folder, "above.json")["counters"], COUNTERS)

        run(folder, SPY_ABOVE_DROP="barriers")
        expect("SPY_ABOVE_DROP=barriers", "the spy above", read(folder, "above.json")["counters"], COUNTERS)
        expect("SPY_ABOVE_DROP=barriers", "the spy below", read(folder, "below.json")["counters"],
               COUNTERS | {"barrier_calls": 0, "barriers": 0})
        run(folder, SPY_ABOVE_DROP="updates")
        expect("SPY_ABOVE_DROP=updates", "the spy above", read(folder, "above.json")["counters"], COUNTERS)
        expect("SPY_ABOVE_DROP=updates", "the spy below", read(folder, "below.json")["counters"],
               COUNTERS | {"descriptor_updates": 0, "descriptor_writes": 0})

        shaders = os.path.join(folder, "shaders")
        os.mkdir(shaders)
        for _ in range(2):  # the second run finds what the first one wrote
            expect("SPY_SHADERS", "what is said", run(folder, SPY_SHADERS=shaders), "")
            expect("SPY_SHADERS", "the files", [name[32:] for name in os.listdir(shaders)], [".spv"])
            with open(os.path.join(shaders, os.listdir(shaders)[0]), "rb") as file:
                words = struct.unpack("<48I", file.read())  # as many as the program's shader has
            expect("SPY_SHADERS", "the first word and the last", (words[0], words[-1]), (0x07230203, 0x00010038))

        allocations = os.path.join(folder, "allocations")
        os.mkdir(allocations)
        expect("SPY_ALLOCATIONS", "what is said", run(folder, SPY_ALLOCATIONS=allocations), "")
        expect("SPY_ALLOCATIONS", "the files", [name[-4:] for name in os.listdir(allocations)], [".txt"])
        with open(os.path.join(allocations, os.listdir(allocations)[0]), encoding="utf-8") as file:
            lines = [line.split() for line in file]
        # What type of memory, and which alignment, is the driver's affair.
        expect("SPY_ALLOCATIONS", "what is written", [line[:3] if line[0] == "+" else line[:2] for line in lines],
               [["+", "1", "4096"], ["+", "2", "256"], ["-", "2"], ["b", "1"], ["-", "1"]])
        expect("SPY_ALLOCATIONS", "an alignment is a power of two", int(lines[3][2]).bit_count(), 1)

        errors = run(folder, SPY_ALLOCATIONS=os.path.join(folder, "missing"))
        expect("a folder for allocations that is missing", "the number of lines that name it", errors.count("SPY_ALLOCATIONS="), 1)
        expect("a folder for allocations that is missing", "the report", read(folder, "below.json")["counters"], COUNTERS)
        errors = run(folder, SPY_SHADERS=os.path.join(folder, "missing"))
        expect("a folder that is missing", "the number of lines", errors.count("\n"), 1)
        expect("a folder that is missing", "the number of lines that name it", errors.count("SPY_SHADERS="), 1)
        expect("a folder that is missing", "the report", read(folder, "below.json")["counters"], COUNTERS)
        errors = run(folder, SPY_DROP="dispatches")
        expect("a bad thing to drop", "the number of lines that name it", errors.count("SPY_DROP=dispatches"), 1)
        expect("a bad thing to drop", "the report", read(folder, "below.json")["counters"], COUNTERS)
        errors = run(folder, SPY_MISCOUNT="dispatchs")
        expect("a bad name", "the number of lines that name it", errors.count("SPY_MISCOUNT=dispatchs"), 1)
        expect("a bad name", "the report", read(folder, "below.json")["counters"], COUNTERS)
        errors = run(folder, out="missing/folder.json")
        expect("a path that cannot be written", "the number of lines that name it", errors.count("missing/folder.json"),
               1)
    print("all numbers are right" if failures == 0 else f"{failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
