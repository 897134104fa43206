#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library may export only what the loader looks for, and need only libc and libm: symbols_test.py LIBRARY"""
import subprocess
import sys

ALLOWED_SYMBOLS = {"vkNegotiateLoaderLayerInterfaceVersion"}
ALLOWED_LIBRARIES = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libpthread.so.0", "ld-linux-aarch64.so.1"}

library = sys.argv[1]
exported = {line.split()[-1] for line in subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).splitlines()}
dynamic = subprocess.check_output(["readelf", "-dW", library], text=True)
needed = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line}
faults = []
if exported != ALLOWED_SYMBOLS:
    faults.append(f"exports {sorted(exported)}, should export {sorted(ALLOWED_SYMBOLS)}")
if needed - ALLOWED_LIBRARIES:
    faults.append(f"needs {sorted(needed - ALLOWED_LIBRARIES)}")
if "NODELETE" not in dynamic:
    faults.append("is not linked with -z nodelete")
for fault in faults:
    print(f"{library}: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
