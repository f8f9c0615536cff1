"""Statistics on plain arrays: no exam, no file."""

from livermre.evaluate.agreement import Agreement, agreement
from livermre.evaluate.intervals import bootstrap_mean
from livermre.evaluate.overlap import dice, iou

__all__ = ["Agreement", "agreement", "bootstrap_mean", "dice", "iou"]
