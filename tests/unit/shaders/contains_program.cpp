// SPDX-License-Identifier: Apache-2.0
// kronos-shaders-contain FOLDER: is what SPIRV-Cross calls active in the compute shaders of a folder in our answer?
// Prints the numbers as one line of key=value, then a line for each shader that is wrong or that could not be checked.
// Ends 0 if all that could be checked are right, 1 if one is not, 2 on a bad command line.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "cross.h"

int main(int argc, char** argv) {
    std::error_code error;
    if (argc != 2 || !std::filesystem::is_directory(argv[1], error)) {
        std::fprintf(stderr, "kronos-shaders-contain: %s: one folder with *.spv is needed\n",
                     argc == 2 ? argv[1] : "usage: kronos-shaders-contain FOLDER");
        return 2;
    }
    try {
        const kronos::shaders_test::FolderReport report = kronos::shaders_test::CheckFolder(argv[1]);
        std::printf("modules=%zu entries=%zu checked=%zu bindings=%zu everything=%zu not_contained=%zu unread=%zu\n",
                    report.modules, report.entries, report.checked, report.bindings, report.everything,
                    report.not_contained.size(), report.unread.size());
        for (const std::string& line : report.not_contained) std::printf("not contained: %s\n", line.c_str());
        for (const std::string& line : report.unread) std::printf("unread: %s\n", line.c_str());
        return report.not_contained.empty() ? 0 : 1;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "kronos-shaders-contain: %s: %s\n", argv[1], failure.what());
        return 2;
    }
}
