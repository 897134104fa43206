#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""However a program ends, its log is whole: exit_test.py BUILD"""
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run


def ended(tree, scratch, way):
    log = Path(scratch) / f"{way}.jsonl"
    run([tree.program("kronos_exit_program"), way], tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=log), timeout=60)
    return log_lines(log)


def test(tree, _):
    with tempfile.TemporaryDirectory() as scratch:
        lines = ended(tree, scratch, "return")
        expect([l["event"] for l in lines] == ["device", "frame", "summary"], f"return: {lines}")
        expect(lines[-1]["at"] == "exit" and lines[-1]["asked"]["submits"] == 1, f"return: {lines[-1]}")
        for way, submits in (("handlers", 3), ("destructor", 2)):
            lines = ended(tree, scratch, way)
            last = lines[-1]
            expect(last["event"] == "summary" and last["at"] == "destroy", f"{way}: ends with {last}")
            expect(last["asked"]["submits"] == submits, f"{way}: {last}")
            frames = sum(l["asked"].get("submits", 0) for l in lines if l["event"] == "frame")
            expect(frames == submits, f"{way}: the frames hold {frames} submits, not {submits}")
        expect(ended(tree, scratch, "abrupt")[0]["event"] == "device", "abrupt: not even the device's line")
        lines = ended(tree, scratch, "thread")
        expect(any(l["event"] == "summary" for l in lines), "thread: no summary")


main(test)
