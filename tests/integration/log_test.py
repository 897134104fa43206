#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The statistics log of whole programs: log_test.py BUILD

Every line follows the schema; ten processes write ten files with one beginning; full files are followed by others; and the
program ends as it would without the log whatever becomes of the file.
"""
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import jsonschema
from harness import LAYER, expect, log_lines, main, run


def names(tree, *lists):
    """The counters of these lists, as the log calls them."""
    found = set()
    for path in lists:
        for kind, name in re.findall(r"^(COUNTER|DECISION|REFUSAL)\((\w+),", (tree.source / path).read_text(), re.M):
            found.add(f"memory_refused_{name}" if kind == "REFUSAL" else name)
    return found


def follows_schema(tree, scratch):
    schema = json.loads((tree.source / "layer/stats/log.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    known = {"asked": names(tree, "layer/stats/counters.def"),
             "did": names(tree, "layer/stats/decisions.def", "layer/memory/refusals.def")}
    known["driver"] = known["asked"]
    log = Path(scratch) / "schema.jsonl"
    for seed, settings in enumerate(({}, {"KRONOS_PRESET": "observe", "KRONOS_LOG_LEVEL": "off"}, {"KRONOS_BARRIERS": "on", "KRONOS_SUBMITS": "always"})):
        run([tree.program("kronos_random_program"), "--seed", seed, "--steps", 100], tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=log, **settings))
    lines = log_lines(log)
    for line in lines:
        faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(line)]
        expect(not faults, f"a line breaks the schema: {faults[:2]}: {line}")
        for part in known if line["event"] != "device" else ():
            expect(set(line.get(part, ())) <= known[part], f"not in the lists: {set(line.get(part, ())) - known[part]}")
    expect({line["event"] for line in lines} == {"device", "frame", "summary"}, "an event is not tried")
    template = json.loads((tree.source / "manifest/kronos_compute.json").read_text())
    expect(list(lines[0]["settings"]) == [s["key"] for s in template["settings"]], "the settings in effect are not told")
    # A schema that lets everything pass would say nothing.
    for change in ({"v": 2}, {"event": "frames"}, {"pid": 0}, {"settings": []}, {"new": 1}):
        expect(list(validator.iter_errors({**lines[0], **change})), f"the schema allows {change}")


def ten_processes(tree, scratch):
    env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS="summary")
    command = [tree.program("kronos_random_program"), "--seed", "1", "--steps", "20"]
    running = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(10)]
    for process in running:
        expect(process.wait(timeout=120) == 0, f"process {process.pid} ended with {process.returncode}")
    files = {path.name for path in (Path(scratch) / "state/kronos").iterdir()}
    wanted = {f"kronos_random_program-{process.pid}.kronos.jsonl" for process in running}
    expect(files == wanted, f"{sorted(files ^ wanted)} are not as expected")
    report = json.loads(run([tree.program("kronos"), "report", "--json", *sorted((Path(scratch) / "state/kronos").iterdir())], env).stdout)
    expect(len(report["groups"]) == 1 and report["groups"][0]["runs"] == 10, f"the report of ten processes: {report['groups']}")


def tells_levels(tree, scratch):
    """What memory the layer keeps, and how long it takes itself; and the report shows both."""
    log = Path(scratch) / "levels.jsonl"
    env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=log, KRONOS_RECYCLE_MEMORY="on", KRONOS_SLABS="on")
    run([tree.program("kronos_random_program"), "--seed", "2", "--steps", 400], env)
    run([tree.program("kronos-workloads"), "--size", "4K", "--only", "many-submits", "--writing", "naive", "--dispatches", "500", "--no-verify"], env)
    most = {}
    for line in log_lines(log):
        for key in ("memory", "memory_most"):
            for heap in line.get(key, ()):
                for name, n in heap.items():
                    most.setdefault(key, {}).setdefault(heap["heap"], {})
                    most[key][heap["heap"]][name] = max(n, most[key][heap["heap"]].get(name, 0))
    expect(most.get("memory_most"), "no summary tells of memory")
    expect(any(heap["slabs"] and heap["slab_live_bytes"] <= heap["slab_bytes"] for heap in most["memory_most"].values()), f"no slabs: {most}")
    for heap, numbers in most.get("memory", {}).items():
        for name, n in numbers.items():
            expect(n <= most["memory_most"][heap][name], f"heap {heap}: {name} was {n}, and at the most {most['memory_most'][heap][name]}")
    # Seldom asked for, but of so many submissions some are.
    expect(any(summary["did"].get("layer_ns", 0) > 0 for summary in log_lines(log, "summary")), "no time in the layer")
    command = [tree.program("kronos"), "report", log]
    said = run(command, env).stdout
    for needle in ("Memory kept, at the most: heap ", " slabs of ", "In the layer itself: "):
        expect(needle in said, f"'{needle}' is not in the report: {said}")
    groups = json.loads(run([*command, "--json"], env).stdout)["groups"]
    shown = [heap for group in groups for heap in group["memory_most"]]
    for heap, numbers in most["memory_most"].items():
        expect(numbers["slabs"] == max(one["slabs"] for one in shown if one["heap"] == heap), f"heap {heap}: {numbers} in the log, {shown} in the report")


def rotates(tree, scratch):
    log = Path(scratch) / "rotated.jsonl"
    env = tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=log, KRONOS_STATS_LIMIT="1", KRONOS_STATS_ROTATE="1000", KRONOS_FRAME_SUBMITS="1")
    run([tree.program("kronos-workloads"), "--size", "4K", "--only", "many-submits", "--writing", "naive", "--dispatches", "2000", "--repeat", "6", "--no-verify"], env)
    files = sorted(Path(scratch).glob("rotated.jsonl*"))
    expect(len(files) > 1, f"nothing was rotated: {[f.stat().st_size for f in files]}")
    summary, = [line for file in files for line in log_lines(file, "summary")]
    frames = [line for file in files for line in log_lines(file, "frame")]
    expect(sum(frame["asked"].get("submits", 0) for frame in frames) == summary["asked"]["submits"], "submits of the frames, over all files")
    expect(sorted(frame["frame"] for frame in frames) == list(range(summary["frames"])), "a frame is missing, or there twice")
    # In whatever order the shell gives them, they are one device.
    for order in (files, files[::-1]):
        report, = json.loads(run([tree.program("kronos"), "report", "--json", *order], env).stdout)["groups"]
        expect(report["runs"] == 1 and report["frames"] == report["frames_in_logs"] == summary["frames"], f"the report of rotated files: {report['runs']} runs")
        expect(report["counters"]["submits"]["asked"] == summary["asked"]["submits"], "the report's sum of submits")


def never_blocks(tree, scratch):
    command = [tree.program("kronos_random_program"), "--seed", "3", "--steps", "200"]
    plain = run(command, tree.environment("mock", scratch)).stdout
    pipe, folder = Path(scratch) / "pipe", Path(scratch) / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    # Held open by a reader that never reads: the slowest there is.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for path, told in ((pipe, "not a regular file"), ("/dev/full", "No space left on device"), (folder, "Is a directory")):
        done = run(command, tree.environment("mock", scratch, [LAYER], KRONOS_STATS_FILE=path), timeout=120)
        expect(done.stdout == plain, f"{path}: the program's output changed")
        lines = [line for line in done.stderr.splitlines() if told in line]
        expect(len(lines) == 1 and str(path) in lines[0], f"{path}: {done.stderr}")
    os.close(reader)


def test(tree, _):
    for part in (follows_schema, ten_processes, tells_levels, rotates, never_blocks):
        with tempfile.TemporaryDirectory() as scratch:
            part(tree, scratch)


main(test)
