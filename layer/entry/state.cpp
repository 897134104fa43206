// SPDX-License-Identifier: Apache-2.0
#include "entry/state.h"

namespace kronos {

ImmortalRegistry immortal_registry;

}  // namespace kronos
