#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares counters of independent sources.

SPY.json, and any file with "counters" at the top level: one dictionary. A log of the layer (JSON lines): the
dictionaries "asked" and "driver" of its lines with "event": "summary", each summed over those lines. A counter that is
left out is 0.

The spy saw what the driver was given: it must agree with a log's "driver". A program that counts knows what it asked: it
must agree with a log's "asked"; without a log, with the spy. --unchanged: the layer changes nothing, so "asked" is
"driver". Prints a line for each difference; ends with 1 when there is any, with 2 when a file cannot be read.
"""
import argparse
import json
import sys

# What only one side can know.
IGNORED = ("wait_ns", "redundant_binds", "redundant_pushes")


class Unreadable(Exception):
    """A file that is not what it should be; the text says why."""


def counters_of(path, where, value):
    if not isinstance(value, dict):
        raise Unreadable(f"{path}: {where} is {type(value).__name__}, a dictionary of counters was expected")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise Unreadable(f"{path}: {where}.{name} is {number!r}, a whole number was expected")
    return value


def summaries(path, text):
    sums = {"asked": {}, "driver": {}}
    found = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise Unreadable(f"{path}:{number}: {error}") from error
        if not isinstance(entry, dict) or entry.get("event") != "summary":
            continue
        found = True
        for side, total in sums.items():
            if side not in entry:
                raise Unreadable(f"{path}:{number}: a summary without \"{side}\"")
            for name, value in counters_of(path, side, entry[side]).items():
                total[name] = total.get(name, 0) + value
    if not found:
        raise Unreadable(f"{path}: neither \"counters\" nor a line with \"event\": \"summary\"")
    return sums


def read(path):
    """Every dictionary of counters in a file, by its name there."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = None  # more than one value: a log
    if isinstance(whole, dict) and "counters" in whole:
        return {"counters": counters_of(path, "counters", whole["counters"])}
    return summaries(path, text)


def differences(one, other):
    for name in sorted(set(one) | set(other)):
        if name not in IGNORED and one.get(name, 0) != other.get(name, 0):
            yield name, one.get(name, 0), other.get(name, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spy", help="the spy's report")
    parser.add_argument("others", nargs="+", help="the program's counts and the layer's logs")
    parser.add_argument("--unchanged", action="store_true", help="the layer was told to change nothing")
    arguments = parser.parse_args()
    failures = 0

    def compare(one_name, one, other_name, other):
        nonlocal failures
        for name, first, second in differences(one, other):
            failures += 1
            print(f"{name}: {one_name} counts {first}, {other_name} counts {second}")

    try:
        spy = read(arguments.spy)
        if "counters" not in spy:
            raise Unreadable(f"{arguments.spy}: a log, a spy's report with \"counters\" was expected")
        files = {path: read(path) for path in arguments.others}
        logs = {path: content for path, content in files.items() if "asked" in content}
        for path, log in logs.items():
            compare("the spy", spy["counters"], f"{path} (driver)", log["driver"])
            if arguments.unchanged:
                compare("the spy", spy["counters"], f"{path} (asked)", log["asked"])
        for path, content in files.items():
            if path in logs:
                continue
            for log_path, log in logs.items():
                compare(path, content["counters"], f"{log_path} (asked)", log["asked"])
            if not logs:
                compare("the spy", spy["counters"], path, content["counters"])
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
