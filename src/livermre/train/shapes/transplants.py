"""A body with another patient's liver in place of its own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train.shapes.resampling import resample_labels
from livermre.train.shapes.shape import WALL, Shape, ShapeError, Spacing
from livermre.train.shapes.tools import box_of, largest, mask_of, near

KEEP_OUT = (*WALL, Tissue.ARTERY, Tissue.VEIN, Tissue.KIDNEY_RIGHT, Tissue.KIDNEY_LEFT)  # a pasted liver stops there
FILLERS = (Tissue.INNER_FAT, Tissue.LUNG, Tissue.STOMACH, Tissue.COLON, Tissue.SMALL_BOWEL)
MIN_KEPT = 0.75  # part of a pasted liver that must find room, else the transplant is refused


def _scaled_liver(body: Shape, liver: Shape, rng: np.random.Generator) -> np.ndarray:
    """The donor's liver labels (LIVER_TISSUES, else AIR), scaled half-way towards the recipient's liver size."""
    donor = np.where(mask_of(liver.labels, LIVER_TISSUES), liver.labels, Tissue.AIR)
    donor = donor[box_of(donor != Tissue.AIR)]
    new = box_of(mask_of(body.labels, LIVER_TISSUES))
    extent = np.array([(cut.stop - cut.start) * step for cut, step in zip(new, body.spacing_mm, strict=True)])
    ratio = extent / (np.array(donor.shape) * liver.spacing_mm)
    scale = np.clip(np.sqrt(ratio), 0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
    donor = np.pad(donor.astype(np.uint8), 2)
    return resample_labels(donor, tuple(np.array(liver.spacing_mm) * scale), body.spacing_mm)


def _place(body: Shape, donor: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Donor labels at the best place in an empty volume of the body's shape, and the part of them that finds room.

    Starts with right border, back border and top where the old liver has them, then looks around for the place with
    the least wall and old liver left over.
    """
    old = mask_of(body.labels, LIVER_TISSUES)
    new = donor != Tissue.AIR
    box, own = box_of(old), box_of(new)
    new, donor = new[own], donor[own]
    start = (box[0].stop - new.shape[0], box[1].stop - new.shape[1], box[2].start)
    cost = np.full(body.labels.shape, 0.15, np.float32)  # spreading into other organs costs a little
    cost[old] = -0.35
    cost[body.labels == Tissue.HEART] = 0.6
    cost[mask_of(body.labels, KEEP_OUT)] = 1.0
    best = min(_trials(start, rng), key=lambda at: _cost_at(cost, new, at))
    placed = _paste_at(np.zeros(body.labels.shape, np.uint8), donor, best)
    room = (placed != Tissue.AIR) & ~mask_of(body.labels, KEEP_OUT)
    return np.where(room, placed, Tissue.AIR).astype(np.uint8), room.sum() / new.sum()


