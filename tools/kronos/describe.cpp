// SPDX-License-Identifier: Apache-2.0
#include "describe.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "environment.h"
#include "kronos/settings_info.h"
#include "run.h"

namespace kronos::command {
namespace {

std::vector<const CLI::App*> Commands(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::Option*> Options(const CLI::App& app) {
    return app.get_options([](const CLI::Option* o) { return o->nonpositional() && !o->get_group().empty(); });
}

std::vector<const CLI::Option*> Arguments(const CLI::App& app) {
    return app.get_options([](const CLI::Option* o) { return o->get_positional() && !o->get_group().empty(); });
}

// Every command with its words, parents first.
void Walk(const CLI::App& app, const std::string& words, const auto& visit) {
    visit(app, words);
    for (const CLI::App* command : Commands(app)) Walk(*command, words + " " + command->get_name(), visit);
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// "N:INT in [1 - 1000]": what a value is called, and which are allowed.
std::string ValueName(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type.substr(0, type.find(':'));
}

std::string AllowedRange(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const size_t open = type.find('['), close = type.find(']');
    return open == std::string::npos || close == std::string::npos ? "" : type.substr(open, close - open + 1);
}

std::vector<std::string> Names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

// What can be completed: words, files, or neither.
struct Values {
    bool files = false;
    bool settings = false;
    std::vector<std::string> words;
};

Values ValuesOf(const CLI::Option& option) {
    Values values;
    const std::string type = option.get_type_name(), name = ValueName(option);
    const size_t open = type.find('{'), close = type.find('}');
    if (open != std::string::npos && close != std::string::npos)
        values.words = SplitList(std::string_view(type).substr(open + 1, close - open - 1), ',');
    else if (option.check_lname("preset"))
        values.words.assign(std::begin(kPresets), std::end(kPresets));
    else if (name == "KEY=VALUE")
        values.settings = true;
    else
        values.files = name == "FILE" || name == "PATH" || name == "MANIFEST" || name.starts_with("LOG");
    return values;
}

// The values of a setting of few words.
std::vector<std::string> SettingWords(const SettingInfo& setting) {
    const std::string type = setting.type;
    if (type != "ENUM" && type != "BOOL") return {};
    std::vector<std::string> words = SplitList(setting.allowed, ',');
    for (std::string& word : words) word.erase(0, word.find_first_not_of(' '));
    return words;
}

std::string Joined(const std::vector<std::string>& words, const char* between = " ") {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

// ---- the manual page

// roff takes a line that begins with . or ' for a request, and - for a hyphen.
std::string Roff(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
            out += std::string("\\&") + c;
        else
            out += c;
    }
    return out;
}

std::string Sentence(std::string text) {
    if (text.empty()) return text;
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    if (text.back() != '.') text += '.';
    return text;
}

void AddOption(std::string& out, const CLI::Option& option) {
    std::string heads;
    for (const std::string& name : Names(option)) heads += (heads.empty() ? "\\fB" : ", \\fB") + Roff(name) + "\\fR";
    if (TakesValue(option)) heads += " \\fI" + Roff(ValueName(option)) + "\\fR";
    const std::string range = AllowedRange(option);
    out += ".TP\n" + heads + "\n" + Roff(Sentence(option.get_description())) +
           (range.empty() ? "" : " Allowed: " + Roff(range.substr(1, range.size() - 2)) + ".") + "\n";
}

void AddCommand(std::string& out, const CLI::App& command, const std::string& words) {
    out += ".SS \"" + Roff(words) + "\"\n";
    out += Roff(Sentence(command.get_description())) + "\n";
    std::string usage;
    if (Options(command).size() > 1) usage += " [OPTIONS]";
    for (const CLI::Option* argument : Arguments(command)) {
        const std::string name = ValueName(*argument);
        usage += argument->get_required() ? " " + name : " [" + name + " ...]";
    }
    if (!usage.empty()) out += ".PP\n\\fB" + Roff(words) + "\\fR" + Roff(usage) + "\n";
    for (const CLI::Option* argument : Arguments(command)) {
        if (argument->get_description().empty()) continue;
        out += ".TP\n\\fI" + Roff(ValueName(*argument)) + "\\fR\n" + Roff(Sentence(argument->get_description())) + "\n";
    }
    for (const CLI::Option* option : Options(command))
        if (!option->check_lname("help")) AddOption(out, *option);
}

// ---- bash

std::string Quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string Action(const Values& values) {
    if (values.settings) return "_kronos_settings; return";
    if (values.files) return "_kronos_files; return";
    if (!values.words.empty()) return "_kronos_words " + Quoted(Joined(values.words)) + "; return";
    return "return";  // of the user's own
}

constexpr const char* kBashHead = R"(# bash completion for kronos, generated from its command line parser.

_kronos_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_kronos_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
_kronos_program() { # the index of the program's name
    if ((COMP_CWORD > $1)) && declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD > $1)); then
        _kronos_files
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -c -- "$cur"; [[ $cur != */* ]] || compgen -f -- "$cur")
    fi
}
_kronos_files_or_settings() {
    _kronos_settings
    local keys=("${COMPREPLY[@]}")
    _kronos_files
    COMPREPLY+=("${keys[@]}")
}
)";

std::string BashSettings() {
    std::vector<std::string> keys;
    std::string out = "_kronos_settings() {\n    if [[ -n $key ]]; then\n        case $key in\n";
    for (const SettingInfo& setting : kSettings) {
        keys.push_back(std::string(setting.key) + "=");
        const std::vector<std::string> words = SettingWords(setting);
        if (!words.empty())
            out += "            " + std::string(setting.key) + ") _kronos_words " + Quoted(Joined(words)) + " ;;\n";
    }
    return out + "        esac\n    else\n        compopt -o nospace 2>/dev/null\n        _kronos_words " +
           Quoted(Joined(keys)) + "\n    fi\n}\n";
}

}  // namespace

std::string ManPage(const CLI::App& app, const std::string& version) {
    std::string out = ".\\\" Generated from the command line parser of kronos.\n";
    out += ".TH KRONOS 1 \"\" \"Kronos " + Roff(version) + "\" \"User Commands\"\n";
    out += ".SH NAME\nkronos \\- run Vulkan programs with the layer VK_LAYER_KRONOS_compute, and see what it does\n";
    out +=
        ".SH SYNOPSIS\n.B kronos\n\\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n.br\n.B kronos run\n"
        "[\\fIOPTION\\fR ...] \\-\\- \\fIPROGRAM\\fR [\\fIARG\\fR ...]\n";
    out += ".SH DESCRIPTION\n" + Roff(app.get_description()) +
           "\nIts layer and the settings of it are described in\n.BR VK_LAYER_KRONOS_compute (7).\n"
           ".B kronos run\nloads it into one program,\n.B kronos enable\ninto all that this user starts.\n";
    out += ".SH OPTIONS\n";
    for (const CLI::Option* option : Options(app)) AddOption(out, *option);
    out += "Every command has\n.B \\-\\-help\ntoo.\n.SH COMMANDS\n";
    Walk(app, "kronos", [&](const CLI::App& command, const std::string& words) {
        if (&command != &app) AddCommand(out, command, words);
    });
    out +=
        ".SH EXIT STATUS\n.TP\n.B 0\nAll is well.\n.TP\n.B 1\nSomething is not, which a line on standard error says.\n"
        ".TP\n.B " +
        std::to_string(kUsageError) +
        "\nThe command line has a fault.\n.PP\n.B kronos run\nends as the program, with " +
        std::to_string(kProgramNotFound) + " where it is not found, " + std::to_string(kNotExecutable) +
        " where it cannot be executed, and " + std::to_string(kCannotRun) + " where the layer is not installed.\n";
    out +=
        ".SH FILES\n.TP\n.I ~/.local/share/vulkan/implicit_layer.d/VkLayer_kronos_compute_user.json\n"
        "What\n.B kronos enable\nwrites; below\n.I $XDG_DATA_HOME\nwhere that is set.\n"
        ".TP\n.I ~/.config/kronos/programs\nProfiles: settings of one program each.\n"
        ".TP\n.I ~/.local/state/kronos\nStatistics that the layer writes.\n";
    out += ".SH SEE ALSO\n.BR VK_LAYER_KRONOS_compute (7),\n.BR vulkaninfo (1)\n";
    return out;
}

std::string BashCompletion(const CLI::App& app) {
    std::string commands, lists, values;
    Walk(app, "kronos", [&](const CLI::App& command, const std::string& words) {
        if (&command != &app) commands += (commands.empty() ? "" : " | ") + Quoted(words);
        std::vector<std::string> names;
        for (const CLI::Option* option : Options(command)) {
            const std::vector<std::string> own = Names(*option);
            names.insert(names.end(), own.begin(), own.end());
            if (!TakesValue(*option)) continue;
            std::string patterns;
            for (const std::string& name : own)
                patterns += (patterns.empty() ? "" : " | ") + Quoted(words + " " + name);
            values += "        " + patterns + ") " + Action(ValuesOf(*option)) + " ;;\n";
        }
        std::vector<std::string> below;
        for (const CLI::App* one : Commands(command)) below.push_back(one->get_name());
        std::string rest = below.empty() ? "" : "_kronos_words " + Quoted(Joined(below));
        bool files = false, settings = false;
        for (const CLI::Option* argument : Arguments(command)) {
            files = files || ValuesOf(*argument).files;
            settings = settings || ValuesOf(*argument).settings;
        }
        if (files || settings)
            rest = std::string("_kronos_") + (files && settings ? "files_or_settings" : files ? "files" : "settings");
        if (words == "kronos run") rest = "_kronos_program $COMP_CWORD";
        lists += "        " + Quoted(words) + ") if [[ $cur == -* ]]; then _kronos_words " + Quoted(Joined(names)) +
                 (rest.empty() ? "" : "; else " + rest) + "; fi ;;\n";
    });
    return std::string(kBashHead) + BashSettings() +
           "_kronos() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at=kronos key= i\n"
           "    COMPREPLY=()\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        if [[ $at == 'kronos run' && ${COMP_WORDS[i]} == -- ]]; then\n"
           "            _kronos_program $((i + 1))\n"
           "            return\n"
           "        fi\n"
           "        case \"$at ${COMP_WORDS[i]}\" in\n"
           "        " +
           commands +
           ") at+=\" ${COMP_WORDS[i]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    # bash takes what is around = for words of their own.\n"
           "    if [[ $cur == = ]]; then\n"
           "        key=$prev prev=$key cur=\n"
           "    elif [[ $prev == = ]]; then\n"
           "        key=${COMP_WORDS[COMP_CWORD - 2]} prev=$key\n"
           "    fi\n"
           "    if [[ -n $key && $key != -* ]]; then\n"
           "        _kronos_settings\n"
           "        return\n"
           "    fi\n"
           "    case \"$at $prev\" in\n" +
           values +
           "    esac\n"
           "    case $at in\n" +
           lists +
           "    esac\n"
           "}\n"
           "complete -F _kronos kronos\n";
}

int DescribeCommand(const CLI::App& app, const std::string& form, const std::string& version) {
    std::string text;
    if (form == "man") text = ManPage(app, version);
    if (form == "bash") text = BashCompletion(app);
    if (text.empty()) {
        std::fprintf(stderr, "kronos: '%s' is no form; there are man, bash\n", form.c_str());
        return kUsageError;
    }
    return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

}  // namespace kronos::command
