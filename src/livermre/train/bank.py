"""The shapes that training draws from: label volumes on one grid, ready to be sliced at any angle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from livermre.simulate.tissue import LIVER_TISSUES, Tissue


@dataclass(frozen=True)
class BankVolume:
    """One body as the sampler needs it.

    labels       (Z, Y, X) uint8 tensor, Tissue numbers, foot to head, front to back, right to left
    spacing_mm   (3,) mm
    liver_mm     lowest and highest liver position along z, mm from the first slice; None without liver
    centre_mm    (2,) in-plane centre of the body (row, column), mm
    """

    labels: torch.Tensor
    spacing_mm: tuple[float, float, float]
    liver_mm: tuple[float, float] | None
    centre_mm: tuple[float, float]

    @property
    def height_mm(self) -> float:
        """Extent along z, mm."""
        return float(self.labels.shape[0] - 1) * self.spacing_mm[0]


def bank_volume(labels: np.ndarray, spacing_mm: Sequence[float], device: str = "cpu") -> BankVolume:
    """A bank volume from a label array (Z, Y, X) uint8 and its spacing in mm."""
    liver = np.isin(labels, [int(t) for t in LIVER_TISSUES])
    slices = np.flatnonzero(liver.any(axis=(1, 2)))
    body = (labels != Tissue.AIR) & (labels != Tissue.ARM)
    rows, columns = np.flatnonzero(body.any(axis=(0, 2))), np.flatnonzero(body.any(axis=(0, 1)))
    dz, dy, dx = (float(s) for s in spacing_mm)
    return BankVolume(
        torch.from_numpy(np.array(labels, dtype=np.uint8)).to(device),
        (dz, dy, dx),
        (float(slices[0]) * dz, float(slices[-1]) * dz) if slices.size else None,
        (float(rows[0] + rows[-1]) / 2 * dy, float(columns[0] + columns[-1]) / 2 * dx),
    )