def _trials(start: Sequence[int], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Places to try around a start index: up to 18 mm or so each way, a random half of them."""
    steps = np.stack(np.meshgrid(*[np.arange(-6, 7, 2)] * 3, indexing="ij"), -1).reshape(-1, 3)
    chosen = steps[rng.random(len(steps)) < 0.5]
    return [tuple(int(value) for value in np.add(start, step)) for step in chosen]


def _overlap(shape: Sequence[int], part: Sequence[int], at: Sequence[int]) -> tuple[tuple, tuple]:
    """Slices of a volume and of a part laid at an index, where the two overlap."""
    into = tuple(slice(max(0, a), min(n, a + p)) for n, p, a in zip(shape, part, at, strict=True))
    return into, tuple(slice(cut.start - a, max(cut.stop, cut.start) - a) for cut, a in zip(into, at, strict=True))


def _cost_at(cost: np.ndarray, new: np.ndarray, at: Sequence[int]) -> float:
    """Cost of a mask laid at an index; what falls outside the volume costs like wall."""
    into, part = _overlap(cost.shape, new.shape, at)
    every = (slice(None, None, 2),) * 3  # an eighth of the voxels tells the places apart just as well
    inside = new[part]
    return float(8 * cost[into][every][inside[every]].sum() + (new.sum() - inside.sum()))


def _paste_at(volume: np.ndarray, donor: np.ndarray, at: Sequence[int]) -> np.ndarray:
    """The volume with the donor labels laid at an index."""
    into, part = _overlap(volume.shape, donor.shape, at)
    volume[into] = donor[part]
    return volume


def _touch_wall(labels: np.ndarray, placed: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Placed liver with the thin gaps to the wall closed where the old liver touched it too."""
    old = mask_of(labels, LIVER_TISSUES) & (placed == Tissue.AIR)
    wall = near(mask_of(labels, (Tissue.MUSCLE, Tissue.BONE)), 8.0, spacing)
    gap = old & wall & near(placed != Tissue.AIR, 8.0, spacing)
    return np.where(gap, Tissue.LIVER, placed).astype(np.uint8)


def _without_liver(labels: np.ndarray, spacing: Spacing, drop: np.ndarray) -> np.ndarray:
    """Labels in which the voxels to drop take the nearest of the organs that give way (fat, lung, stomach, bowel)."""
    filler = mask_of(labels, FILLERS) & ~drop
    if not filler.any():
        return np.where(drop, Tissue.INNER_FAT, labels).astype(np.uint8)
    nearest = ndimage.distance_transform_edt(~filler, spacing, return_distances=False, return_indices=True)
    out = labels.copy()
    out[drop] = labels[tuple(index[drop] for index in nearest)]
    return out


def _lost_gallbladder(labels: np.ndarray, placed: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Mask of a gallbladder that the new liver covers by half or does not touch; empty if it may stay."""
    gallbladder = labels == Tissue.GALLBLADDER
    left = gallbladder & (placed == Tissue.AIR)
    stays = left.sum() > 0.5 * gallbladder.sum() and (left & near(placed != Tissue.AIR, 5.0, spacing)).any()
    return gallbladder & (not stays)


def transplant(body: Shape, liver: Shape, rng: np.random.Generator) -> Shape:
    """The body with another patient's liver in place of its own.

    The donor's liver is scaled moderately, laid against the right wall below the diaphragm and clipped at wall, bone,
    kidneys and great vessels; what it leaves uncovered of the old one is filled by the neighbours, at times by ascites.
    The new liver is one body: what clipping cut off becomes fat.
    Raises ShapeError if less than three quarters of it find room.
    """
    placed, kept = _place(body, _scaled_liver(body, liver, rng), rng)
    if kept < MIN_KEPT:
        raise ShapeError(f"{liver.name} does not fit into {body.name}: only {kept:.0%} of it find room")
    labels = body.labels.copy()
    margin = [round(45 / step) for step in body.spacing_mm]
    box = box_of(mask_of(labels, LIVER_TISSUES) | (placed != Tissue.AIR), margin)
    labels[box] = _exchange(labels[box], placed[box], body.spacing_mm, ascites=rng.random() < 0.12)
    return replace(body, name=f"{body.name}+{liver.name}", labels=_one_liver(labels), complete_liver=True)


def _one_liver(labels: np.ndarray) -> np.ndarray:
    """Labels whose liver, its vessels and lesions included, is the largest connected body alone; the rest is fat."""
    liver = mask_of(labels, LIVER_TISSUES)
    return np.where(liver & ~largest(liver), Tissue.INNER_FAT, labels).astype(np.uint8)


def _exchange(labels: np.ndarray, placed: np.ndarray, spacing: Spacing, ascites: bool) -> np.ndarray:
    """Labels with the placed liver instead of the old one, whose remains go to the neighbours or to ascites."""
    placed = _touch_wall(labels, placed, spacing)
    drop = mask_of(labels, LIVER_TISSUES) | _lost_gallbladder(labels, placed, spacing)
    out = _without_liver(labels, spacing, drop)
    if ascites:
        out[drop & (out != Tissue.LUNG)] = Tissue.ASCITES
    roofed = np.maximum.accumulate(placed[::-1] != Tissue.AIR, axis=0)[::-1]
    out[drop & roofed & (out == Tissue.LUNG)] = Tissue.INNER_FAT  # no lung below the liver
    return np.where(placed != Tissue.AIR, placed, out).astype(np.uint8)
