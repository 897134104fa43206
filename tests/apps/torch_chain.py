# SPDX-License-Identifier: Apache-2.0
"""A chain of operations on PyTorch's Vulkan back end, seeded: prints sums of its results, the largest difference to the CPU, and how many
nanoseconds the fastest took, as JSON."""
import json
import sys
import time

import torch


def chain(x, y):
    for _ in range(20):
        x = torch.nn.functional.relu(x * 0.9 + y) + torch.sigmoid(x)
        x = torch.nn.functional.avg_pool2d(x - torch.tanh(y), 3, stride=1, padding=1)
    return x


def main():
    if not torch.is_vulkan_available():
        sys.exit("torch_chain: this PyTorch finds no Vulkan")
    torch.manual_seed(1234)
    numbers, worst, fastest = [], 0.0, None
    with torch.inference_mode():
        for _ in range(int(sys.argv[1])):
            x, y = torch.rand(1, 8, 64, 64), torch.rand(1, 8, 64, 64)
            expected = chain(x, y)
            begin = time.monotonic_ns()
            result = chain(x.to("vulkan"), y.to("vulkan")).cpu()
            took = time.monotonic_ns() - begin
            fastest = took if fastest is None else min(fastest, took)
            worst = max(worst, (result - expected).abs().max().item())
            numbers.append(result.double().sum().item())
    if worst > 1e-3:  # half floats inside the back end; a wrong result is off by far more
        sys.exit(f"torch_chain: {worst} away from the CPU's result")
    print(json.dumps({"sums": numbers, "worst": worst, "fastest_ns": fastest}))


main()
