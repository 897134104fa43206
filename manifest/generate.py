#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes everything that must agree on the settings out of one template, kronos_compute.json.

usage: generate.py TEMPLATE manifest  --form explicit|implicit --library PATH --api X.Y.Z --version N OUT
       generate.py TEMPLATE header OUT          kronos/settings.h, for the layer
       generate.py TEMPLATE info OUT            kronos/settings_info.h, for the command
       generate.py TEMPLATE sample OUT          vk_layer_settings.txt, commented
       generate.py TEMPLATE man OUT --version N  the layer's manual page, section 7
       generate.py TEMPLATE readme FILE [--check]   the table between the markers of FILE
"""
import argparse
import json
import sys
from pathlib import Path

LAYER_PREFIX = "kronos_compute"
BEGIN = "<!-- settings: generated from manifest/kronos_compute.json -->"
END = "<!-- end of settings -->"


def long_env(setting):
    return "VK_KRONOS_COMPUTE_" + setting["key"].upper()


def short_env(setting):
    return "KRONOS_" + setting["key"].upper()


def camel(key):
    return "".join(part.capitalize() for part in key.split("_"))


def quoted(text):
    return json.dumps(text)


def allowed(setting):
    kind = setting["type"]
    if kind == "ENUM":
        return ", ".join(flag["key"] for flag in setting["flags"])
    if kind == "INT":
        return f"a whole number from {setting['range']['min']} to {setting['range']['max']}"
    if kind == "BOOL":
        return "true, false"
    return "a path" if kind == "SAVE_FILE" else "any text"


def default_text(setting):
    value = setting["default"]
    return str(value).lower() if isinstance(value, bool) else str(value)


def preset_value(entry):
    value = entry["value"]
    return str(value).lower() if isinstance(value, bool) else str(value)


def preset_key(preset):
    return preset["label"].lower()


def check(template):
    """Fails on what would only be noticed much later: a preset naming a key or value that does not exist."""
    settings = {s["key"]: s for s in template["settings"]}
    if len(settings) != len(template["settings"]):
        sys.exit("settings template: a key is defined twice")
    for setting in template["settings"]:
        if setting["type"] not in ("ENUM", "INT", "BOOL", "STRING", "SAVE_FILE"):
            sys.exit(f"settings template: {setting['key']}: type {setting['type']} is not supported")
        if setting["type"] == "ENUM" and setting["default"] not in [f["key"] for f in setting["flags"]]:
            sys.exit(f"settings template: {setting['key']}: default {setting['default']} is not one of its flags")
        for entry in setting.get("dependence", {}).get("settings", []):
            other = settings.get(entry["key"])
            if other is None or other is setting:
                sys.exit(f"settings template: {setting['key']}: depends on {entry['key']}, which is no other setting")
            if other["type"] == "ENUM" and entry["value"] not in [f["key"] for f in other["flags"]]:
                sys.exit(f"settings template: {setting['key']}: depends on {entry['key']} = {entry['value']}, which cannot be")
    names = [preset_key(p) for p in template["presets"]]
    if sorted(names) != sorted(f["key"] for f in settings["preset"]["flags"]):
        sys.exit("settings template: the presets and the values of the setting 'preset' differ")
    for preset in template["presets"]:
        for entry in preset["settings"]:
            setting = settings.get(entry["key"])
            if setting is None:
                sys.exit(f"settings template: preset {preset['label']}: no setting {entry['key']}")
            if setting["type"] == "ENUM" and entry["value"] not in [f["key"] for f in setting["flags"]]:
                sys.exit(f"settings template: preset {preset['label']}: {entry['key']} cannot be {entry['value']}")


def manifest(template, form, library, api, version):
    settings = []
    for setting in template["settings"]:
        entry = {"key": setting["key"], "env": long_env(setting)}
        for name in ("label", "description", "type", "default", "flags", "range", "unit", "dependence"):
            if name in setting:
                entry[name] = setting[name]
        settings.append(entry)
    layer = {
        "name": template["name"],
        "type": "GLOBAL",
        "library_path": library,
        "api_version": api,
        "implementation_version": version,
        "description": template["description"],
        "introduction": template["introduction"],
        "functions": {"vkNegotiateLoaderLayerInterfaceVersion": "vkNegotiateLoaderLayerInterfaceVersion"},
        # VK_EXT_layer_settings is obeyed but not advertised: loaders before 1.3.272 refuse to enable a name they do not know,
        # and a program that enables all it is offered would no longer start.
    }
    if form == "implicit":
        layer["enable_environment"] = {"KRONOS_ENABLE": "1"}
        layer["disable_environment"] = {"KRONOS_DISABLE": "1"}
    layer["features"] = {"presets": template["presets"], "settings": settings}
    return json.dumps({"file_format_version": "1.2.1", "layer": layer}, indent=2) + "\n"


def header(template):
    out = ["// Generated from manifest/kronos_compute.json: the settings as the layer reads them. Do not edit.", "#pragma once",
           "#include <array>", "#include <cstdint>", "#include <string>", "#include <string_view>", "", "namespace kronos {", ""]
    for setting in template["settings"]:
        if setting["type"] == "ENUM":
            out.append(f"enum class {camel(setting['key'])} : int32_t {{ "
                       + ", ".join("k" + camel(f["key"]) for f in setting["flags"]) + " };")
    out += ["", "/// Every setting of the layer, with its default. Read once per instance; immutable afterwards.", "struct Settings {"]
    for setting in template["settings"]:
        key, kind, value = setting["key"], setting["type"], setting["default"]
        out.append(f"    /// {setting['description']}" + (f" Unit: {setting['unit']}." if "unit" in setting else ""))
        if kind == "ENUM":
            out.append(f"    {camel(key)} {key} = {camel(key)}::k{camel(value)};")
        elif kind == "INT":
            out.append(f"    int64_t {key} = {value};")
        elif kind == "BOOL":
            out.append(f"    bool {key} = {str(value).lower()};")
        else:
            out.append(f"    std::string {key} = {quoted(value)};")
    out += ["};", "",
            "enum class SettingType { kEnum, kInt, kBool, kText };", "",
            "/// What the reader needs to know of one setting.", "struct SettingRow {",
            "    std::string_view key;", "    const char* long_env;   ///< VK_KRONOS_COMPUTE_<KEY>",
            "    const char* short_env;  ///< KRONOS_<KEY>", "    SettingType type;",
            "    std::string_view default_text;", "    std::string_view allowed;  ///< for people",
            "    int64_t min;", "    int64_t max;", "    const std::string_view* names;  ///< of an enumeration, in the order of its values",
            "    int32_t name_count;", "    void* (*field)(Settings&);  ///< int32_t*, int64_t*, bool* or std::string*, by type", "};", "",
            "namespace settings_detail {"]
    for setting in template["settings"]:
        if setting["type"] == "ENUM":
            names = ", ".join(quoted(f["key"]) for f in setting["flags"])
            out.append(f"inline constexpr std::string_view {setting['key']}_names[] = {{{names}}};")
    out += ["}  // namespace settings_detail", "", "inline constexpr SettingRow kSettingRows[] = {"]
    for setting in template["settings"]:
        key, kind = setting["key"], setting["type"]
        limits = setting.get("range", {"min": 0, "max": 0})
        names = f"settings_detail::{key}_names, {len(setting['flags'])}" if kind == "ENUM" else "nullptr, 0"
        ctype = {"ENUM": "kEnum", "INT": "kInt", "BOOL": "kBool"}.get(kind, "kText")
        out.append(f"    {{{quoted(key)}, {quoted(long_env(setting))}, {quoted(short_env(setting))}, SettingType::{ctype}, "
                   f"{quoted(default_text(setting))}, {quoted(allowed(setting))}, {limits['min']}, {limits['max']}, {names}, "
                   f"[](Settings& s) -> void* {{ return &s.{key}; }}}},")
    out += ["};", "", "/// A preset gives one setting this value.", "struct PresetRow {", "    std::string_view preset;",
            "    std::string_view key;", "    std::string_view value;", "};", "", "inline constexpr PresetRow kPresetRows[] = {"]
    for preset in template["presets"]:
        for entry in preset["settings"]:
            if entry["key"] != "preset":
                out.append(f"    {{{quoted(preset_key(preset))}, {quoted(entry['key'])}, {quoted(preset_value(entry))}}},")
    out += ["};", "", "}  // namespace kronos", ""]
    return "\n".join(out)


def info(template):
    out = ["// Generated from manifest/kronos_compute.json: the settings as the kronos command shows them. Do not edit.", "#pragma once",
           "", "namespace kronos {", "", "struct SettingInfo {", "    const char* key;", "    const char* env;        ///< VK_KRONOS_COMPUTE_<KEY>",
           "    const char* short_env;  ///< KRONOS_<KEY>", "    const char* type;", "    const char* default_value;", "    const char* description;",
           "    const char* allowed;", "    const char* comment;  ///< in a settings file: lines that begin with #", "};", "",
           "inline constexpr SettingInfo kSettings[] = {"]
    for s in template["settings"]:
        fields = (s["key"], long_env(s), short_env(s), s["type"], default_text(s), s["description"], allowed(s), "\n".join(comment(s)))
        out.append("    {" + ", ".join(quoted(f) for f in fields) + "},")
    presets = ", ".join(quoted(preset_key(p)) for p in template["presets"])
    out += ["};", "", f"inline constexpr const char* kPresets[] = {{{presets}}};", "", "/// What a settings file begins with.",
            f"inline constexpr const char* kSettingsFileHeader = {quoted(chr(10).join(sample_header(template)))};", "",
            "}  // namespace kronos", ""]
    return "\n".join(out)


def comment(s):
    return [f"# {s['label']}. {s['description']}" + (f" Unit: {s['unit']}." if "unit" in s else ""),
            f"# Allowed: {allowed(s)}. Environment: {long_env(s)} or {short_env(s)}."]


def sample_header(template):
    return ["# Settings of " + template["name"] + ", for the Vulkan loader's settings file vk_layer_settings.txt.",
            "# Found in $XDG_DATA_HOME/vulkan/settings.d (or ~/.local/share/vulkan/settings.d), then where VK_LAYER_SETTINGS_PATH",
            "# says, then in the working directory. Environment variables win over this file. Every line shows its default."]


def sample(template):
    out = [*sample_header(template), ""]
    for s in template["settings"]:
        out += [*comment(s), f"#{LAYER_PREFIX}.{s['key']} = {default_text(s)}".rstrip(), ""]
    return "\n".join(out)


def roff(text):
    """roff takes - for a hyphen, and a line that begins with . or ' for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def man(template, version):
    def bold(text):
        return f"\\fB{roff(text)}\\fR"

    name = template["name"]
    out = [".\\\" Generated from manifest/kronos_compute.json.", f'.TH {name} 7 "" "Kronos {roff(version)}" "Vulkan layers"',
           ".SH NAME", f"{name} \\- {roff(template['description'])}",
           ".SH DESCRIPTION", roff(template["introduction"]) + " Programs are not changed for it. It is off until it is asked for:",
           ".TP", bold("kronos run -- PROGRAM"), "for one run of one program.",
           ".TP", bold("kronos enable"), "for all Vulkan programs of a user, until " + bold("kronos disable") + ".",
           ".TP", bold("KRONOS_ENABLE=1"), "by the installed implicit manifest, in all that has this variable.",
           ".TP", bold("VK_INSTANCE_LAYERS=" + name), "by the explicit manifest, as other layers.",
           ".PP", bold("KRONOS_DISABLE") + ", whatever its value, keeps it out where it comes by " + bold("kronos enable") + " or "
           + bold("KRONOS_ENABLE") + ".",
           ".PP", "Programs with more rights than their user (setuid, capabilities) have it only by the system's manifests, "
           "with no setting read and nothing written.",
           ".SH SETTINGS", roff("A setting key is given by (first found wins) the environment, as VK_KRONOS_COMPUTE_KEY or for short "
                                "KRONOS_KEY; the program's profile; a vk_layer_settings.txt, with lines"),
           f".B {roff(LAYER_PREFIX)}.\\fIkey\\fB = \\fIvalue\\fR;",
           "the program itself, by VK_EXT_layer_settings; the preset. A bad value is one line that names it, what is allowed and "
           "what is used instead, and the program runs.", ".PP", "The settings in effect:", ".B kronos settings"]
    for s in template["settings"]:
        unit = f" ({s['unit']})" if "unit" in s else ""
        value = f"Default: {default_text(s)}." if default_text(s) else "Default: empty."
        out += [".TP", bold(s["key"]), roff(s["description"]), f"Allowed: {roff(allowed(s))}{roff(unit)}. {roff(value)}"]
        for flag in s.get("flags", []):
            out += [".RS", ".TP", bold(flag["key"]), roff(flag["description"]), ".RE"]
    out.append(".SH PRESETS")
    for p in template["presets"]:
        what = ", ".join(f"{e['key']} = {preset_value(e)}" for e in p["settings"] if e["key"] != "preset")
        out += [".TP", bold(preset_key(p)), roff(p["description"]), *([roff(what + ".")] if what else [])]
    out += [".SH FILES",
            ".TP", ".I ~/.config/kronos/programs/PROGRAM.txt", "A profile: the settings of one program.",
            ".TP", ".I ~/.local/share/vulkan/settings.d/vk_layer_settings.txt", "Settings of all programs of a user; a commented one:",
            ".BR kronos \" settings write\" .",
            ".TP", ".I ~/.local/state/kronos", "Statistics, a file for each process.",
            ".SH SEE ALSO", ".BR kronos (1)", ""]
    return "\n".join(out)


