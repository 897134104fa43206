#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kronos bench with the real workloads, layer and spy: bench_test.py BUILD [DRIVER]

Programs that misbehave are in the unit tests; here they only stand for a workload that is broken on a real run.
"""
import json
import os
import pty
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import expect, main, run

CHECKED = 2  # writings of saxpy


def bench(tree, env, *arguments, code=0):
    return run([tree.program("kronos"), "bench", "--quick", *arguments], env, expect_code=code)


def ratios(document):
    return [subject["off_over_this"] for group in document["groups"] for subject in group["subjects"] if subject.get("off_over_this")]


# The configurations with the layer.
LAYERED = ("on", "counting", "waits", "fences", "memory", "slabs", "barriers", "submits", "fusion")


def all_right(tree, driver, scratch):
    file = Path(scratch) / "bench.json"
    env = tree.environment(driver, scratch)
    done = bench(tree, env, "--only", "saxpy", "--rounds", "2", "--repeat", "7", "--json", file)
    document = json.loads(file.read_text())
    group = document["groups"][0]
    expect(group["state"] == "ok" and len(document["groups"]) == 1, f"not ok: {group['state']}: {group['notes']}")
    seen = [(s["writing"], s["configuration"]) for s in group["subjects"]]
    expect(seen == [("naive", name) for name in ("off", *LAYERED)] + [("expert", "off")], f"the subjects are {seen}")
    expect(len(ratios(document)) == len(LAYERED), f"{len(ratios(document))} ratios, not {len(LAYERED)}")
    expect("expert_over_this" in group["subjects"][1], "no expert/(naive+layer)")
    for subject in group["subjects"]:
        expect(len(subject["ns"]) == 2 and all(len(repeats) == 7 for repeats in subject["ns"]), f"times: {subject['ns']}")
        expect(subject["counters"]["dispatches"] == 8, f"{subject['counters']['dispatches']} dispatches, not 2 runs of 4")
    expect(sum(s["counters_checked"] for s in group["subjects"]) == CHECKED, "the counts were not compared with the source")
    expect(set(document["layer"]) == set(LAYERED), f"layer in {set(document['layer'])}")
    for name in ("waits", "barriers", "recycle_fences", "recycle_memory", "submits"):
        expect(document["layer"]["counting"]["settings"][name].startswith("off"), f"counting: {name} is not off")
    for text in ("machine", "device", "loader", "expert/(naive+layer)", f"{CHECKED} of {CHECKED} counts"):
        expect(text in done.stdout, f"the report lacks '{text}':\n{done.stdout}")
    expect("interval" not in ratios(document)[0] and " (?) " in done.stdout, f"an interval of 2 rounds:\n{done.stdout}")
    expect("\r" not in done.stderr and "run 1 of" in done.stderr, f"progress is not in plain lines: {done.stderr!r}")
    expect(not (Path(scratch) / "state").exists(), "the layer's statistics were left behind")


def only_this_driver(tree, scratch):
    env = tree.environment("lavapipe", scratch)
    document = json.loads(bench(tree, env, "--only", "saxpy", "--rounds", "1", "--json", "-", "--driver", tree.driver("swiftshader")).stdout)
    expect("SwiftShader" in document["device"]["name"], f"--driver did not choose the driver: {document['device']}")


def counts_only(tree, scratch):
    """The mock driver computes nothing; what reaches it is counted all the same."""
    done = bench(tree, tree.environment("mock", scratch), "--counts", "--writing", "both", "--only", "saxpy,scan")
    expect("4 of 4 counts" in done.stdout and "median" not in done.stdout, f"not all counts were compared:\n{done.stdout}")


def miscounting_spy(tree, driver, scratch):
    done = bench(tree, tree.environment(driver, scratch, SPY_MISCOUNT="dispatches"), "--only", "saxpy", "--json", Path(scratch) / "bench.json", code=1)
    document = json.loads((Path(scratch) / "bench.json").read_text())
    expect(not ratios(document), "there are ratios though the spy miscounts")
    expect("MISCOUNT: saxpy (naive, 64K x 4, off): dispatches: the spy counted 9, the source says 8" in done.stderr, f"the counter is not named: {done.stderr}")


def wrong_result(tree, driver, scratch):
    """A program that changes one answer of the real one to "verified": false, in runs with the layer."""
    program = Path(scratch) / "wrong-with-layer"
    program.write_text(f"""#!/usr/bin/env python3
import json, os, subprocess, sys
done = subprocess.run([{tree.program('kronos-workloads')!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
document = json.loads(done.stdout)
if "VK_LAYER_KRONOS_compute" in os.environ.get("VK_INSTANCE_LAYERS", "") and "--list" not in sys.argv:
    document["workloads"][0].update(verified=False, difference="y[7] is wrong")
print(json.dumps(document))
""")
    program.chmod(0o755)
    done = bench(tree, tree.environment(driver, scratch), "--only", "saxpy", "--program", program, "--json", Path(scratch) / "bench.json", code=1)
    expect("WRONG: saxpy (naive, 64K x 4, on): y[7] is wrong" in done.stdout, f"not told what is wrong:\n{done.stdout}")
    expect(not ratios(json.loads((Path(scratch) / "bench.json").read_text())), "there are ratios though a result is wrong")


def without_the_layer(tree, driver, scratch):
    """A layer that is not loaded must not be measured as one that costs nothing."""
    program = Path(scratch) / "no-layers"
    program.write_text(f"#!/bin/sh\nunset VK_INSTANCE_LAYERS\nexec {tree.program('kronos-workloads')} \"$@\"\n")
    program.chmod(0o755)
    done = bench(tree, tree.environment(driver, scratch), "--only", "saxpy", "--program", program, code=1)
    expect("the spy wrote no counters" in done.stderr or "the layer was not loaded" in done.stderr, f"not noticed: {done.stderr}")


def on_a_terminal(tree, driver, scratch):
    """One line that is written over; Ctrl-C ends it with what is there."""
    ours, its = pty.openpty()
    child = subprocess.Popen([tree.program("kronos"), "bench", "--quick", "--only", "saxpy", "--rounds", "1000"], stdout=subprocess.PIPE, stderr=its,
                             env=tree.environment(driver, scratch))
    os.close(its)
    progress = b""
    try:
        while b"round 2 of 1000" not in progress:
            progress += os.read(ours, 4096)
        child.send_signal(signal.SIGINT)
        report = child.communicate(timeout=60)[0].decode()
    finally:
        child.kill()
        os.close(ours)
    expect(child.returncode == 130, f"ended with {child.returncode}, not 130")
    expect(progress.count(b"\r") > 3 and b"\n" not in progress, f"progress is not one line: {progress!r}")
    expect("counting" in report and "Interrupted" in report, f"what was measured is not shown:\n{report}")


def test(tree, arguments):
    driver = arguments[0] if arguments else "lavapipe"
    with tempfile.TemporaryDirectory() as scratch:
        all_right(tree, driver, scratch)
    with tempfile.TemporaryDirectory() as scratch:
        only_this_driver(tree, scratch)
    with tempfile.TemporaryDirectory() as scratch:
        counts_only(tree, scratch)
    for check in (miscounting_spy, wrong_result, without_the_layer, on_a_terminal):
        with tempfile.TemporaryDirectory() as scratch:
            check(tree, driver, scratch)


main(test)
