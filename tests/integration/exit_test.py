#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""However a program ends, its log is whole: exit_test.py BUILD [fork]"""
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run


# What one round of the program allocates and frees.
MEMORIES = 3


def logs(tree, scratch, way, **settings):
    """The lines of each process's log."""
    env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=Path(scratch) / (way + ".{pid}.jsonl"), KRONOS_RECYCLE_MEMORY="on", **settings)
    run([tree.program("kronos_exit_program"), way], env, timeout=60)
    return [log_lines(log) for log in Path(scratch).glob(f"{way}.*.jsonl")]


def ended(tree, scratch, way, **settings):
    found = logs(tree, scratch, way, **settings)
    expect(len(found) == 1, f"{way}: {len(found)} logs")
    return found[0]


def expect_recycled(way, summary, rounds, made):
    asked, driver = summary["asked"], summary["driver"]
    expect(asked["allocations"] == asked["frees"] == rounds * MEMORIES, f"{way}: {summary}")
    expect(driver["allocations"] == made, f"{way}: {summary}")


def made_with(settings):
    """All memories of a round are parts of one slab."""
    return MEMORIES if settings.get("KRONOS_SLABS") == "off" else 1


def test_fork(tree, scratch, **settings):
    summaries = [lines[-1] for lines in logs(tree, scratch, "fork", **settings)]
    expect(sorted(l["at"] for l in summaries) == ["destroy", "exit"], f"fork: {summaries}")
    for summary in summaries:
        expect_recycled("fork", summary, 2, made_with(settings))


def test_ends(tree, scratch, **settings):
    made = made_with(settings)
    lines = ended(tree, scratch, "return", **settings)
    expect([l["event"] for l in lines] == ["device", "frame", "summary"], f"return: {lines}")
    expect(lines[-1]["at"] == "exit" and lines[-1]["asked"]["submits"] == 1, f"return: {lines[-1]}")
    expect_recycled("return", lines[-1], 1, made)
    expect("frees" not in lines[-1]["driver"], f"return: {lines[-1]}")
    for way, submits in (("handlers", 3), ("destructor", 2)):
        lines = ended(tree, scratch, way, **settings)
        last = lines[-1]
        expect(last["event"] == "summary" and last["at"] == "destroy", f"{way}: ends with {last}")
        expect(last["asked"]["submits"] == submits, f"{way}: {last}")
        expect_recycled(way, last, submits, made)
        expect(last["driver"]["frees"] == made, f"{way}: {last}")
        frames = sum(l["asked"].get("submits", 0) for l in lines if l["event"] == "frame")
        expect(frames == submits, f"{way}: the frames hold {frames} submits, not {submits}")
    expect(ended(tree, scratch, "abrupt", **settings)[0]["event"] == "device", "abrupt: not even the device's line")
    env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS="summary", KRONOS_RECYCLE_MEMORY="on", **settings)
    run([tree.program("kronos_unload_program")], env, timeout=60)
    lines = ended(tree, scratch, "thread", **settings)
    expect(any(l["event"] == "summary" for l in lines), "thread: no summary")


def test(tree, ways):
    # With memory that is recycled, and with slabs, which the mock driver has by default; the latter with a thread that flushes submissions, all of which are held, too.
    held = {"KRONOS_SUBMITS": "always", "KRONOS_VIRTUAL_FENCES": "on", "KRONOS_SUBMIT_HOLD": "10000000"}
    for settings in ({}, {"KRONOS_SLABS": "off"}, held):
        with tempfile.TemporaryDirectory() as scratch:
            (test_fork if "fork" in ways else test_ends)(tree, scratch, **settings)


main(test)
