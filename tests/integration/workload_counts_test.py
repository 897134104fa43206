#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the spy counts of each workload is what its source says: workload_counts_test.py BUILD DRIVER

For every workload, in both writings: the spy's count == expected_setup + runs * expected, for every counter that the program
names. No layer but the spy is there. Then the faults of --fault: each must be seen by the results or by the counts.
"""
import json
import tempfile
from pathlib import Path

from harness import SPY, expect, main, run

# No workload may be silent on these.
ALWAYS = ("dispatches", "barrier_calls", "submits", "command_buffers", "fences_created", "waits", "allocations",
          "descriptor_updates", "sets_allocated", "set_binds", "pipeline_binds")

WITHOUT_TIMELINE = {"apiVersion": "1.1.0", "devices": [{"apiVersion": "1.1.0", "extensions": []}]}


def measure(tree, driver, arguments, config=None, expect_code=0, **more):
    """The program's JSON and the spy's counters, of one process."""
    with tempfile.TemporaryDirectory() as folder:
        out, spy = Path(folder) / "out.json", Path(folder) / "spy.json"
        env = tree.environment(driver, folder, [SPY], SPY_OUT=spy, **more)
        if config is not None:
            path = Path(folder) / "mock.json"
            path.write_text(json.dumps(config))
            env["MOCK_ICD_CONFIG"] = str(path)
        if driver == "mock":
            arguments = [*arguments, "--no-verify"]
        run([tree.program("kronos-workloads"), "--size", "16K", "--repeat", "2", *arguments, "--json", out], env, expect_code=expect_code)
        return json.loads(out.read_text())["workloads"], json.loads(spy.read_text())["counters"]


def differences(row, counters):
    """The counters that are not what the source says, as {name: (counted, said)}."""
    found = {}
    for name, per_run in row["expected"].items():
        said = row["expected_setup"][name] + row["runs"] * per_run
        if counters[name] != said:
            found[name] = (counters[name], said)
    return found


def check(row, counters, driver, where):
    if row["result"] == "skipped":
        expect(row["verified"] is None and row["reason"] and row["runs"] == 0, f"{where}: skipped without a reason: {row}")
        return
    expect(row["runs"] == 3 and len(row["ns"]) == 2, f"{where}: {row['runs']} runs, {len(row['ns'])} of them timed")
    expect(row["verified"] is (None if driver == "mock" else True), f"{where}: verified is {row['verified']}")
    expect(set(row["expected"]) == set(row["expected_setup"]), f"{where}: counters of a run and of the set-up differ")
    silent = set(ALWAYS) - set(row["expected"])
    expect(not silent, f"{where}: nothing is said of {', '.join(sorted(silent))}")
    wrong = differences(row, counters)
    expect(not wrong, f"{where}: (counted, said by the source): {wrong}")


def built(tree, driver):
    """What --list says of the workloads that were built."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "list.json"
        run([tree.program("kronos-workloads"), "--list", "--json", listed], tree.environment(driver, folder))
        return [k for k in json.loads(listed.read_text())["workloads"] if k["built"]]


def has_vkfft(tree, driver):
    return any(k["name"] == "vkfft" for k in built(tree, driver))


def all_counts(tree, driver):
    kinds = built(tree, driver)
    expect(len(kinds) >= 19, f"only {len(kinds)} workloads")
    compared = set()
    for kind in kinds:
        for writing in kind["writings"]:
            for dispatches in (1, 5):
                where = f"{driver}: {kind['name']}, {writing}, {dispatches}"
                rows, counters = measure(tree, driver, ["--only", kind["name"], "--writing", writing, "--dispatches", str(dispatches)])
                expect(len(rows) == 1 and rows[0]["writing"] == writing, f"{where}: {len(rows)} rows")
                check(rows[0], counters, driver, where)
                compared.update((kind["name"], writing) for _ in rows if rows[0]["result"] != "skipped")
    # A device with one queue only is all that may be skipped.
    expect({k["name"] for k in kinds} - {name for name, _ in compared} <= {"two-queues"}, f"{driver}: {compared}")