def readme_table(template):
    rows = [BEGIN, "", "| setting | values | default | what it does |", "| --- | --- | --- | --- |"]
    for s in template["settings"]:
        unit = f" ({s['unit']})" if "unit" in s else ""
        value = f"`{default_text(s)}`" if default_text(s) else "empty"
        rows.append(f"| `{s['key']}` | {allowed(s)}{unit} | {value} | {s['description']} |")
    rows += ["", "| preset | what it sets |", "| --- | --- |"]
    for p in template["presets"]:
        what = ", ".join(f"`{e['key']} = {preset_value(e)}`" for e in p["settings"] if e["key"] != "preset") or "nothing: the defaults"
        rows.append(f"| `{preset_key(p)}` | {what}. {p['description']} |")
    return "\n".join(rows + ["", END])


def readme(template, path, only_check):
    text = Path(path).read_text()
    if BEGIN not in text or END not in text:
        sys.exit(f"{path}: the markers of the settings table are missing")
    head, rest = text.split(BEGIN, 1)
    wanted = head + readme_table(template) + rest.split(END, 1)[1]
    if only_check and wanted != text:
        sys.exit(f"{path}: the settings table is out of date; run: manifest/generate.py manifest/kronos_compute.json readme README.md")
    if not only_check:
        Path(path).write_text(wanted)


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("template")
    parser.add_argument("what", choices=["manifest", "header", "info", "sample", "man", "readme"])
    parser.add_argument("out")
    parser.add_argument("--form", choices=["explicit", "implicit"], default="explicit")
    parser.add_argument("--library")
    parser.add_argument("--api")
    parser.add_argument("--version", default="1")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    template = json.loads(Path(args.template).read_text())
    check(template)
    if args.what == "manifest":
        if not args.library or not args.api:
            parser.error("a manifest needs --library and --api")
        write(args.out, manifest(template, args.form, args.library, args.api, args.version))
    elif args.what == "man":
        write(args.out, man(template, args.version))
    elif args.what == "readme":
        readme(template, args.out, args.check)
    else:
        write(args.out, {"header": header, "info": info, "sample": sample}[args.what](template))


if __name__ == "__main__":
    main()
