"""Liver outline of an exam from its magnitude alone: the mask must not depend on the measured stiffness."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livermre.exam.flags import Flag, flag
from livermre.exam.types import Exam, LiverMask
from livermre.segment.body import body_window
from livermre.segment.components import one_liver
from livermre.segment.engine import Device, Engine, ModelFile, find_model, load_engine
from livermre.segment.grid import is_axial, network_grid
from livermre.segment.normalise import squash
from livermre.segment.refine import refine

_NEIGHBOUR_MM = 30.0
"""Neighbours farther away than this show another part of the body; the network saw gaps up to 24 mm in training."""
_BATCH = 8
_UNSURE_SHARE = 0.35
"""A liver with more than this share of its outline's probability mass between 0.2 and 0.8 is called doubtful."""


@dataclass(frozen=True)
class Segmenter:
    """A loaded network that outlines livers."""

    model: ModelFile
    engine: Engine
    own_tissue: bool = True
    """Whether the network's word is weighed with the exam's own tissue; without, it stands alone (for comparison)."""

    def segment(self, exam: Exam) -> LiverMask:
        """The liver of an exam, on its own grid."""
        probability = self.probability(exam)
        liver = one_liver(probability, exam.pixel_area_mm2)
        return LiverMask(probability, liver, self.model.card, _doubts(exam, probability, liver))

    def probability(self, exam: Exam) -> np.ndarray:
        """Liver probability (S, R, C) float32: the network's word, weighed with this exam's own tissue."""
        magnitude = np.nan_to_num(exam.magnitude)
        grid = network_grid(exam.slices[0].plane, self.model.pixel_mm)
        images = grid.down(magnitude)
        order = _neighbours(exam.positions_mm)
        inputs = np.stack([squash(images[list(three)]) for three in order])
        rows, columns = body_window(inputs[:, 1])
        inputs = np.ascontiguousarray(inputs[:, :, rows, columns])
        parts = [self.engine(inputs[i : i + _BATCH]) for i in range(0, len(inputs), _BATCH)]
        liver = np.zeros(images.shape, np.float32)
        liver[:, rows, columns] = np.concatenate([p[:, self.model.liver] for p in parts])
        if not self.own_tissue:
            return np.clip(grid.up(liver), 0.0, 1.0)
        return refine(liver, images, magnitude, grid, exam.slices[0].plane.spacing_mm, exam.positions_mm)


def load_segmenter(model: str | Path = "default", device: Device = "auto") -> Segmenter:
    """The segmenter for a shipped model's name or an ONNX file; the network is loaded once per process."""
    file = find_model(model)
    return Segmenter(file, load_engine(file, device))


def _neighbours(positions_mm: tuple[float, ...]) -> list[tuple[int, int, int]]:
    """For every slice the slice below, itself, the slice above; itself where a neighbour is missing or far."""
    last = len(positions_mm) - 1

    def near(i: int, j: int) -> int:
        return j if 0 <= j <= last and abs(positions_mm[j] - positions_mm[i]) <= _NEIGHBOUR_MM else i

    return [(near(i, i - 1), i, near(i, i + 1)) for i in range(last + 1)]


def _doubts(exam: Exam, probability: np.ndarray, liver: np.ndarray) -> tuple[Flag, ...]:
    if not is_axial(exam.slices[0].plane):
        return (flag("segmentation_doubtful", reason="the slices are not axial"),)
    inside = probability[liver]
    unsure = float(np.mean(inside < 0.8)) if inside.size else 0.0
    if unsure > _UNSURE_SHARE:
        return (flag("segmentation_doubtful", reason=f"the network is unsure in {100 * unsure:.0f} % of it"),)
    return ()
