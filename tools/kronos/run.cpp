// SPDX-License-Identifier: Apache-2.0
// kronos run: compose the environment, start the program.
#include "run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "setting_names.h"

namespace kronos::command {
namespace {

namespace fs = std::filesystem;

// VK_LAYER_PATH replaces all other places, so where the user set it our folder must be in it. Of layers with one name
// newer loaders (seen with 1.4.309 and 1.4.363) take an implicit one before explicit ones: another Kronos that is
// installed or enabled would be in the place of this one, unless ours is the first implicit one, and on. Older ones
// (1.3.239) take the explicit one and do not know the variable. Only the file is named, as its folder may hold other
// layers.
void AddExplicit(Environment& environment, const Layout& layout) {
    environment.PrependOnce("VK_ADD_IMPLICIT_LAYER_PATH", layout.implicit_manifest().string());
    environment.Set("KRONOS_ENABLE", "1");
    const char* variable = environment.Get("VK_LAYER_PATH").empty() ? "VK_ADD_LAYER_PATH" : "VK_LAYER_PATH";
    environment.AppendOnce(variable, layout.explicit_dir.string());
    environment.AppendOnce("VK_INSTANCE_LAYERS", kLayerName);
}

void AddImplicit(ComposedEnvironment& composed, const Layout& layout) {
    Environment& environment = composed.environment;
    environment.Set("KRONOS_ENABLE", "1");
    if (environment.Has("KRONOS_DISABLE")) {
        composed.notes.emplace_back(
            "KRONOS_DISABLE is set, even if to nothing: the implicit layer stays off until it is unset");
    }
    // Since loader 1.3.296 this variable replaces all other places; older loaders know only the data folders.
    if (!environment.Get("VK_IMPLICIT_LAYER_PATH").empty()) {
        environment.AppendOnce("VK_IMPLICIT_LAYER_PATH", layout.implicit_dir.string());
    }
    if (environment.Get("XDG_DATA_DIRS").empty()) environment.Set("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
    environment.PrependOnce("XDG_DATA_DIRS", layout.data_dir.string());
}

// KRONOS_ICD_SEARCH_PATHS: folders or files. VK_DRIVER_FILES and its older name replace all other places.
void AddDrivers(ComposedEnvironment& composed) {
    Environment& environment = composed.environment;
    const char* variable = "VK_ADD_DRIVER_FILES";
    for (const char* replacing : {"VK_ICD_FILENAMES", "VK_DRIVER_FILES"}) {
        if (!environment.Get(replacing).empty()) variable = replacing;
    }
    for (const std::string& entry : SplitList(environment.Get("KRONOS_ICD_SEARCH_PATHS"))) {
        std::error_code error;
        std::vector<std::string> files;
        // The program may change its working directory before it loads Vulkan.
        fs::path place = fs::absolute(entry, error);
        if (fs::is_directory(place, error)) {
            for (fs::directory_iterator it(place, error), end; !error && it != end; it.increment(error)) {
                if (it->path().extension() == ".json") files.push_back(it->path().string());
            }
            std::sort(files.begin(), files.end());
            if (error)
                composed.notes.push_back("KRONOS_ICD_SEARCH_PATHS: " + entry + " is skipped: " + error.message());
            else if (files.empty())
                composed.notes.push_back("KRONOS_ICD_SEARCH_PATHS: " + entry + " holds no .json file and is skipped");
        } else if (fs::is_regular_file(place, error)) {
            files.push_back(place.string());
        } else {
            composed.notes.push_back("KRONOS_ICD_SEARCH_PATHS: " + entry + " does not exist and is skipped");
        }
        for (const std::string& file : files) environment.AppendOnce(variable, file);
    }
    environment.Unset("KRONOS_ICD_SEARCH_PATHS");  // done: the layer says of it that it comes too late
}

std::optional<std::string> AddSettings(Environment& environment, const RunRequest& request) {
    if (!request.preset.empty()) {
        if (!IsPreset(request.preset)) return "'" + request.preset + "' is no preset; there are " + AllPresets();
        environment.Set(FindSetting("preset")->env, request.preset);
    }
    for (const std::string& text : request.settings) {
        size_t equals = text.find('=');
        if (equals == std::string::npos) return "--settings '" + text + "' is not of the form KEY=VALUE";
        std::string key = text.substr(0, equals);
        const SettingInfo* setting = FindSetting(key);
        if (!setting) {
            return "'" + key + "' is no setting; did you mean " + NearestKey(key) + "? There are " + AllKeys();
        }
        environment.Set(setting->env, text.substr(equals + 1));
    }
    return std::nullopt;
}

}  // namespace

ComposedEnvironment ComposeRunEnvironment(Environment environment, const Layout& layout, const RunRequest& request) {
    ComposedEnvironment composed{std::move(environment), {}, {}};
    composed.error = AddSettings(composed.environment, request);
    if (composed.error) return composed;
    if (request.implicit)
        AddImplicit(composed, layout);
    else
        AddExplicit(composed.environment, layout);
    AddDrivers(composed);
    // Mesa's implicit layer puts hardware first, whatever was selected; who selects does not want that.
    Environment& made = composed.environment;
    if (!made.Get(FindSetting("device")->env).empty() || !made.Get("KRONOS_DEVICE").empty())
        if (!made.Has("NODEVICE_SELECT")) made.Set("NODEVICE_SELECT", "1");
    return composed;
}

RunArguments SplitRunArguments(const std::vector<std::string>& arguments) {
    RunArguments split;
    enum { kNone, kOne, kSettings } values = kNone;  // what may follow the last option
    auto it = arguments.begin();
    for (; it != arguments.end(); ++it) {
        if (*it == "--") {
            ++it;
            break;
        }
        bool option = it->size() > 1 && it->front() == '-';
        bool value = values == kOne || (values == kSettings && it->find('=') != std::string::npos);
        if (!option && !value) {
            // A word right after --settings is a mistyped value, not a program.
            if (values != kSettings || split.options.back() != "--settings") break;
        }
        if (option)
            values = *it == "--settings" ? kSettings : *it == "--preset" ? kOne : kNone;
        else if (values == kOne)
            values = kNone;
        split.options.push_back(*it);
    }
    split.program.assign(it, arguments.end());
    return split;
}

int Execute(const std::vector<std::string>& program, const Environment& environment) {
    std::vector<std::string> words = program;
    std::vector<std::string> variables = environment.Strings();
    execvpe(words.front().c_str(), Pointers(words).data(), Pointers(variables).data());
    int error = errno;
    bool missing = error == ENOENT || error == ENOTDIR;
    std::fprintf(stderr, "kronos run: %s %s: %s\n", program.front().c_str(),
                 missing ? "is not found, or the interpreter it names is not" : "cannot be executed",
                 std::strerror(error));
    return missing ? kProgramNotFound : kNotExecutable;
}

int Run(const RunRequest& request, const std::vector<std::string>& program) {
    if (program.empty()) {
        std::fprintf(stderr,
                     "kronos run: no program given; write it after two dashes: kronos run -- PROGRAM [ARG ...]\n");
        return kUsageError;
    }
    Layout layout = FindLayout(OwnExecutable());
    fs::path manifest = request.implicit ? layout.implicit_manifest() : layout.explicit_manifest();
    std::error_code ignored;
    if (!fs::exists(manifest, ignored)) {
        std::fprintf(stderr, "kronos run: the layer's manifest %s is missing; %s\n", manifest.c_str(),
                     layout.build_tree ? "build the target kronos_manifest" : "install Kronos again");
        return kCannotRun;
    }
    ComposedEnvironment composed = ComposeRunEnvironment(Environment::Current(), layout, request);
    if (composed.error) {
        std::fprintf(stderr, "kronos run: %s\n", composed.error->c_str());
        return kUsageError;
    }
    for (const std::string& note : composed.notes) std::fprintf(stderr, "kronos run: %s\n", note.c_str());
    return Execute(program, composed.environment);
}

}  // namespace kronos::command
