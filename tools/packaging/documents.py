#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents as a Debian package wants them, the same for the same input.

usage: documents.py changelog CHANGELOG.md --maintainer 'NAME <ADDRESS>' OUT    compressed, in Debian's form
       documents.py compress FILE OUT
"""
import argparse
import email.utils
import gzip
import os
import re
import sys
import textwrap
from datetime import datetime, timezone
from pathlib import Path

HEADING = re.compile(r"## (\d+\.\d+\.\d+), (not released|\d{4}-\d{2}-\d{2})$")


def moment(date, source):
    """When a version was made: its day, or, not released, that of the build or of the file's last change."""
    if date != "not released":
        return datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or source.stat().st_mtime
    return datetime.fromtimestamp(int(float(seconds)), timezone.utc)


def changelog(source, maintainer):
    """CHANGELOG.md in the form that dpkg reads: a heading and bullets become an entry."""
    entries, lines, bullets = [], source.read_text().splitlines(), None
    for line in lines:
        if line.startswith("## "):
            found = HEADING.match(line)
            if not found:
                sys.exit(f"{source}: '{line}' is no heading of a version; allowed: ## X.Y.Z, YYYY-MM-DD or ## X.Y.Z, not released")
            bullets = []
            entries.append((found[1], found[2], bullets))
        elif line.startswith("- ") and bullets is not None:
            bullets.append(line[2:])
        elif line.startswith("  ") and bullets:
            bullets[-1] += " " + line.strip()
    if not entries:
        sys.exit(f"{source}: no version in it")
    out = []
    for version, date, bullets in entries:
        out += [f"kronos ({version}) {'UNRELEASED' if date == 'not released' else 'unstable'}; urgency=medium", ""]
        for bullet in bullets:
            out += textwrap.wrap(bullet.replace("`", ""), 78, initial_indent="  * ", subsequent_indent="    ",
                                 break_long_words=False, break_on_hyphens=False)
        out += ["", f" -- {maintainer}  {email.utils.format_datetime(moment(date, source))}", ""]
    return "\n".join(out)


def write(text, out):
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["changelog", "compress"])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--maintainer")
    args = parser.parse_args()
    if args.what == "changelog":
        if not re.fullmatch(r"[^<>]+ <[^<>@ ]+@[^<>@ ]+>", args.maintainer or ""):
            parser.error(f"the maintainer is '{args.maintainer or ''}'; allowed: NAME <ADDRESS>")
        write(changelog(args.source, args.maintainer), args.out)
    else:
        write(args.source.read_text(), args.out)


if __name__ == "__main__":
    main()
