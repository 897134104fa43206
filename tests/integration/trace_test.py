#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The trace that the layer writes: trace_test.py BUILD programs DRIVER SEEDS | trace_test.py BUILD clock|files|ends

DRIVER: mock, lavapipe, swiftshader, or system, the one that VK_DRIVER_FILES names.
programs: what random programs and workloads do is in it, by the rules of Perfetto's reader, and they do the same as without.
clock: GPU times lie where they must without calibrated timestamps too. files: whatever becomes of the file, the program ends
as it would. ends: however a program ends, what is in the file can be read.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

from harness import LAYER, SPY, expect, main, run

SUBMITS = {"KRONOS_BARRIERS": "on", "KRONOS_SUBMITS": "always", "KRONOS_VIRTUAL_FENCES": "on", "KRONOS_SUBMIT_HOLD": "10000000"}
FUSED = {**SUBMITS, "KRONOS_FUSION": "on"}
MEMORY = {"KRONOS_RECYCLE_MEMORY": "on", "KRONOS_SLABS": "on"}
NOTHING = {"KRONOS_PRESET": "observe", "KRONOS_STATS": "off", "KRONOS_BARRIERS": "off"}


def events(path, killed=False):
    """All events; a JSON array that need not be closed, as Perfetto's reader takes it, and as it does without half an event
    where a process was `killed` in the middle of a write."""
    text = Path(path).read_text()
    if killed:
        text = text[:text.rfind("\n") + 1]
    expect(text.startswith("[\n"), f"{path} begins with {text[:20]!r}")
    try:
        return json.loads(text.rstrip().rstrip(",").rstrip("]") + "]", parse_float=Decimal)
    except json.JSONDecodeError as error:
        at = error.pos
        expect(False, f"{path}: {error}: ...{text[max(at - 100, 0):at + 100]!r}")


def ns(time_us):
    return int(Decimal(time_us) * 1000)


class Slice:
    def __init__(self, event):
        self.name, self.arguments = event["name"], event["args"]
        self.begin = ns(event["ts"])
        self.end = self.begin + ns(event["dur"])


class Trace:
    """The events by what they are, each checked by itself and slices against each other."""

    def __init__(self, path, killed=False):
        self.slices, self.names, self.counters, self.instants = defaultdict(list), {}, defaultdict(list), []
        self.starts, self.finishes = {}, {}
        said, self.early = set(), []  # submissions whose calls came so far, and arrows that came before theirs
        for event in events(path, killed):
            expect(isinstance(event.get("ph"), str) and {"pid", "tid", "ts", "name"} <= set(event), f"not an event: {event}")
            expect(event["pid"] > 0 and 0 <= event["tid"] < 2**31 and event["ts"] >= 0, f"{event}")
            track = (event["pid"], event["tid"])
            kind = event["ph"]
            if kind == "X":
                expect(event["dur"] >= 0 and isinstance(event["args"], dict), f"{event}")
                self.slices[track].append(Slice(event))
                if event["name"].startswith("vkQueueSubmit") and "submission" in event["args"]:
                    said.add((event["pid"], event["args"]["submission"]))
            elif kind in "sf":
                flows = self.starts if kind == "s" else self.finishes
                flow = int(event["id"], 16)  # anything else the reader does not take
                expect(flow not in flows and (kind == "s" or event["bp"] == "e"), f"{event}")
                if (event["pid"], flow & 0xffffffff) not in said:
                    self.early.append(event)
                flows[flow] = (track, ns(event["ts"]), (event["cat"], event["name"]))
            elif kind == "C":
                expect(event["args"] and all(isinstance(n, int) and n >= 0 for n in event["args"].values()), f"{event}")
                for unit, n in event["args"].items():
                    self.counters[f"{event['name']} {unit}"].append(n)
            elif kind == "M":
                expect(event["name"] in ("process_name", "thread_name") and event["args"]["name"], f"{event}")
                if event["name"] == "thread_name":
                    self.names[track] = event["args"]["name"]
            else:
                expect(kind == "i" and event["s"] == "p", f"an event of a kind that is not expected: {event}")
                self.instants.append(event["name"])
        for track, slices in self.slices.items():
            slices.sort(key=lambda one: (one.begin, -one.end))
            open_ends = []
            for one in slices:
                while open_ends and open_ends[-1] <= one.begin:
                    open_ends.pop()
                expect(not open_ends or one.end <= open_ends[-1], f"{self.names.get(track, track)}: slices neither nest nor are apart at {one.begin}")
                open_ends.append(one.end)

    def calls(self):
        return [one for slices in self.slices.values() for one in slices if one.name.startswith("vkQueueSubmit")]

    def on_gpu(self):
        return {one.arguments["submission"]: one for track, slices in self.slices.items() if self.names.get(track, "").endswith(": GPU") for one in slices}

    def named(self, *names):
        return [one for slices in self.slices.values() for one in slices if one.name in names]


