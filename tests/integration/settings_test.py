#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bad setting gives its one line, and the program runs: settings_test.py BUILD"""
import json
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run

# environment, what the line must name
BAD = [
    ({"KRONOS_PRESET": "turbo"}, ["preset = 'turbo'", "KRONOS_PRESET", "safe, balanced, fastest, observe", "using 'balanced'"]),
    ({"VK_KRONOS_COMPUTE_PRESET": ""}, ["preset = ''", "VK_KRONOS_COMPUTE_PRESET", "using 'balanced'"]),
    ({"KRONOS_STATS": "yes"}, ["stats = 'yes'", "off, summary, frames", "using 'frames'"]),
    ({"KRONOS_STATS": "1"}, ["stats = '1'", "using 'frames'"]),
    ({"KRONOS_STATS": "frames summary"}, ["stats = 'frames summary'", "using 'frames'"]),
    ({"KRONOS_STATS": "frames", "VK_KRONOS_COMPUTE_STATS": "on"}, ["stats = 'on'", "VK_KRONOS_COMPUTE_STATS", "using 'frames'"]),
    ({"KRONOS_PRESET": "safe", "KRONOS_STATS": "x"}, ["stats = 'x'", "using 'summary'"]),
    ({"KRONOS_STATS_FORMAT": "xml"}, ["stats_format = 'xml'", "jsonl, csv", "using 'jsonl'"]),
    ({"KRONOS_STATS_LIMIT": "-1"}, ["stats_limit = '-1'", "0 to 1048576", "using '64'"]),
    ({"KRONOS_STATS_LIMIT": "1e6"}, ["stats_limit = '1e6'", "using '64'"]),
    ({"KRONOS_STATS_LIMIT": "64 MiB"}, ["stats_limit = '64 MiB'", "using '64'"]),
    ({"KRONOS_STATS_LIMIT": "18446744073709551616"}, ["stats_limit = '18446744073709551616'", "using '64'"]),
    ({"KRONOS_STATS_KEEP": "all"}, ["stats_keep = 'all'", "0 to 100000", "using '32'"]),
    ({"KRONOS_FRAME_SUBMITS": "0x10"}, ["frame_submits = '0x10'", "using '0'"]),
    ({"KRONOS_FRAME_SUBMITS": "1000000001"}, ["frame_submits = '1000000001'", "0 to 1000000000"]),
    ({"KRONOS_FRAME_MS": "16.6"}, ["frame_ms = '16.6'", "using '0'"]),
    ({"KRONOS_FRAME_MS": "\t"}, ["frame_ms = ''", "using '0'"]),
    ({"KRONOS_LOG_LEVEL": "verbose"}, ["log_level = 'verbose'", "off, error, warn, info, debug", "using 'warn'"]),
    ({"KRONOS_LOG_FILE": "/nonexistent/folder/log"}, ["log_file = '/nonexistent/folder/log' cannot be opened", "standard error"]),
    ({"KRONOS_STATS_FILE": "/nonexistent/folder/stats"}, ["stats_file = '/nonexistent/folder/stats' cannot be opened", "No such file"]),
    ({"KRONOS_STATS_FILE": "/"}, ["stats_file = '/' cannot be opened", "Is a directory"]),
    ({"KRONOS_STATS_FILE": "/dev/full"}, ["/dev/full cannot be written (No space left on device)", "the program goes on"]),
    ({"KRONOS_STAT": "off"}, ["unknown setting 'stat'", "KRONOS_STAT", "nearest is 'stats'", "ignored"]),
    ({"VK_KRONOS_COMPUTE_STATSFILE": "x"}, ["unknown setting 'statsfile'", "nearest is 'stats_file'"]),
    ({"KRONOS_stats": "off"}, ["unknown setting 'KRONOS_stats'", "ignored"]),
    ({"KRONOS_STATS": "x" * 5000}, ["stats = 'xxx", "...'", "using 'frames'"]),
]
FILE = [
    ("kronos_compute.stats = maybe", ["stats = 'maybe'", "vk_layer_settings.txt", "using 'frames'"]),
    ("kronos_compute.no_such_key = 1", ["unknown setting 'no_such_key'", "vk_layer_settings.txt"]),
    ("kronos_compute.frame_ms = 1,2", ["frame_ms = '1,2'", "using '0'"]),
    ("kronos_compute.Stats = Maybe", ["stats = 'Maybe'", "using 'frames'"]),
    ("kronos_compute.stats", ["stats = ''", "using 'frames'"]),
]


