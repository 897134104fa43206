#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the counters and decisions of the log mean, out of the comments of their lists: count_texts.py OUT FILE.def ..."""
import re
import sys
from pathlib import Path

LINE = re.compile(r"(COUNTER|DECISION|REFUSAL)\((\w+), \w+\)\s*(?://\s*(.*))?$")


def texts(path):
    for line in path.read_text().splitlines():
        found = LINE.match(line)
        if found:
            kind, name, text = found.groups()
            yield ("memory_refused_" + name if kind == "REFUSAL" else name), (text or "").strip()


def main():
    rows = [row for path in sys.argv[2:] for row in texts(Path(path))]
    if len(rows) < 100:
        sys.exit(f"count_texts: only {len(rows)} counters found; has the form of the lists changed?")
    quoted = [('"' + name + '"', '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"') for name, text in rows]
    out = ["// Generated from the lists of counters and decisions: what they mean. Do not edit.", "#pragma once", "", "namespace kronos {", "",
           "struct CountTextRow {", "    const char* name;", "    const char* text;", "};", "", "inline constexpr CountTextRow kCountTexts[] = {",
           *(f"    {{{name}, {text}}}," for name, text in quoted), "};", "", "}  // namespace kronos", ""]
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text("\n".join(out))


main()