def check(where, trace, submits, whole=True):
    """What belongs together does. `submits`: that reached the driver, by the spy; None: nobody knows."""
    calls, gpu = trace.calls(), trace.on_gpu()
    expect(submits is None or len(calls) == submits, f"{where}: {len(calls)} submissions in the trace, {submits} reached the driver")
    by_number = {call.arguments["submission"]: call for call in calls if "submission" in call.arguments}
    expect(not trace.early, f"{where}: before their submissions: {trace.early[:3]}")
    expect(set(trace.starts) == set(trace.finishes), f"{where}: arrows without begin or end")
    expect(len(trace.starts) == len(gpu), f"{where}: {len(trace.starts)} arrows, {len(gpu)} times on the GPU")
    for flow, (track, at, key) in trace.starts.items():
        call, time_on_gpu = by_number[flow & 0xffffffff], gpu[flow & 0xffffffff]
        expect(call in trace.slices[track] and call.begin <= at <= call.end, f"{where}: arrow {flow:x} does not begin in its submission")
        to_track, to, to_key = trace.finishes[flow]
        expect(time_on_gpu in trace.slices[to_track] and time_on_gpu.begin <= to <= time_on_gpu.end and key == to_key, f"{where}: arrow {flow:x} does not end in its time")
        expect(trace.names[to_track] == trace.names[track].replace("submissions", "GPU"), f"{where}: arrow {flow:x} leads to another queue")
        expect(call.begin <= time_on_gpu.begin, f"{where}: submission {flow & 0xffffffff} ran before it was submitted")
    for track, slices in trace.slices.items():
        if not trace.names.get(track, "").endswith(": GPU"):
            continue
        ordered = sorted(slices, key=lambda one: one.arguments["submission"])
        for one, after in zip(ordered, ordered[1:]):
            expect(one.end <= after.begin, f"{where}: on the GPU submission {after.arguments['submission']} begins before the one before it ends")
    if whole:
        wanted = {number for number, call in by_number.items() if call.arguments["command_buffers"] and "result" not in call.arguments}
        expect(set(gpu) == wanted, f"{where}: {sorted(wanted ^ set(gpu))[:5]} of {len(wanted)} submissions have no time on the GPU, or should have none")


def traced(tree, driver, scratch, command, **settings):
    """Runs the program with a trace and the spy below; the trace, what the spy counted, and what the program said."""
    path, spy = Path(scratch) / "trace.json", Path(scratch) / "spy.json"
    for file in (path, spy):
        file.unlink(missing_ok=True)
    done = run(command, tree.environment(driver, scratch, [LAYER, SPY], KRONOS_TRACE_FILE=path, SPY_OUT=spy, **settings))
    return Trace(path), json.loads(spy.read_text())["counters"], done


