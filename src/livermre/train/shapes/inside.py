"""What sources leave out inside a body: spine, ribs, lungs, heart."""

import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train.shapes.shape import BODY, WALL, Spacing
from livermre.train.shapes.tools import box_of, mask_of, near, span_of
from livermre.train.shapes.wall import plane_mm


def add_spine(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with a plain vertebral column and back muscles where the source has no bone near the mid-line."""
    out = labels.copy()
    free = mask_of(labels, (BODY, Tissue.MUSCLE))
    x, y = plane_mm(labels, spacing)
    for index, plane in enumerate(labels):
        if (plane == Tissue.BONE).any() or not (plane != Tissue.AIR).any():
            continue
        inside = ndimage.binary_opening(mask_of(plane, (Tissue.AIR, Tissue.ARM, Tissue.SKIN_FAT)) == 0, iterations=3)
        if not inside.any():
            continue
        centre, back = x[inside].mean(), y[inside & (np.abs(x - x[inside].mean()) < 30)].max(initial=0)
        _draw_vertebra(out[index], free[index], x - centre, y - back)
    return out


def _draw_vertebra(plane: np.ndarray, free: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Draws one section of spine into `plane`; x mm from the mid-line, y mm from the inner border of the back's fat."""
    muscle = ((np.abs(x) - 30) / 28) ** 2 + ((y + 22) / 20) ** 2 < 1
    body = (x / 22) ** 2 + ((y + 58) / 17) ** 2 < 1
    arch = (x / 16) ** 2 + ((y + 36) / 12) ** 2 < 1
    spinous = (np.abs(x) < 4) & (y > -36) & (y < -4)
    plane[free & muscle] = Tissue.MUSCLE
    plane[free & (body | arch | spinous)] = Tissue.BONE
    plane[free & ((x / 9) ** 2 + ((y + 36) / 7) ** 2 < 1)] = Tissue.SPINAL_CANAL


def add_ribs(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with oblique bony stripes in the chest wall where the source has no ribs."""
    low, high = span_of(mask_of(labels, LIVER_TISSUES), 0)
    x, y = plane_mm(labels, spacing)
    if ((labels[low:high] == Tissue.BONE) & (np.abs(x) > 70)).any():
        return labels
    forward = np.abs(np.arctan2(x, y)) / np.pi  # 0 at the back, 1 in front
    height = np.arange(len(labels))[:, None, None] * spacing[0]
    stripe = np.mod(height + 70 * forward, 26.0) < 10
    chest = height > (low + 0.25 * (high - low)) * spacing[0] + 60 * np.clip(forward - 0.6, 0, None)
    wall = labels == Tissue.MUSCLE
    core = wall & (ndimage.distance_transform_edt(labels != Tissue.SKIN_FAT, spacing) > 3.0)
    rib = core & stripe & chest & (forward > 0.12) & (forward < 0.93)
    rib &= ~near(labels == Tissue.SPINAL_CANAL, 45.0, spacing)
    return np.where(rib, Tissue.BONE, labels).astype(np.uint8)


def add_lungs(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which the space without name above the abdominal organs is lung, if the source has no lung."""
    liver = mask_of(labels, LIVER_TISSUES)
    if (labels == Tissue.LUNG).any() or liver[-1].any():
        return labels
    organs = ~mask_of(labels, (*WALL, BODY, Tissue.HEART, Tissue.ARTERY, Tissue.VEIN, Tissue.OESOPHAGUS))
    roof = np.maximum.accumulate(organs[::-1], axis=0)[::-1]  # an organ lies in the same column at this height or above
    floor = np.maximum.accumulate(mask_of(labels, (*LIVER_TISSUES, Tissue.SPLEEN, Tissue.STOMACH)), axis=0)
    space = ndimage.binary_dilation(floor, np.ones((1, 5, 5), bool)) & ~roof
    space[span_of(liver, 0)[1] - round(20 / spacing[0]) :] = True
    out = np.where(space & (labels == BODY), Tissue.LUNG, labels).astype(np.uint8)
    return _add_heart(out, spacing) if not (labels == Tissue.HEART).any() else out


def _add_heart(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels with an egg of heart in the lungs above the liver, in front and left of the mid-line."""
    top = span_of(mask_of(labels, LIVER_TISSUES), 0)[1]
    trunk = box_of(~mask_of(labels, (Tissue.AIR, Tissue.ARM)))
    x, y = plane_mm(labels, spacing)
    middle = x[0, (trunk[2].start + trunk[2].stop) // 2] + 15
    row = y[trunk[1].start + (trunk[1].stop - trunk[1].start) * 2 // 5, 0]
    z = (np.arange(len(labels)) - top)[:, None, None] * spacing[0] - 15
    egg = ((x - middle) / 52) ** 2 + ((y - row) / 40) ** 2 + (z / 40) ** 2 < 1
    return np.where(egg & (labels == Tissue.LUNG), Tissue.HEART, labels).astype(np.uint8)
