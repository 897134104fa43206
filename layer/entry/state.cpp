// SPDX-License-Identifier: Apache-2.0
#include "entry/state.h"

namespace kronos {

Registry& registry = *new Registry;

}  // namespace kronos
