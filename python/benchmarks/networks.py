"""The networks of the benchmark: a small convolutional network, and ResNet-18 for images of 32 x 32."""

from __future__ import annotations

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
