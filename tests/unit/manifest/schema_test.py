#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every generated manifest follows the rules of vkconfig's layer schema and of the loader: schema_test.py build/manifest"""
import json
import re
import sys
from pathlib import Path

LAYER_KEYS = {"name", "type", "library_path", "library_arch", "api_version", "implementation_version", "description", "introduction",
              "url", "platforms", "status", "functions", "instance_extensions", "device_extensions", "enable_environment",
              "disable_environment", "features", "pre_instance_functions"}
SETTING_KEYS = {"key", "env", "label", "description", "type", "default", "flags", "range", "unit", "status", "view", "platforms",
                "dependence", "expanded", "settings", "filter", "format", "url"}
TYPES = {"GROUP", "STRING", "LOAD_FILE", "SAVE_FILE", "LOAD_FOLDER", "SAVE_FOLDER", "FRAMES", "BOOL", "INT", "FLOAT", "ENUM", "FLAGS", "LIST"}
faults = []


def check(path, condition, text):
    if not condition:
        faults.append(f"{path}: {text}")


def check_manifest(path, implicit):
    document = json.loads(path.read_text())
    check(path, set(document) == {"file_format_version", "layer"}, f"top-level keys {sorted(document)}")
    check(path, re.fullmatch(r"1\.2\.\d+", document["file_format_version"]), "file_format_version is not 1.2.x")
    layer = document["layer"]
    check(path, set(layer) <= LAYER_KEYS, f"unknown layer properties {sorted(set(layer) - LAYER_KEYS)}")
    for key in ("name", "api_version", "implementation_version", "description", "library_path"):
        check(path, isinstance(layer.get(key), str) and layer[key], f"{key} is missing or empty")
    check(path, re.fullmatch(r"VK_LAYER_[A-Z0-9]+_[A-Za-z0-9_]+", layer["name"]), "name breaks the pattern")
    check(path, re.fullmatch(r"\d+\.\d+\.\d+", layer["api_version"]), f"api_version '{layer['api_version']}'")
    check(path, not layer["library_path"].startswith("/"), "library_path is absolute")
    if implicit:
        check(path, len(layer.get("disable_environment", {})) == 1, "an implicit layer needs one disable_environment")
        check(path, layer.get("enable_environment") == {"KRONOS_ENABLE": "1"}, "enable_environment")
        check(path, "KRONOS_DISABLE" in layer.get("disable_environment", {}), "disable_environment")
    else:
        check(path, not {"enable_environment", "disable_environment"} & set(layer), "an explicit layer has no environment switches")
    features = layer["features"]
    check(path, set(features) <= {"settings", "presets"}, "unknown features")
    keys = {}
    for setting in features["settings"]:
        where = f"{path}: setting {setting.get('key')}"
        check(where, set(setting) <= SETTING_KEYS, f"unknown properties {sorted(set(setting) - SETTING_KEYS)}")
        for key in ("key", "label", "description", "type", "default"):
            check(where, key in setting, f"{key} is missing")
        check(where, setting["type"] in TYPES, f"type {setting['type']}")
        check(where, re.fullmatch(r"[a-z][a-z0-9_]*", setting["key"]), "key")
        check(where, setting["key"] not in keys, "defined twice")
        # LayerSettings also reads VK_<KEY>: no key may turn into one of the loader's own variables.
        check(where, "VK_" + setting["key"].upper() not in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_LAYER_PATH", "VK_ADD_LAYER_PATH",
              "VK_INSTANCE_LAYERS", "VK_LOADER_DEBUG", "VK_ADD_DRIVER_FILES", "VK_LAYER_SETTINGS_PATH"), "collides with the loader")
        keys[setting["key"]] = setting
        if setting["type"] in ("ENUM", "FLAGS"):
            check(where, setting.get("flags"), "no flags")
            for flag in setting.get("flags", []):
                check(where, {"key", "label", "description"} <= set(flag), f"flag {flag}")
            check(where, setting["default"] in [f["key"] for f in setting["flags"]], "default is no flag")
        if setting["type"] == "INT":
            check(where, isinstance(setting["default"], int), "default is no number")
            check(where, setting["range"]["min"] <= setting["default"] <= setting["range"]["max"], "default out of range")
        if setting["type"] == "BOOL":
            check(where, isinstance(setting["default"], bool), "default is no bool")
    for setting in features["settings"]:
        # vkconfig greys a setting out by this: {"mode": ALL, ANY or NONE, "settings": [{"key", "value"}]}.
        dependence = setting.get("dependence", {"mode": "ANY", "settings": []})
        check(path, set(dependence) == {"mode", "settings"} and dependence["mode"] in ("ALL", "ANY", "NONE"), f"{setting['key']}: {dependence}")
        for entry in dependence["settings"]:
            check(path, set(entry) == {"key", "value"} and entry["key"] in keys and entry["key"] != setting["key"],
                  f"{setting['key']} depends on {entry}")
    labels = [p.get("label") for p in features["presets"]]
    check(path, labels == ["Safe", "Balanced", "Fastest", "Observe"], f"presets {labels}")
    for preset in features["presets"]:
        check(path, set(preset) <= {"label", "description", "platforms", "status", "settings", "editor_state"}, f"preset {preset}")
        check(path, preset.get("description") and preset.get("settings"), f"preset {preset.get('label')} is incomplete")
        for entry in preset["settings"]:
            check(path, set(entry) == {"key", "value"} and entry["key"] in keys, f"preset {preset['label']}: {entry}")


root = Path(sys.argv[1])
found = sorted(root.rglob("VkLayer_kronos_compute.json"))
for manifest in found:
    check_manifest(manifest, "implicit" in str(manifest.relative_to(root)))
check(root, len(found) == 5, f"{len(found)} manifests, expected 5")
for manifest in found:
    if "install" not in manifest.parts:
        library = manifest.parent / json.loads(manifest.read_text())["layer"]["library_path"]
        check(manifest, library.exists(), f"{library} does not exist")
print(*faults, sep="\n", file=sys.stderr)
sys.exit(1 if faults else 0)
