"""The networks of the benchmarks: a small convolutional network, ResNet-18 for images of 32 x 32, and a small GPT."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RESNET18_PARAMETERS = 11_173_962


def cnn(channels: int, classes: int = 10) -> nn.Module:
    """Two blocks of convolution, maximum, batch normalisation and ReLU, then a hidden layer; for 28 x 28 pixels."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        # The maximum comes first: the rest then has a quarter of the work.
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    return nn.Sequential(
        *block(channels, 16), *block(16, 32), nn.Flatten(), nn.Linear(32 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, classes)
    )


class _Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.relu(self.branch(images) + self.shortcut(images))


def resnet18(channels: int = 3, classes: int = 10) -> nn.Module:
    """ResNet-18 with a 3 x 3 stem and without its maximum, as is usual for CIFAR-10."""
    layers: list[nn.Module] = [nn.Conv2d(channels, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    inputs = 64
    for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [_Residual(inputs, outputs, stride), _Residual(outputs, outputs, 1)]
        inputs = outputs
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if (channels, classes) == (3, 10):
        assert parameters == RESNET18_PARAMETERS, f"{parameters} parameters, expected {RESNET18_PARAMETERS}"
    return network


class _Layer(nn.Module):
    """Causal attention and a wider layer, each after a normalisation and beside a shortcut (Radford et al., 2019)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_wider = nn.LayerNorm(width), nn.LayerNorm(width)
        self.projections, self.back = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wider = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, states: Tensor) -> Tensor:
        parts = self.projections(self.before_attention(states)).chunk(3, -1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        states = states + self.back(mixed.transpose(1, 2).flatten(2))
        return states + self.wider(self.before_wider(states))


class _Gpt(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, window: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(window, width)
        self.layers = nn.Sequential(*(_Layer(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[-1], device=tokens.device)
        return self.head(self.norm(self.layers(self.tokens(tokens) + self.places(places))))


def gpt(vocabulary: int, width: int, layers: int, heads: int, window: int) -> nn.Module:
    """A small GPT: what the next token of each place in a window is."""
    return _Gpt(vocabulary, width, layers, heads, window)
