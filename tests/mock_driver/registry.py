# SPDX-License-Identifier: Apache-2.0
"""Reads vk.xml: the commands, structures, handles and extensions of the `vulkan` api without platform headers."""
import re

SHORT_NAMES = {
    "VkPhysicalDevice": "phys", "VkDevice": "dev", "VkCommandBuffer": "cb", "VkCommandPool": "cpool",
    "VkDeviceMemory": "mem", "VkBuffer": "buf", "VkBufferView": "bview", "VkImage": "img", "VkImageView": "iview",
    "VkSemaphore": "sem", "VkQueryPool": "qpool", "VkShaderModule": "shader", "VkPipelineCache": "pcache",
    "VkPipelineLayout": "playout", "VkRenderPass": "rpass", "VkPipeline": "pipe", "VkDescriptorSetLayout": "dlayout",
    "VkDescriptorPool": "dpool", "VkDescriptorSet": "dset", "VkFramebuffer": "fb", "VkSwapchainKHR": "swapchain",
    "VkSurfaceKHR": "surface", "VkDescriptorUpdateTemplate": "dtemplate", "VkPrivateDataSlot": "pdslot",
}


class Field:
    """A parameter of a command or a member of a structure."""

    def __init__(self, element):
        self.name = element.find("name").text
        self.type = element.find("type").text
        parts = [element.text or ""]
        for child in element:
            if child.tag != "comment":
                parts.append(child.text or "")
            parts.append(child.tail or "")
        # A comment's own text is dropped, what follows it is kept.
        self.text = " ".join("".join(parts).split())
        head = self.text[: self.text.rfind(self.name)]
        after = self.text[self.text.rfind(self.name) + len(self.name):]
        self.pointers = head.count("*")
        self.const = head.strip().startswith("const")
        self.arrays = re.findall(r"\[\s*(\w+)\s*\]", after)
        self.bitfield = ":" in after
        self.len = element.get("altlen") or element.get("len")
        self.noauto = element.get("noautovalidity") == "true"
        self.values = element.get("values")
        self.objecttype = element.get("objecttype")  # of a handle that is a number: the member that says of what type
        self.null_terminated = bool(self.len) and self.len.split(",")[-1] == "null-terminated"
        self.funcpointer = self.type.startswith("PFN_")

    def count_expression(self, var, owner, is_param):
        """C++ for the number of elements behind this pointer, or None when there is one (or it cannot be told)."""
        if not self.len:
            return None
        first = self.len.split(",")[0].strip()
        if first in ("null-terminated", "1", ""):
            return None
        if is_param:
            # A count that is itself a pointer (enumerations) is read through it.
            for f in owner:
                if f.name == first and f.pointers:
                    return f"(*{first})"
            return first
        names = {f.name for f in owner}
        return re.sub(r"[A-Za-z_]\w*", lambda m: f"{var}.{m.group(0)}" if m.group(0) in names else m.group(0), first)


class Way:
    """One thing that provides a command or structure: a core version or an extension, on a condition."""

    def __init__(self, version, extension, depends):
        self.version, self.extension, self.depends = version, extension, depends


class Command:
    def __init__(self, name, alias):
        self.name, self.alias, self.params, self.result, self.ways = name, alias, [], "void", []
        self.declaration = self.arguments = ""
        self.output_handles = False


class Struct:
    def __init__(self, name):
        self.name, self.alias, self.members, self.extends, self.ways = name, None, [], [], []
        self.stype, self.dumpable = None, False


class Handle:
    def __init__(self, name, object_type):
        self.name, self.object_type = name, object_type
        short = re.sub(r"(KHR|EXT|NV|NVX|AMD|INTEL|ARM|QCOM|HUAWEI|FUCHSIA|GOOGLE|VALVE|LUNARG)$", "", name[2:])
        self.short = SHORT_NAMES.get(name, short.lower())


class Extension:
    def __init__(self, name, spec_version, is_device):
        self.name, self.spec_version, self.is_device = name, spec_version, is_device


def ours(element):
    return element.get("api") is None or "vulkan" in element.get("api").split(",")


