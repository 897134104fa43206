#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer's counters are the spy's: counters_test.py BUILD workloads|redundant DRIVER | counters_test.py BUILD random DRIVER SEEDS

The spy sits below the layer and shares no source with it: it sees what the driver is given. The random program counts for
itself what it asks. The spy must agree with what the layer says it gave the driver, the program with what the layer says it
was asked, on every counter; and both with each other where the layer is told to change nothing.
"""
import json
import sys
import tempfile
from pathlib import Path

from harness import LAYER, SPY, expect, log_lines, main, run


# Every feature, whatever the driver; and none.
ON = {"KRONOS_WAITS": "on", "KRONOS_RECYCLE_FENCES": "on", "KRONOS_RECYCLE_MEMORY": "on", "KRONOS_SLABS": "off", "KRONOS_BARRIERS": "on",
      "KRONOS_DESCRIPTORS": "on"}
# All are held until something flushes them; and memory is parts of slabs.
SUBMITS = {**ON, "KRONOS_SLABS": "on", "KRONOS_SUBMITS": "always", "KRONOS_VIRTUAL_FENCES": "on", "KRONOS_SUBMIT_HOLD": "10000000"}
# And become one where they are short.
FUSED = {**SUBMITS, "KRONOS_FUSION": "on"}
# What barriers became that are not as they were.
EMITTED = {f"barriers_{why}" for why in ("fixed", "upload_read", "read_write", "write_read", "write_write", "earlier", "hard", "fence", "opaque", "end")}
# What is counted without being done.
LOOKED = ("waits_forwarded", "streams_observed", "streams_given_up", "barriers_", "redundant_", "advice_", "layer_ns",
          "submits_close", "buffers_close", "memory_again", "slabs_room")
NOTHING = {"KRONOS_PRESET": "observe", "KRONOS_LOG_LEVEL": "warn"}


def compare(tree, spy, *others):
    run([sys.executable, tree.source / "tests/programs/compare_counters.py", spy, *others], env=None)


def counted(tree, driver, scratch, command, **settings):
    """Runs a program with layer and spy; the two files and the program's output."""
    log, spy = Path(scratch) / "log.jsonl", Path(scratch) / "spy.json"
    for file in (log, spy):
        file.unlink(missing_ok=True)
    env = tree.environment(driver, scratch, [LAYER, SPY], KRONOS_STATS_FILE=log, SPY_OUT=spy, **settings)
    output = run(command, env).stdout
    return log, spy, output


def workloads(tree, driver, scratch):
    for name in ("saxpy", "reduction", "scan", "gemm"):
        with tempfile.TemporaryDirectory() as folder:
            log, spy, _ = counted(tree, driver, folder, [tree.program("kronos-workloads"), "--quick", "--only", name], **ON)
            compare(tree, spy, log)
            frames, summary = log_lines(log, "frame"), log_lines(log, "summary")
            expect(len(summary) == 1, f"{name}: {len(summary)} summaries")
            expect(summary[0]["asked"]["dispatches"] > 0, f"{name}: no dispatches counted")
            # The naive writing waits after each submit: that is its frame.
            expect(len([f for f in frames if f["closed_by"] == "wait"]) == summary[0]["asked"]["submits"],
                   f"{name}: {len(frames)} frames for {summary[0]['asked']['submits']} submits with a wait each")
            for side in ("asked", "driver"):
                sums = {}
                for frame in frames:
                    for counter, n in frame[side].items():
                        sums[counter] = sums.get(counter, 0) + n
                expect(sums == summary[0][side], f"{name}: the frames do not add up to the summary: {sums} and {summary[0][side]}")


# What was said to be dropped of each counter.
DROPPED = {"pipeline_binds": "redundant_pipelines", "set_binds": "redundant_sets", "pushes": "redundant_constants",
           "push_descriptors": "redundant_descriptors"}


def expect_dropped(where, log, changes=True):
    """What was dropped, by the layer's word; the driver got the rest, and where nothing is changed all."""
    summary = log_lines(log, "summary")[0]
    said = {counter: summary["did"].get(name, 0) for counter, name in DROPPED.items()}
    missing = {counter: summary["asked"].get(counter, 0) - summary["driver"].get(counter, 0) for counter in DROPPED}
    expect(missing == (said if changes else dict.fromkeys(DROPPED, 0)), f"{where}: {said} said to be dropped, {missing} did not reach the driver")
    return sum(said.values())


