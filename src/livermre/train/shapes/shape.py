"""What a bank holds, and the words that all its modules share."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.errors import InputError
from livermre.simulate.tissue import Tissue

Spacing = tuple[float, float, float]

BODY = 100  # working number, never in a finished Shape: inside the outline, without a name of its own
WALL = (Tissue.AIR, Tissue.SKIN_FAT, Tissue.MUSCLE, Tissue.BONE, Tissue.SPINAL_CANAL, Tissue.ARM)


class ShapeError(InputError, ValueError):
    """A label map that cannot become a Shape; the message says what is wrong with it."""


@dataclass(frozen=True)
class Shape:
    """One anatomy of the bank.

    `labels` uint8 [slice, row, column] (foot -> head, anterior -> posterior, patient right -> left), `spacing_mm` in
    the same order. `complete_liver` is False where the field of view cuts the liver.
    """

    name: str
    labels: np.ndarray
    spacing_mm: Spacing
    complete_liver: bool = True
