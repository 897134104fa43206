#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of compare_counters.py, through its command line."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_counters.py")
SPY = {"calls": {"vkCmdDispatch": 3}, "counters": {"dispatches": 3, "waits": 2, "presents": 0}}


def summary(asked, driver):
    return json.dumps({"event": "summary", "asked": asked, "driver": driver})


class CompareCounters(unittest.TestCase):
    def compare(self, *files, options=()):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, text in enumerate((json.dumps(SPY, indent=2), *files)):
                paths.append(os.path.join(folder, f"{i}.json"))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, COMPARE, *options, *paths], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout.replace(folder + os.sep, ""), done.stderr.replace(folder + os.sep, "")

    def test_equal_counters(self):
        self.assertEqual(self.compare(json.dumps({"counters": {"dispatches": 3, "waits": 2}})), (0, "", ""))

    def test_log_summed_over_its_summaries(self):
        frame = json.dumps({"event": "frame", "asked": {"dispatches": 100}, "driver": {}})
        counters = {"dispatches": 1, "waits": 1}
        rest = {"dispatches": 2, "waits": 1, "wait_ns": 5000}
        log = "\n".join([frame, summary(counters, counters), "", summary(rest, rest)]) + "\n"
        self.assertEqual(self.compare(log), (0, "", ""))

    def test_log_of_one_line(self):
        self.assertEqual(self.compare(summary(SPY["counters"], SPY["counters"])), (0, "", ""))

    def test_what_the_driver_was_given_is_what_the_spy_saw(self):
        right = {"dispatches": 3, "waits": 2}
        self.assertEqual(self.compare(summary(right, {"dispatches": 2, "waits": 2})),
                         (1, "dispatches: the spy counts 3, 1.json (driver) counts 2\n", ""))
        # More may be asked than is passed on, unless nothing may be changed.
        asked_more = summary({"dispatches": 4, "waits": 2}, right)
        self.assertEqual(self.compare(asked_more), (0, "", ""))
        self.assertEqual(self.compare(asked_more, options=["--unchanged"]),
                         (1, "dispatches: the spy counts 3, 1.json (asked) counts 4\n", ""))

    def test_what_was_asked_is_what_the_program_says(self):
        log = summary({"dispatches": 4, "waits": 2}, {"dispatches": 3, "waits": 2})
        self.assertEqual(self.compare(log, json.dumps({"counters": {"dispatches": 4, "waits": 2}})), (0, "", ""))
        self.assertEqual(self.compare(log, json.dumps({"counters": {"dispatches": 3, "waits": 2}})),
                         (1, "dispatches: 2.json counts 3, 1.json (asked) counts 4\n", ""))

    def test_left_out_is_zero(self):
        self.assertEqual(self.compare(json.dumps({"counters": {"dispatches": 3}})),
                         (1, "waits: the spy counts 2, 1.json counts 0\n", ""))

    def test_a_counter_that_the_spy_lacks(self):
        counters = {"dispatches": 3, "waits": 2, "unheard_of": 1}
        self.assertEqual(self.compare(json.dumps({"counters": counters})),
                         (1, "unheard_of: the spy counts 0, 1.json counts 1\n", ""))

    def test_every_file_is_compared(self):
        good = json.dumps({"counters": {"dispatches": 3, "waits": 2}})
        code, output, _ = self.compare(good, json.dumps({"counters": {"waits": 2}}))
        self.assertEqual((code, output), (1, "dispatches: the spy counts 3, 2.json counts 0\n"))

    def test_what_cannot_be_read(self):
        for text, complaint in (("", "neither"), ("{}", "neither"), ("{\n", "1.json:1"),
                                ('{"event": "summary", "asked": {}}', 'without "driver"'),
                                ('{"counters": {"waits": "2"}}', "counters.waits is '2'"),
                                ('{"counters": [1]}', "counters is list")):
            with self.subTest(text):
                code, output, errors = self.compare(text)
                self.assertEqual((code, output), (2, ""))
                self.assertIn(complaint, errors)


if __name__ == "__main__":
    unittest.main()
