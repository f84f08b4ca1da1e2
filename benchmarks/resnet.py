"""ResNet-20 for CIFAR-10 (He et al. 2016), with shortcuts without parameters."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Two convolutions and a shortcut that skips pixels and pads channels."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.n_padded = n_out // 4 if n_in != n_out else 0

    def forward(self, X):
        out = functional.relu(self.bn1(self.conv1(X)))
        out = self.bn2(self.conv2(out))
        if self.n_padded:
            n = self.n_padded
            X = functional.pad(X[:, :, ::2, ::2], (0, 0, 0, 0, n, n))
        return functional.relu(out + X)


class ResNet20(nn.Module):
    """From images of shape (3, 32, 32) with values in [0, 1] to ten scores."""

    def __init__(self, mean, std):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        sizes = {1: (16, 16, 1), 2: (16, 32, 2), 3: (32, 64, 2)}
        for stage, (n_in, n_out, stride) in sizes.items():
            first, rest = Block(n_in, n_out, stride), [Block(n_out, n_out, 1) for _ in range(2)]
            setattr(self, f"layer{stage}", nn.Sequential(first, *rest))
        self.linear = nn.Linear(64, 10)
        self.register_buffer("mean", torch.as_tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.as_tensor(std).view(1, 3, 1, 1))

    @classmethod
    def from_file(cls, path):
        """Net with the weights of a file of arrays."""
        with np.load(path) as arrays:
            net = cls(arrays["input_mean"].astype("f4"), arrays["input_std"].astype("f4"))
            state = {
                name: torch.as_tensor(arrays[name]) for name in net.state_dict() if name in arrays
            }
        missing, unexpected = net.load_state_dict(state, strict=False)
        missing = [name for name in missing if name not in ("mean", "std")]
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise ValueError(f"The file lacks {missing}.")
        return net.eval()

    def forward(self, X):
        out = (X - self.mean) / self.std
        out = functional.relu(self.bn1(self.conv1(out)))
        out = self.layer3(self.layer2(self.layer1(out)))
        return self.linear(out.mean(dim=(2, 3)))
