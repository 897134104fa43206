#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the random program with several seeds and checks it.

counts: under the spy; what the program counted itself is what the spy saw, with 1 and with 4 threads; two runs with
one seed make the same calls in the same order and have the same checksum.
validation: under VK_LAYER_KHRONOS_validation, with synchronization validation; nothing is said. Without the barriers
that it needs something must be said, or validation did not take place.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

# Faults of validation 1.3.239, not of the program: it looks up the events of a secondary command buffer in the primary
# that executes it (VUID-vkCmdWaitEvents-srcStageMask-parameter); it locks a command buffer with queries twice when it is
# pending twice ("Resource deadlock avoided"); and a wait that is over counts as a wait of another queue
# (VUID-vkQueueSubmit-pWaitSemaphores-00068).
AVOID = ["--avoid", "simultaneous-queries", "--avoid", "secondary-events", "--avoid", "moving-semaphores"]
# Another, which comes by chance under load: it waits ten seconds for a semaphore to reach a value that it has passed.
PASSED = re.compile(r"UNASSIGNED-VkSemaphore-state-timeout.*completed_\.payload=(\d+) wait_payload=(\d+)\n"
                    r" +Objects: 1\n +\[0\].*\n")
SYNC_VALIDATION = "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"


class Failure(Exception):
    """The text says what failed."""


def run(options, arguments, **extra):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KRONOS_", "SPY_"))}
    environment.update(VK_DRIVER_FILES=options.icd, VK_ICD_FILENAMES=options.icd)
    environment.update(extra)
    done = subprocess.run([options.program, *arguments], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, PASSED.sub(lambda found: "" if int(found[1]) >= int(found[2]) else found[0], done.stdout)


def run_well(options, arguments, **extra):
    code, output = run(options, arguments, **extra)
    # One line is the program's own; validation prints its complaints to the same place.
    if code != 0 or len(output.splitlines()) != 1:
        raise Failure(f"{' '.join(arguments)}: ended with {code}, wrote:\n{output}")
    return output


def check_counts(options, seed, folder):
    layer = {"VK_LAYER_PATH": options.spy, "VK_INSTANCE_LAYERS": "VK_LAYER_KRONOS_TEST_spy"}
    counts, reports, outputs = os.path.join(folder, "counts.json"), [], []
    compare = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_counters.py")
    for threads in ("1", "1", "4"):
        report = os.path.join(folder, "spy.json")
        arguments = ["--seed", seed, "--steps", options.steps, "--threads", threads, "--counts", counts]
        outputs.append(run_well(options, arguments, SPY_OUT=report, **layer))
        done = subprocess.run([sys.executable, compare, report, counts], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Failure(f"seed {seed}, {threads} threads:\n{done.stdout}")
        with open(report, encoding="utf-8") as file:
            reports.append(json.load(file))
        os.remove(report)
    if outputs[0] != outputs[1]:
        raise Failure(f"seed {seed}: two runs gave {outputs[0].strip()} and {outputs[1].strip()}")
    for key in ("order", "calls", "counters"):
        if reports[0][key] != reports[1][key]:
            raise Failure(f"seed {seed}: two runs differ in \"{key}\": {reports[0][key]} and {reports[1][key]}")
    if reports[0]["counters"]["dispatches_submitted"] == 0 and int(options.steps) >= 100:
        raise Failure(f"seed {seed}: no dispatch was submitted in {options.steps} steps")


def check_validation(options, seed):
    layer = {"VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation"}
    arguments = ["--seed", seed, "--steps", options.steps, *AVOID]
    # Synchronization validation holds a lock while it waits for semaphores that another thread would signal.
    run_well(options, [*arguments, "--threads", "3"], **layer)
    layer["VK_LAYER_ENABLES"] = SYNC_VALIDATION
    run_well(options, arguments, **layer)
    _, output = run(options, [*arguments, "--avoid", "needed-barriers"], **layer)
    if "SYNC-HAZARD" not in output:
        raise Failure(f"seed {seed}: validation does not say that barriers are missing; is it installed?\n{output}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=["counts", "validation"])
    parser.add_argument("--program", required=True)
    parser.add_argument("--icd", required=True, help="a driver's manifest")
    parser.add_argument("--spy", help="folder of the spy's manifest; for counts")
    parser.add_argument("--seeds", type=int, default=8, help="0 .. seeds - 1")
    parser.add_argument("--steps", default="200")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for seed in map(str, range(options.seeds)):
                if options.check == "counts":
                    check_counts(options, seed, folder)
                else:
                    check_validation(options, seed)
    except Failure as failure:
        print(failure)
        return 1
    print(f"{options.seeds} seeds, {options.steps} steps each: nothing to complain of")
    return 0


if __name__ == "__main__":
    sys.exit(main())
