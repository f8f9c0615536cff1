"""The two networks of the comparison, built without ever touching the network."""

from typing import Literal

import segmentation_models_pytorch as smp
import torch

from livermre.exam.errors import SettingsError
from livermre.train.classes import CLASSES

NetworkName = Literal["unet", "unet-resnext50"]


def build(name: str) -> torch.nn.Module:
    """A network that takes (B, 3, N, N) normalised magnitude and gives (B, len(CLASSES), N, N) logits.

    unet-resnext50: U-Net with a ResNeXt50-32x4d encoder (segmentation_models_pytorch), not pretrained.
    Raises SettingsError for another name.
    """
    if name == "unet-resnext50":
        return smp.Unet("resnext50_32x4d", encoder_weights=None, in_channels=3, classes=len(CLASSES))
    raise SettingsError(f"unknown network {name!r}; known: unet-resnext50")