def mock_devices(tree):
    """What a device has not: timeline semaphores, a second queue, a second family."""
    rows, counters = measure(tree, "mock", ["--only", "saxpy", "--writing", "expert"], WITHOUT_TIMELINE)
    check(rows[0], counters, "mock", "without timeline semaphores")
    expect(rows[0]["expected_setup"]["fences_created"] == 1 and counters["semaphore_signals"] == 0 and counters["polls"] > 0 and counters["waits"] == 0,
           f"without timeline semaphores: {counters}")
    rows, counters = measure(tree, "mock", ["--only", "saxpy", "--writing", "expert"])
    expect(counters["fences_created"] == 0 and counters["semaphore_signals"] == 3 and counters["submits"] == 3 and counters["waits"] == 0,
           f"with timeline semaphores: {counters}")

    def family(count):
        return {"flags": ["compute", "transfer"], "count": count, "timestampValidBits": 64}
    for families, runs in (([family(1)], 0), ([family(2)], 3), ([family(1), family(1)], 3)):
        where = f"two-queues with {families}"
        rows, counters = measure(tree, "mock", ["--only", "two-queues"], {"devices": [{"queueFamilies": families}]})
        expect(rows[0]["runs"] == runs, f"{where}: {rows[0]['runs']} runs")
        check(rows[0], counters, "mock", where)


def faults(tree, driver):
    """The ways of breaking a workload: what is noticed, and where."""
    for name in ("saxpy", "reduction", "scan", "gemm", "independent", "fan-out", "chain", "ping-pong", "alloc-storm", "first-touch", "poll-mapped",
                 *(["vkfft"] if has_vkfft(tree, driver) else [])):
        rows, _ = measure(tree, driver, ["--only", name, "--writing", "both", "--fault", "wrong-result"], expect_code=1)
        expect(all(row["verified"] is False and row["difference"] for row in rows), f"{name}: a wrong result is not noticed: {rows}")
    for name in ("saxpy", "chain", "ping-pong"):
        for writing in ("naive", "expert"):
            rows, counters = measure(tree, driver, ["--only", name, "--writing", writing, "--fault", "extra-dispatch"])
            wrong = differences(rows[0], counters)
            expect(rows[0]["verified"] is True and "dispatches" in wrong, f"{name}, {writing}: an extra dispatch gives {wrong}")
    for name in ("saxpy", "reduction", "scan", "gemm", "fan-out", "chain", "many-submits"):
        rows, counters = measure(tree, driver, ["--only", name, "--writing", "expert", "--fault", "missing-barrier"], expect_code=None)
        wrong = differences(rows[0], counters)
        expect(wrong.get("barrier_calls") == (rows[0]["runs"] * (rows[0]["expected"]["barrier_calls"] - 1), rows[0]["runs"] * rows[0]["expected"]["barrier_calls"]),
               f"{name}: a missing barrier gives {wrong}")
    # A spy that counts wrong must be noticed, or agreement means nothing.
    rows, counters = measure(tree, driver, ["--only", "saxpy"], SPY_MISCOUNT="submits")
    expect(set(differences(rows[0], counters)) == {"submits"}, f"a spy that miscounts gives {differences(rows[0], counters)}")


def pairs(tree, driver):
    """--against-layer: one of the three that take turns has the layer, the others have not."""
    with tempfile.TemporaryDirectory() as folder:
        out, spy = Path(folder) / "out.json", Path(folder) / "spy.json"
        env = tree.environment(driver, folder, [SPY], SPY_OUT=spy)
        del env["VK_INSTANCE_LAYERS"]
        command = [tree.program("kronos-workloads"), "--size", "16K", "--repeat", "2", "--only", "chain", "--dispatches", "7",
                   *(["--no-verify"] if driver == "mock" else []), "--json", out]
        run([*command, "--against-layer", SPY], env)
        row, = json.loads(out.read_text())["pairs"]
        expect(row["pairs"] == 3 * 2 and row["low"] <= row["ratio"] <= row["high"] and row["control_low"] <= row["control"] <= row["control_high"] and row["verified"] == (driver != "mock"), f"pairs: {row}")
        # On each of three sets of devices, rows of five, the first of which are not timed.
        dispatches = json.loads(spy.read_text())["counters"]["dispatches"]
        expect(dispatches == 3 * 3 * 5 * 7, f"pairs: the spy counted {dispatches} dispatches with the layer")
        done = run([*command, "--against-layer", "VK_LAYER_none_such"], env, expect_code=3)
        expect("VK_LAYER_none_such" in done.stderr, f"a layer that is not there: {done.stderr}")


def test(tree, arguments):
    driver = arguments[0]
    all_counts(tree, driver)
    pairs(tree, driver)
    if driver == "mock":
        mock_devices(tree)
    else:
        faults(tree, driver)


main(test)
