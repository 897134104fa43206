#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the table of tools/demo: times without and with the layer, and what the layer counted.

usage: demo_table.py FOLDER ROUNDS WORKLOAD...
Reads FOLDER/WORKLOAD-ROUND-off.json and -on.json (kronos-workloads --json) and WORKLOAD-ROUND.kronos.jsonl.
"""
import json
import statistics
import sys
from pathlib import Path

COUNTERS = [("dispatches", "dispatches"), ("barriers", "barriers"), ("descriptor_updates", "descr. updates"),
            ("submits", "submits"), ("allocations", "allocations"), ("waits", "waits")]


def measured(folder, name, rounds, way):
    documents = [json.loads((folder / f"{name}-{r}-{way}.json").read_text()) for r in range(1, rounds + 1)]
    rows = [d["workloads"][0] for d in documents]
    verified = all(row["result"] == "ok" for row in rows)
    return documents[0]["device"], rows[0], verified, [row["total"]["median_ns"] / 1e6 for row in rows]


def counted(path):
    """The counters of the one device in a log."""
    summaries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            sys.exit(f"{path}:{number}: not JSON: {error}")
        if entry.get("event") == "summary":
            summaries.append(entry)
    if len(summaries) != 1:
        sys.exit(f"{path}: {len(summaries)} summary lines instead of one; the layer was not active, or did not finish its log")
    return summaries[0]["asked"]


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * w for w in widths))


def main():
    folder, rounds, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    rows = [["workload", "verified", "without", "with layer", "with / without"] + [title for _, title in COUNTERS]]
    all_verified, device = True, None
    for name in names:
        device, _, ok_off, off = measured(folder, name, rounds, "off")
        on_device, shape, ok_on, on = measured(folder, name, rounds, "on")
        if on_device["name"] != device["name"]:
            sys.exit(f"{name} ran on {device['name']} without the layer and on {on_device['name']} with it: not comparable")
        all_verified &= ok_off and ok_on
        # Per pair: what changes from one turn to the next is the same for both runs of it.
        ratio = statistics.median(b / a for a, b in zip(off, on))
        counters = counted(folder / f"{name}-1.kronos.jsonl")
        runs = shape["repeats"] + 1
        wanted = shape["dispatches"] * runs
        if counters.get("dispatches", 0) != wanted:
            sys.exit(f"{name}: the layer counted {counters.get('dispatches', 0)} dispatches, the program made {wanted}")
        rows.append([name, "yes" if ok_off and ok_on else "WRONG", f"{statistics.median(off):.3f} ms", f"{statistics.median(on):.3f} ms",
                     f"{ratio:.2f}"] + [str(counters.get(key, 0)) for key, _ in COUNTERS])
    print(f"Device: {device['name']} ({device['type']})")
    table(rows)
    print(f"Times: median of {rounds} turns of {shape['repeats']} runs; a run is buffers, upload, {shape['rounds']} rounds and download.")
    print(f"Counters: what the layer counted in one process of {runs} runs (one of them not timed).")
    if device["type"] == "CPU":
        print("This is a driver in software: its times say nothing of a GPU.")
    if not all_verified:
        sys.exit("A result was WRONG.")


if __name__ == "__main__":
    main()
