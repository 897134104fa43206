#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library may export only what the loader looks for, and need only libc and libm: symbols_test.py LIBRARY"""
import os
import re
import subprocess
import sys

ALLOWED_SYMBOLS = {"vkNegotiateLoaderLayerInterfaceVersion"}
ALLOWED_LIBRARIES = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "ld-linux-aarch64.so.1"}

# Built on Debian 12 (glibc 2.36) it must still load in a container with glibc 2.35.
NEWEST_GLIBC, NEWEST_BUILD_GLIBC = (2, 35), (2, 36)

library = sys.argv[1]
exported = {line.split()[-1] for line in subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).splitlines()}
dynamic = subprocess.check_output(["readelf", "-dW", library], text=True)
needed = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line}
faults = []
if exported != ALLOWED_SYMBOLS:
    faults.append(f"exports {sorted(exported)}, should export {sorted(ALLOWED_SYMBOLS)}")
if needed - ALLOWED_LIBRARIES:
    faults.append(f"needs {sorted(needed - ALLOWED_LIBRARIES)}")
versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)\b", subprocess.check_output(["objdump", "-T", library], text=True))}
system = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))
if system <= NEWEST_BUILD_GLIBC and max(versions) > NEWEST_GLIBC:
    faults.append(f"needs glibc {max(versions)}, newer than {NEWEST_GLIBC}: older containers could not load it")
if "NODELETE" not in dynamic:
    faults.append("is not linked with -z nodelete")
for fault in faults:
    print(f"{library}: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
