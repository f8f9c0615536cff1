"""The two networks of the comparison, built without ever touching the network."""

from collections import OrderedDict

import segmentation_models_pytorch as smp
import torch
from torch import nn

from livermre.exam.errors import SettingsError
from livermre.train.classes import CLASSES

NETWORKS = ("unet", "unet-resnext50")


def build(name: str) -> nn.Module:
    """A network that takes (B, 3, N, N) normalised magnitude and gives (B, len(CLASSES), N, N) logits.

    unet            the textbook U-Net: five levels, 64 to 1024 channels (Ronneberger 2015), with batch normalisation
    unet-resnext50  U-Net with a ResNeXt50-32x4d encoder (segmentation_models_pytorch), not pretrained

    Raises SettingsError for another name.
    """
    if name == "unet-resnext50":
        return smp.Unet("resnext50_32x4d", encoder_weights=None, in_channels=3, classes=len(CLASSES))
    if name == "unet":
        return UNet(3, len(CLASSES))
    raise SettingsError(f"unknown network {name!r}; known: {', '.join(NETWORKS)}")


class UNet(nn.Module):
    """The conventional U-Net, padded so that the output has the size of the input."""

    def __init__(self, channels: int, classes: int, width: int = 64, levels: int = 5) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(levels)]
        self.down = nn.ModuleList(_double(a, b) for a, b in zip([channels, *widths], widths, strict=False))
        self.rise = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths[:-1]))
        self.up = nn.ModuleList(_double(2 * w, w) for w in reversed(widths[:-1]))
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, K, N, N); N a multiple of 2 ** (levels - 1)."""
        kept = []
        for i, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if i else x)
            kept.append(x)
        for rise, block, skip in zip(self.rise, self.up, reversed(kept[:-1]), strict=True):
            x = block(torch.cat([skip, rise(x)], 1))
        return self.head(x)


def _double(channels: int, width: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, inputs in enumerate((channels, width)):
        layers[f"convolution{i}"] = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        layers[f"norm{i}"] = nn.BatchNorm2d(width)
        layers[f"relu{i}"] = nn.ReLU(inplace=True)
    return nn.Sequential(layers)
