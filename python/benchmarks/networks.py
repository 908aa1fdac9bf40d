"""The networks of the benchmarks, as PyTorch's users write them; those of the recipes of the program are the same there."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RESNET18_PARAMETERS = 11_173_962


def mlp(pixels: int, classes: int = 10) -> nn.Module:
    """Two hidden layers, of 128 and 64, with ReLU."""
    hidden = [nn.Flatten(), nn.Linear(pixels, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(64, classes))


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


def _branch(inputs: int, outputs: int, stride: int) -> nn.Module:
    """What stands beside the shortcut of a residual block."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class _Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = _branch(inputs, outputs, stride)
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


class _Plain(nn.Module):
    """Two convolutions beside a shortcut without parameters (He et al., CVPR 2016, option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = _branch(inputs, outputs, stride)
        self.stride, self.more = stride, outputs - inputs

    def forward(self, images: Tensor) -> Tensor:
        shortcut = images[:, :, :: self.stride, :: self.stride]
        if self.more:
            before = self.more // 2
            shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, before, self.more - before))
        return nn.functional.relu(self.branch(images) + shortcut)


def resnet20(channels: int = 3, classes: int = 10) -> nn.Module:
    """ResNet-20 of the same paper's section 4.2: three stages of three blocks, of 16, 32 and 64 channels."""
    layers: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            layers.append(_Plain(inputs, outputs, stride if block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


class _Layer(nn.Module):
    """Causal attention and a wider layer, each after a normalisation and beside a shortcut (Radford et al., 2019)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_attention, self.before_wider = nn.LayerNorm(width), nn.LayerNorm(width)
        self.projections, self.back = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wider = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropped = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        parts = self.projections(self.before_attention(states)).chunk(3, -1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        dropout = self.dropout if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        states = states + self.dropped(self.back(mixed.transpose(1, 2).flatten(2)))
        return states + self.dropped(self.wider(self.before_wider(states)))


class _Gpt(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, window: int, dropout: float) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(window, width)
        self.layers = nn.Sequential(*(_Layer(width, heads, dropout) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        self.dropped = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[-1], device=tokens.device)
        return self.head(self.norm(self.layers(self.dropped(self.tokens(tokens) + self.places(places)))))


def gpt(
    vocabulary: int,
    width: int,
    layers: int,
    heads: int,
    window: int,
    *,
    dropout: float = 0.0,
    tied: bool = False,
) -> nn.Module:
    """A small GPT: what the next token of each place in a window is. ``tied``: the embedding is the decoder's matrix too."""
    network = _Gpt(vocabulary, width, layers, heads, window, dropout)
    if tied:
        network.head.weight = network.tokens.weight
    return network


class _Lstm(nn.Module):
    """PyTorch's word language model example: embedding, layers and decoder with dropout, the embedding the decoder's too."""

    def __init__(self, vocabulary: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.tokens, self.bias = nn.Embedding(vocabulary, hidden), nn.Parameter(torch.zeros(vocabulary))
        self.layers = nn.LSTM(hidden, hidden, layers, dropout=dropout)
        self.dropped = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.layers(self.dropped(self.tokens(tokens.T)))
        return nn.functional.linear(self.dropped(states).transpose(0, 1), self.tokens.weight, self.bias)


def lstm(vocabulary: int, hidden: int = 200, layers: int = 2, *, dropout: float = 0.2) -> nn.Module:
    """A language model of LSTM layers."""
    return _Lstm(vocabulary, hidden, layers, dropout)


class _Transformer(nn.Module):
    """PyTorch's word language model example, as of 2021."""

    def __init__(self, vocabulary: int, width: int, heads: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.tokens, self.output = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
        layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.dropped = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        time, width = tokens.shape[-1], self.tokens.embedding_dim
        places = torch.arange(time).unsqueeze(1) * torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
        positions = torch.stack((places.sin(), places.cos()), -1).flatten(1)
        mask = nn.Transformer.generate_square_subsequent_mask(time)
        states = self.dropped(self.tokens(tokens) * math.sqrt(width) + positions)
        return self.output(self.layers(states, mask, is_causal=True))


def transformer(
    vocabulary: int, width: int = 200, heads: int = 2, hidden: int = 200, layers: int = 2, *, dropout: float = 0.2
) -> nn.Module:
    """A language model of transformer encoder layers that see no later token."""
    return _Transformer(vocabulary, width, heads, hidden, layers, dropout)
