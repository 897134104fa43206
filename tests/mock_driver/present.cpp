// SPDX-License-Identifier: Apache-2.0
// Swapchains of headless surfaces: images are acquired at once and in turn, presenting waits for its semaphores.
#include <algorithm>

#include "commands.h"
#include "control_state.h"

namespace mock {
namespace {

struct Swapchain : Object {
    static constexpr VkObjectType kType = VK_OBJECT_TYPE_SWAPCHAIN_KHR;
    std::vector<uint64_t> images;
    uint32_t next = 0;
};

}  // namespace

namespace impl {

VkResult vkCreateSwapchainKHR(VkDevice device, const VkSwapchainCreateInfoKHR* pCreateInfo,
                              const VkAllocationCallbacks*, VkSwapchainKHR* pSwapchain) {
    auto chain = std::make_shared<Swapchain>();
    for (uint32_t i = 0; i < std::max(pCreateInfo->minImageCount, 1U); ++i) {
        auto image = std::make_shared<Image>();
        image->bound = true;
        chain->images.push_back(AddObject(Image::kType, Of(device), std::move(image)));
    }
    *pSwapchain = ToHandle<VkSwapchainKHR>(AddObject(Swapchain::kType, Of(device), std::move(chain)));
    return VK_SUCCESS;
}

void vkDestroySwapchainKHR(VkDevice, VkSwapchainKHR swapchain, const VkAllocationCallbacks*) {
    std::shared_ptr<Object> object;
    if (!RemoveObject(FromHandle(swapchain), Swapchain::kType, "vkDestroySwapchainKHR", &object)) return;
    if (object == nullptr) return;  // a shared one
    for (const uint64_t image : static_cast<Swapchain*>(object.get())->images) {
        RemoveObject(image, Image::kType, "vkDestroySwapchainKHR");
    }
}

VkResult vkGetSwapchainImagesKHR(VkDevice, VkSwapchainKHR swapchain, uint32_t* pSwapchainImageCount,
                                 VkImage* pSwapchainImages) {
    const Swapchain* chain = Require<Swapchain>(swapchain, "vkGetSwapchainImagesKHR");
    if (chain == nullptr) return VK_ERROR_OUT_OF_DATE_KHR;
    return Enumerate(static_cast<uint32_t>(chain->images.size()), pSwapchainImageCount, pSwapchainImages,
                     [&](uint32_t i, VkImage& out) { out = ToHandle<VkImage>(chain->images[i]); });
}

VkResult vkAcquireNextImageKHR(VkDevice device, VkSwapchainKHR swapchain, uint64_t, VkSemaphore semaphore,
                               VkFence fence, uint32_t* pImageIndex) {
    Swapchain* chain = Require<Swapchain>(swapchain, "vkAcquireNextImageKHR");
    if (chain == nullptr) return VK_ERROR_OUT_OF_DATE_KHR;
    *pImageIndex = chain->next;
    chain->next = (chain->next + 1) % static_cast<uint32_t>(chain->images.size());
    std::lock_guard lock(Of(device)->sync->mutex);
    if (semaphore != VK_NULL_HANDLE) {
        if (Semaphore* s = Require<Semaphore>(semaphore, "vkAcquireNextImageKHR")) {
            s->value = 1;
            s->queued_signal = true;
        }
    }
    if (fence != VK_NULL_HANDLE) {
        if (Fence* f = Require<Fence>(fence, "vkAcquireNextImageKHR")) f->signaled = true;
    }
    Of(device)->sync->changed.notify_all();
    return VK_SUCCESS;
}

VkResult vkAcquireNextImage2KHR(VkDevice device, const VkAcquireNextImageInfoKHR* pAcquireInfo, uint32_t* pImageIndex) {
    return vkAcquireNextImageKHR(device, pAcquireInfo->swapchain, pAcquireInfo->timeout, pAcquireInfo->semaphore,
                                 pAcquireInfo->fence, pImageIndex);
}

VkResult vkQueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* pPresentInfo) {
    std::vector<Submission> submissions(1);
    for (uint32_t i = 0; i < pPresentInfo->waitSemaphoreCount; ++i) {
        if (auto semaphore = Shared<Semaphore>(pPresentInfo->pWaitSemaphores[i])) {
            submissions[0].waits.push_back({std::move(semaphore), 0});
        } else {
            Require<Semaphore>(pPresentInfo->pWaitSemaphores[i], "vkQueuePresentKHR");
        }
    }
    const VkResult result = Submit(Of(queue), std::move(submissions), VK_NULL_HANDLE, "vkQueuePresentKHR");
    for (uint32_t i = 0; i < pPresentInfo->swapchainCount; ++i) {
        Require<Swapchain>(pPresentInfo->pSwapchains[i], "vkQueuePresentKHR");
        if (pPresentInfo->pResults != nullptr) pPresentInfo->pResults[i] = result;
    }
    return result;
}

VkResult vkGetPhysicalDeviceSurfaceSupportKHR(VkPhysicalDevice, uint32_t, VkSurfaceKHR, VkBool32* pSupported) {
    *pSupported = VK_TRUE;
    return VK_SUCCESS;
}

VkResult vkGetPhysicalDeviceSurfaceCapabilitiesKHR(VkPhysicalDevice, VkSurfaceKHR,
                                                   VkSurfaceCapabilitiesKHR* pSurfaceCapabilities) {
    VkSurfaceCapabilitiesKHR& c = *pSurfaceCapabilities;
    c = {};
    c.minImageCount = 2;
    c.maxImageCount = 8;
    c.currentExtent = {~0U, ~0U};
    c.minImageExtent = {1, 1};
    c.maxImageExtent = {16384, 16384};
    c.maxImageArrayLayers = 1;
    c.supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    c.currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    c.supportedCompositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    c.supportedUsageFlags = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                            VK_IMAGE_USAGE_STORAGE_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    return VK_SUCCESS;
}

VkResult vkGetPhysicalDeviceSurfaceFormatsKHR(VkPhysicalDevice, VkSurfaceKHR, uint32_t* pSurfaceFormatCount,
                                              VkSurfaceFormatKHR* pSurfaceFormats) {
    return Enumerate(1, pSurfaceFormatCount, pSurfaceFormats, [](uint32_t, VkSurfaceFormatKHR& out) {
        out = {VK_FORMAT_B8G8R8A8_UNORM, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};
    });
}

VkResult vkGetPhysicalDeviceSurfacePresentModesKHR(VkPhysicalDevice, VkSurfaceKHR, uint32_t* pPresentModeCount,
                                                   VkPresentModeKHR* pPresentModes) {
    return Enumerate(1, pPresentModeCount, pPresentModes,
                     [](uint32_t, VkPresentModeKHR& out) { out = VK_PRESENT_MODE_FIFO_KHR; });
}

}  // namespace impl
}  // namespace mock
