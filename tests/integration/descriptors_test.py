#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the spy counts below the layer once a program has warmed up: descriptors_test.py BUILD DRIVER

No descriptor update reaches the driver for programs that write again what is there, that allocate and write a set for each
dispatch, and that write the next set of a ring for each; without the layer's descriptors all of them do. Those that make
their buffers anew in each run, as the naive writings of whole computations do, have warmed up some dispatches later: more
dispatches make no more updates. The results are right, and the layer counts what the spy counts.
"""
import json
import sys
import tempfile
from pathlib import Path

from harness import LAYER, SPY, expect, log_lines, main, run

DISPATCHES = 5
OF_NEW_BUFFERS = ("saxpy", "reduction", "scan", "gemm")
WORKLOADS = ("identical-writes", "sets-per-dispatch", "set-ring")
SETTINGS = (
    ("held", {"KRONOS_DESCRIPTORS": "on", "KRONOS_BARRIERS": "on"}),
    ("at once", {"KRONOS_DESCRIPTORS": "on", "KRONOS_BARRIERS": "off"}),
    ("automatic", {"KRONOS_BARRIERS": "on"}),
)


def updates(tree, driver, name, repeat, settings, dispatches=DISPATCHES):
    """The spy's descriptor updates of a process with so many runs, and what the layer did."""
    with tempfile.TemporaryDirectory() as folder:
        out, spy, log = (Path(folder) / file for file in ("out.json", "spy.json", "log.jsonl"))
        env = tree.environment(driver, folder, [LAYER, SPY], SPY_OUT=spy, KRONOS_STATS_FILE=log, **settings)
        run([tree.program("kronos-workloads"), "--size", "16K", "--repeat", str(repeat), "--only", name, "--writing", "naive",
             "--dispatches", str(dispatches), *(["--no-verify"] if driver == "mock" else []), "--json", out], env)
        row, = json.loads(out.read_text())["workloads"]
        expect(row["verified"] is (None if driver == "mock" else True), f"{name}: verified is {row['verified']}")
        run([sys.executable, tree.source / "tests/programs/compare_counters.py", spy, log], env=None)
        summary, = log_lines(log, "summary")
        return json.loads(spy.read_text())["counters"]["descriptor_updates"], summary["did"]


def test(tree, arguments):
    driver = arguments[0]
    few, many = 4, 12
    for name in WORKLOADS:
        for how, settings in SETTINGS:
            after_few, _ = updates(tree, driver, name, few, settings)
            after_many, did = updates(tree, driver, name, many, settings)
            expect(after_few == after_many, f"{name}, {how}: {after_many - after_few} updates in {many - few} more runs")
            expect(did.get("descriptor_writes_dropped", 0) + did.get("sets_found", 0) >= (many - few) * DISPATCHES, f"{name}, {how}: {did}")
        # Otherwise there would have been nothing to save.
        off = {"KRONOS_DESCRIPTORS": "off"}
        counts = [updates(tree, driver, name, repeat, off)[0] for repeat in (few, many)]
        expect(counts[1] - counts[0] == (many - few) * DISPATCHES, f"{name}, off: {counts}")
    for name in OF_NEW_BUFFERS:
        for how, settings in SETTINGS:
            counts = [updates(tree, driver, name, 2, settings, dispatches)[0] for dispatches in (8, 24)]
            expect(counts[0] == counts[1], f"{name}, {how}: {counts}")
        counts = [updates(tree, driver, name, 2, {"KRONOS_DESCRIPTORS": "off"}, dispatches)[0] for dispatches in (8, 24)]
        expect(counts[1] - counts[0] >= 2 * (24 - 8), f"{name}, off: {counts}")


main(test)
