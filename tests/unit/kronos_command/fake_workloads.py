#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A workloads program for tests of kronos bench: it calls no Vulkan and answers what FAKE tells it to.

FAKE is a list of WHAT or WHAT@NAME, NAME being a workload, a writing or "layer" (runs with the layer only):
wrong, miscount, crash, hang, garbage, skip, exit3, nolayer, notimes, device, noisy. FAKE_NS_OFF, FAKE_NS_ON: nanoseconds of a repeat.
"""
import json
import os
import random
import signal
import sys

LAYER = "VK_LAYER_KRONOS_compute"
WORKLOADS = [{"name": "one", "isolates": "a workload", "writings": ["naive", "expert"], "built": True},
             {"name": "two", "isolates": "another", "writings": ["naive"], "built": True},
             {"name": "three", "isolates": "not here", "writings": ["naive"], "built": False, "reason": "a library is missing"}]


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


def main():
    if "--list" in sys.argv:
        print(json.dumps({"v": 2, "workloads": WORKLOADS}))
        return 0
    name, writing = option("--only"), option("--writing")
    layer = LAYER in os.environ.get("VK_INSTANCE_LAYERS", "").split(":")
    here = {name, writing, "layer" if layer else "off"}
    todo = {what for what, _, where in (text.partition("@") for text in os.environ.get("FAKE", "").split(",")) if not where or where in here}
    if layer and "nolayer" not in todo:
        print("kronos: Kronos 9.9.9 in fake, settings:\nkronos:   stats = frames (default)\nkronos: active on fake (fake); statistics: off", file=sys.stderr)
    if "crash" in todo:
        print("about to crash", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in todo:
        print("waiting for ever", file=sys.stderr, flush=True)
        signal.pause()
    if "exit3" in todo:
        print("fake: vkCreateDevice failed:\nVK_ERROR_DEVICE_LOST", file=sys.stderr)
        return 3
    if "garbage" in todo:
        print("no JSON at all")
        return 0
    runs = int(option("--repeat")) + 1
    per_run, setup = {"dispatches": int(option("--dispatches")), "submits": 2}, {"submits": 1, "allocations": 3}
    if "SPY_OUT" in os.environ:
        counted = {k: setup.get(k, 0) + runs * per_run.get(k, 0) for k in ("dispatches", "submits", "allocations", "waits")}
        counted["submits"] += "miscount" in todo
        with open(os.environ["SPY_OUT"], "w", encoding="utf-8") as file:
            json.dump({"layer": "fake", "calls": {}, "counters": counted}, file)
    ns = int(os.environ.get("FAKE_NS_ON" if layer else "FAKE_NS_OFF", "1000"))
    if "noisy" in todo:
        ns *= random.uniform(0.5, 2)
    row = {"name": name, "writing": writing, "dispatches": per_run["dispatches"], "verified": "wrong" not in todo, "result": "ok",
           "ns": [] if "notimes" in todo else [ns] * (runs - 1), "runs": runs, "expected": per_run, "expected_setup": setup}
    if "wrong" in todo:
        row["difference"] = "y[3] is 4, not 5"
    if "skip" in todo:
        row.update(result="skipped", reason="the device is too small", verified=None)
    device = "Another" if "device" in todo else "Fake"
    print(json.dumps({"device": {"name": device, "type": "CPU", "driver": "fakedrv 1", "api": "1.3.0"}, "workloads": [row]}))
    return 1 if "wrong" in todo else 0


sys.exit(main())