def programs(tree, driver, seeds):
    times = driver != "lavapipe"  # which cannot be asked for them without waiting for all of the device
    reasons = Counter()
    held = folded = fused = idle = 0
    for seed in range(seeds):
        for threads in (1, 4):
            command = [tree.program("kronos_random_program"), "--seed", seed, "--steps", 100, "--threads", threads]
            with tempfile.TemporaryDirectory() as scratch:
                plain = run(command, tree.environment(driver, scratch)).stdout
                for settings in ({}, SUBMITS, FUSED, MEMORY, NOTHING):
                    where = f"seed {seed}, {threads} threads, {settings}"
                    trace, counted, done = traced(tree, driver, scratch, command, **settings)
                    expect(done.stdout == plain, f"{where}: with a trace '{done.stdout.strip()}', without '{plain.strip()}'")
                    check(where, trace, counted["submits"], whole=times and "not understood" not in done.stderr)
                    expect(times or (not trace.on_gpu() and done.stderr.count("no times on the GPU") == 1), f"{where}: {done.stderr}")
                    for call in trace.calls():
                        reasons[call.arguments.get("flush")] += 1
                        folded += call.arguments.get("folded", 0)
                        fused += call.arguments.get("command_buffers_of_program", 0)
                    flushes = [one for slices in trace.slices.values() for one in slices if one.name.startswith("flushes_")]
                    expect(len(flushes) <= sum("flush" in call.arguments for call in trace.calls()), f"{where}: flushes without a call")
                    held += sum(max(numbers) for name, numbers in trace.counters.items() if "held submissions" in name)
                    idle += sum(max(numbers) for name, numbers in trace.counters.items() if "idle memory" in name)
                    memory = [numbers for name, numbers in trace.counters.items() if "driver memory" in name]
                    expect(len(memory) % 2 == 0 and memory, f"{where}: no counters of memory: {list(trace.counters)}")
                    expect(trace.named("vkWaitForFences", "vkWaitSemaphores", "vkQueueWaitIdle", "vkDeviceWaitIdle"), f"{where}: no waits")
    expect(len(reasons) > 3 and held and folded and fused and idle, f"flushes {dict(reasons)}, held {held}, folded {folded}, fused {fused}, idle {idle}: not all were tried")
    for workload in ("saxpy", "many-submits"):
        with tempfile.TemporaryDirectory() as scratch:
            command = [tree.program("kronos-workloads"), "--quick", "--only", workload, *(["--no-verify"] if driver == "mock" else [])]
            trace, counted, _ = traced(tree, driver, scratch, command)
            check(workload, trace, counted["submits"], whole=times)


def clock(tree):
    """The mock driver's timestamps are the layer's own clock: times must be as they are, or as near as can be known."""
    command = [tree.program("kronos_random_program"), "--seed", 1, "--steps", 200, "--threads", 1]
    for removed in ([], ["VK_EXT_calibrated_timestamps", "VK_KHR_calibrated_timestamps"]):
        with tempfile.TemporaryDirectory() as scratch:
            config = Path(scratch) / "mock.json"
            config.write_text(json.dumps({"devices": [{"removeExtensions": removed}]}))
            trace, counted, _ = traced(tree, "mock", scratch, command, MOCK_ICD_CONFIG=config)
            check(f"without {removed}", trace, counted["submits"])
            # What a program has waited for is over before the wait is.
            waits = trace.named("vkQueueWaitIdle", "vkDeviceWaitIdle")
            gpu = list(trace.on_gpu().values())
            expect(waits and gpu, f"without {removed}: {len(waits)} waits, {len(gpu)} times")
            for wait in waits:
                late = [one for one in gpu if one.begin < wait.begin and one.end > wait.end + 1_000_000]
                expect(not late, f"without {removed}: work ends {late and late[0].end - wait.end} ns after the wait for it")
    # A queue that cannot has no row, and one line says so.
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "mock.json"
        config.write_text(json.dumps({"devices": [{"queueFamilies": [{"flags": ["compute", "transfer"], "count": 1, "timestampValidBits": 0}]}]}))
        command = [tree.program("kronos-workloads"), "--quick", "--only", "saxpy", "--no-verify"]
        trace, counted, done = traced(tree, "mock", scratch, command, MOCK_ICD_CONFIG=config)
        check("no timestamps", trace, counted["submits"], whole=False)
        expect(not trace.on_gpu() and done.stderr.count("no times on the GPU") == 1, f"no timestamps: {done.stderr}")


