#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes SPIR-V of the corpus: NAME.spvasm with spirv-as, NAME.comp with glslangValidator, each to OUT/NAME.spv. What
spirv-opt makes of it goes to OUT/optimized/NAME.spv, but for modules whose header says `unvalidated`.

usage: assemble.py [--validate] OUT FILE...

--validate also asks spirv-val about each module whose header does not say `unvalidated`. What valid is changes from
version to version of it, so the build does not."""
import re
import subprocess
import sys
from pathlib import Path


def header(source, key, default):
    found = re.search(rf"^(?:;|//) {key}(?:: *(.*))?$", source.read_text(), re.MULTILINE)
    return default if not found else found.group(1) or True


def assemble(source, out, validate):
    target = out / (source.stem + ".spv")
    if source.suffix == ".spvasm":
        command = ["spirv-as", "--target-env", "spv" + header(source, "spirv", "1.3"), str(source), "-o", str(target)]
    else:
        command = ["glslangValidator", "--quiet", "-V", "--target-env", "vulkan1.1", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    if header(source, "unvalidated", False):
        return
    subprocess.run(["spirv-opt", "-O", str(target), "-o", str(out / "optimized" / target.name)], check=True)
    if validate:
        subprocess.run(["spirv-val", "--target-env", "vulkan1.3", str(target)], check=True)


def main():
    arguments = sys.argv[1:]
    validate = arguments[:1] == ["--validate"]
    out, *sources = map(Path, arguments[validate:])
    (out / "optimized").mkdir(parents=True, exist_ok=True)
    for stale in out.rglob("*.spv"):
        stale.unlink()
    for source in sources:
        try:
            assemble(source, out, validate)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{source}: {error}")


main()