class Registry:
    def __init__(self, root):
        self.handles, self.structs, self.flags, self.flags64, self.enums = {}, {}, set(), set(), set()
        self.unsigned = {"uint8_t", "uint16_t", "uint32_t", "uint64_t", "size_t", "VkBool32", "VkDeviceSize",
                         "VkDeviceAddress", "VkSampleMask"}
        self.signed = {"int", "int8_t", "int16_t", "int32_t", "int64_t"}
        self.extensions = []
        all_commands = self._read_commands(root)
        aliases = self._read_types(root)
        self._read_providers(root, all_commands, aliases)
        self.commands = sorted((c for c in all_commands.values() if c.ways), key=lambda c: c.name)
        self.by_name = {c.name: c for c in all_commands.values() if c.ways or not c.alias}
        for c in self.commands:
            if c.alias:
                target = self.by_name[c.alias]
                c.params, c.result, c.declaration, c.arguments = (target.params, target.result, target.declaration,
                                                                  target.arguments)
        for c in self.by_name.values():
            last = c.params[-1] if c.params else None
            c.output_handles = bool(last and last.pointers == 1 and not last.const and last.type in self.handles
                                    and c.name.startswith(("vkCreate", "vkAllocate", "vkGetDeviceQueue")))
            c.declaration_unused = ", ".join(f"[[maybe_unused]] {p.text}" for p in c.params)
        self.handles = {n: h for n, h in self.handles.items() if n in self.used}
        self.structs = {n: s for n, s in self.structs.items() if s.ways}
        for s in self.structs.values():
            s.dumpable = not s.alias and not s.returned_only

    def _read_commands(self, root):
        commands = {}
        for element in root.findall("commands/command"):
            if not ours(element):
                continue
            if element.get("alias"):
                commands[element.get("name")] = Command(element.get("name"), element.get("alias"))
                continue
            name = element.find("proto/name").text
            c = Command(name, None)
            c.result = element.find("proto/type").text
            c.params = [Field(p) for p in element.findall("param") if ours(p)]
            c.declaration = ", ".join(p.text for p in c.params)
            c.arguments = ", ".join(p.name for p in c.params)
            commands[name] = c
        # An alias of an alias stands for the last one.
        for c in commands.values():
            while c.alias and commands[c.alias].alias:
                c.alias = commands[c.alias].alias
        return commands

    def _read_types(self, root):
        aliases = {}
        for t in root.findall("types/type"):
            if not ours(t):
                continue
            category, name = t.get("category"), t.get("name") or t.findtext("name")
            if category in ("struct", "union", "handle") and t.get("alias"):
                aliases[name] = t.get("alias")
            elif category == "handle":
                self.handles[name] = Handle(name, t.get("objtypeenum"))
            elif category == "bitmask":
                self.flags.add(name)
                if t.findtext("type") == "VkFlags64" or (t.get("alias") in self.flags64):
                    self.flags64.add(name)
            elif category == "enum":
                self.enums.add(name)
                (self.flags if "FlagBits" in name else self.signed).add(name)
                if "FlagBits2" in name:
                    self.flags64.add(name)
            elif category == "struct":
                s = Struct(name)
                s.members = [Field(m) for m in t.findall("member") if ours(m)]
                s.extends = (t.get("structextends") or "").split(",")
                s.returned_only = t.get("returnedonly") == "true"
                s.stype = next((m.values for m in s.members if m.name == "sType" and m.values), None)
                self.structs[name] = s
        return aliases

    def _read_providers(self, root, commands, aliases):
        self.used = set()

        def provide(block, version, extension):
            for require in block.findall("require"):
                if not ours(require):
                    continue
                way = Way(version, extension, require.get("depends"))
                for c in require.findall("command"):
                    if c.get("name") in commands and ours(c):
                        commands[c.get("name")].ways.append(way)
                for t in require.findall("type"):
                    name = aliases.get(t.get("name"), t.get("name"))
                    self.used.add(name)
                    if name in self.structs:
                        self.structs[name].ways.append(way)

        for feature in root.findall("feature"):
            # Newer registries split the core into "internal" features that the api's own ones depend on.
            if ours(feature) or feature.get("apitype") == "internal":
                major, minor = feature.get("number").split(".")
                provide(feature, f"VK_MAKE_API_VERSION(0, {major}, {minor}, 0)", None)
        for extension in root.findall("extensions/extension"):
            supported = (extension.get("supported") or "").split(",")
            # Provisional extensions need VK_ENABLE_BETA_EXTENSIONS, in part even where no platform is named.
            if "vulkan" not in supported or extension.get("platform") or extension.get("provisional") == "true":
                continue
            name = extension.get("name")
            spec = next((e.get("value") for e in extension.iter("enum")
                         if (e.get("name") or "").endswith("_SPEC_VERSION") and e.get("value")), "1")
            self.extensions.append(Extension(name, spec if spec.isdigit() else "1", extension.get("type") == "device"))
            provide(extension, None, name)