def files(tree):
    command = [tree.program("kronos_random_program"), "--seed", 3, "--steps", 200]
    with tempfile.TemporaryDirectory() as scratch:
        plain = run(command, tree.environment("mock", scratch)).stdout
        pipe, folder = Path(scratch) / "pipe", Path(scratch) / "folder"
        os.mkfifo(pipe)
        folder.mkdir()
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        for path, told in ((pipe, "not a regular file"), ("/dev/full", "No space left on device"), (folder, "Is a directory"),
                           (folder / "none/file", "No such file")):
            done = run(command, tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=path))
            expect(done.stdout == plain, f"{path}: the program's output changed")
            lines = [line for line in done.stderr.splitlines() if told in line]
            expect(len(lines) == 1 and str(path) in lines[0], f"{path}: {done.stderr}")
        os.close(reader)
        # Relative paths are the program's, and names tell processes apart.
        run(command, tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE="{program}-{pid}.json"), cwd=scratch)
        found = [p.name for p in Path(scratch).glob("kronos_random_program-*.json")]
        expect(len(found) == 1, f"{found}")
        # Several processes in one file: one array, and each has its rows.
        shared = Path(scratch) / "shared.json"
        env = tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=shared)
        running = [subprocess.Popen([str(c) for c in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
        for process in running:
            expect(process.wait(timeout=120) == 0, f"process {process.pid} ended with {process.returncode}")
        trace = Trace(shared)
        expect({pid for pid, _ in trace.slices} == {process.pid for process in running}, "a process is missing")
        expect(len({tid for _, tid in trace.names}) == len(trace.names), "rows of two processes have one number")
        # Full: it ends, whole.
        limited = Path(scratch) / "limited.json"
        many = [tree.program("kronos-workloads"), "--size", "4K", "--only", "many-submits", "--writing", "naive", "--dispatches", "1000", "--repeat", "6", "--no-verify"]
        done = run(many, tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=limited, KRONOS_TRACE_LIMIT=1))
        expect(done.stderr.count("has reached trace_limit (1 MiB)") == 1, done.stderr)
        expect(0 < limited.stat().st_size <= 1 << 20, f"{limited.stat().st_size} bytes")
        Trace(limited)
        # Deleted: it is made anew, with its names.
        deleted = Path(scratch) / "deleted.json"
        env = tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=deleted)
        process = subprocess.Popen([str(c) for c in [*many[:-3], "--repeat", "10000", "--no-verify"]], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        grows(deleted, process)
        deleted.unlink()
        grows(deleted, process)
        process.kill()
        _, told = process.communicate(timeout=60)
        expect(told.count("was deleted while it was written to") == 1, told)
        expect(any(name.endswith("submissions") for name in Trace(deleted, killed=True).names.values()), "the file that was made anew has no names")


def grows(path, process):
    """Waits until the program has written much of a trace to the file."""
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size < 100_000:
        expect(time.monotonic() < deadline and process.poll() is None, f"{path} does not grow")
        time.sleep(0.01)


def ends(tree):
    for settings in ({}, SUBMITS):
        for way in ("return", "handlers", "destructor", "abrupt", "thread", "fork"):
            with tempfile.TemporaryDirectory() as scratch:
                env = tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=Path(scratch) / "trace.{pid}.json", **settings)
                run([tree.program("kronos_exit_program"), way], env, timeout=60)
                found = list(Path(scratch).glob("trace.*.json"))
                # A child of fork has a device of its own, if it makes one.
                expect(1 <= len(found) <= 2, f"{way}: {found}")
                traces = [Trace(path) for path in found]
                for trace in traces:
                    check(f"{way}, {settings}", trace, None, whole=False)
                expect(way == "abrupt" or any(trace.calls() for trace in traces), f"{way}: no submission in the trace")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "trace.json"
        command = [tree.program("kronos-workloads"), "--size", "4K", "--only", "many-submits", "--writing", "naive", "--dispatches", "200", "--repeat", "10000", "--no-verify"]
        process = subprocess.Popen([str(c) for c in command], env=tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        grows(path, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        check("killed", Trace(path, killed=True), None, whole=False)
        # A write ends wherever the kill met it: whichever line is the last, what belongs together is there or is not.
        lines, torn = path.read_text().splitlines(keepends=True), Path(scratch) / "torn.json"
        arrows = [i for i, line in enumerate(lines) if '"ph":"f"' in line]
        expect(arrows, "no times on the GPU")
        for last in range(arrows[-1] - 1, min(arrows[-1] + 2, len(lines))):
            torn.write_text("".join(lines[:last]) + lines[last][:len(lines[last]) // 2])
            check(f"killed in line {last}", Trace(torn, killed=True), None, whole=False)
        # Who comes later finds half an event, and leaves a whole file.
        with open(path, "a") as file:
            file.write('{"ph":"X","pid":')
        run([tree.program("kronos_exit_program"), "return"], tree.environment("mock", scratch, [LAYER], KRONOS_TRACE_FILE=path), timeout=60)
        later = Trace(path)
        expect(len({pid for pid, _ in later.slices}) == 2, "one of two processes is missing")


def test(tree, arguments):
    if arguments[0] == "programs":
        programs(tree, arguments[1], int(arguments[2]))
    else:
        {"clock": clock, "files": files, "ends": ends}[arguments[0]](tree)


main(test)