def lines_of(done):
    return [line for line in done.stderr.splitlines() if line.startswith("kronos:") and "active on" not in line]


def test(tree, _):
    command = [tree.program("kronos_random_program"), "--seed", 3, "--steps", 30]
    with tempfile.TemporaryDirectory() as scratch:
        expected = run(command, tree.environment("mock", scratch)).stdout
        for given, needles in BAD:
            done = run(command, tree.environment("mock", scratch, [LAYER], **given), cwd=scratch)
            told = lines_of(done)
            expect(len(told) == 1, f"{given}: {len(told)} lines instead of one: {told}")
            for needle in needles:
                expect(needle in told[0], f"{given}: '{needle}' is not in: {told[0]}")
            expect(done.stdout == expected, f"{given}: the program's output changed: {done.stdout}")
        settings = Path(scratch) / "vk_layer_settings.txt"
        for text, needles in FILE:
            settings.write_text(f"# a comment\nkhronos_validation.x = 1\n{text}\n")
            told = lines_of(run(command, tree.environment("mock", scratch, [LAYER]), cwd=scratch))
            expect(len(told) == 1, f"{text}: {len(told)} lines instead of one: {told}")
            for needle in needles:
                expect(needle in told[0], f"{text}: '{needle}' is not in: {told[0]}")

        # The neighbours that are right say nothing and are obeyed, from each source.
        log = Path(scratch) / "with:colons, and commas.jsonl"
        settings.write_text(f"kronos_compute.stats_file = {log}\nkronos_compute.stats = summary\n")
        done = run(command, tree.environment("mock", scratch, [LAYER]), cwd=scratch)
        expect(lines_of(done) == [], f"good settings: {lines_of(done)}")
        expect([l["event"] for l in log_lines(log)] == ["device", "summary"], "the settings file is not obeyed")
        log.unlink()
        run(command, tree.environment("mock", scratch, [LAYER], KRONOS_STATS="frames", VK_KRONOS_COMPUTE_FRAME_SUBMITS="1"), cwd=scratch)
        expect(len(log_lines(log, "frame")) > 1, "the environment does not win over the settings file")
        settings.unlink()

        # Quiet by default but for one line; everything at info.
        done = run(command, tree.environment("mock", scratch, [LAYER]), cwd=scratch)
        active = [line for line in done.stderr.splitlines() if line.startswith("kronos:")]
        expect(len(active) == 1 and "active on" in active[0] and "statistics: " in active[0], f"default log: {active}")
        where = Path(active[0].split("statistics: ")[1])
        expect(where.exists() and str(where).startswith(str(Path(scratch) / "state")), f"no statistics at {where}")
        info = run(command, tree.environment("mock", scratch, [LAYER], KRONOS_LOG_LEVEL="info"), cwd=scratch).stderr
        template = json.loads((tree.source / "manifest/kronos_compute.json").read_text())
        for setting in template["settings"]:
            expect(f"kronos:   {setting['key']} = " in info, f"the effective value of {setting['key']} is not logged")
        for quiet in ("off", "error"):
            done = run(command, tree.environment("mock", scratch, [LAYER], KRONOS_LOG_LEVEL=quiet), cwd=scratch)
            expect("kronos" not in done.stderr, f"log_level {quiet}: {done.stderr}")
        expect(len(BAD) + len(FILE) >= 20, "the table has shrunk")


main(test)
