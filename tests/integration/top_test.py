#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kronos top on programs that run: top_test.py BUILD

A program is shown while it lives, with the numbers of its log, and not before or after.
"""
import json
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run

LOOKS = 1000  # far more than it takes: a program that never shows up must not hold up the test for ever


def test(tree, _):
    with tempfile.TemporaryDirectory() as scratch:
        env = tree.environment("lavapipe", scratch, [LAYER], KRONOS_LOG_LEVEL="off", KRONOS_STATS_LIMIT="0")
        plain = tree.environment("mock", scratch)

        def top(*arguments, expect_code=0):
            return run([tree.program("kronos"), "top", *arguments], plain, expect_code=expect_code)

        def shown():
            return json.loads(top("--json").stdout)["devices"]

        expect(shown() == [], "programs without any")
        expect("no program runs with the layer" in top().stdout, "the table without any")
        command = [tree.program("kronos-workloads"), "--only", "saxpy", "--writing", "naive", "--size", "4M", "--dispatches", "1000", "--repeat", "10000", "--no-verify"]
        running = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
        try:
            wanted = {process.pid for process in running}
            for _ in range(LOOKS):
                rows = shown()
                if {row["pid"] for row in rows if row["frames"] > 5} == wanted:
                    break
            else:
                expect(False, f"{wanted} do not show up: {rows}")
            expect(all(row["alive"] and row["program"] == "kronos-workloads" and row["a_second"]["submits"] > 0 for row in rows), f"{rows}")
            table = top().stdout.splitlines()
            expect(len(table) == 3 and all(len(line) == len(table[0]) for line in table) and str(running[0].pid) in table[1] + table[2], f"{table}")
            # Several looks follow the logs while they grow.
            looks = [json.loads(line)["devices"] for line in top("--json", "--count", "3", "--interval", "0.2").stdout.splitlines()]
            frames = [sum(row["frames"] for row in look) for look in looks]
            expect(len(looks) == 3 and frames == sorted(frames) and frames[2] > frames[0], f"frames of three looks: {frames}")

            # A program that stands still has a log that stands still: the numbers are the log's.
            process = running[0]
            process.send_signal(signal.SIGSTOP)
            expect(Path(f"/proc/{process.pid}").exists(), "it has ended")
            while Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
                pass  # the signal is on its way
            row, = [row for row in shown() if row["pid"] == process.pid]
            logged = [line for line in Path(row["log"]).read_text().splitlines(keepends=True) if line.endswith("\n")]
            expect(row["frames"] == sum('"event":"frame"' in line for line in logged), f"{row['frames']} frames, and {len(logged)} lines in the log")
            process.kill()
            process.wait()
            expect([row["pid"] for row in shown()] == [running[1].pid], "a process that is gone is still shown")
            # By its name a log is shown all the same.
            named, = json.loads(top("--json", row["log"]).stdout)["devices"]
            expect(named["frames"] == row["frames"] and not named["alive"] and "ended" in top(row["log"]).stdout, f"{named}")
            expect(len(log_lines(row["log"], "device")) == 1, "the log is as it was")
        finally:
            for process in running:
                process.kill()
                process.wait()
        expect(shown() == [], "all are gone")
        for path, why in ((Path(scratch) / "none", "No such file"), (Path(scratch), "not a regular file")):
            done = top(path, expect_code=1)
            expect(f"kronos top: {path} cannot be read: {why}" in done.stderr and len(done.stderr.splitlines()) == 1, f"{path}: {done.stderr}")


main(test)
