// SPDX-License-Identifier: Apache-2.0
// What each vkCmd* that can be held adds to a recording: kronos::hold::<name>, for every line of commands.def that says
// COUNTED or PASSED, and for binds of sets and for barriers. Externally synchronized, as recording is.
//
// Each returns false, and has added nothing that counts, when it cannot hold the command: a structure of a pNext chain
// that is not known, a template that is not known. They throw std::bad_alloc.
#pragma once

#include <vulkan/vulkan.h>

#include "stream/recorder.h"

namespace kronos::hold {

template <class Function>
struct Holder;
template <class... Args>
struct Holder<void(VKAPI_PTR*)(VkCommandBuffer, Args...)> {
    using Type = bool(Recorder&, Args...);
};

#define COMMAND(scope, name, version, gate, ...)
#define COUNTED(name, counter, version, gate, ...) Holder<PFN_vk##name>::Type name;
#define PASSED(name, version, gate, ...) Holder<PFN_vk##name>::Type name;
#include "entry/commands.def"
#undef COMMAND
#undef COUNTED
#undef PASSED
Holder<PFN_vkCmdBindDescriptorSets>::Type CmdBindDescriptorSets;
Holder<PFN_vkCmdBindDescriptorSets2>::Type CmdBindDescriptorSets2;
Holder<PFN_vkCmdPipelineBarrier>::Type CmdPipelineBarrier;
Holder<PFN_vkCmdPipelineBarrier2>::Type CmdPipelineBarrier2;
Holder<PFN_vkCmdExecuteCommands>::Type CmdExecuteCommands;

}  // namespace kronos::hold
