#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_commands.py passes on the tree and fails on each kind of fault: check_commands_test.py layer/entry vk.xml"""
import subprocess
import sys
import tempfile
from pathlib import Path

entry, registry = Path(sys.argv[1]), Path(sys.argv[2])
DEF = (entry / "commands.def").read_text()
UNHOOKED = (entry / "unhooked.txt").read_text()
USES = (entry / "handle_uses.txt").read_text()
XML = registry.read_text()


def run(xml=XML, definitions=DEF, unhooked=UNHOOKED, uses=USES):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("vk.xml", "commands.def", "unhooked.txt", "handle_uses.txt")]
        for path, text in zip(paths, (xml, definitions, unhooked, uses)):
            path.write_text(text)
        done = subprocess.run([sys.executable, entry / "check_commands.py", *paths], capture_output=True, text=True)
        return done.returncode, done.stderr


def expect(what, needle, **changed):
    code, told = run(**changed)
    if code == 0 or needle not in told:
        sys.exit(f"{what}: not noticed (exit {code}): {told}")


code, told = run()
if code != 0:
    sys.exit(f"the tree itself: {told}")
expect("a new command in the registry", "vkCmdFrobnicateEXT",
       xml=XML.replace("<command name=\"vkCmdDispatchIndirect\"/>", "<command name=\"vkCmdDispatchIndirect\"/><command name=\"vkCmdFrobnicateEXT\"/>", 1)
       .replace("</commands>", "<command><proto><type>void</type> <name>vkCmdFrobnicateEXT</name></proto>"
                "<param><type>VkCommandBuffer</type> <name>c</name></param></command></commands>", 1))
expect("a hook without its alias", "vkQueueSubmit2KHR", definitions=DEF.replace(", QueueSubmit2KHR", ""))
expect("a wrong version", "core version is 1_3", definitions=DEF.replace("QueueSubmit2, 1_3", "QueueSubmit2, 1_2"))
expect("an alias that is none", "vkQueueSubmitKHR", definitions=DEF.replace("QueueSubmit, 1_0, Submits", "QueueSubmit, 1_0, Submits, QueueSubmitKHR"))
expect("a command that does not exist", "vkQueueFrob", definitions=DEF + "\nCOMMAND(Queue, QueueFrob, 1_0, Stats)\n")
expect("a pattern without a reason", "has no reason", unhooked=UNHOOKED + "\nvkCmdFoo\n")
expect("a command that left the list", "vkCmdBindShadersEXT", unhooked="\n".join(l for l in UNHOOKED.splitlines() if "BindShadersEXT" not in l))
expect("a command that takes a fence", "vkGetFenceStatus has a VkFence", uses=USES.replace("VkFence: vkGetFenceStatus", "# VkFence: vkGetFenceStatus"))
expect("a structure that has a fence", "VkFenceGetFdInfoKHR has a VkFence", uses=USES.replace("VkFence: VkFenceGetFdInfoKHR", "# VkFence: VkFenceGetFdInfoKHR"))
expect("a line without a reason", "is not 'VkKind: use  reason'", uses=USES + "VkFence: vkFrob\n")
