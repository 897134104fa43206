#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No handle of the layer's reaches the driver, and programs see the same: slabs_test.py BUILD DRIVER SEEDS

A spy below the layer and one above it look at every VkDeviceMemory of every command, by the registry: the one above must
see the layer's handles, or the test shows nothing, the one below none. The counters of the one below are the layer's.
"""
import json
import sys
import tempfile
from pathlib import Path

from harness import LAYER, SPY, expect, log_lines, main, run

ABOVE = "VK_LAYER_KRONOS_TEST_spy_above"
SLABS = {"KRONOS_SLABS": "on", "KRONOS_RECYCLE_MEMORY": "off"}
BESIDE = {"KRONOS_SLABS": "on", "KRONOS_SLAB_GUARD": "true", "KRONOS_RECYCLE_MEMORY": "on", "KRONOS_BARRIERS": "on",
          "KRONOS_DESCRIPTORS": "on", "KRONOS_RECYCLE_FENCES": "on", "KRONOS_WAITS": "on", "KRONOS_SUBMITS": "always", "KRONOS_FUSION": "on"}


def between_spies(tree, driver, where, command, settings):
    """Runs a program between two spies; its output and how many of its allocations became parts of slabs."""
    with tempfile.TemporaryDirectory() as folder:
        log, below, above = (Path(folder) / name for name in ("log.jsonl", "below.json", "above.json"))
        env = tree.environment(driver, folder, [ABOVE, LAYER, SPY], KRONOS_STATS_FILE=log, SPY_OUT=below, SPY_ABOVE_OUT=above, **settings)
        env["VK_LAYER_PATH"] = f"{tree.spy / 'above'}:{tree.explicit}:{tree.spy}"
        output = run(command, env).stdout
        tagged = {name: json.loads(path.read_text())["tagged_memories"] for name, path in (("below", below), ("above", above))}
        summary = log_lines(log, "summary")[0]
        served = summary["did"].get("slabs_served", 0)
        expect(tagged["below"] == 0, f"{where}: {tagged['below']} handles of the layer's reached the driver")
        expect((tagged["above"] > 0) == (served > 0), f"{where}: {served} allocations served, the program used {tagged['above']} such handles")
        expect(summary["did"].get("slabs_overruns", 0) == 0, f"{where}: written beyond the end of memory")
        run([sys.executable, tree.source / "tests/programs/compare_counters.py", below, log], env=None)
        return output, served


def test(tree, arguments):
    driver, seeds = arguments[0], int(arguments[1])
    served = 0
    for seed in range(seeds):
        for threads in (1, 4):
            plain = [tree.program("kronos_random_program"), "--seed", seed, "--steps", 200, "--threads", threads]
            with tempfile.TemporaryDirectory() as folder:
                said = run(plain, tree.environment(driver, folder)).stdout
            for settings in (SLABS, BESIDE):
                output, count = between_spies(tree, driver, f"seed {seed}, {settings}", plain, settings)
                expect(output == said, f"seed {seed}, {settings}: with the layer '{output.strip()}', without '{said.strip()}'")
                served += count
    for name in ("saxpy", "reduction", "scan", "gemm"):
        for writing in ("naive", "expert"):
            command = [tree.program("kronos-workloads"), "--quick", "--only", name, "--writing", writing, *(["--no-verify"] if driver == "mock" else [])]
            served += between_spies(tree, driver, f"{name}, {writing}", command, SLABS)[1]
    expect(served > 0, "no allocation of all the programs became part of a slab")


main(test)