def redundant(tree, driver):
    """Of binds and pushes that repeat the last one, none reaches the driver."""
    for name in ("redundant-binds", "chain", "independent"):
        for writing in ("naive", "expert"):
            where = f"{name}, {writing}"
            command = [tree.program("kronos-workloads"), "--quick", "--only", name, "--writing", writing, *(["--no-verify"] if driver == "mock" else [])]
            with tempfile.TemporaryDirectory() as folder:
                found = {}
                for drops in ("off", "on"):
                    log, spy, _ = counted(tree, driver, folder, command, **ON, KRONOS_DROP_REDUNDANT=drops)
                    compare(tree, spy, log)
                    dropped = expect_dropped(f"{where}, {drops}", log)
                    counters = json.loads(spy.read_text())["counters"]
                    found[drops] = (counters["redundant_binds"], counters["redundant_pushes"], dropped)
                expect(found["on"][:2] == (0, 0) and found["off"][2] == 0, f"{where}: {found}")
                # What the spy finds is the least that can be dropped.
                expect(found["on"][2] >= sum(found["off"][:2]), f"{where}: {found}")
                expect(found["off"][0] > 0 or where != "redundant-binds, naive", f"{where}: nothing to drop: {found}")


def random_programs(tree, driver, scratch, seeds):
    fences = memory = slabs = held = emitted = recorded = dropped = submits = virtual = fused = 0
    for seed in range(seeds):
        for threads in (1, 4):
            with tempfile.TemporaryDirectory() as folder:
                counts = Path(folder) / "counts.json"
                plain = [tree.program("kronos_random_program"), "--seed", seed, "--steps", 200, "--threads", threads]
                said = run(plain, tree.environment(driver, scratch)).stdout
                for settings in ({}, ON, SUBMITS, FUSED, NOTHING):
                    log, spy, output = counted(tree, driver, folder, [*plain, "--counts", counts], **settings)
                    compare(tree, spy, log, counts, *["--unchanged"] * (settings is NOTHING))
                    expect(said == output, f"seed {seed}, {settings}: with the layer '{output.strip()}', without '{said.strip()}'")
                    did = log_lines(log, "summary")[0]["did"]
                    fused += did.get("buffers_fused", 0)
                    # What is fused the driver gets twice.
                    if settings is not FUSED:
                        dropped += expect_dropped(f"seed {seed}, {settings}", log, settings is not NOTHING)
                    submits += did.get("submits_held", 0)
                    virtual += did.get("fences_virtual", 0)
                    fences += did.get("fences_recycled", 0)
                    memory += did.get("memory_recycled", 0)
                    slabs += did.get("slabs_served", 0)
                    held += did.get("streams_held", 0)
                    emitted += sum(n for name, n in did.items() if name in EMITTED)
                    recorded += did.get("barriers_recorded", 0)
                    expect(settings is not NOTHING or not [name for name in did if not name.startswith(LOOKED)],
                           f"seed {seed}: told to change nothing, the layer did {did}")
    expect(fences > 0 and memory > 0, f"{fences} fences and {memory} allocations of an earlier life")
    expect(slabs > 0, "no allocation was a part of a slab")
    expect(virtual > 0 and submits > 0, f"{virtual} virtual fences, {submits} submissions held")
    expect(fused > 0, "no command buffers were fused")
    expect(dropped > 0, "no bind or push of all the programs was dropped")
    expect(held > 0 and 0 < emitted < recorded, f"{held} recordings held, {recorded} barriers, {emitted} emitted")
    # A spy that counts wrong must be noticed, or agreement means nothing.
    with tempfile.TemporaryDirectory() as folder:
        log, spy = Path(folder) / "log.jsonl", Path(folder) / "spy.json"
        run([tree.program("kronos_random_program"), "--seed", 1, "--steps", 50],
            tree.environment(driver, folder, [LAYER, SPY], KRONOS_STATS_FILE=log, SPY_OUT=spy, SPY_MISCOUNT="submits"))
        done = run([sys.executable, tree.source / "tests/programs/compare_counters.py", spy, log], env=None, expect_code=1)
        expect("submits: the spy" in done.stdout, "the difference is not named")
        json.loads(spy.read_text())


def test(tree, arguments):
    with tempfile.TemporaryDirectory() as scratch:
        if arguments[0] == "workloads":
            workloads(tree, arguments[1], scratch)
        elif arguments[0] == "redundant":
            redundant(tree, arguments[1])
        else:
            random_programs(tree, arguments[1], scratch, int(arguments[2]))


main(test)
