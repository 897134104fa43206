#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each optimisation alone, and all but that one, gives the workloads the results that they have without the layer:
off_switch_test.py BUILD DRIVER

The optimisations and their values are the template's: a new one is looked at without a change here.
"""
import json
import sys
import tempfile
from pathlib import Path

from harness import LAYER, expect, log_lines, main, run

# What the preset observe turns off, it counts as an optimisation.
STRONGEST = ("always", "on")


def optimisations(tree):
    """{key: (off, strongest value)}, and the keys of the others that each depends on."""
    template = json.loads((tree.source / "manifest/kronos_compute.json").read_text())
    observe = next(p for p in template["presets"] if {"key": "preset", "value": "observe"} in p["settings"])
    left_alone = {s["key"] for s in observe["settings"]}
    found, needs = {}, {}
    for setting in template["settings"]:
        values = [flag["key"] for flag in setting.get("flags", ())]
        strongest = next((v for v in STRONGEST if v in values), None)
        if strongest and "off" in values and (setting["key"] in left_alone or "dependence" in setting):
            found[setting["key"]] = strongest
            needs[setting["key"]] = {s["key"] for s in setting.get("dependence", {}).get("settings", ())}
    return found, {key: needs[key] & set(found) for key in found}


def test(tree, arguments):
    values, needs = optimisations(tree)
    expect({"waits", "barriers", "drop_redundant", "descriptors", "submits", "fusion", "recycle_fences", "recycle_memory", "slabs"} <= set(values),
           f"optimisations are missing: {sorted(values)}")
    command = [tree.program("kronos-workloads"), "--writing", "both", "--size", "4K", "--dispatches", "4", "--repeat", "2", "--json", "-"]

    def results(scratch, layers, chosen):
        log = Path(scratch) / "log.jsonl"
        log.unlink(missing_ok=True)
        settings = {f"KRONOS_{key.upper()}": values[key] if key in chosen else "off" for key in values} if layers else {}
        env = tree.environment(arguments[0], scratch, layers, KRONOS_STATS_FILE=log, KRONOS_LOG_LEVEL="error", KRONOS_STATS="summary", **settings)
        done = json.loads(run(command, env).stdout)["workloads"]
        decided = {key for line in (log_lines(log, "summary") if layers else ()) for key in line["did"]}
        return [[row["name"], row["writing"], row["result"]] for row in done], decided

    with tempfile.TemporaryDirectory() as scratch:
        plain, _ = results(scratch, [], set())
        expect(len(plain) > 20, f"only {len(plain)} workloads ran")
        cases = {"none": set(), "all": set(values)}
        for key in values:
            alone = {key} | needs[key]
            for need in needs[key]:
                alone |= needs[need]
            cases[f"{key} alone"] = alone
            cases[f"all but {key}"] = set(values) - {key}
        for name, chosen in cases.items():
            found, decided = results(scratch, [LAYER], chosen)
            expect(found == plain, f"{name}: {[(a, b) for a, b in zip(plain, found) if a != b][:3]}")
            # What is off does nothing.
            signs = {"waits": ("waits_ready", "waits_spun", "waits_slept", "waits_overrun", "waits_long"),
                     "barriers": "streams_held", "descriptors": "sets_persisted", "submits": ("submits_held", "submits_through"), "fusion": "buffers_fused",
                     "recycle_fences": "fences_recycled", "recycle_memory": "memory_recycled", "slabs": "slabs_served"}
            signs = {key: {sign} if isinstance(sign, str) else set(sign) for key, sign in signs.items()}
            for key, sign in signs.items():
                expect(key in chosen or not sign & decided, f"{name}: {key} is off, and there are {sign & decided}")
            if name == "all":
                missing = [sorted(sign) for key, sign in signs.items() if not sign & decided and key != "recycle_memory"]
                expect(not missing, f"everything is on, and there are no {missing}")
        print(f"{len(cases)} choices of {len(values)} optimisations, {len(plain)} workloads each: the same results", file=sys.stderr)


main(test)
