"""Losses that treat a slice without liver on purpose."""

import torch
import torch.nn.functional as F

from livermre.train.classes import LIVER


def segmentation_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over all classes plus soft Dice of the liver over the whole batch.

    logits  (B, K, N, N) float
    target  (B, N, N) int64

    Dice is summed over the batch, so a slice without liver costs what it adds in false liver, not its whole score.
    """
    return F.cross_entropy(logits.float(), target) + liver_dice_loss(logits, target)


def liver_dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """1 - soft Dice of the liver, pooled over the batch."""
    p = logits.float().softmax(1)[:, LIVER]
    t = (target == LIVER).float()
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
