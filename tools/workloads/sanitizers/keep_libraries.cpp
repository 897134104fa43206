// SPDX-License-Identifier: Apache-2.0
// Only in builds with a sanitizer: libraries stay mapped until the process ends, because a report about a driver that
// the loader has unloaded names no module, and so cannot be suppressed.

extern "C" __attribute__((visibility("default"))) int dlclose(void* /*library*/) { return 0; }
